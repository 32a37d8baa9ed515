// Text and hex of the same octets side by side: what the pointer is on lights up in both, its name above, its meaning below.

import { octets as fetchOctets } from "../api.js";
import { h, show } from "../dom.js";
import { size } from "../format.js";
import { kind, speaker } from "./dialogue.js";
import { Pointing } from "./pointing.js";
import { byLine, leaves, pathAt } from "../spans.js";
import { glyph, hex } from "../text.js";

const WIDTH = 16, NARROW = 8;       // octets a line
const ROOM = 520;       // pixels that the wide ones want
const STEP = 4096;      // octets drawn at once

export async function bytes(pane, found) {
  const { exchange: row } = found;
  const pointing = new Pointing("Point at an octet, or walk with the arrow keys.");
  const parts = ["client", "server"].map((who) => [who, found[who]]).filter(([, part]) => part?.bytes.length);
  if (parts.length) {
    show(pane, pointing.element, parts.map(([who, part]) => new Dump(who, part, pointing, row, pane.clientWidth < ROOM ? NARROW : WIDTH).element));
    return;
  }
  show(pane, h("p", { class: "soft" }, "No octets passed in the clear part of this exchange. This passed on the wire:"), pointing.element);
  for (const who of ["client", "server"]) {
    const octets = new Uint8Array(await fetchOctets(row.session, `${who}-wire`, 0, STEP).catch(() => new ArrayBuffer(0)));
    if (octets.length) pane.append(new Dump(who, { bytes: octets, spans: records(octets), start: 0, missing: 0 }, pointing, row, pane.clientWidth < ROOM ? NARROW : WIDTH).element);
  }
}

const KINDS = { 20: "change cipher spec", 21: "alert", 22: "handshake", 23: "application data" };

/** TLS records (RFC 8446 §5.1): what can be told from outside. */
function records(octets) {
  const spans = [];
  let at = 0;
  while (at + 5 <= octets.length && octets[at] in KINDS) {
    const length = octets[at + 3] * 256 + octets[at + 4], end = Math.min(octets.length, at + 5 + length);
    const part = (start, stop, name, value, text) => ({ start: at + start, end: at + stop, name, key: "", value, text, children: [] });
    spans.push({ start: at, end, name: "TLS record", key: "", value: KINDS[octets[at]], text: "", children: [
      part(0, 1, "type", KINDS[octets[at]], "What the record carries."), part(1, 3, "version", "", "For old equipment on the way: it says less than the handshake does (RFC 8446 §5.1)."),
      part(3, 5, "length", `${length} octets`, "How many octets follow in this record."),
      ...(end > at + 5 ? [part(5, end - at, octets[at] === 23 ? "ciphertext" : "content", "", octets[at] === 23 ? "Encrypted: only the two ends can read it." : "In clear, since there is no key yet.")] : [])] });
    at = end;
  }
  return spans.length ? spans : byLine(octets);
}

class Dump {
  constructor(who, { bytes: octets, spans, start, missing }, pointing, row, width) {
    this.width = width;
    this.octets = octets;
    this.spans = spans?.length ? spans : byLine(octets);
    this.leaves = leaves(this.spans);
    this.base = start;
    this.drawn = 0;
    this.cells = [];
    this.pointing = pointing;
    this.grid = h("div", { class: "dump mono", tabindex: "0", "aria-label": `Octets of the ${who}; arrow keys walk from part to part`, role: "group" });
    this.button = h("button", { type: "button", onclick: () => this.draw() }, "Show more");
    this.element = h("section", { class: `bytes ${who}` }, h("h3", { class: "who-says small" }, `${speaker(who, row)}, ${size(octets.length)}`),
      this.grid, this.button, missing ? h("p", { class: "small soft" }, `${size(missing)} more are not shown.`) : "");
    this.grid.addEventListener("pointerover", (event) => this.point(event.target.dataset.o));
    this.grid.addEventListener("click", (event) => this.point(event.target.dataset.o, { keep: true }));
    this.grid.addEventListener("keydown", (event) => this.key(event));
    this.draw();
  }

  draw() {
    const end = Math.min(this.octets.length, this.drawn + STEP);
    const rows = document.createDocumentFragment();
    for (let at = this.drawn; at < end; at += this.width) rows.append(this.line(at, Math.min(end, at + this.width)));
    this.grid.append(rows);
    this.drawn = end;
    this.button.hidden = end >= this.octets.length;
  }

  line(start, end) {
    const codes = h("span", { class: "hex" }), glyphs = h("span", { class: "glyphs" });
    for (let at = start; at < end; at += 1) {
      const gap = at - start === 8 ? " gap" : "";
      const tint = this.tint(at);
      const pair = this.cells[at] = [h("i", { dataset: { o: at }, class: `${tint}${gap}` }, hex(this.octets[at])), h("i", { dataset: { o: at }, class: tint }, glyph(this.octets[at]))];
      codes.append(pair[0]);
      glyphs.append(pair[1]);
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
    return leaf && leaf.start <= offset ? `t${near.at % 2} ${kind(leaf.name)}` : "";
  }

  point(offset, { keep = false } = {}) {
    if (offset === undefined || (this.kept && !keep)) return;
    const path = pathAt(this.spans, Number(offset));
    if (path.length) this.light(path);
    if (keep) this.kept = !this.kept || this.kept !== path.at(-1) ? path.at(-1) : null;
  }

  light(path, aloud = false) {
    const span = path.at(-1);
    if (span === this.lit) return;
    this.lit = span;
    for (const one of this.lighting ?? []) one.classList.remove("lit");
    this.lighting = this.cells.slice(span.start, span.end).flat();
    for (const one of this.lighting) one.classList.add("lit");
    this.pointing.show(path, { aloud });
  }

  key(event) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by || !this.leaves.length) return;
    event.preventDefault();
    event.stopPropagation();
    const at = this.leaves.findIndex((path) => path.at(-1) === this.lit);
    const next = this.leaves[Math.min(this.leaves.length - 1, Math.max(0, at + by))];
    this.kept = null;
    while (this.drawn <= next.at(-1).start && this.drawn < this.octets.length) this.draw();
    this.light(next, true);
    this.lighting[0]?.scrollIntoView({ block: "nearest" });
  }
}
