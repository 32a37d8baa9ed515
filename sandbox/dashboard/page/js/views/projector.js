// For the wall: large type, one exchange with its sentence, the ones before it fading above. Names of clients are left out.

import { h, icon, show } from "../dom.js";
import { Events } from "../events.js";
import { family, MOODS, target } from "../format.js";
import { go, state } from "../state.js";

const BEFORE = 3;
const LEAST = 1200;        // milliseconds that one is shown before the next takes its place

export class View {
  constructor(main, { connected, counted }) {
    this.waiting = [];
    this.shown = [];
    this.stage = h("div", { class: "stage", "aria-live": "polite" }, h("p", { class: "soft invite" }, "The next exchange appears here."));
    show(main, h("div", { class: "projector" }, this.stage, h("button", { type: "button", class: "leave", onclick: () => go({ view: "live", path: [] }) }, "Leave (p)")));
    this.events = new Events({ filter: [state().filter, "-is:background"].filter(Boolean).join(" ") }, {
      connection: connected, hello: counted, exchanges: (rows) => this.arrived(rows),
    });
    this.timer = setInterval(() => this.next(), LEAST);
  }

  arrived(rows) {
    this.waiting.push(...rows);
    if (this.waiting.length > 12) this.waiting.splice(0, this.waiting.length - 12);      // a wall cannot show a thousand a second
    if (!this.shown.length) this.next();
  }

  next() {
    const row = this.waiting.shift();
    if (!row) return;
    this.shown = [...this.shown, row].slice(-BEFORE - 1);
    show(this.stage, this.shown.map((one, at) => (at === this.shown.length - 1 ? now(one) : before(one, this.shown.length - 1 - at))));
  }

  close() {
    clearInterval(this.timer);
    this.events.close();
  }
}

const before = (row, age) => h("p", { class: `before age-${age} mono` }, icon(family(row).symbol), ` ${row.verb} ${target(row).join("")} `, h("span", { class: row.mood }, row.outcome));

const now = (row) => h("article", { class: "now fades" },
  h("p", { class: `kind ${family(row).colour}` }, icon(family(row).symbol), ` ${family(row).word}`),
  h("p", { class: "asked mono" }, h("b", {}, row.verb || "(unfinished)"), ` ${target(row).join("")}`),
  h("p", { class: `outcome mono ${row.mood}` }, row.mood ? icon(row.mood, MOODS[row.mood]) : "", ` ${row.outcome} `, h("span", { class: "answered" }, row.answered)),
  h("p", { class: "sentence" }, row.explanation));
