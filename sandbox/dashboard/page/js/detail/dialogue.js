// The dialogue: the client's words left, the sandbox's right, each line with what it means beside it.

import { command, h, icon, show } from "../dom.js";
import { count, size } from "../format.js";
import { body } from "./body.js";
import { fields } from "./fields.js";
import { facts } from "./facts.js";
import { handshake } from "./handshake.js";
import { more } from "../knowledge.js";
import { byLine, isBody, leaves, lines, only } from "../spans.js";
import { opaque, readable, text } from "../text.js";
import { pathOf, Pointing } from "./pointing.js";

const SHOWN = 400;       // lines of one side

export function dialogue(pane, found, detail) {
  const { exchange: row, client, server, again = [] } = found;
  const sides = [side("client", client, row), side("server", server, row)].filter(Boolean);
  const pointing = new Pointing("Point at any coloured part, or walk with ← and →.");
  const offered = row.verb === "TLS" ? h("section", {}) : "";
  pane.append(...[
    sides.length && h("p", { class: "tools" }, h("button", { type: "button", onclick: () => detail.explain(), title: "Every part with its sentence (e)" }, "Explain all")),
    offered, ...(offered && sides.length ? [h("details", { class: "records" }, h("summary", {}, "What passed, field by field"), sides)] : sides)].filter(Boolean));
  if (offered) handshake(offered, row);
  if (row.facts.traceback) {
    pane.append(h("section", { class: "problem" }, h("h3", {}, "The site’s own program failed"), h("p", { class: "small" }, "Its last line says what happened, the lines above it where."), h("pre", { class: "traceback" }, row.facts.traceback)));
  }
  if (again.length) pane.append(h("section", { class: "again" }, h("h3", {}, "Do it again"), again.map((one) => command(one.command, `Copy the ${one.title} line`))));
  const known = facts(row);
  if (known) pane.append(known);
  if (pane.querySelector(".part")) {
    pane.append(pointing.element);
    pointing.element.classList.add("below");
    new Walk(pane, [["client", client], ["server", server]], pointing);
  }
}

/** The parts under the pointer and under the arrow keys. */
class Walk {
  constructor(pane, sides, pointing) {
    this.pane = pane;
    this.pointing = pointing;
    this.paths = new Map();
    for (const [who, part] of sides) {
      for (const path of leaves(part?.spans ?? [])) this.paths.set(`${who} ${path.at(-1).start}`, path);
    }
    pane.addEventListener("pointerover", (event) => this.light(event.target.closest?.(".part")));
    pane.addEventListener("keydown", (event) => this.key(event));
  }

  light(part, aloud = false) {
    const path = part && this.paths.get(part.dataset.part);
    if (!path || part === this.lit) return;
    this.lit?.classList.remove("lit");
    this.lit = part;
    part.classList.add("lit");
    this.pointing.show(path, { aloud });
  }

  key(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || event.target !== this.pane) return;
    const all = [...this.pane.querySelectorAll(".part")];
    if (!all.length) return;
    event.preventDefault();
    const at = this.lit ? all.indexOf(this.lit) : by > 0 ? -1 : all.length;
    const next = all[Math.min(all.length - 1, Math.max(0, at + by))];
    this.light(next, true);
    next.scrollIntoView({ block: "nearest" });
  }
}

export const speaker = (who, row) => (who === "server" ? "sandbox" : /^(127\.|::1$)/.test(row.client.host) ? "client" : row.client.host);

export function side(who, part, row) {
  if (!part || (!part.bytes.length && !part.missing)) return null;
  const said = h("div", { class: "said" });
  const spans = part.spans?.length && !only(part.spans) ? part.spans : null;
  if (!spans && opaque(part.bytes)) {
    show(said, h("p", { class: "soft opaque" }, icon("ssh"), ` ${count(part.bytes.length, "octet")} that only the two ends can read. The line above says what they were about; Bytes shows them.`));
  } else if (spans && !readable(part.bytes.subarray(0, 12)) && spans[0].children?.length) {
    show(said, fields(spans, part.bytes));
  } else {
    const all = lines(spans ?? byLine(part.bytes), part.bytes);
    show(said, all.slice(0, SHOWN).map((span) => saidLine(span, part.bytes, row, who)), all.length > SHOWN ? h("p", { class: "soft small" }, `${all.length - SHOWN} more lines: see Bytes.`) : "");
  }
  return h("section", { class: `side ${who}` }, h("h3", { class: "who-says small" }, speaker(who, row)), said,
    part.missing ? h("p", { class: "soft small" }, `${size(part.missing)} more passed, which the journal did not keep or the page did not ask for.`) : "");
}

function saidLine(span, octets, row, who) {
  if (isBody(span) && span.end > span.start) return body(octets.subarray(span.start, span.end), span, row);
  if (octets[span.start] === 13 || octets[span.start] === 10) return h("div", { class: "line blank", title: "an empty line" }, h("code", { class: "words soft" }, "⏎"));
  return h("div", { class: "line" },
    h("code", { class: "words" }, marked(span, octets, who)),
    span.text ? h("span", { class: "meaning small" }, span.text, span.key ? [" ", more("more", pathOf(span.key))] : "") : "");
}

/** A line's text, its named parts marked, as deep as they go. */
function marked(span, octets, who, within = "") {
  const parts = span.children ?? [];
  const own = (start, end) => text(octets.subarray(start, end)).replace(/\n$/, "");
  if (!parts.length) {
    const words = own(span.start, span.end);
    return /^(space|colon|line end)$/.test(span.name) || !words ? words
      : h("span", { class: `part ${kind(span.name, within)}`, dataset: { part: `${who} ${span.start}` } }, words);
  }
  const pieces = [];
  let at = span.start;
  for (const part of parts) {
    if (part.start > at) pieces.push(own(at, part.start));
    pieces.push(marked(part, octets, who, within || (kind(part.name) === "k-other" ? "" : kind(part.name))));
    at = part.end;
  }
  if (at < span.end) pieces.push(own(at, span.end));
  return pieces;
}

/** Parts of one kind look alike in all protocols: what is asked, how it went, what is named, and the rest. */
export function kind(name, within = "") {
  if (/method|command|verb|opcode|keyword|tag$|^type$/i.test(name)) return "k-verb";
  if (/status|code|rcode/i.test(name)) return "k-code";
  if (/name$|^label|parameter$/i.test(name)) return "k-name";
  if (/target|path|argument|address|mailbox|value|host|authority/i.test(name)) return "k-value";
  return within || "k-other";
}
