// Names: each zone as a table, and a look-up through the real server whose answer is shown field by field.

import { command, h, show } from "../dom.js";
import { decode } from "../format.js";
import { side } from "../detail/dialogue.js";
import { bytes } from "../detail/bytes.js";
import { Asked, page, tabs } from "./view.js";

const TYPES = ["A", "AAAA", "MX", "TXT", "NS", "SOA", "CNAME", "SRV", "CAA", "PTR", "HTTPS", "ANY"];

export class View {
  constructor(main) {
    this.asked = new Asked();
    this.zones = new Asked();
    this.answer = h("div", {});
    this.tables = h("div", {});
    const name = h("input", { id: "lookup-name", name: "name", value: "www.example.com", autocomplete: "off", spellcheck: "false", size: "28" });
    const type = h("select", { id: "lookup-type", name: "type" }, TYPES.map((one) => h("option", {}, one)));
    page(main, "Names", "The pretend internet’s names. Every other name leads here too, unless the configuration says otherwise.",
      h("form", { class: "inline", onsubmit: (event) => { event.preventDefault(); this.lookup(name.value, type.value); } },
        h("label", { for: "lookup-name" }, "Look up"), name, h("label", { class: "visually-hidden", for: "lookup-type" }, "Type"), type, h("button", { class: "primary" }, "Ask")),
      this.answer, this.tables);
    this.zones.into(this.tables, "names", {}, ({ zones }) => zones.map(zone));
  }

  lookup(name, type) {
    this.asked.into(this.answer, "lookup", { query: { name, type } }, answered);
  }

  close() {
    this.asked.close();
    this.zones.close();
  }
}

function answered(found) {
  const parts = { client: { ...found.client, bytes: decode(found.client.octets) }, server: { ...found.server, bytes: decode(found.server.octets) } };
  const row = { ...found, facts: {}, client: { host: "127.0.0.1" } };
  return h("section", { class: "card" },
    h("h2", {}, `${found.name} ${found.type}: ${found.outcome}`), h("p", {}, found.explanation),
    found.records.length ? h("table", {}, h("thead", {}, h("tr", {}, ["Section", "Name", "TTL", "Type", "Value"].map((one) => h("th", { scope: "col" }, one)))),
      h("tbody", {}, found.records.map((one) => h("tr", {}, h("td", {}, one.section), h("td", { class: "mono" }, one.name), h("td", { class: "mono" }, `${one.ttl} s`), h("td", { class: "mono" }, one.type),
        h("td", { class: "mono" }, one.value))))) : h("p", { class: "soft" }, "No record came back."),
    found.again ? command(found.again) : "", tabs("The message", [
      ["Field by field", () => [side("client", parts.client, row), side("server", parts.server, row)]],
      ["Bytes", () => { const pane = h("div", {}); bytes(pane, { ...parts, exchange: row }); return pane; }],
    ]));
}

function zone({ name, serial, records }) {
  return h("details", { class: "card zone", open: records.length < 60 }, h("summary", {}, h("h2", { class: "mono" }, name), h("span", { class: "soft small" }, ` ${records.length} records, serial ${serial}`)),
    h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ["Name", "Type", "TTL", "Value"].map((one) => h("th", { scope: "col" }, one)))),
      h("tbody", {}, records.map((one) => h("tr", {}, h("td", { class: "mono" }, one.name), h("td", { class: "mono" }, one.type), h("td", { class: "mono" }, `${one.ttl} s`), h("td", { class: "mono" }, one.value)))))));
}
