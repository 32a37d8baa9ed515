// Journeys: one click or one letter as the whole way it took, over all protocols, each in one waterfall and, where it
// goes from server to server, as a map.

import { ask } from "../api.js";
import { h, icon, show } from "../dom.js";
import { letterMap } from "../drawings/letter.js";
import { map } from "../drawings/map.js";
import { isWalk, walkMap } from "../drawings/walk.js";
import { waterfall } from "../drawings/waterfall.js";
import { Events } from "../events.js";
import { FilterBox } from "../filterbox.js";
import { duration, time } from "../format.js";
import { go, state } from "../state.js";
import { Asked, page } from "./view.js";

const KINDS = { "": "all", page: "pages", letter: "letters", upload: "uploads", logins: "logins", tunnel: "tunnels", walk: "walks", errand: "errands" };
const EVERYTHING = "All of them, newest first. A filter shows journeys of which any step is meant.";
const LIMIT = 20, PAUSE = 1200;      // journeys; milliseconds from what happened until it is asked what it belongs to

export class View {
  constructor(main, tells = {}) {
    this.asked = new Asked();
    this.took = 0;
    this.list = h("div", { class: "journeys" });
    this.box = new FilterBox((filter) => go({ filter }, { replace: true }), EVERYTHING);
    this.chips = h("div", { class: "chips", role: "group", "aria-label": "Kind of journey" }, Object.entries(KINDS).map(([kind, word]) => h("button", {
      type: "button", dataset: { kind }, onclick: () => go({ kind }, { replace: true }) }, word)));
    this.now = h("span", { class: "now" }, "everything");
    const unfold = h("button", { type: "button", class: "unfold", "aria-expanded": "false", onclick: () => unfold.setAttribute("aria-expanded", String(this.filters.classList.toggle("open"))) },
      icon("filter"), h("b", {}, "Filter"), this.now);
    this.filters = h("div", { class: "filters" }, unfold, h("div", { class: "line" }, this.box.element, this.chips), this.box.words);
    this.back = h("p", {}, h("a", { href: "/journeys" }, "All journeys"));
    page(main, "Journeys", "One click, one letter, one upload: everything it set in motion, in order. What is only probable says so.", this.filters, this.back, this.list);
    this.events = new Events({ filter: "-is:background", after: null }, {
      exchanges: () => this.later(), connection: (how) => tells.connected?.(how), hello: (data) => tells.counted?.(data),
      sessions: (data) => tells.counted?.(data),
    });
    this.update();
  }

  get shows() {
    const { path, filter, kind } = state();
    return JSON.stringify([path, filter, kind]);
  }

  update() {
    for (const one of this.list.querySelectorAll(".step")) one.setAttribute("aria-current", String(Number(one.dataset.exchange) === state().exchange));
    if (this.shown === this.shows) return;
    const { path: [one], filter, kind } = state();
    this.shown = this.shows;
    this.filters.hidden = Boolean(one);
    this.back.hidden = !one;
    if (this.box.input.value.trim() !== filter) this.box.set(filter);
    this.box.good = filter;
    this.now.textContent = [filter, KINDS[kind]].filter(Boolean).join(", ");
    for (const chip of this.chips.children) chip.setAttribute("aria-pressed", String(chip.dataset.kind === kind));
    this.drawn = "";
    if (one) this.asked.into(this.list, `journeys/${encodeURIComponent(one)}`, {}, (found) => journey(found, true));
    else this.asked.into(this.list, "journeys", { query: this.query }, ({ journeys }) => this.all(journeys));
  }

  get query() {
    const { filter, kind } = state();
    return { filter, kind, limit: LIMIT };
  }

  all(journeys) {
    this.drawn = JSON.stringify(journeys);
    return journeys.length ? journeys.map((one) => journey(one, false)) : nothing(state());
  }

  /** Something happened: ask again soon, and leave what is open open. */
  later() {
    if (state().path.length) return;
    this.timer ??= setTimeout(() => {
      this.timer = 0;
      this.again();
    }, Math.max(PAUSE, 8 * this.took));
  }

  async again() {
    const shown = this.shown, began = performance.now();
    try {
      const { journeys } = await ask("journeys", { query: this.query });
      this.took = performance.now() - began;      // a busy sandbox is asked less often
      if (shown !== this.shown || this.closed || JSON.stringify(journeys) === this.drawn) return;
      const open = new Set([...this.list.querySelectorAll("[data-journey]")].filter((one) => one.querySelector(".waterfall.whole, details[open]")).map((one) => one.dataset.journey));
      show(this.list, this.all(journeys));
      for (const one of this.list.querySelectorAll("[data-journey]")) {
        if (!open.has(one.dataset.journey)) continue;
        one.querySelector(".waterfall")?.classList.add("whole");
        one.querySelector("details")?.setAttribute("open", "");
      }
    } catch { /* what is shown stays; the next exchange asks again */ }
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.events.close();
    this.asked.close();
  }
}

const nothing = ({ filter, kind }) => h("div", { class: "empty" }, h("h2", {}, filter || kind ? "No such journey" : "No journey yet"),
  h("p", { class: "soft" }, filter || kind ? "Nothing that belongs together is like this. " : "Open a page in a browser that is set up for the sandbox, send a letter, or walk down the tree of names. "),
  h("p", {}, filter || kind ? h("a", { href: "/journeys" }, "All journeys") : [h("a", { href: "/setup" }, "Set up a browser"), " · ", h("a", { href: "/mail" }, "Write a letter"), " · ", h("a", { href: "/learn/resolver" }, "What a resolver does")]));

function journey(found, alone) {
  const { title, started, ended, steps, text, kind, more } = found;
  const first = steps[0].row.id;
  const drawing = kind === "letter" ? () => map(letterMap(steps), "The way of the letter from server to server") : isWalk(steps) ? () => map(walkMap(steps), "The walk down the tree of names") : null;
  return h("section", { class: "card journey", dataset: { journey: first } },
    h("h2", {}, alone ? title : h("a", { href: `/journeys/${first}` }, title)),
    h("p", { class: "soft small" }, h("span", { class: "pill" }, (KINDS[kind] ?? kind).replace(/s$/, "")), ` ${time(started)}, ${duration(ended - started)}. ${text ?? ""}`, more ? `, ${more} more left out` : ""),
    drawing && (alone ? drawing() : later("As a map", drawing)),
    waterfall(found, { whole: alone && steps.length < 12 }));
}

/** Drawn when it is opened. */
function later(title, draw) {
  const details = h("details", { class: "mapped", ontoggle: () => {
    if (details.open && details.children.length === 1) details.append(draw());
  } }, h("summary", {}, title));
  return details;
}
