// The filter: says its meaning while one types, offers keys and values, and keeps the last good one.

import { ask } from "./api.js";
import { h, icon, show } from "./dom.js";
import { remembered } from "./state.js";

const EVERYTHING = "Everything, newest first. Click any word in the list to see only such.";
const PAUSE = 160;       // milliseconds without a key before the sandbox is asked what a text means

export class FilterBox {
  /** changed(text): a filter that is right, other than the last one; everything: what is said of an empty one. */
  constructor(changed, everything = EVERYTHING) {
    this.changed = changed;
    this.everything = everything;
    this.good = "";
    this.keys = [];
    this.offered = [];
    this.at = -1;
    this.input = h("input", {
      type: "search", id: "filter", placeholder: "filter: host:www.example.com outcome:4xx", autocomplete: "off", autocapitalize: "off",
      spellcheck: "false", role: "combobox", "aria-label": "Filter", "aria-expanded": "false", "aria-controls": "suggestions",
      "aria-describedby": "filter-words",
    });
    this.words = h("div", { class: "filter-words", id: "filter-words" }, everything);
    this.list = h("ul", { class: "suggest", id: "suggestions", role: "listbox", "aria-label": "What fits here", hidden: true });
    this.star = h("button", { type: "button", title: "Keep this filter", "aria-label": "Keep this filter", onclick: () => this.save() }, "☆");
    this.clear = h("button", { type: "button", title: "Empty the filter", "aria-label": "Empty the filter", onclick: () => this.set("", { tell: true }) },
      icon("close"));
    this.element = h("div", { class: "filter-box" }, this.input, h("span", { class: "tools" }, this.star, this.clear), this.list);
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("focus", () => this.offer());
    this.input.addEventListener("blur", () => setTimeout(() => this.fold(), 120));
    this.input.addEventListener("keydown", (event) => this.key(event));
    ask("filter/keys").then(({ keys }) => { this.keys = keys; }, () => {});
    this.marks();
  }

  set(text, { tell = false } = {}) {
    this.input.value = text;
    this.typed({ now: true, tell });
  }

  /** One more term, or one that takes the place of another of its key. */
  narrow(term) {
    const text = this.input.value.trim();
    if (text.split(/\s+/).includes(term)) return;
    this.set(text ? `${text} ${term}` : term, { tell: true });
  }

  typed({ now = false, tell = true } = {}) {
    clearTimeout(this.timer);
    this.marks();
    this.timer = setTimeout(() => this.check(tell), now ? 0 : PAUSE);
    if (!now) this.offer();
  }

  async check(tell) {
    const text = this.input.value.trim();
    this.asking?.abort();
    const { signal } = (this.asking = new AbortController());
    try {
      const { words } = text ? await ask("filter", { query: { text }, signal }) : { words: this.everything };
      this.words.className = "filter-words";
      show(this.words, words);
      this.input.removeAttribute("aria-invalid");
      if (text !== this.good) {
        this.good = text;
        if (tell) this.changed(text);
      }
    } catch (error) {
      if (error.name !== "AbortError") this.wrong(text, error);
    }
  }

  wrong(text, { message, hint, body }) {
    this.input.setAttribute("aria-invalid", "true");
    this.words.className = "filter-words wrong";
    const at = Number.isInteger(body?.position) ? body.position : -1;
    const from = Math.max(0, at - 24), stop = at + Math.max(1, text.slice(at).search(/[\s)]|$/));
    show(this.words, message, hint ? ` ${hint}` : "",
      at >= 0 && at < text.length ? [" Here: ", h("code", {}, from ? "…" : "", text.slice(from, at), h("span", { class: "at" }, text.slice(at, stop)), text.slice(stop, stop + 12))] : "",
      this.good ? [" The list still shows ", h("code", {}, this.good)] : "");
  }

  // What fits

  word() {
    const before = this.input.value.slice(0, this.input.selectionStart ?? 0);
    const start = before.search(/[^\s()]*$/);
    return { start, text: before.slice(start).replace(/^-/, ""), minus: before[start] === "-" };
  }

  offer() {
    const { text } = this.word();
    const [key, value] = text.includes(":") ? text.split(/:(.*)/s) : [text, null];
    if (value !== null) {
      const known = this.keys.find((one) => one.key === key);
      this.offered = (known?.values ?? []).filter((one) => one.startsWith(value)).map((one) => ({ text: `${key}:${one}`, meaning: "" }));
    } else {
      const fits = this.keys.filter((one) => one.key.startsWith(key));
      this.offered = fits.map((one) => ({ text: `${one.key}:`, meaning: one.meaning, example: one.example }));
      if (!text) {
        this.offered = [...remembered.get("filters", []).map((one) => ({ text: one, meaning: "kept", whole: true })), ...this.offered];
      }
    }
    this.offered = this.offered.slice(0, 40);
    this.at = -1;
    show(this.list, this.offered.map((one, at) => h("li", {
      role: "option", id: `offer-${at}`, "aria-selected": "false",
      onpointerdown: (event) => { event.preventDefault(); this.take(one); },
    }, h("code", {}, one.text), h("span", {}, one.meaning, one.example ? h("code", {}, ` ${one.example}`) : ""))));
    this.list.hidden = !this.offered.length || document.activeElement !== this.input;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
  }

  take(offer) {
    if (offer.whole) {
      this.set(offer.text, { tell: true });
      this.fold();
      return;
    }
    const { start, minus } = this.word();
    const { value, selectionStart } = this.input;
    const head = value.slice(0, start) + (minus ? "-" : "") + offer.text;
    const space = offer.text.endsWith(":") ? "" : " ";
    this.input.value = head + space + value.slice(selectionStart);
    this.input.setSelectionRange(head.length + space.length, head.length + space.length);
    this.typed();
  }

  key(event) {
    if (this.list.hidden || !["ArrowDown", "ArrowUp", "Enter", "Tab", "Escape"].includes(event.key)) {
      if (event.key === "Enter") this.typed({ now: true });
      if (event.key === "Escape") this.input.blur();
      return;
    }
    if (event.key === "Escape") {
      this.fold();
    } else if (event.key.startsWith("Arrow")) {
      const { length } = this.offered;
      this.at = (this.at + (event.key === "ArrowDown" ? 1 : -1) + length + (this.at < 0 && event.key === "ArrowUp" ? 1 : 0)) % length;
      [...this.list.children].forEach((line, at) => line.setAttribute("aria-selected", String(at === this.at)));
      this.list.children[this.at].scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", `offer-${this.at}`);
    } else if (this.at >= 0) {
      this.take(this.offered[this.at]);
    } else {
      this.fold();
      if (event.key === "Enter") this.typed({ now: true });
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  fold() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  // Kept filters

  marks() {
    const text = this.input.value.trim();
    this.clear.hidden = !text;
    this.star.hidden = !text;
    this.star.textContent = remembered.get("filters", []).includes(text) ? "★" : "☆";
  }

  save() {
    const text = this.input.value.trim();
    const kept = remembered.get("filters", []);
    remembered.set("filters", kept.includes(text) ? kept.filter((one) => one !== text) : [text, ...kept].slice(0, 12));
    this.marks();
  }
}
