// What the journal knows of an exchange beyond its octets.

import { h } from "../dom.js";
import { fullTime, size } from "../format.js";

const APART = new Set(["traceback"]);

export function facts(row) {
  const rows = [
    ...Object.entries(row.facts).filter(([name]) => !APART.has(name)),
    ["exchange", String(row.id)], ["began", fullTime(row.started)], row.cause ? ["cause", `exchange ${row.cause}`] : null,
    ...row.cuts.map((cut) => [`${cut.stream} not kept whole`, `${size(cut.length)} in all, SHA-256 ${cut.sha256}`]),
  ].filter(Boolean);
  return h("details", { class: "all-facts" }, h("summary", {}, "What the journal knows of it"),
    h("table", {}, rows.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "mono" }, value)))));
}
