// The list: only what is seen is in the document. Rows have one height; what is new above never moves what is read.

import { h, icon, say } from "./dom.js";
import { count, duration, family, fullTime, MOODS, plain, target, timePieces } from "./format.js";
import { state } from "./state.js";

const SPARE = 8;        // lines drawn above and below what is seen

const several = (list) => list.clients.size > 1;

export class List {
  /** rows: a Rows; open(row): somebody wants to see it; narrow(term): only such from now on; more(): ask for older; anew(): begin at the newest. */
  constructor(rows, { open, narrow, more, anew }) {
    this.rows = rows;
    this.does = { open, narrow, more, anew };
    this.selected = 0;
    this.unseen = 0;
    this.clients = new Set();
    this.lines = new Map();      // of what is drawn, by entry: scrolling touches only what comes into view
    this.space = h("div", { class: "space" });
    this.element = h("div", { class: "list", role: "grid", "aria-label": "Exchanges, newest first", tabindex: "0" }, this.space);
    this.chip = h("button", { class: "chip", type: "button", hidden: true, onclick: () => this.top() });
    this.note = h("div", { class: "list-note soft" });
    this.holder = h("div", { class: "list-holder" }, this.element, this.chip);
    this.element.addEventListener("scroll", () => this.later(), { passive: true });
    this.space.addEventListener("click", (event) => this.clicked(event));
    this.watcher = new ResizeObserver(() => this.measured());
    this.watcher.observe(this.element);
    this.measured();
  }

  measured() {
    const wanted = parseFloat(getComputedStyle(this.element).getPropertyValue("--row"));
    if (wanted && wanted !== this.height) this.height = wanted;
    this.seen = this.element.clientHeight;
    this.later();
  }

  later() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  get reading() {
    return this.element.scrollTop > 2 || this.selected !== 0;
  }

  /** New lines stand above: whoever reads keeps the place. */
  grown(lines) {
    if (this.reading && lines) {
      this.unseen += lines;
      if (!this.rows.detached) this.shift(lines);
    }
    this.later();
  }

  extend() {
    const length = this.rows.entries.length * this.height;
    if (length === this.length) return;
    this.length = length;
    this.space.style.height = `${length}px`;
    this.element.setAttribute("aria-rowcount", this.rows.entries.length);
  }

  /** The list is so many lines longer, or shorter, above what is read. */
  shift(lines) {
    this.extend();
    this.element.scrollTop += lines * this.height;
  }

  top() {
    if (this.rows.detached) this.does.anew();
    this.selected = state().exchange;
    this.element.scrollTop = 0;
    this.unseen = 0;
    this.later();
  }

  draw() {
    const { entries } = this.rows;
    const { scrollTop } = this.element;      // read once, before anything is changed: each later look would lay out anew
    const first = Math.max(0, Math.floor(scrollTop / this.height) - SPARE);
    const last = Math.min(entries.length, Math.ceil((scrollTop + this.seen) / this.height) + SPARE);
    this.extend();
    if (last && !this.marked) this.marked = performance.mark("first rows");
    const seen = new Set(entries.slice(first, last)), before = this.lines, free = [];
    for (const [entry, line] of before) if (!seen.has(entry)) free.push(line);
    this.lines = new Map();
    for (let at = first; at < last; at += 1) {
      const line = before.get(entries[at]) ?? free.pop() ?? this.newLine();
      this.lines.set(entries[at], line);
      this.fill(line, entries[at], at);
    }
    for (const line of free) line.remove();
    if (scrollTop <= 2 && !this.rows.detached) this.unseen = 0;
    this.chip.hidden = !this.unseen;
    if (this.unseen) this.chip.textContent = `${this.unseen.toLocaleString()} new`;
    if (last >= entries.length - 20 && this.rows.oldest !== null) this.does.more();
  }

  newLine() {
    const line = h("div", { class: "row", role: "row" });
    this.space.append(line);
    return line;
  }

  fill(line, entry, at) {
    const chosen = entry.row.id === this.selected || (entry.count > 1 && entry.rows.some((row) => row.id === this.selected));
    if (line.at !== at || line.tall !== this.height) {
      line.at = at;
      line.tall = this.height;
      line.style.transform = `translateY(${at * this.height}px)`;
      line.setAttribute("aria-rowindex", at + 1);
    }
    const mark = `${entry.row.id} ${entry.count} ${chosen} ${several(this)}`;
    if (line.mark === mark) return;
    line.mark = mark;
    line.className = `row m-${entry.row.mood || "plain"}${chosen ? " chosen" : ""}${entry.row.background ? " background" : ""}`;
    line.setAttribute("aria-selected", chosen);
    line.replaceChildren(...cells(entry, several(this)));
  }

  clicked(event) {
    const line = event.target.closest(".row");
    if (!line) return;
    const { at } = line;
    const entry = this.rows.entries[at];
    const term = event.target.closest("[data-term]")?.dataset.term;
    if (event.target.closest(".times")) {
      this.rows.unfold(at);
      this.redraw();
    } else if (term) {
      this.does.narrow(term);
    } else if (!getSelection().toString()) {
      this.choose(entry.row, { open: true });
    }
  }

  redraw() {
    for (const line of this.lines.values()) line.mark = "";
    this.later();
  }

  choose(row, { open = false } = {}) {
    this.selected = row ? row.id : 0;
    if (row) this.reveal(this.rows.index(row.id));
    this.redraw();
    if (row && open) this.does.open(row);
    else if (row) say(spoken(row));
  }

  reveal(index) {
    if (index < 0) return;
    this.extend();
    const top = index * this.height, { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight) this.element.scrollTop = top + this.height - clientHeight;
  }

  /** Walk with the keyboard. by: lines down. */
  step(by) {
    const { entries } = this.rows;
    if (!entries.length) return null;
    const at = this.rows.index(this.selected);
    const next = at < 0 ? 0 : Math.min(entries.length - 1, Math.max(0, at + by));
    this.choose(entries[next].row);
    return entries[next].row;
  }

  close() {
    this.watcher.disconnect();
    if (this.frame) cancelAnimationFrame(this.frame);
  }
}

const spoken = (row) =>
  `${row.protocol} ${row.verb} ${target(row).join("")}, ${row.outcome || "no answer"}, ${MOODS[row.mood] ?? ""}. ${row.explanation}`;

function term(key, value) {
  return /[\s()":]/.test(value) || value === "" ? `${key}:"${value.replaceAll('"', "")}"` : `${key}:${value}`;
}

const word = (className, key, value, text = value) =>
  h("span", { class: `word ${className}`, dataset: { term: term(key, value) }, title: `Only ${term(key, value)}` }, text);

function cells({ row, count: times }, several) {
  const { colour, symbol, word: name } = family(row);
  const [host, asked] = target(row);
  const [seconds, milliseconds] = timePieces(row.ended);
  const bar = h("span", { class: "bar", "aria-hidden": "true" });
  bar.style.width = `${Math.min(100, 8 + 23 * Math.log10(1 + row.seconds * 1000))}%`;
  return [
    h("span", { class: "when mono", role: "gridcell", title: fullTime(row.ended) }, seconds, h("span", { class: "ms" }, milliseconds)),
    h("span", { class: `what ${colour}`, role: "gridcell", title: name }, icon(symbol), word("service", "service", row.service)),
    several && h("span", { class: "who mono", role: "gridcell" }, word("client", "client", row.client.host)),
    h("span", { class: "asked mono", role: "gridcell", title: `${row.verb} ${host}${asked}` },
      h("b", {}, row.verb || (row.unfinished ? "(unfinished)" : "")),
      h("span", { class: "object-of" }, host ? word("host", "host", host) : "", h("span", { class: "object" }, asked)),
      times > 1 && h("button", { class: "times", type: "button", title: "Show each of them", tabindex: "-1" }, `× ${times.toLocaleString()}`)),
    h("span", { class: "sentence small soft", role: "gridcell" }, plain(row.explanation)),
    h("span", { class: `outcome mono ${row.mood}`, role: "gridcell" }, row.mood ? icon(row.mood, MOODS[row.mood]) : "",
      row.outcome ? word("code", "outcome", row.outcome) : h("span", { class: "soft" }, row.unfinished ? "unfinished" : "–")),
    h("span", { class: "took", role: "gridcell", title: `${count(row.sent, "octet")} sent, ${count(row.received, "octet")} received` },
      h("span", { class: "mono" }, duration(row.seconds)), bar),
  ].filter(Boolean);
}
