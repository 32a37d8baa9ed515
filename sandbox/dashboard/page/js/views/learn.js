// The words of a course, each with what it means, a command to try, and where it just happened.

import { command, h, show } from "../dom.js";
import { target } from "../format.js";
import { state } from "../state.js";
import { Asked, page } from "./view.js";

export class View {
  constructor(main) {
    this.asked = new Asked();
    this.one = new Asked();
    this.side = h("nav", { class: "folders", "aria-label": "Words" });
    this.text = h("article", { class: "grow concept" });
    page(main, "Learn", "The words of a networking course, with what happened here as the example.", h("div", { class: "split" }, this.side, this.text));
    this.asked.into(this.side, "concepts", {}, ({ concepts }) => !concepts.length ? h("p", { class: "soft" }, "The words are not there yet.") : concepts.map((one) => h("a", { class: "folder", href: `/learn/${encodeURIComponent(one.name)}` }, one.title)));
    this.update();
  }

  update() {
    const [name] = state().path;
    if (!name) {
      show(this.text, h("p", { class: "soft" }, "Choose a word."));
      return;
    }
    this.one.into(this.text, `concepts/${encodeURIComponent(name)}`, {}, concept);
  }

  close() {
    this.asked.close();
    this.one.close();
  }
}

const concept = ({ title, text, rfc, commands = [], related = [], examples = [], filter = "" }) => [
  h("h2", {}, title), text.split(/\n{2,}/).map((part) => h("p", {}, part)), rfc ? h("p", { class: "small soft" }, rfc) : "",
  commands.length ? [h("h3", {}, "Try it"), commands.map((one) => command(one))] : "",
  h("h3", {}, "It happened here"),
  examples.length ? [h("ul", {}, examples.map((row) => h("li", {}, h("a", { href: `/?exchange=${row.id}` }, h("span", { class: "mono" }, `${row.verb} ${target(row).join("")} → ${row.outcome}`)),
    h("div", { class: "soft small" }, row.explanation)))), filter ? h("p", {}, h("a", { href: `/?filter=${encodeURIComponent(filter)}` }, "all of them")) : ""] : h("p", { class: "soft" }, "Not yet. Try the command, and look here again."),
  related.length ? h("p", {}, "See also: ", related.map((one, at) => [at ? ", " : "", h("a", { href: `/learn/${encodeURIComponent(one)}` }, one)])) : "",
];
