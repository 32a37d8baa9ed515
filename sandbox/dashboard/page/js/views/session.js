// A whole session: all its exchanges in time, each openable; the switch shows what somebody on the way saw.

import { ask } from "../api.js";
import { h, icon, show } from "../dom.js";
import { duration, family, fullTime, plain, time } from "../format.js";
import { load } from "../detail.js";
import { side } from "../detail/dialogue.js";
import { wire } from "../detail/wire.js";
import { go, state } from "../state.js";
import { failed, page } from "./view.js";

export class View {
  constructor(main) {
    this.body = page(main, `Session ${state().path[0] ?? ""}`, "");
    this.eavesdropper = false;
    this.update();
  }

  async update() {
    const [number] = state().path;
    if (this.number === number) return;
    this.number = number;
    try {
      this.found = await ask(`sessions/${Number(number) || 0}`);
      this.draw();
    } catch (error) {
      show(this.body, failed(error));
    }
  }

  draw() {
    const { session, exchanges, children = [] } = this.found;
    const { colour, symbol } = family({ protocol: session.protocol, verb: "" });
    const list = h("div", { class: "talk" });
    show(this.body,
      h("p", { class: colour }, icon(symbol), ` ${session.service} over ${session.transport.toUpperCase()}, ${session.client.host} port ${session.client.port}`),
      h("p", { class: "soft" }, `Opened ${fullTime(session.opened)}${session.closed ? `, open for ${duration(session.closed - session.opened)}` : ", still open"}. ${plain(session.end_text ?? "")}`),
      session.cause ? h("p", {}, h("button", { class: "bare more-link", type: "button", onclick: () => go({ view: "live", path: [], exchange: session.cause }) }, "what made the sandbox connect")) : "",
      session.parent ? h("p", {}, h("a", { href: `/session/${session.parent}` }, "It carries data for this session")) : "",
      children.length ? h("p", {}, "Its data connections: ", children.map((one) => [h("a", { href: `/session/${one.id}` }, String(one.id)), " "])) : "",
      h("button", { type: "button", "aria-pressed": String(this.eavesdropper), onclick: () => { this.eavesdropper = !this.eavesdropper; this.draw(); } }, icon("eye"), " what an eavesdropper sees"),
      list);
    if (this.eavesdropper && exchanges.length) {
      this.onTheWire(list, exchanges);
      return;
    }
    exchanges.slice(0, 300).forEach((row, at) => list.append(this.part(row, at < 12)));
  }

  async onTheWire(list, exchanges) {
    const { client, server, exchange } = await load(exchanges.at(-1).id).catch(() => ({}));
    if (exchange) await wire(list, { exchange, client, server });
  }

  part(row, open) {
    const holder = h("div", { class: "part-body" });
    const details = h("details", { class: "exchange" }, h("summary", {}, h("span", { class: "mono soft small" }, time(row.started)), " ", h("b", { class: "mono" }, row.verb || "(unfinished)"),
      h("span", { class: "mono" }, ` ${row.asked} `), h("span", { class: `mono ${row.mood}` }, row.outcome), h("span", { class: "soft small block" }, plain(row.explanation))), holder);
    details.addEventListener("toggle", async () => {
      if (!details.open || holder.childElementCount) return;
      try {
        const found = await load(row.id);
        for (const who of ["client", "server"]) {
          const drawn = found[who] && side(who, found[who], found.exchange);
          if (drawn) holder.append(drawn);
        }
      } catch (error) {
        show(holder, failed(error));
      }
    });
    details.open = open;
    return details;
  }
}
