// The annotated edition: everything that was said, part by part, each with its name and what it means. To be printed, too.

import { h, icon } from "../dom.js";
import { count, size } from "../format.js";
import { isBody, only } from "../spans.js";
import { hex, readable, text } from "../text.js";
import { kind, speaker } from "./dialogue.js";

const MOST = 600;          // parts of one side
const QUIET = /^(space|colon|line end|empty line)$/;

export function explained(pane, { exchange: row, client, server }, detail) {
  pane.append(h("p", { class: "tools" }, h("button", { type: "button", "aria-pressed": "true", onclick: () => detail.explain() }, "Explain all"),
    h("button", { type: "button", onclick: () => print() }, icon("print"), " Print")));
  for (const [who, part] of [["client", client], ["server", server]]) {
    if (!part?.bytes.length) continue;
    pane.append(h("section", { class: `edition ${who}` }, h("h3", { class: "who-says small" }, `${speaker(who, row)}, ${size(part.bytes.length)}`),
      part.spans?.length && !only(part.spans) ? edition(part.spans, part.bytes) : h("p", { class: "soft" }, "Nothing takes these octets apart yet; Bytes shows them.")));
  }
  if (pane.childElementCount < 2) pane.append(h("p", { class: "soft" }, "No octets passed in the clear part of this exchange; Connection has its handshake."));
}

function edition(spans, octets) {
  const items = [];
  (function walk(some, depth, said) {
    for (const span of some) {
      if (items.length > MOST) return;
      if (QUIET.test(span.name)) continue;
      items.push(item(span, octets, depth, said.has(span.text) ? "" : span.text));
      if (span.children?.length) walk(span.children, depth + 1, new Set([...said, span.text]));
    }
  })(spans, 0, new Set());
  return h("ol", { class: "annotated" }, items.slice(0, MOST), items.length > MOST ? h("li", { class: "soft" }, "and so on: Bytes has the rest") : "");
}

/** text: its sentence, where none of those around it has said the same. */
function item(span, octets, depth, sentence) {
  const own = octets.subarray(span.start, span.end);
  const words = readable(own) ? text(own.subarray(0, 400)).trimEnd() : Array.from(own.subarray(0, 24), hex).join(" ");
  const whole = span.children?.length > 1;
  return h("li", { class: `deep-${Math.min(depth, 4)}${whole ? " whole" : ""}` },
    whole && depth < 1 ? "" : h("code", { class: `words ${kind(span.name)}` }, isBody(span) ? words.slice(0, 400) : words, own.length > (readable(own) ? 400 : 24) ? " …" : ""),
    h("div", { class: "note" }, h("b", {}, span.name), span.value && readable(own) && words !== span.value || span.value && !readable(own) ? h("span", { class: "mono" }, ` ${span.value}`) : "",
      h("span", { class: "soft" }, ` ${count(own.length, "octet")}`), sentence ? h("div", {}, sentence) : ""));
}
