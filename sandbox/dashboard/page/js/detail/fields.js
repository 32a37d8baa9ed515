// A message that is no text, field by field: its name, its value, and what it means, one inside the other.

import { h } from "../dom.js";
import { count } from "../format.js";
import { more } from "../knowledge.js";
import { hex } from "../text.js";
import { pathOf } from "./pointing.js";

const MOST = 300;        // fields of one message
const DEEPEST = 3;       // levels of fields without a value of their own that are opened
const OCTETS = 12;       // of a field without a value that are shown

export function fields(spans, octets) {
  const rows = [];
  walk(spans.length === 1 && spans[0].children?.length ? spans[0].children : spans, octets, 0, rows);
  return h("div", { class: "fields", role: "table", "aria-label": "The message, field by field" }, rows.slice(0, MOST),
    rows.length > MOST ? h("p", { class: "soft small" }, `${count(rows.length - MOST, "more field")}: see Bytes.`) : "");
}

function walk(spans, octets, depth, rows) {
  for (const span of spans) {
    const deep = span.children?.length && (depth < 1 || (depth < DEEPEST && !span.value));
    const line = h("div", { class: `field deep-${depth}${deep ? " group" : ""}`, role: "row" },
      h("span", { class: "field-name", role: "cell" }, span.name),
      h("span", { class: "field-value mono", role: "cell" }, span.value ? span.value : deep ? "" : raw(span, octets)),
      h("span", { class: "meaning small", role: "cell" }, span.text, span.key ? [" ", more("more", pathOf(span.key))] : ""));
    rows.push(line);
    if (deep) walk(span.children, octets, depth + 1, rows);
  }
}

const raw = ({ start, end }, octets) =>
  Array.from(octets.subarray(start, Math.min(end, start + OCTETS)), hex).join(" ") + (end - start > OCTETS ? " …" : "");
