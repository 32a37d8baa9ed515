// The words of a course, each with what it means, a command to try, and where it just happened.

import { ask } from "../api.js";
import { command, h, show } from "../dom.js";
import { plain, target, time } from "../format.js";
import { more } from "../knowledge.js";
import { go, state } from "../state.js";
import { Asked, page } from "./view.js";

const TOPICS = { network: "The network", names: "Names", web: "The web", mail: "Mail", files: "Files", security: "Security" };

export class View {
  constructor(main) {
    this.asked = new Asked();
    this.one = new Asked();
    this.titles = {};
    this.side = h("nav", { class: "folders topics", "aria-label": "Words" });
    this.text = h("article", { class: "grow concept" });
    page(main, "Learn", "The words of a networking course, with what happened here as the example.", h("div", { class: "split" }, this.side, this.text));
    this.begin();
  }

  async begin() {
    await this.asked.into(this.side, "concepts", {}, ({ concepts }) => this.words(concepts));
    this.update();
  }

  words(concepts) {
    for (const one of concepts) this.titles[one.name] = one.title;
    const names = [...new Set([...Object.keys(TOPICS), ...concepts.map((one) => one.topic)])];
    const find = h("input", { type: "search", placeholder: "a word", "aria-label": "Find a word", oninput: () => this.narrow(find.value.trim().toLowerCase()) });
    return [find, names.map((topic) => h("details", { open: true, dataset: { topic } }, h("summary", {}, TOPICS[topic] ?? topic), concepts.filter((one) => one.topic === topic).map((one) =>
      h("a", { class: "folder", href: link(one.name), dataset: { name: one.name } }, one.title))))];
  }

  narrow(text) {
    for (const one of this.side.querySelectorAll("a")) one.hidden = Boolean(text) && !`${one.textContent} ${one.dataset.name}`.toLowerCase().includes(text);
    for (const topic of this.side.querySelectorAll("details")) {
      topic.hidden = !topic.querySelector("a:not([hidden])");
      if (text) topic.open = true;
    }
  }

  update() {
    const [name] = state().path;
    if (this.drawn === (name ?? "")) return;
    this.drawn = name ?? "";
    for (const one of this.side.querySelectorAll("a")) {
      if (one.dataset.name === name) one.setAttribute("aria-current", "page");
      else one.removeAttribute("aria-current");
    }
    const narrow = matchMedia("(max-width: 767px)").matches;      // there the words are above the text, so they fold
    for (const topic of this.side.querySelectorAll("details")) topic.open = !narrow || (!name && topic.dataset.topic === "network");
    this.one.close();
    if (name) this.one.into(this.text, `concepts/${encodeURIComponent(name)}`, {}, (found) => concept(found, this.titles));
    else show(this.text, h("h2", {}, "Every word, with what you did yourself"), h("p", { class: "soft" }, "Choose a word: a port, a cookie, a resolver. Each has a few sentences, a command to try, and what of it is in the journal."),
      h("p", {}, "A way to begin: ", ["protocol", "client", "ip", "port", "dns", "http", "tls", "smtp"].map((one, at) => [at ? " · " : "", h("a", { href: link(one) }, this.titles[one] ?? one)])));
  }

  close() {
    this.asked.close();
    this.one.close();
  }
}

const link = (name) => `/learn/${encodeURIComponent(name)}`;

function concept({ title, also = [], text, rfc, trials = [], related = [], entries = [], examples = [], filter = "" }, titles) {
  const seen = h("p", {});
  if (filter && examples.length) count(filter, seen);
  return [
    h("h2", {}, title), also.length ? h("p", { class: "small soft" }, `Also called ${also.join(", ")}.`) : "",
    h("p", {}, text), rfc ? h("p", { class: "small rfc soft" }, rfc) : "",
    trials.length ? [h("h3", {}, "Try it"), trials.map((one) => h("div", { class: "trial" }, command(one.command), one.see ? h("p", { class: "small" }, one.see) : ""))] : "",
    h("h3", {}, "It happened here"),
    examples.length ? [seen, examples[0].facts.cookies && /cookie/.test(filter) ? h("p", {}, `The last one brought ${examples[0].facts.cookies === "1" ? "one cookie" : `${examples[0].facts.cookies} cookies`}.`) : "", h("ul", { class: "seen" }, examples.map(example))]
      : h("p", { class: "soft" }, filter ? "Not yet, as far as you may see. Try the command, and look here again." : "A journal has nothing of it: it is an idea."),
    related.length ? h("p", {}, "Read next: ", related.map((one, at) => [at ? ", " : "", h("a", { href: link(one) }, titles[one] ?? one)])) : "",
    entries.length ? h("details", { class: "all-words", open: entries.length < 9 }, h("summary", {}, entries.length > 1 ? `Its ${entries.length} words on the wire` : "Its word on the wire"),
      h("ul", { class: "words small" }, entries.map((one) => h("li", {}, more(one.title, place(one.key)))))) : "",
  ];
}

/** An entry's key as a path. */
function place(key) {
  const [protocol, rest] = key.split(/:(.*)/s), [kind, term] = rest.split(/\.(.*)/s);
  return [protocol, kind, term].join("/");
}

/** How often it happened: counted after the page is there, since a long journal takes its time. */
async function count(filter, seen) {
  try {
    const { count: number, complete } = await ask("count", { query: { filter } });
    show(seen, `${complete ? "" : "At least "}${number.toLocaleString()} ${number === 1 ? "exchange shows" : "exchanges show"} it; here ${number === 1 ? "it is" : "are the latest"}. `, h("a", { href: `/?filter=${encodeURIComponent(filter)}` }, "All of them"));
  } catch {
    show(seen, h("a", { href: `/?filter=${encodeURIComponent(filter)}` }, "All of them"));
  }
}

const example = (row) => h("li", {}, h("button", { type: "button", class: "bare mono", onclick: () => go({ exchange: row.id }) }, h("b", {}, row.verb), ` ${target(row).join("")} → `, h("span", { class: row.mood }, row.outcome || "no code")),
  h("span", { class: "small soft" }, ` ${time(row.ended)} from ${row.client.host}`), h("div", { class: "soft small" }, plain(row.explanation)));
