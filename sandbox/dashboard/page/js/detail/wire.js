// What somebody on the way sees: the words themselves, with the secrets marked; or noise, with what still shows named.

import { ask, octets as fetchOctets } from "../api.js";
import { h, icon, show } from "../dom.js";
import { size } from "../format.js";
import { hex, text } from "../text.js";

const LOOKED_AT = 4096;       // octets of each direction

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
  const own = secrets.filter((one) => one.exchange === row.id);
  const noisy = streams["client-wire"] > 0 || streams["server-wire"] > 0;
  show(pane, noisy ? await noise(session, streams, handshake) : clear(row, client, server, own), twin(row, noisy));
}

function clear(row, client, server, secrets) {
  return [
    h("p", { class: "lead" }, icon("eye"), " Nothing hides it: whoever carries these octets, in the café, at the provider, reads exactly this."),
    secrets.length ? h("ul", { class: "secrets" }, secrets.map((one) => h("li", {}, icon("warning", "look out"), " ", h("b", {}, `your ${one.what}`),
      one.account ? ` of ${one.account}` : "", ", readable"))) : "",
    [["client", client], ["server", server]].map(([who, part]) => part?.bytes.length ? h("section", { class: `side ${who}` },
      h("h3", { class: "who-says small" }, who === "client" ? "client" : "sandbox"),
      h("pre", { class: "content" }, highlight(text(part.bytes.subarray(0, LOOKED_AT)), secrets))) : ""),
  ];
}

function highlight(words, secrets) {
  const values = secrets.map((one) => one.value).filter(Boolean);
  if (!values.length) return words;
  const pieces = [];
  let rest = words;
  while (rest) {
    const hits = values.map((value) => [rest.indexOf(value), value]).filter(([at]) => at >= 0).sort(([one], [other]) => one - other);
    if (!hits.length) break;
    const [at, value] = hits[0];
    pieces.push(rest.slice(0, at), h("mark", { class: "secret", title: "a secret that crossed in clear" }, value));
    rest = rest.slice(at + value.length);
  }
  return [...pieces, rest];
}

async function noise(session, streams, handshake) {
  const shows = [
    ["who talks with whom", `${session.client.host} and ${session.server.host}, port ${session.server.port}`],
    ["how much", `${size(streams["client-wire"])} there, ${size(streams["server-wire"])} back`],
    handshake?.sni && ["the name that was asked for (SNI)", handshake.sni],
    handshake?.version && ["the version and the cipher suite", `${handshake.version}, ${handshake.cipher ?? ""}`],
  ].filter(Boolean);
  const parts = await Promise.all(["client-wire", "server-wire"].map(async (stream) => {
    const length = Math.min(streams[stream], 1024);
    const octets = new Uint8Array(length ? await fetchOctets(session.id, stream, 0, length) : 0);
    return h("section", { class: `side ${stream.startsWith("client") ? "client" : "server"}` },
      h("h3", { class: "who-says small" }, stream.startsWith("client") ? "client" : "sandbox"),
      h("pre", { class: "content noise", "aria-label": "Octets as they passed, encrypted" }, Array.from(octets, hex).join(" "), streams[stream] > length ? " …" : ""));
  }));
  return [
    h("p", { class: "lead" }, icon("ssh"), " Encrypted: whoever carries it sees noise. This much still shows:"),
    h("table", { class: "shows" }, shows.map(([what, value]) => h("tr", {}, h("th", { scope: "row" }, what), h("td", { class: "mono" }, value)))),
    parts,
  ];
}

const TWINS = { http: "https", https: "http", smtp: "submissions", submission: "submissions", submissions: "submission", pop3: "pop3s", pop3s: "pop3", imap: "imaps", imaps: "imap",
  ftp: "ftps", ftps: "ftp", dns: "domain-s", "domain-s": "dns" };

/** The same thing on the other port: what it looks like, and how to make it happen. */
function twin(row, noisy) {
  const name = TWINS[row.service];
  if (!name) return "";
  const holder = h("section", { class: "again" }, h("h3", {}, noisy ? "The same in clear" : "The same, encrypted"));
  ask("services").then(({ services }) => {
    const other = services.find((one) => one.name === name);
    if (other) holder.append(h("p", { class: "small soft" }, `The service ${name} speaks the same, ${noisy ? "without" : "with"} TLS around it. Try it and look here again:`), h("code", {}, other.try));
    else holder.remove();
  }, () => holder.remove());
  return holder;
}
