// What the pages beside the live list share: a title, a place for what was asked, and how a failure looks.

import { ask } from "../api.js";
import { h, show } from "../dom.js";

export function page(main, title, lead, ...children) {
  const body = h("div", { class: "page-body" }, children);
  show(main, h("div", { class: "page" }, h("header", { class: "page-head" }, h("h1", {}, title), lead && h("p", { class: "soft" }, lead)), body));
  return body;
}

export const failed = (error) => missing(error) ? h("div", { class: "empty" }, h("h2", {}, "Not in this sandbox"),
  h("p", { class: "soft" }, "This version has nothing to show here yet. Everything that happens is under ", h("a", { href: "/" }, "Live"), ".")) : h("div", { class: "problem", role: "alert" }, h("p", {}, error.message), error.hint ? h("p", {}, error.hint) : "");

const missing = ({ status, body }) => status === 404 && /^No such operation/.test(body?.title ?? "");

/** Ask, and draw the answer or what was wrong. Answers that are overtaken are not drawn. */
export class Asked {
  async into(element, path, options, draw) {
    this.asking?.abort();
    const { signal } = (this.asking = new AbortController());
    element.setAttribute("aria-busy", "true");
    try {
      const found = await ask(path, { ...options, signal });
      show(element, draw(found));
    } catch (error) {
      if (error.name === "AbortError") return;
      show(element, failed(error));
    }
    element.removeAttribute("aria-busy");
  }

  close() {
    this.asking?.abort();
  }
}

/** Tabs: [[name, title, draw]], drawn when picked. */
export function tabs(label, some, chosen = 0) {
  const pane = h("div", { class: "tab-pane", role: "tabpanel", tabindex: "0" });
  const list = h("div", { class: "tabs", role: "tablist", "aria-label": label });
  const pick = (at) => {
    [...list.children].forEach((button, number) => {
      button.setAttribute("aria-selected", String(number === at));
      button.tabIndex = number === at ? 0 : -1;
    });
    show(pane, some[at][1]());
  };
  some.forEach(([title], at) => list.append(h("button", { type: "button", role: "tab", onclick: () => pick(at), onkeydown: (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = (at + by + some.length) % some.length;
    pick(next);
    list.children[next].focus();
  } }, title)));
  pick(chosen);
  return [list, pane];
}
