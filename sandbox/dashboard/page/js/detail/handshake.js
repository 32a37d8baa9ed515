// A TLS handshake: what was offered, what was chosen, the certificates as a chain one can open.

import { ask } from "../api.js";
import { h, icon, show } from "../dom.js";
import { count } from "../format.js";

export async function handshake(holder, row) {
  show(holder, h("p", { class: "soft" }, "…"));
  try {
    const found = await ask(`sessions/${row.session}`);
    show(holder, found.handshake ? [offered(found.handshake), chain(found.handshake)] : h("p", { class: "soft" }, "The journal has no handshake of this session."));
  } catch (error) {
    show(holder, h("div", { class: "problem" }, h("p", {}, error.message)));
  }
}

function offered({ offer, choice, alerts = [], alert_received: received }) {
  const lines = (some) => h("table", { class: "shows" }, some.filter(([, value]) => value).map(([what, value, why]) => h("tr", {}, h("th", { scope: "row" }, what), h("td", {}, h("span", { class: "mono" }, value), why ? h("div", { class: "soft small" }, why) : ""))));
  const long = (title, some) => some?.length ? h("details", {}, h("summary", {}, `${title} (${some.length})`), h("ul", { class: "mono small" }, some.map((one) => h("li", {}, typeof one === "string" ? one : `${one.name}${one.value ? `: ${one.value}` : ""}`)))) : "";
  return [
    offer ? h("section", { class: "side client" }, h("h3", { class: "who-says small" }, "client offers"), h("div", { class: "said" }, lines([
      ["name (SNI)", offer.server_name, "Which host is meant. It crosses in clear (RFC 6066 §3)."], ["versions", offer.versions.join(", "), "What the client can speak."],
      ["protocols (ALPN)", offer.alpn.join(", "), "What shall be spoken inside."], ["key shares", offer.key_shares.join(", "), "Its half of the key agreement, sent at once so that one round trip is enough."],
      ["JA4", offer.ja4, "A fingerprint: programs offer in ways of their own."]]),
    long("Cipher suites", offer.suites), long("Extensions", offer.extensions), long("Groups", offer.groups), long("Signatures", offer.schemes))) : "",
    choice ? h("section", { class: "side server" }, h("h3", { class: "who-says small" }, "sandbox chooses"), h("div", { class: "said" }, lines([
      ["version", choice.version], ["cipher suite", choice.suite, "How the talk is encrypted from now on."], ["group", choice.group, "In which both halves of the key are made."],
      ["retried", choice.retried ? "yes" : "", "It asked for another key share first."]]))) : "",
    alerts.length || received ? h("p", { class: "problem" }, icon("bad"), " ", alerts.map((one) => `${one.sender === "client" ? "The client" : "The sandbox"} said ${one.name || "an alert"}${one.level ? ` (${one.level})` : ""}. `), received ? `Alert received: ${received}.` : "") : "",
  ];
}

/** The chain, leaf first: each certificate signed by the one below it. */
export function chain({ chain: told, choice }) {
  const some = (told ?? []).filter((one) => one && typeof one === "object");
  if (!some.length) {
    const number = choice?.certificates?.length ?? 0;
    return h("p", { class: "soft small" }, number ? `${count(number, "certificate")} crossed in clear.` : choice ? "The certificate itself crossed encrypted: since TLS 1.3 only the two ends see it (RFC 8446 §4.4.2)." : "");
  }
  const name = (one) => one.names?.[0] || one.subject || "certificate";
  return h("section", {}, h("h3", {}, "Certificates"), h("ol", { class: "chain" }, some.map((one, at) => h("li", {}, h("details", { open: at === 0 },
    h("summary", {}, h("b", {}, name(one)), h("span", { class: "soft small" }, ` signed by ${one.issuer === one.subject ? "itself" : one.issuer}`)),
    h("table", {}, Object.entries(one).filter(([key]) => key !== "pem").map(([key, value]) => h("tr", {}, h("th", { scope: "row" }, key.replaceAll("_", " ")), h("td", { class: "mono" }, Array.isArray(value) ? value.join(", ") : String(value))))),
    one.pem ? h("details", {}, h("summary", { class: "small" }, "as PEM"), h("pre", { class: "content" }, one.pem)) : "")))));
}
