// The knowledge entries behind sentences: a small link with the RFC, a click opens the whole entry.

import { ask } from "./api.js";
import { h, show } from "./dom.js";

/** A link for a row's own explanation. */
export function entry(row) {
  const [protocol, key] = row.key.includes(":") ? row.key.split(/:(.*)/s) : [row.protocol, row.key];
  return more("more", key ? `${protocol}/${key.replace(".", "/")}` : `${row.protocol}/verb/${row.verb}`);
}

/** A quiet button that opens an entry. path: PROTOCOL/KIND/TERM. */
export function more(label, path) {
  return h("button", { type: "button", class: "bare more-link small", onclick: () => open(path) }, label);
}

async function open(path) {
  const dialog = document.getElementById("help");
  show(dialog, h("p", {}, "…"));
  dialog.showModal();
  try {
    const found = await ask(`knowledge/${path.split("/").map(encodeURIComponent).join("/")}`);
    show(dialog, h("h2", { id: "help-title" }, found.title), h("p", {}, found.text), found.more ? h("p", {}, found.more) : "",
      found.rfc ? h("p", { class: "small soft" }, found.rfc) : "", ideas(found.concepts, dialog), h("form", { method: "dialog" }, h("button", { class: "primary" }, "Close")));
  } catch (error) {
    show(dialog, h("p", {}, error.message), h("form", { method: "dialog" }, h("button", { class: "primary" }, "Close")));
  }
}

/** The words of a course that an entry belongs to, each with a page of its own. */
const ideas = (concepts, dialog) => !concepts?.length ? "" : h("p", { class: "small" }, "Learn: ",
  concepts.map((one, at) => [at ? ", " : "", h("a", { href: `/learn/${encodeURIComponent(one.name)}`, onclick: () => dialog.close() }, one.title)]));
