// How to point each client here: the exact settings for the ports in use, from what the sandbox says of itself.

import { ask } from "../api.js";
import { command, h, show } from "../dom.js";
import { state } from "../state.js";
import { CLIENTS } from "../clients.js";
import { failed, page } from "./view.js";

export class View {
  constructor(main) {
    this.side = h("nav", { class: "folders", "aria-label": "Clients" });
    this.text = h("article", { class: "grow" });
    page(main, "Set-up", "Pick the program you use. What stands here has the addresses and ports of this very sandbox.", h("div", { class: "split" }, this.side, this.text));
    this.load();
  }

  async load() {
    try {
      const [found, { people }] = await Promise.all([ask("services"), ask("people").catch(() => ({ people: [] }))]);
      this.about = { found, at: Object.fromEntries(found.services.map((one) => [one.name, one])), person: people[0] ?? { login: "alice", password: "", address: "" } };
      this.update();
    } catch (error) {
      show(this.text, failed(error));
    }
  }

  update() {
    if (!this.about) return;
    const groups = [...new Set(CLIENTS.map((one) => one.group))];
    const chosen = state().path[0] ?? CLIENTS[0].id;
    show(this.side, groups.map((group) => h("section", {}, h("h3", {}, group), CLIENTS.filter((one) => one.group === group).map((one) =>
      h("a", { class: "folder", href: `/setup/${one.id}`, "aria-current": one.id === chosen ? "page" : null }, one.name)))));
    const client = CLIENTS.find((one) => one.id === chosen) ?? CLIENTS[0];
    show(this.text, h("h2", {}, client.name), steps(client.steps(this.about)), h("p", { class: "small soft" },
      "Certificates: ", this.about.found.ca ? [h("a", { href: this.about.found.ca.pem, download: "sandbox-ca.pem" }, "the authority as PEM"), ", ",
        h("a", { href: this.about.found.ca.der, download: "sandbox-ca.crt" }, "as DER"), ". Use a profile of its own for the sandbox."] : "this sandbox has none."));
  }
}

/** Steps are sentences, ["command", text], or a table as [[setting, value]]. */
const steps = (some) => h("ol", { class: "steps" }, some.filter(Boolean).map((one) => h("li", {}, typeof one === "string" ? one
  : one.command ? [h("p", {}, one.say), command(one.command)]
    : [h("p", {}, one.say), h("table", { class: "settings" }, one.settings.filter(Boolean).map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "mono" }, String(value)))))])));
