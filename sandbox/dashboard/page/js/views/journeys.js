// Journeys: one click or one letter as the whole way it took, over all protocols, in one waterfall.

import { h, icon } from "../dom.js";
import { duration, family, time } from "../format.js";
import { go, state } from "../state.js";
import { Asked, page } from "./view.js";

export class View {
  constructor(main) {
    this.asked = new Asked();
    this.list = h("div", {});
    page(main, "Journeys", "One click, one letter, one upload: everything it set in motion, in order. Ties that are only probable say so.", this.list);
    this.update();
  }

  update() {
    this.asked.into(this.list, "journeys", { query: { filter: state().filter, limit: 30 } }, ({ journeys }) => journeys.length ? journeys.map(journey)
      : h("div", { class: "empty" }, h("h2", {}, "No journey yet"), h("p", { class: "soft" }, "Open a page in a browser that is set up for the sandbox, or send a letter.")));
  }

  close() {
    this.asked.close();
  }
}

function journey({ title, started, ended, steps, text }) {
  const length = Math.max(ended - started, 0.001);
  return h("section", { class: "card journey" }, h("h2", {}, title), h("p", { class: "soft small" }, `${time(started)}, ${duration(ended - started)}. ${text ?? ""}`),
    h("ol", { class: "waterfall" }, steps.map((step) => {
      const bar = h("span", { class: `span ${family(step.row).colour}` });
      bar.style.marginLeft = `${(100 * (step.row.started - started)) / length}%`;
      bar.style.width = `${Math.max(0.6, (100 * step.row.seconds) / length)}%`;
      const name = h("button", { class: "bare mono", type: "button", onclick: () => go({ view: "live", path: [], exchange: step.row.id }) }, h("span", { class: family(step.row).colour }, icon(family(step.row).symbol)),
        ` ${step.row.verb} ${step.row.asked} `, h("span", { class: step.row.mood }, step.row.outcome));
      name.style.paddingLeft = `${step.depth * 1.2}rem`;
      return h("li", {}, name, h("span", { class: `tie small ${step.certain ? "" : "probable"}` }, step.tie), h("span", { class: "track" }, bar));
    })));
}
