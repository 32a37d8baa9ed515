// Text and hex of the same octets side by side: what the pointer is on lights up in both, its name above, its meaning below.

import { h, say, show } from "../dom.js";
import { size } from "../format.js";
import { more } from "../knowledge.js";
import { byLine, leaves, pathAt } from "../spans.js";
import { glyph, hex } from "../text.js";

const WIDTH = 16;       // octets a line
const STEP = 4096;      // octets drawn at once

export function bytes(pane, found) {
  for (const who of ["client", "server"]) {
    const part = found[who];
    if (part?.bytes.length) pane.append(new Dump(who, part).element);
  }
  if (!pane.childElementCount) pane.append(h("p", { class: "soft" }, "No octets passed in the clear part of this exchange."));
}

class Dump {
  constructor(who, { bytes: octets, spans, start, missing }) {
    this.octets = octets;
    this.spans = spans?.length ? spans : byLine(octets);
    this.leaves = leaves(this.spans);
    this.base = start;
    this.drawn = 0;
    this.path = h("p", { class: "path small", "aria-live": "polite" }, "Point at an octet, or walk with the arrow keys.");
    this.meaning = h("p", { class: "meaning small" }, "");
    this.grid = h("div", { class: "dump mono", tabindex: "0", "aria-label": `Octets of the ${who}`, role: "group" });
    this.button = h("button", { type: "button", onclick: () => this.draw() }, "Show more");
    this.element = h("section", { class: `bytes ${who}` }, h("h3", { class: "who-says small" }, `${who === "client" ? "client" : "sandbox"}, ${size(octets.length)}`),
      h("div", { class: "pointing" }, this.path, this.meaning), this.grid, this.button, missing ? h("p", { class: "small soft" }, `${size(missing)} more are not shown.`) : "");
    this.grid.addEventListener("pointerover", (event) => this.point(event.target.dataset.o));
    this.grid.addEventListener("click", (event) => this.point(event.target.dataset.o, { keep: true }));
    this.grid.addEventListener("keydown", (event) => this.key(event));
    this.draw();
  }

  draw() {
    const end = Math.min(this.octets.length, this.drawn + STEP);
    const rows = document.createDocumentFragment();
    for (let at = this.drawn; at < end; at += WIDTH) rows.append(this.line(at, Math.min(end, at + WIDTH)));
    this.grid.append(rows);
    this.drawn = end;
    this.button.hidden = end >= this.octets.length;
  }

  line(start, end) {
    const codes = h("span", { class: "hex" }), glyphs = h("span", { class: "glyphs" });
    for (let at = start; at < end; at += 1) {
      const gap = at - start === 8 ? " gap" : "";
      codes.append(h("i", { dataset: { o: at }, class: `${this.tint(at)}${gap}` }, hex(this.octets[at])));
      glyphs.append(h("i", { dataset: { o: at }, class: this.tint(at) }, glyph(this.octets[at])));
    }
    return h("div", { class: "dump-line" }, h("span", { class: "offset soft" }, (this.base + start).toString(16).padStart(6, "0")), codes, glyphs);
  }

  /** Neighbouring parts have different grounds, so that each is seen for itself. */
  tint(offset) {
    this.near ??= { at: 0 };
    const { leaves: all, near } = this;
    while (near.at < all.length && all[near.at].at(-1).end <= offset) near.at += 1;
    while (near.at > 0 && all[near.at - 1].at(-1).end > offset) near.at -= 1;
    const leaf = all[near.at]?.at(-1);
    return leaf && leaf.start <= offset ? `t${near.at % 4}` : "";
  }

  point(offset, { keep = false } = {}) {
    if (offset === undefined || (this.kept && !keep)) return;
    const path = pathAt(this.spans, Number(offset));
    if (path.length) this.light(path);
    if (keep) this.kept = !this.kept || this.kept !== path.at(-1) ? path.at(-1) : null;
  }

  light(path) {
    const span = path.at(-1);
    if (span === this.lit) return;
    this.lit = span;
    for (const one of this.grid.querySelectorAll(".lit")) one.classList.remove("lit");
    for (const one of this.grid.querySelectorAll("i[data-o]")) {
      const at = Number(one.dataset.o);
      if (at >= span.start && at < span.end) one.classList.add("lit");
    }
    show(this.path, path.map(({ name }, at) => [at ? " › " : "", at === path.length - 1 ? h("b", {}, name) : name]), span.value ? ` = ${span.value}` : "",
      h("span", { class: "soft" }, `  ${span.end - span.start} octets`));
    show(this.meaning, span.text || "", span.key ? [" ", more("more", span.key.replace(":", "/").replace(".", "/"))] : "");
  }

  key(event) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by || !this.leaves.length) return;
    event.preventDefault();
    event.stopPropagation();
    const at = this.leaves.findIndex((path) => path.at(-1) === this.lit);
    const next = this.leaves[Math.min(this.leaves.length - 1, Math.max(0, at + by))];
    this.kept = next.at(-1);
    while (this.drawn <= next.at(-1).start && this.drawn < this.octets.length) this.draw();
    this.light(next);
    this.grid.querySelector(".lit")?.scrollIntoView({ block: "nearest" });
    say(`${next.map(({ name }) => name).join(", ")}: ${next.at(-1).value || ""}. ${next.at(-1).text || ""}`);
  }
}
