// One exchange beside the list: its sentence first, then the proof, in four ways of looking.

import { ask } from "./api.js";
import { bytes } from "./detail/bytes.js";
import { connection } from "./detail/connection.js";
import { dialogue } from "./detail/dialogue.js";
import { wire } from "./detail/wire.js";
import { h, icon, say, show } from "./dom.js";
import { decode, family, fullTime, MOODS, size, target, time, duration } from "./format.js";
import { entry } from "./knowledge.js";
import { go, state } from "./state.js";

const TABS = [["dialogue", "Dialogue", dialogue], ["bytes", "Bytes", bytes], ["wire", "On the wire", wire], ["connection", "Connection", connection]];

export class Detail {
  constructor(element, { close, narrow }) {
    this.element = element;
    this.close = close;
    this.narrow = narrow;
    this.shown = 0;
  }

  async show(id, tab) {
    if (!id) {
      this.asking?.abort();
      this.shown = 0;
      this.element.hidden = true;
      return;
    }
    this.element.hidden = false;
    if (this.shown === id) {
      this.body(tab);
      return;
    }
    this.shown = id;
    this.asking?.abort();
    const { signal } = (this.asking = new AbortController());
    try {
      this.found = await ask(`exchanges/${id}`, { signal });
      for (const side of ["client", "server"]) {
        if (this.found[side]) this.found[side].bytes = decode(this.found[side].octets ?? "");
      }
      this.draw(tab);
      say(this.found.exchange.explanation);
    } catch (error) {
      if (error.name === "AbortError") return;
      show(this.element, this.bar(), h("div", { class: "problem" }, h("p", {}, error.message), h("p", {}, error.hint)));
    }
  }

  bar() {
    return h("button", { type: "button", class: "close", title: "Back to the list (Esc)", "aria-label": "Back to the list", onclick: () => this.close() }, icon("close"));
  }

  draw(tab) {
    const { exchange: row } = this.found;
    const { colour, symbol, word } = family(row);
    this.tabs = h("div", { class: "tabs", role: "tablist", "aria-label": "Ways of looking" }, TABS.map(([name, title], at) => h("button", {
      type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "tab-body", title: `${title} (${at + 1})`, onclick: () => this.pick(at) }, title)));
    this.pane = h("div", { class: "pane", role: "tabpanel", id: "tab-body", tabindex: "0" });
    show(this.element,
      h("header", { class: "detail-head" }, this.bar(),
        h("h2", { class: "mono" }, h("span", { class: colour }, icon(symbol, word)), " ", h("b", {}, row.verb || "(unfinished)"), ` ${target(row).join("")}`),
        h("p", { class: "sentence" }, row.explanation, " ", row.key || row.verb ? entry(row) : ""),
        h("p", { class: "facts small soft" },
          h("span", { class: `pill ${row.mood}` }, row.mood ? icon(row.mood, MOODS[row.mood]) : "", row.outcome || "no code", row.answered ? ` ${row.answered}` : ""),
          h("span", { title: fullTime(row.ended) }, time(row.ended)), h("span", {}, duration(row.seconds)),
          h("span", {}, `${size(row.received)} asked, ${size(row.sent)} answered`),
          h("button", { class: "bare", type: "button", onclick: () => this.narrow(`session:${row.session}`), title: "Only this session" }, `session ${row.session}`),
          h("button", { class: "bare", type: "button", onclick: () => this.narrow(`client:${row.client.host}`), title: "Only this client" }, row.client.host),
          row.encrypted ? h("span", { class: "pill good" }, icon("ssh"), "encrypted") : h("span", { class: "pill warning" }, icon("eye"), "readable by others"))),
      this.tabs, this.pane);
    this.body(tab);
  }

  pick(at) {
    if (this.shown) go({ tab: at ? TABS[at][0] : "" }, { replace: true });
  }

  body(tab) {
    const at = Math.max(0, TABS.findIndex(([name]) => name === (tab || state().tab)));
    if (!this.tabs || (this.drawn === at && this.of === this.found)) return;
    this.drawn = at;
    this.of = this.found;
    [...this.tabs.children].forEach((button, number) => {
      button.setAttribute("aria-selected", String(number === at));
      button.tabIndex = number === at ? 0 : -1;
    });
    this.pane.setAttribute("aria-labelledby", `tab-${TABS[at][0]}`);
    show(this.pane);
    TABS[at][2](this.pane, this.found, this);
  }
}
