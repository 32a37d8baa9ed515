// Everything that answers: its address as this reader can reach it, a line to try, and who lives here.

import { ask } from "../api.js";
import { command, h, icon, show } from "../dom.js";
import { family } from "../format.js";
import { failed, page } from "./view.js";

const FAMILIES = [["web", "Web"], ["names", "Names"], ["mail", "Mail"], ["files", "Files"], ["ssh", "Secure shell"], ["small-services", "Small services"]];
const TLS = { implicit: "encrypted from the first octet", upgrade: "clear until STARTTLS", never: "in clear" };

export class View {
  constructor(main) {
    this.body = page(main, "Services", "Everything here answers on this machine and nowhere else. Try one, and see the exchange under Live.");
    this.draw();
  }

  async draw() {
    try {
      const [found, { people }] = await Promise.all([ask("services"), ask("people").catch(() => ({ people: [] }))]);
      show(this.body, people.length ? accounts(people) : "", failures(found.failures ?? {}), FAMILIES.map(([name, title]) => group(name, title, found.services)),
        authority(found.ca));
    } catch (error) {
      show(this.body, failed(error));
    }
  }
}

function group(name, title, services) {
  const own = services.filter((one) => family({ protocol: one.protocol, verb: "" }).colour === name);
  if (!own.length) return "";
  return h("section", {}, h("h2", { class: name }, icon(family({ protocol: own[0].protocol, verb: "" }).symbol), ` ${title}`),
    h("div", { class: "services" }, own.map((one) => h("article", { class: "card service" },
      h("h3", {}, one.name, h("span", { class: "soft small mono" }, ` ${one.host.includes(":") ? `[${one.host}]` : one.host}:${one.port}`)),
      h("p", { class: "small soft" }, [one.title, one.transports.join(" and ").toUpperCase(), TLS[one.tls]].filter(Boolean).join(", ")),
      one.try ? command(one.try) : ""))));
}

const accounts = (people) => h("section", {}, h("h2", {}, "People"),
  h("p", { class: "soft" }, "The same name and password everywhere: mail, files, protected pages. They are pretend ones; never type a real one here."),
  h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ["Name", "Login", "Password", "Mail address"].map((one) => h("th", { scope: "col" }, one)))),
    h("tbody", {}, people.map((one) => h("tr", {}, h("td", {}, one.name), h("td", { class: "mono" }, one.login), h("td", { class: "mono" }, one.password ?? "not shown"),
      h("td", { class: "mono" }, one.address)))))));

const failures = (some) => Object.entries(some).map(([name, reason]) => h("div", { class: "problem" }, h("p", {}, h("b", {}, name), ` did not start: ${reason}`)));

const authority = (ca) => ca ? h("section", {}, h("h2", {}, "Certificate authority"),
  h("p", {}, "A client believes the certificates of this sandbox once it has been given this authority. Give it to a program or a profile you use for the sandbox, and take it out afterwards."),
  h("p", {}, h("a", { href: ca.pem, download: "sandbox-ca.pem" }, "PEM"), " · ", h("a", { href: ca.der, download: "sandbox-ca.crt" }, "DER"), " · ",
    h("a", { href: "/setup" }, "how to, per client")),
  h("p", { class: "small mono soft" }, `SHA-256 ${ca.sha256 ?? ""}`)) : "";
