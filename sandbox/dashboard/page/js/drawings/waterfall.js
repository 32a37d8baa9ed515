// A journey as a waterfall: a line for each step, all on one scale of time. Where nothing happens for long, the scale is
// broken, and says so.

import { h, icon } from "../dom.js";
import { duration, family, target } from "../format.js";
import { go, state } from "../state.js";

const BREAK = 6;      // percent of the width that a break takes

export function waterfall({ started, steps }, { whole = false } = {}) {
  const scale = scaled(steps);
  const folded = (step) => !whole && step.tie === "on the same connection" && !/^(TLS|message)$/.test(step.row.verb);
  const hidden = steps.filter(folded);
  const list = h("ol", { class: "waterfall" }, ruler(scale, started), steps.map((step) => line(step, started, scale, folded(step))));
  if (hidden.length < 3) list.classList.add("whole");
  const more = hidden.length < 3 ? "" : h("button", { type: "button", class: "bare small", "aria-expanded": "false", onclick: (event) => {
    const open = list.classList.toggle("whole");
    event.target.setAttribute("aria-expanded", String(open));
    event.target.textContent = open ? "fewer" : words;
  } });
  const words = `and ${hidden.length} more on the same connections`;
  if (more) more.textContent = words;
  return [list, more];
}

function line({ row, depth, tie, certain }, started, scale, folded) {
  const { colour, symbol, word } = family(row);
  const from = scale.at(row.started), to = scale.at(row.ended);
  const after = Math.max(0, row.started - started);
  const bar = h("span", { class: `span ${colour}${certain ? "" : " probable"}` });
  bar.style.marginLeft = `${Math.min(from, 99.2)}%`;
  bar.style.width = `${Math.max(0.6, to - from)}%`;
  const name = h("button", { class: "bare mono step", type: "button", "aria-current": String(state().exchange === row.id), dataset: { exchange: row.id }, onclick: () => go({ exchange: row.id }) },
    h("span", { class: colour }, icon(symbol, word)), row.protocol === "dns" && row.service !== "dns" ? h("span", { class: "soft" }, row.service) : "", h("b", {}, row.verb || "(unfinished)"),
    h("span", { class: "asked" }, target(row).join("")), h("span", { class: row.mood }, row.outcome));
  name.style.paddingLeft = `${Math.min(depth, 8) * 1.1}rem`;
  return h("li", { class: folded ? "folded" : "" }, name, h("span", { class: `tie small${certain ? "" : " probable"}` }, certain ? tie : `probably: ${tie}`),
    h("span", { class: "at small soft" }, after < 0.0005 ? "start" : `+${duration(after)}`), h("span", { class: "track", title: `begins ${duration(after)} after the start, takes ${duration(row.seconds)}` }, bar));
}

/** Where times are, in percent. Idle stretches that would leave no room for the rest become breaks. */
export function scaled(steps) {
  const busy = [];
  for (const { row } of [...steps].sort((one, other) => one.row.started - other.row.started)) {
    const last = busy.at(-1);
    if (last && row.started <= last.to) last.to = Math.max(last.to, row.ended);
    else busy.push({ from: row.started, to: Math.max(row.ended, row.started) });
  }
  const active = busy.reduce((sum, one) => sum + one.to - one.from, 0);
  const pieces = [], breaks = [];
  for (const one of busy) {
    const before = pieces.at(-1);
    if (before && one.from - before.to <= Math.max(0.5, 4 * active)) before.to = one.to;
    else pieces.push({ ...one });
  }
  const seconds = Math.max(0.0005, pieces.reduce((sum, one) => sum + one.to - one.from, 0));
  const gaps = Math.min(BREAK, 40 / Math.max(1, pieces.length - 1));
  const each = (100 - gaps * (pieces.length - 1)) / seconds;
  let left = 0;
  pieces.forEach((one, at) => {
    one.left = left;
    left += (one.to - one.from) * each + gaps;
    if (at) breaks.push({ left: one.left - gaps, wide: gaps, seconds: one.from - pieces[at - 1].to });
  });
  const at = (time) => {
    const piece = pieces.findLast((one) => time >= one.from) ?? pieces[0];
    return Math.min(100, piece.left + Math.min(time - piece.from, piece.to - piece.from) * each);
  };
  return { at, breaks, seconds, pieces };
}

/** The scale itself, above the bars. */
function ruler({ breaks, pieces, at }, started) {
  const track = h("span", { class: "track ruler" });
  const mark = (left, words, name = "") => {
    const one = h("span", { class: `mark small ${name}` }, words);
    one.style.left = `${left}%`;
    track.append(one);
  };
  mark(0, "0");
  for (const one of breaks) mark(one.left + one.wide / 2, one.left < 75 ? ["⋯", h("b", {}, ` ${duration(one.seconds)} ⋯`)] : "⋯", "break");
  const end = pieces.at(-1).to;
  if (!breaks.length) mark(at(started + (end - started) / 2), duration((end - started) / 2), "middle");
  mark(100, duration(end - started), "end");
  return h("li", { class: "scale", "aria-hidden": "true" }, h("span", {}), h("span", {}), h("span", {}), track);
}
