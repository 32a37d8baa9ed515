// What somebody on the way sees: the words themselves, with the secrets marked; or noise, with what still shows named.

import { ask, octets as fetchOctets } from "../api.js";
import { command, h, icon, show } from "../dom.js";
import { count, size } from "../format.js";
import { hex, readable, text } from "../text.js";
import { speaker } from "./dialogue.js";
import { secretsIn } from "./secrets.js";

const LOOKED_AT = 8192;       // octets of each direction, in clear
const NOISE = 640;            // the same, of noise

export async function wire(pane, { exchange: row, client, server }) {
  show(pane, h("p", { class: "soft" }, "…"));
  let found;
  try {
    found = await ask(`sessions/${row.session}`);
  } catch (error) {
    show(pane, h("div", { class: "problem" }, h("p", {}, error.message)));
    return;
  }
  const { session, streams, secrets = [], handshake } = found;
  const noisy = row.encrypted || row.verb === "TLS" || row.service.endsWith("s") && streams["client-wire"] > 0;
  const drawn = noisy ? await noise(row, session, streams, handshake, secrets, client) : clear(row, client, server, secrets);
  show(pane, drawn, twin(row, noisy));
}

function clear(row, client, server, secrets) {
  const sides = [["client", client], ["server", server]].filter(([, part]) => part?.bytes.length).map(([who, part]) => [who, part, secretsIn(part, row)]);
  const seen = new Set(sides.flatMap(([, , found]) => found.map(({ what }) => what)));
  for (const one of secrets) if (one.exchange === row.id && one.readable && ![...seen].some((what) => what.includes(one.what))) seen.add(one.what);
  const account = row.facts.account ? ` of ${row.facts.account}` : "";
  return [
    h("p", { class: "lead" }, icon("eye"), " Nothing hides it: whoever carries these octets, in the café, at the provider, reads exactly this."),
    seen.size ? h("ul", { class: "secrets" }, [...seen].map((what) => h("li", {}, icon("warning", "look out"), " ", h("b", {}, `your ${what}${what.includes("password") ? account : ""}`), ", readable"))) : "",
    sides.map(([who, part, found]) => h("section", { class: `side ${who}` }, h("h3", { class: "who-says small" }, speaker(who, row)),
      h("pre", { class: "content", tabindex: "0", "aria-label": `What the ${who} sent, as anybody on the way reads it` }, readable(part.bytes) ? marked(part.bytes, found) : raw(part.bytes)),
      part.bytes.length > LOOKED_AT ? h("p", { class: "small soft" }, `${size(part.bytes.length - LOOKED_AT)} more, as readable as this.`) : "")),
  ];
}

/** A secret that is base64 is as readable as any other: what it says stands beside it. */
function marked(octets, secrets) {
  const pieces = [];
  let at = 0;
  const end = Math.min(octets.length, LOOKED_AT);
  for (const one of secrets) {
    if (one.start < at || one.end > end) continue;
    pieces.push(text(octets.subarray(at, one.start)));
    const words = text(octets.subarray(one.start, one.end));
    pieces.push(h("mark", { class: "secret" }, words), h("span", { class: "secret-note" }, `your ${one.what}, readable${unpacked(words)}`));
    at = one.end;
  }
  return [...pieces, text(octets.subarray(at, end))];
}

function unpacked(words) {
  const packed = words.replace(/^Basic /i, "");
  if (!/^[A-Za-z0-9+/]{6,}={0,2}$/.test(packed) || packed.length % 4) return "";
  try {
    const octets = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));
    return readable(octets) ? `: ${text(octets).replaceAll("\u2400", " ").trim()}` : "";
  } catch {
    return "";
  }
}

const raw = (octets) => Array.from(octets.subarray(0, NOISE), hex).join(" ") + (octets.length > NOISE ? " …" : "");

async function noise(row, session, streams, handshake, secrets, client) {
  const { offer, choice } = handshake ?? {};
  const ssh = row.facts.encrypted === "SSH" || row.protocol === "sftp";
  const shows = [
    ["who talks with whom", `${session.client.host} and ${session.server.host}, port ${session.server.port}`],
    ["how much, and when", `${size(ssh ? streams.client : streams["client-wire"])} there, ${size(ssh ? streams.server : streams["server-wire"])} back`],
    offer?.server_name && ["the name that was asked for (SNI)", offer.server_name],
    offer?.alpn?.length && ["what shall be spoken (ALPN)", offer.alpn.join(", ")],
    choice && ["version and cipher suite", `${choice.version}, ${choice.suite}`],
    choice?.certificates?.length && ["the certificate", `${count(choice.certificates.length, "certificate")} in clear, as before TLS 1.3`],
    offer?.ja4 && ["a fingerprint of the program (JA4)", offer.ja4],
    ssh && ["what was agreed on in clear", "the names and versions of both programs, and which ciphers they know"],
  ].filter(Boolean);
  const hidden = secrets.filter((one) => !one.readable && one.exchange === row.id);
  const streamsOf = ssh ? ["client", "server"] : ["client-wire", "server-wire"];
  const parts = await Promise.all(streamsOf.map(async (stream) => {
    const length = Math.min(streams[stream] ?? 0, NOISE);
    const octets = new Uint8Array(length ? await fetchOctets(session.id, stream, 0, length).catch(() => new ArrayBuffer(0)) : 0);
    const who = stream.startsWith("client") ? "client" : "server";
    return octets.length ? h("section", { class: `side ${who}` }, h("h3", { class: "who-says small" }, speaker(who, row)),
      h("pre", { class: "content noise", tabindex: "0", "aria-label": `What the ${who} sent, as it passed` }, raw(octets), (streams[stream] ?? 0) > length ? ` and ${size(streams[stream] - length)} more` : "")) : "";
  }));
  return [
    h("p", { class: "lead" }, icon("ssh"), row.encrypted || ssh ? " Encrypted: whoever carries it sees noise. This much still shows:" : " Here the two agree on a key. What follows is noise to everybody else. This much shows:"),
    hidden.length ? h("p", { class: "kept" }, icon("good"), ` ${hidden.map((one) => `your ${one.what}`).join(", ")} crossed here too, and nobody on the way could read it.`) : "",
    h("table", { class: "shows" }, shows.map(([what, value]) => h("tr", {}, h("th", { scope: "row" }, what), h("td", { class: "mono" }, value)))),
    parts,
  ];
}

const TWINS = { http: "https", https: "http", smtp: "submissions", submission: "submissions", submissions: "submission", pop3: "pop3s", pop3s: "pop3", imap: "imaps", imaps: "imap",
  ftp: "ftps", ftps: "ftp", dns: "domain-s", "domain-s": "dns", sftp: "ftp" };

/** The same thing on the other port: what it looks like, and how to make it happen. */
function twin(row, noisy) {
  const name = TWINS[row.service];
  if (!name || row.verb === "TLS") return "";
  const holder = h("section", { class: "again twin" });
  ask("services").then(({ services }) => {
    const other = services.find((one) => one.name === name);
    if (!other) return holder.remove();
    return show(holder, h("h3", {}, noisy ? "Its twin in clear" : "Its encrypted twin"),
      h("p", { class: "small soft" }, `The service ${name} does the same, ${noisy ? "with nothing around it: every word would be readable here" : "with encryption around it: here you would see noise"}. Try it, and look again:`),
      command(other.try), h("p", { class: "small" }, h("a", { href: `/?filter=service:${name}` }, `what ${name} has seen so far`)));
  }, () => holder.remove());
  return holder;
}
