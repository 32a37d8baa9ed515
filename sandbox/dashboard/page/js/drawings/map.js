// A map: boxes and numbered arrows, across where there is room, else down; the list below it says the same in words.

import { h, show, svg } from "../dom.js";
import { go } from "../state.js";

const WIDE = 190, BOX = 44, ROW = 92, DOWN = 74, INDENT = 30;      // pixels
const NARROW = 6;      // pixels of a letter of a detail
const DEEPEST = 5;      // steps inwards

/** nodes: [{ id, title, detail, colour, column, row }]; arrows: [{ from, to, short, words, exchange }] in the order of time.
    label: what the drawing is of. */
export function map({ nodes, arrows }, label) {
  const holder = h("div", { class: "map-holder" });
  let drawn = 0;
  new ResizeObserver(() => requestAnimationFrame(() => {
    const wide = holder.clientWidth;
    if (!wide || Math.abs(wide - drawn) < 4) return;
    drawn = wide;
    show(holder, picture(nodes, arrows, label, wide));
  })).observe(holder);
  return h("figure", { class: "drawing" }, holder, h("figcaption", {}, h("ol", { class: "small" }, arrows.map((one) => h("li", {},
    one.exchange ? h("button", { type: "button", class: "bare", onclick: () => go({ exchange: one.exchange }) }, one.words) : one.words)))));
}

function picture(nodes, arrows, label, wide) {
  const columns = 1 + Math.max(...nodes.map((one) => one.column)), rows = 1 + Math.max(...nodes.map((one) => one.row));
  const across = wide >= columns * WIDE;
  const depths = across ? new Map() : downwards(nodes, arrows);
  const ordered = across ? nodes : [...depths.keys()];
  const gap = across ? wide / columns : 0;
  const places = new Map(ordered.map((one, at) => [one.id, across
    ? { x: one.column * gap + 4, y: one.row * ROW + 6, wide: Math.min(190, gap - 62) }
    : { x: 4 + depths.get(one) * INDENT, y: at * DOWN + 6, wide: Math.min(260, wide - 12 - depths.get(one) * INDENT) }]));
  const high = (across ? (rows - 1) * ROW : (nodes.length - 1) * DOWN) + BOX + 14;
  const drawing = svg("svg", { class: "map", viewBox: `0 0 ${wide} ${high}`, width: wide, height: high, role: "img", "aria-label": `${label}; the list below says the same` });
  const drawn = arrows.map((one, at) => arrow(places.get(one.from), places.get(one.to), at + 1, one, across));
  drawing.append(...drawn.map(([line]) => line), ...drawn.map(([, number]) => number));      // no line crosses a number
  for (const one of nodes) drawing.append(box(places.get(one.id), one));
  return drawing;
}

/** From the top down: each box below the one that an arrow first leads to it from, with how far in it is. */
function downwards(nodes, arrows) {
  const found = new Map();
  const add = (node, depth) => {
    if (found.has(node)) return;
    found.set(node, Math.min(depth, DEEPEST));
    for (const one of arrows) if (one.from === node.id) add(nodes.find(({ id }) => id === one.to), depth + 1);
  };
  nodes.forEach((one) => add(one, 0));
  return found;
}

function box({ x, y, wide }, { title, detail = "", colour = "" }) {
  const most = Math.floor((wide - 16) / 7);
  return svg("g", { class: colour }, svg("rect", { x, y, width: wide, height: BOX, rx: 9, class: "box" }),
    svg("text", { x: x + 8, y: y + (detail ? 18 : 27), class: "title" }, cut(title, most)), detail ? svg("text", { x: x + 8, y: y + 34, class: "detail" }, cut(detail, most)) : "");
}

/** The line, and the number on it. */
function arrow(from, to, number, { short = "", colour = "" }, across) {
  const level = BOX / 2;
  let path, middle, head;
  if (across && Math.abs(from.x - to.x) < 2) {      // one above the other
    const up = to.y < from.y, x = from.x + Math.min(from.wide, to.wide) / 2;
    const start = up ? from.y : from.y + BOX, end = up ? to.y + BOX : to.y;
    [path, middle, head] = [`M${x} ${start} L${x} ${end}`, [x, (start + end) / 2], [x, end, 0, up ? 1 : -1]];
  } else if (across) {
    const [start, end] = [[from.x + from.wide, from.y + level], [to.x, to.y + level]], half = (start[0] + end[0]) / 2;
    [path, middle, head] = [`M${start} C${half} ${start[1]} ${half} ${end[1]} ${end}`, [half, (start[1] + end[1]) / 2], [...end, -1, 0]];
  } else {
    const x = from.x + 14, end = to.y + level;
    [path, middle, head] = [`M${x} ${from.y + BOX} L${x} ${end} L${to.x} ${end}`, [x, to.y - (DOWN - BOX) / 2], [to.x, end, -1, 0]];
  }
  const [x, y, dx, dy] = head;
  const tip = dx ? `M${x + 8 * dx} ${y - 5} L${x} ${y} L${x + 8 * dx} ${y + 5}` : `M${x - 5} ${y + 8 * dy} L${x} ${y} L${x + 5} ${y + 8 * dy}`;
  const beside = !across || from.x === to.x;
  return [svg("g", { class: `arrow ${colour}` }, svg("path", { d: path, class: "line" }), svg("path", { d: tip, class: "line" })),
    svg("g", { class: `arrow ${colour}` }, svg("circle", { cx: middle[0], cy: middle[1], r: 9.5 }),
      svg("text", { x: middle[0], y: middle[1] + 4, "text-anchor": "middle", class: "number" }, number),
      svg("text", { x: middle[0] + (beside ? 15 : 0), y: middle[1] + (beside ? 4 : -14), "text-anchor": beside ? "start" : "middle", class: "detail" }, beside || short.length * NARROW <= to.x - from.x - from.wide ? short : ""))];
}

const cut = (words, most) => (words.length > most ? `${words.slice(0, Math.max(1, most - 1))}…` : words);
