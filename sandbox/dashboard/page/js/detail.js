// One exchange beside the list: its sentence first, then the proof, in four ways of looking.

import { ask } from "./api.js";
import { bytes } from "./detail/bytes.js";
import { connection } from "./detail/connection.js";
import { dialogue } from "./detail/dialogue.js";
import { explained } from "./detail/explained.js";
import { lessons } from "./detail/lessons.js";
import { wire } from "./detail/wire.js";
import { h, icon, say, show } from "./dom.js";
import { cited, decode, duration, family, fullTime, MOODS, plain, size, target, time } from "./format.js";
import { entry } from "./knowledge.js";
import { go, state } from "./state.js";

const TABS = [["dialogue", "Dialogue"], ["bytes", "Bytes"], ["wire", "On the wire"], ["connection", "Connection"]];
const PANES = { dialogue, explained, bytes, wire, connection };

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
      if (this.found?.exchange.id === id) this.body(tab);
      return;
    }
    this.shown = id;
    this.asking?.abort();
    const { signal } = (this.asking = new AbortController());
    try {
      this.found = await load(id, signal);
      this.draw(tab);
      say(plain(this.found.exchange.explanation));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.found = null;
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
      type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "tab-body", title: `${title} (${at + 1})`, onclick: () => this.pick(at),
      onkeydown: (event) => this.turn(event, at) }, title)));
    this.pane = h("div", { class: "pane", role: "tabpanel", id: "tab-body", tabindex: "0" });
    this.drawn = "";
    show(this.element,
      h("header", { class: "detail-head" }, this.bar(),
        h("h2", { class: "mono" }, h("span", { class: colour }, icon(symbol, word)), " ", h("b", {}, row.verb || "(unfinished)"), ` ${target(row).join("")}`),
        h("p", { class: "sentence" }, cited(row.explanation).map((piece, at) => (at % 2 ? h("span", { class: "rfc" }, ` ${piece}`) : piece)), row.key || row.verb ? [" ", entry(row)] : ""),
        h("p", { class: "facts small soft" },
          h("span", { class: `pill ${row.mood}` }, row.mood ? icon(row.mood, MOODS[row.mood]) : "", `${row.outcome || "no code"}${row.answered ? ` ${row.answered}` : ""}`),
          row.verb === "TLS" ? "" : row.encrypted ? h("span", { class: "pill good", title: "Between client and sandbox it was encrypted" }, icon("ssh"), "encrypted")
            : h("span", { class: "pill warning", title: "Whoever carried it could read it: see On the wire" }, icon("eye"), "readable on the way"),
          h("span", { title: fullTime(row.ended) }, time(row.ended)), h("span", {}, duration(row.seconds)),
          row.received || row.sent ? h("span", {}, `${size(row.received)} asked, ${size(row.sent)} answered`) : "",
          h("button", { class: "bare", type: "button", onclick: () => this.narrow(`client:${row.client.host}`), title: "Only this client" }, row.client.host),
          h("button", { class: "bare", type: "button", onclick: () => this.narrow(`session:${row.session}`), title: "Only this session" }, `session ${row.session}`)),
        lessons(row)),
      this.tabs, this.pane);
    this.body(tab);
  }

  pick(at) {
    if (this.shown) go({ tab: at ? TABS[at][0] : "" }, { replace: true });
  }

  /** Every part with its sentence, or as it was said. */
  explain() {
    if (this.shown) go({ tab: state().tab === "explained" ? "" : "explained" }, { replace: true });
  }

  turn(event, at) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = (at + by + TABS.length) % TABS.length;
    this.pick(next);
    this.tabs.children[next].focus();
  }

  body(tab) {
    const wanted = tab || state().tab;
    const name = wanted in PANES ? wanted : "dialogue";
    if (!this.tabs || this.drawn === name) return;
    this.drawn = name;
    const at = name === "explained" ? 0 : TABS.findIndex(([one]) => one === name);
    [...this.tabs.children].forEach((button, number) => {
      button.setAttribute("aria-selected", String(number === at));
      button.tabIndex = number === at ? 0 : -1;
    });
    this.pane.setAttribute("aria-labelledby", `tab-${TABS[at][0]}`);
    this.pane.scrollTop = 0;
    show(this.pane);
    PANES[name](this.pane, this.found, this);
  }
}

/** An exchange with its octets decoded. */
export async function load(id, signal) {
  const found = await ask(`exchanges/${id}`, { signal });
  for (const who of ["client", "server"]) {
    if (found[who]) found[who].bytes = decode(found[who].octets ?? "");
  }
  return found;
}
