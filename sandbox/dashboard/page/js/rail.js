// The rail of views at the side, at the bottom of a telephone; and the line at the bottom of everything else.

import { h, icon, show } from "./dom.js";
import { duration } from "./format.js";
import { state } from "./state.js";

export const PLACES = [
  ["live", "Live"], ["journeys", "Journeys"], ["mail", "Mail"], ["files", "Files"], ["names", "Names"], ["services", "Services"], ["faults", "Faults"], ["setup", "Set-up"], ["labs", "Labs"], ["learn", "Learn"],
];
const FIRST = 4;      // places that a telephone shows at once; the rest is behind the fifth symbol

export class Rail {
  /** does: what the buttons do, by name: projector, theme, help. */
  constructor(element, does) {
    this.element = element;
    this.does = does;
    this.more = h("button", { type: "button", class: "place dots", "aria-expanded": "false", onclick: () => this.fold() }, icon("dots"), h("span", {}, "More"));
    document.addEventListener("click", (event) => {
      if (!element.contains(event.target) || event.target.closest("a")) this.fold(false);
    });
  }

  fold(open = !this.element.classList.contains("open")) {
    this.element.classList.toggle("open", open);
    this.more.setAttribute("aria-expanded", String(open));
  }

  draw() {
    const { view } = state();
    const places = PLACES.map(([name, word], at) => h("a", {
      class: `place${at >= FIRST ? " rest" : ""}`, href: name === "live" ? "/" : `/${name}`, "aria-current": view === name ? "page" : null, title: word }, icon(name), h("span", {}, word)));
    const tools = [["projector", "Projector"], ["theme", "Light or dark"]].map(([name, word]) => h("button", {
      type: "button", class: "place rest tool", onclick: () => { this.fold(false); this.does[name](); } }, icon(name), h("span", {}, word)));
    show(this.element, h("a", { class: "brand", href: "/" }, h("img", { src: "/page/icon.svg", alt: "" }), h("span", {}, "Sandbox")), places, tools, this.more);
  }
}

const COUNTED = 400;      // milliseconds
const WORDS = { connected: "connected", waiting: "looking for the sandbox …", stopped: "the sandbox has stopped; this page keeps what it has" };
const ROLES = { visitor: ["You are a visitor: you see what your own device does, and change nothing.", "visitor"], teacher: ["You gave the teacher’s token: you see all and may change all.", "teacher"] };

export class Status {
  constructor(element, does) {
    this.element = element;
    this.does = does;
    this.about = { connection: "waiting", arrived: 0, open: 0, me: null };
    this.draw();
  }

  tell(changes) {
    Object.assign(this.about, changes);
    const urgent = "connection" in changes || "me" in changes;
    if (urgent) this.draw();
    else this.timer ??= setTimeout(() => {      // a thousand a second need not be counted a thousand times
      this.timer = null;
      this.draw();
    }, COUNTED);
  }

  draw() {
    const { connection, arrived, open, me } = this.about;
    const well = connection === "connected";
    this.element.classList.toggle("alarm", connection === "stopped" || (connection === "waiting" && this.known));
    this.known ||= well;
    const [text, role] = ROLES[me?.role] ?? [];
    show(this.element,
      h("span", { class: well ? "good" : "warning" }, h("span", { class: well ? "dot" : "dot hollow" }), h("span", {}, WORDS[connection])),
      h("span", {}, `${arrived.toLocaleString()} since this page was opened`),
      open > 0 ? h("span", {}, `${open.toLocaleString()} open`) : "",
      me?.space && me.space !== "main" ? h("span", {}, `space: ${me.space}`) : "",
      role ? h("span", { class: "pill more", title: text }, `${role}, ${me.address}`) : "",
      h("span", { class: "spring" }),
      me?.started ? h("span", { class: "since" }, `up for ${duration(Date.now() / 1000 - me.started)}`) : "",
      h("button", { type: "button", onclick: this.does.projector }, "projector"),
      h("button", { type: "button", onclick: this.does.theme }, document.documentElement.dataset.theme === "dark" ? "light" : "dark"),
      h("button", { type: "button", onclick: this.does.help }, h("kbd", {}, "?"), " keys"));
  }
}
