// "What just happened", from a page of the world: finds how that page was fetched last, and shows all of it under Live.

import { ask } from "../api.js";
import { h, show } from "../dom.js";
import { go, state } from "../state.js";
import { failed, page } from "./view.js";

const BEFORE = 5, AFTER = 15;      // seconds around the request that belong to one look at a page

export class View {
  constructor(main) {
    this.body = page(main, "What just happened", "", h("p", { class: "soft" }, "…"));
    this.find();
  }

  async find() {
    const [host = "", ...path] = state().path;
    const wanted = `host:"${host.replaceAll('"', "")}" protocol:http`;
    try {
      const { exchanges } = await ask("exchanges", { query: { filter: wanted, limit: 200 } });
      const target = `/${path.join("/")}`;
      const row = exchanges.find((one) => decoded(one.facts.path) === target && one.facts.host === host) ?? exchanges[0];
      if (!row) {
        show(this.body, h("p", {}, `Nothing of ${host} is in the journal for you. Load its page again, and see it under `, h("a", { href: "/" }, "Live"), "."));
        return;
      }
      go({ view: "live", path: [], exchange: row.id,
        filter: `client:${row.client.host} since:${moment(row.started - BEFORE)} until:${moment(row.ended + AFTER)}` }, { replace: true });
    } catch (error) {
      show(this.body, failed(error));
    }
  }
}

function decoded(path = "") {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const moment = (seconds) => new Date(seconds * 1000).toISOString().replace("Z", "+00:00");
