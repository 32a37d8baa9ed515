// What is pointed at: the way down to it, its value, and what it means. One line for a whole pane, so that nothing jumps.

import { h, say, show } from "../dom.js";
import { count } from "../format.js";
import { more } from "../knowledge.js";

export class Pointing {
  constructor(invitation) {
    this.path = h("p", { class: "path small" }, h("span", { class: "soft" }, invitation));
    this.meaning = h("p", { class: "meaning small" });
    this.element = h("div", { class: "pointing" }, this.path, this.meaning);
  }

  /** path: spans from the outside in. aloud: for those who listen. */
  show(path, { aloud = false } = {}) {
    const span = path.at(-1);
    show(this.path, path.map(({ name }, at) => [at ? " › " : "", at === path.length - 1 ? h("b", {}, name) : name]),
      span.value ? [" = ", h("span", { class: "mono" }, span.value)] : "", h("span", { class: "soft" }, `, ${count(span.end - span.start, "octet")}`));
    show(this.meaning, span.text || h("span", { class: "soft" }, "No sentence about it yet."), span.key ? [" ", more("more", pathOf(span.key))] : "");
    if (aloud) say(`${path.map(({ name }) => name).join(", ")}${span.value ? `: ${span.value}` : ""}. ${span.text || ""}`);
  }
}

/** protocol:kind.term as the API wants it. A term may have dots. */
export const pathOf = (key) => key.replace(":", "/").replace(".", "/");
