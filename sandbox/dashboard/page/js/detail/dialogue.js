// The dialogue: the client's words left, the sandbox's right, each line with what it means beside it.

import { command, h, icon } from "../dom.js";
import { size } from "../format.js";
import { body } from "./body.js";
import { more } from "../knowledge.js";
import { byLine, isBody, lines } from "../spans.js";
import { text } from "../text.js";

const SHOWN = 400;       // lines of one side

export function dialogue(pane, found) {
  const { exchange: row, client, server, again = [] } = found;
  pane.append(...[side("client", client, row), side("server", server, row)].filter(Boolean));
  if (row.facts.traceback) {
    pane.append(h("section", { class: "problem" }, h("h3", {}, "The site’s own program failed"), h("pre", {}, row.facts.traceback)));
  }
  if (again.length) {
    pane.append(h("section", { class: "again" }, h("h3", {}, "Do it again"), again.map((one) => [h("p", { class: "small soft" }, one.title), command(one.command)])));
  }
  const names = Object.entries(row.facts).filter(([name]) => name !== "traceback");
  if (names.length) {
    pane.append(h("details", { class: "all-facts" }, h("summary", {}, "What the journal knows of it"),
      h("table", {}, names.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "mono" }, value))))));
  }
}

export function side(who, part, row) {
  if (!part || (!part.bytes.length && !part.missing)) return null;
  const spans = part.spans?.length ? part.spans : byLine(part.bytes);
  const all = lines(spans, part.bytes);
  return h("section", { class: `side ${who}` },
    h("h3", { class: "who-says small" }, who === "client" ? (row.client.host === "127.0.0.1" || row.client.host === "::1" ? "client" : row.client.host) : "sandbox"),
    h("div", { class: "said" }, all.slice(0, SHOWN).map((span) => saidLine(span, part.bytes, row)),
      all.length > SHOWN ? h("p", { class: "soft small" }, `${all.length - SHOWN} more lines: see Bytes.`) : ""),
    part.missing ? h("p", { class: "soft small" }, `${size(part.missing)} more passed, which the journal did not keep or the page did not ask for.`) : "");
}

function saidLine(span, octets, row) {
  if (isBody(span) && span.end > span.start) return body(octets.subarray(span.start, span.end), span, row);
  return h("div", { class: "line" },
    h("code", { class: "words" }, marked(span, octets)),
    span.text ? h("span", { class: "meaning small" }, span.text, span.key ? [" ", more("more", span.key.replace(":", "/").replace(".", "/"))] : "") : "");
}

/** A line's text, its named parts marked. */
function marked(span, octets) {
  const parts = span.children ?? [];
  if (!parts.length) return text(octets.subarray(span.start, span.end)).replace(/\n$/, "");
  const pieces = [];
  let at = span.start;
  for (const part of parts) {
    if (part.start > at) pieces.push(text(octets.subarray(at, part.start)));
    const words = text(octets.subarray(part.start, part.end)).replace(/\n$/, "");
    pieces.push(h("span", { class: `part ${kind(part.name)}`, title: [part.name, part.value, part.text].filter(Boolean).join(": ") }, words));
    at = part.end;
  }
  if (at < span.end) pieces.push(text(octets.subarray(at, span.end)).replace(/\n$/, ""));
  return pieces;
}

/** Names of one kind look alike in all protocols: what is asked, of what, how it went, and the rest. */
function kind(name) {
  if (/method|command|verb|opcode|type$/i.test(name)) return "k-verb";
  if (/status|code|rcode|reply/i.test(name)) return "k-code";
  if (/name|field/i.test(name)) return "k-name";
  if (/target|path|argument|address|mailbox|value|text/i.test(name)) return "k-value";
  return "k-other";
}
