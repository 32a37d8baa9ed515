// Faults: the rules that make things fail, one more, and what waits: a drawing of the step, "go on", another answer.

import { ask } from "../api.js";
import { h, say, show, svg } from "../dom.js";
import { decode, family } from "../format.js";
import { about, isSlow, next, start, stop } from "../slowmotion.js";
import { failed, page } from "./view.js";

const EVERY = 500;      // milliseconds between looks
const TRY = ["protocol:smtp verb:RCPT", "reply=451 times=2"];

export class View {
  constructor(main) {
    this.said = h("div", {});
    this.held = h("section", { "aria-label": "What waits" });
    this.rules = h("section", {});
    this.names = h("section", {});
    this.drawn = "";
    page(main, "Faults", "Make something fail on purpose, or go step by step. What was struck says so under Live: filter for has:fault.",
      this.slow(), this.held, this.form(), this.said, this.rules, this.names);
    this.explain();
    this.look();
    this.timer = setInterval(() => document.hidden || this.look(), EVERY);
  }

  slow() {
    const who = h("input", { id: "slow-who", placeholder: "client:127.0.0.1, or host:www.example.com", size: "34", spellcheck: "false", autocomplete: "off" });
    const limit = h("input", { id: "slow-limit", type: "number", min: "1", max: "600", placeholder: "own", size: "5" });
    this.button = h("button", { class: "primary", type: "submit" }, "Start");
    return h("form", { class: "inline card", onsubmit: (event) => {
      event.preventDefault();
      this.do(this.running ? stop(this.running) : start(who.value.trim(), limit.value));
    } }, h("b", {}, "Slow motion "), h("label", { for: "slow-who" }, "for"), who, h("label", { for: "slow-limit" }, "at most, in seconds"), limit, this.button);
  }

  form() {
    const filter = h("input", { id: "fault-filter", value: TRY[0], size: "34", spellcheck: "false", autocomplete: "off" });
    const words = h("input", { id: "fault-words", value: TRY[1], size: "28", spellcheck: "false", autocomplete: "off", list: "fault-actions" });
    this.actions = h("datalist", { id: "fault-actions" });
    return h("form", { class: "inline", onsubmit: (event) => {
      event.preventDefault();
      this.do(ask("faults", { method: "POST", body: { text: `'${filter.value.replaceAll("'", "'\\''")}' ${words.value}` } }));
    } }, h("label", { for: "fault-filter" }, "What it strikes"), filter, h("label", { for: "fault-words" }, "and what happens"), words, this.actions, h("button", { class: "primary" }, "Add"));
  }

  async do(asked) {
    try {
      await asked;
      show(this.said);
    } catch (error) {
      show(this.said, failed(error));
    }
    this.look();
  }

  async look() {
    try {
      const found = await ask("faults");
      const text = JSON.stringify(found);
      if (text === this.drawn || this.gone) return;
      this.drawn = text;
      this.running = found.faults.find(isSlow);
      this.button.textContent = this.running ? "Stop" : "Start";
      this.draw(found);
    } catch (error) {
      show(this.said, failed(error));
    }
  }

  draw({ faults, held }) {
    const known = held.map(({ id }) => id).join();
    if (known !== this.known) {      // what somebody is writing into stays
      this.known = known;
      show(this.held, held.map((one) => this.waiting(one)));
      if (held.length) say(`${held.length} waiting`);
    }
    show(this.rules, faults.length ? h("table", {}, h("thead", {}, h("tr", {}, ["", "What it strikes", "What happens", "Struck", ""].map((one) => h("th", { scope: "col" }, one)))),
      h("tbody", {}, faults.map((one) => h("tr", {}, h("td", {}, one.id), h("td", {}, h("span", { class: "mono" }, one.filter || "everything"), h("div", { class: "small soft" }, one.words)),
        h("td", { class: "mono" }, options(one)), h("td", {}, one.spent ? `${one.struck}, spent` : `${one.struck} of ${one.meant}`),
        h("td", {}, h("button", { type: "button", "aria-label": `Remove rule ${one.id}`, onclick: () => this.do(stop(one)) }, "Remove")))))) : h("p", { class: "soft" }, "There are no rules: nothing fails but by its name."));
  }

  waiting(held) {
    const go = h("button", { class: "primary", type: "submit" }, "Go on");
    const editor = held.step === "answer" ? h("textarea", { rows: "8", cols: "90", class: "mono", "aria-label": "What is about to leave" }) : "";
    const before = held.step === "answer" ? textOf(decode(held.octets)) : "";
    if (editor) editor.value = before;
    const reply = h("input", { size: "34", class: "mono", placeholder: "451 Not today", "aria-label": "Say instead", spellcheck: "false" });
    return h("form", { class: "card", onsubmit: (event) => {
      event.preventDefault();
      const change = {};
      if (editor && editor.value !== before.replaceAll("\r\n", "\n")) change.octets = base64(editor.value.replaceAll("\n", "\r\n"));
      const [code, ...text] = reply.value.trim().split(" ");
      if (held.step === "question" && code) change.reply = { code, text: text.join(" ") };
      this.do(next(held.fault, held.id, change));
    } }, drawing(held), h("p", {}, about(held)), held.step === "answer" ? editor : "", held.step === "question" ? h("p", {}, "Say instead: ", reply) : "", go);
  }

  async explain() {
    const { actions, names } = await ask("faults/actions");
    this.actions.append(...actions.map((one) => h("option", { value: one.value && !one.example.includes(`${one.name} `) ? `${one.name}=` : one.name }, one.meaning)));
    show(this.names, h("details", { class: "card" }, h("summary", {}, "Actions"), table(["Action", "What it does", "Example"], actions.map((one) => [one.name, one.meaning, one.example]))),
      h("details", { class: "card" }, h("summary", {}, "Names that need no rule"), table(["Name", "Protocol", "What happens"], names.map((one) => [one.name, one.protocol, one.action]))));
  }

  close() {
    this.gone = true;
    clearInterval(this.timer);
  }
}

const options = ({ rule }) => Object.entries(rule).filter(([name]) => name !== "filter").map(([name, value]) => value ? `${name}=${value}` : name).join(" ");

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

const textOf = (bytes) => new TextDecoder().decode(bytes);

const table = (heads, rows) => h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, heads.map((one) => h("th", { scope: "col" }, one)))),
  h("tbody", {}, rows.map((row) => h("tr", {}, row.map((one, at) => h("td", { class: at === 1 ? "" : "mono" }, one)))))));

/** The client on the left, the sandbox on the right, and what is on its way between them. */
function drawing(held) {
  const leaving = held.step === "answer";
  const said = held.step === "connection" ? "connects" : held.step === "handshake" ? `TLS ${held.asked}` : `${held.verb} ${held.asked}`;
  const { colour } = family(held);
  const text = (x, y, anchor, words) => svg("text", { x, y, "text-anchor": anchor, fill: "currentColor", "font-size": 14 }, words.length > 60 ? `${words.slice(0, 59)}…` : words);
  return svg("svg", { viewBox: "0 0 640 84", role: "img", class: colour, width: 640, height: 84, "aria-label": `${said}, waiting at the ${held.step}` },
    svg("circle", { cx: 24, cy: 40, r: 14, fill: "none", stroke: "currentColor" }), text(0, 76, "start", held.client.host),
    svg("rect", { x: 600, y: 26, width: 32, height: 28, rx: 4, fill: "none", stroke: "currentColor" }), text(640, 76, "end", held.service),
    svg("path", { d: leaving ? "M590 40H330" : "M50 40H310", stroke: "currentColor", "stroke-width": 2, fill: "none" }),
    svg("path", { d: leaving ? "M340 33l-12 7 12 7z" : "M300 33l12 7-12 7z", fill: "currentColor" }),
    svg("path", { d: leaving ? "M318 40H50" : "M322 40H590", stroke: "currentColor", "stroke-dasharray": "3 6", fill: "none" }), text(320, 18, "middle", said));
}
