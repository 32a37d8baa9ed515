// Files: homes, sites and the public folder, and who put what there by which protocol.

import { command, h } from "../dom.js";
import { dateTime, size } from "../format.js";
import { go, state } from "../state.js";
import { Asked, page } from "./view.js";

export class View {
  constructor(main) {
    this.places = new Asked();
    this.asked = new Asked();
    this.side = h("nav", { class: "folders", "aria-label": "Places" });
    this.list = h("div", { class: "grow" });
    page(main, "Files", "What FTP, SFTP and the websites share: put a page into a home’s www folder, and read it on the web.", h("div", { class: "split" }, this.side, this.list));
    this.places.into(this.side, "files", {}, ({ places }) => places.map((one) => h("a", { href: `/files/${one.place}`, class: "folder", dataset: { place: one.place }, "aria-current": one.place === this.place ? "page" : null }, one.title)));
    this.update();
  }

  update() {
    const [kind = "", owner = "", ...path] = state().path;
    if (!kind) {
      this.list.replaceChildren(h("p", { class: "soft" }, "Choose a place."));
      return;
    }
    const place = kind === "public" ? "public" : `${kind}/${owner}`;
    this.place = place;
    for (const one of this.side.querySelectorAll("a")) one.toggleAttribute("aria-current", one.dataset.place === place);
    const inside = kind === "public" ? [owner, ...path].filter(Boolean) : path;
    this.asked.into(this.list, "files", { query: { place, path: inside.join("/") } }, (found) => listing(place, inside, found));
  }

  close() {
    this.places.close();
    this.asked.close();
  }
}

const link = (place, path) => `/files/${[...place.split("/"), ...path].map(encodeURIComponent).join("/")}`;

function listing(place, path, { entries, again = [] }) {
  return [
    h("p", { class: "crumbs mono" }, h("a", { href: link(place, []) }, place), path.map((part, at) => [" / ", h("a", { href: link(place, path.slice(0, at + 1)) }, part)])),
    entries.length ? h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ["Name", "Size", "Changed", "By"].map((one) => h("th", { scope: "col" }, one)))),
      h("tbody", {}, entries.map((one) => h("tr", {},
        h("td", { class: "mono" }, one.folder ? h("a", { href: link(place, [...path, one.name]) }, `${one.name}/`)
          : h("a", { href: `/api/v1/files/content?place=${encodeURIComponent(place)}&path=${encodeURIComponent([...path, one.name].join("/"))}`, download: one.name }, one.name)),
        h("td", {}, one.folder ? "" : size(one.size)), h("td", {}, dateTime(one.modified)),
        h("td", {}, one.writer ? h("button", { class: "bare", type: "button", onclick: () => go({ view: "live", path: [], exchange: one.writer.exchange }) },
          `${one.writer.account || one.writer.client} by ${one.writer.protocol.toUpperCase()}`) : one.folder ? "" : h("span", { class: "soft" }, "there from the start"))))))) : h("p", { class: "soft" }, "An empty folder."),
    again.length ? h("section", { class: "again" }, h("h3", {}, "Go there yourself"), again.map((one) => [h("p", { class: "small soft" }, one.title), command(one.command)])) : "",
  ];
}
