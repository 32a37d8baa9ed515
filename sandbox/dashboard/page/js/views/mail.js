// Mail: everybody's folders, a letter in all its forms, and one to write.

import { ask } from "../api.js";
import { command, h, icon, show } from "../dom.js";
import { letterMap } from "../drawings/letter.js";
import { map } from "../drawings/map.js";
import { dateTime, size } from "../format.js";
import { go, state } from "../state.js";
import { more } from "../knowledge.js";
import { text } from "../text.js";
import { Asked, failed, page, tabs } from "./view.js";

export class View {
  constructor(main) {
    this.folders = new Asked();
    this.letters = new Asked();
    this.letter = new Asked();
    this.side = h("nav", { class: "folders", "aria-label": "Folders" });
    this.list = h("div", { class: "letters", "aria-label": "Letters" });
    this.open = h("div", { class: "grow letter" });
    page(main, "Mail", "", h("p", {}, h("button", { class: "primary", type: "button", onclick: () => this.write() }, "Write a letter")),
      h("div", { class: "split three" }, this.side, this.list, this.open));
    this.drawn = "";
    this.update();
    this.reload();
  }

  reload() {
    this.folders.into(this.side, "mail", {}, ({ people }) => people.map((one) => h("section", {}, h("h3", {}, one.name, h("span", { class: "soft small mono" }, ` ${one.address}`)),
      [...one.folders].sort(inboxFirst).map((folder) => h("a", { class: `folder${folder.count ? "" : " hollow"}`, href: link(one.login, folder.name), dataset: { folder: `${one.login}/${folder.name}` },
        "aria-current": this.drawn === `${one.login}/${folder.name}` ? "page" : null }, folder.name === "INBOX" ? "Inbox" : folder.name,
        folder.count ? h("span", { class: "soft small" }, ` ${folder.count}${folder.unseen ? `, ${folder.unseen} new` : ""}`) : "")))));
  }

  update() {
    const [person, folder, uid] = state().path;
    this.folder();
    if (uid) {
      const path = `mail/${encodeURIComponent(person)}/${encodeURIComponent(folder)}/${uid}`;
      this.letter.into(this.open, path, {}, (found) => letter(path, found));
    } else if (!person) {
      show(this.open, h("div", { class: "empty" }, h("h2", {}, "Choose a folder"), h("p", { class: "soft" }, "Mail to any address that nobody here has is caught too; it never leaves this machine.")));
    } else {
      show(this.open);
    }
  }

  /** The list of letters of the folder that the address names. */
  folder() {
    const [person, folder, uid] = state().path;
    if (person && folder && this.drawn !== `${person}/${folder}`) {
      this.drawn = `${person}/${folder}`;
      this.letters.into(this.list, `mail/${encodeURIComponent(person)}/${encodeURIComponent(folder)}`, { query: { limit: 200 } }, (found) => letters(person, folder, found));
    }
    for (const one of this.side.querySelectorAll("a")) one.toggleAttribute("aria-current", one.dataset.folder === this.drawn);
    for (const one of this.list.querySelectorAll("a")) one.setAttribute("aria-current", String(one.dataset.uid === uid));
  }

  write() {
    const field = (name, label, value = "", extra = {}) => h("label", {}, label, h("input", { name, value, required: true, ...extra }));
    const said = h("div", {});
    const form = h("form", { class: "stack", onsubmit: async (event) => {
      event.preventDefault();
      const values = Object.fromEntries(new FormData(form));
      show(said, h("p", { class: "soft" }, "…"));
      try {
        const answer = await ask("mail", { method: "POST", body: { from: values.from, to: values.to.split(/[\s,;]+/).filter(Boolean), subject: values.subject, text: values.text } });
        const refused = answer.refused ?? [];
        show(said, refused.length ? refused.map((one) => h("p", { class: "bad" }, icon("bad"), ` ${one.recipient} was refused: ${one.said}`)) : h("p", { class: "good" }, icon("good"), ` Sent over real SMTP. The server said: ${answer.said}`),
          answer.session ? h("button", { type: "button", onclick: () => go({ view: "live", path: [], filter: `session:${answer.session}` }) }, "See the dialogue") : "");
        this.reload();
        this.drawn = "";
        this.folder();
      } catch (error) {
        show(said, failed(error));
      }
    } }, h("h2", {}, "A letter"), field("from", "From", "alice@example.com"), field("to", "To", "bob@example.com"), field("subject", "Subject", "Hello"),
    h("label", {}, "Text", h("textarea", { name: "text", rows: "8" }, "Hello Bob,\n\nthis letter goes over real SMTP, from server to server.\n")),
    h("button", { class: "primary" }, "Send"), said);
    show(this.open, form);
    form.elements.subject.focus();
  }

  close() {
    this.folders.close();
    this.letters.close();
    this.letter.close();
  }
}

const inboxFirst = (one, other) => (other.name === "INBOX") - (one.name === "INBOX");

const link = (person, folder, uid = "") => `/mail/${encodeURIComponent(person)}/${encodeURIComponent(folder)}${uid ? `/${uid}` : ""}`;

function letters(person, folder, { letters: some }) {
  if (!some.length) return h("p", { class: "soft pad" }, "No letters here yet.");
  return some.map((one) => h("a", { class: `letter-line${one.seen ? "" : " unseen"}`, href: link(person, folder, one.uid), dataset: { uid: String(one.uid) }, "aria-current": String(String(one.uid) === state().path[2]) },
    h("b", {}, one.from || "(no sender)"), h("span", { class: "soft small" }, dateTime(one.received)), h("span", {}, one.subject || "(no subject)"), h("span", { class: "soft small" }, size(one.size))));
}

function letter(path, found) {
  const base = `/api/v1/${path}`;
  const forms = [];
  if (found.html) forms.push(["As it wants to look", () => h("iframe", { class: "mail-frame", sandbox: "", referrerpolicy: "no-referrer", title: "The letter’s HTML, without network or scripts", src: `${base}/html` })]);
  forms.push(["Text", () => h("pre", { class: "content tall", tabindex: "0", "aria-label": "The text of the letter" }, found.text.trimEnd() || "(no text)")],
    ["Header fields", () => h("div", { class: "scroll" }, h("table", {}, found.headers.map((one) => h("tr", {}, h("th", { scope: "row", class: "mono" }, one.name), h("td", {}, h("div", { class: "mono" }, one.value),
      one.text ? h("div", { class: "soft small" }, one.text, one.key ? [" ", more("more", one.key.replace(":", "/").replace(".", "/"))] : "") : "")))))],
    ["Parts", () => h("ul", { class: "parts" }, found.parts.map((one) => h("li", { style: null }, h("span", { class: "mono" }, `${" ".repeat(one.depth * 2)}${one.type}`),
      h("span", { class: "soft small" }, ` ${size(one.size)}${one.encoding ? `, ${one.encoding}` : ""}${one.filename ? `, ${one.filename}` : ""} `),
      one.leaf ? h("a", { href: `${base}/parts/${one.number}`, download: one.filename || `part-${one.number}` }, "take it") : "")))],
    ["The way it came", () => h("div", {}, drawn(found.way), h("ol", { class: "way" }, found.way.map((one) => h("li", {}, h("b", {}, one.title), one.exchange ? [" ", h("button", { class: "bare more-link", type: "button",
      onclick: () => go({ view: "live", path: [], exchange: one.exchange }) }, "see it happen")] : "", h("div", { class: "soft small mono" }, one.detail)))))],
    ["Source", () => { const holder = h("pre", { class: "content tall", tabindex: "0", "aria-label": "The letter as it was received" }, "…"); fetch(`${base}/source`).then((answer) => answer.arrayBuffer()).then((data) => show(holder, text(new Uint8Array(data)).slice(0, 400_000))); return holder; }]);
  return [
    h("header", { class: "letter-head" }, h("h2", {}, found.subject || "(no subject)"),
      h("p", {}, h("span", { class: "soft" }, "From "), found.from, h("span", { class: "soft" }, " to "), found.to.join(", ")),
      h("p", { class: "small soft" }, envelope(found.envelope), ` Received ${dateTime(found.received)}.`),
      found.codes.length ? h("p", { class: "small" }, found.codes.length > 1 ? "Codes in it: " : "The code in it: ", found.codes.map((one) => [h("code", { class: "code-found" }, one), " "])) : ""),
    tabs("Forms of the letter", forms),
    found.attachments.length ? h("p", { class: "small" }, `Attachments: ${found.attachments.map((one) => one.filename || one.type).join(", ")}`) : "",
    found.links.length ? h("details", {}, h("summary", {}, `${found.links.length} links`), h("ul", {}, found.links.map((one) => h("li", { class: "mono small" }, one)))) : "",
    found.again ? command(found.again) : "",
  ];
}

/** Whom the servers were told, which need not be whom the header names. */
function envelope({ sender, recipients }) {
  if (!recipients.length) return "Without an envelope: it was put here, not sent.";
  return `Envelope: from <${sender}> to ${recipients.map((one) => `<${one}>`).join(", ")}.`;
}

/** The way as a map, of everything that the journal ties to it. */
function drawn(way) {
  const last = way.findLast((one) => one.exchange);
  const holder = h("div", {});
  if (last) ask("journeys", { query: { filter: `exchange:${last.exchange}`, kind: "letter", limit: 1 } }).then(({ journeys: [one] }) => one && show(holder, map(letterMap(one.steps), "The way of the letter from server to server")), () => {});
  return holder;
}
