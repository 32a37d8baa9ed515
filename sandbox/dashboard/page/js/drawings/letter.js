// The way of a letter as a map of servers: who handed it in, what was asked of DNS, which server carried it to which,
// whose mailbox it came to, and who fetched it. Pure: the steps of a journey in, boxes and arrows out.

import { address } from "../format.js";

/** steps: of the API's journey, the letter's first exchange being the first of them. */
export function letterMap(steps) {
  const rows = [...steps].sort((one, other) => one.row.started - other.row.started || one.row.id - other.row.id);
  const bySession = new Map(), boxOf = new Map(), boxes = new Map(), nodes = [], arrows = [];
  for (const { row } of rows) bySession.set(row.session, [...(bySession.get(row.session) ?? []), row]);
  const node = (id, about) => {
    if (!boxes.has(id)) { boxes.set(id, { id, ...about }); nodes.push(boxes.get(id)); }
    return boxes.get(id);
  };
  const first = steps[0].row;
  const sender = node("sender", { title: first.facts.account || first.facts.sender || "somebody", detail: first.client.host, column: 0, row: 1, colour: "web" });
  const server = (row, column, line) => node(`session ${row.session}`, { title: host(bySession.get(row.session)) || TITLES[row.service] || row.service, detail: address(row.server), column, row: line, colour: "mail" });
  const entry = server(first, 1, 1);
  arrows.push({ from: sender.id, to: entry.id, short: short(first), exchange: first.id, colour: "mail", words: `${sender.title} hands the letter in by ${PROTOCOLS[first.protocol] ?? first.protocol}${sealed(first)}: ${said(first)}` });
  boxOf.set(first.id, entry);
  let line = 1;
  for (const { row, above, tie } of steps.slice(1).sort((one, other) => one.row.started - other.row.started)) {
    const from = boxOf.get(above) ?? [...boxes.values()].find((one) => one.id === `session ${steps.find((step) => step.row.id === above)?.row.session}`);
    if (!from) continue;
    if (row.protocol === "dns") {
      const asked = node(`dns ${from.id}`, { title: "DNS", detail: address(row.server), column: from.column, row: 0, colour: "names" });
      const known = arrows.find((one) => one.to === asked.id);
      const words = `${row.verb} ${row.asked}? ${row.answered || row.outcome}`;
      if (known) known.words += `; ${words}`;
      else arrows.push({ from: from.id, to: asked.id, short: row.verb, exchange: row.id, colour: "names", words: `${from.title} asks who takes the mail: ${words}` });
    } else if (row.protocol === "smtp" && row.session !== first.session && !boxes.has(`session ${row.session}`)) {
      const letter = bySession.get(row.session).find((one) => one.verb === "message") ?? row;
      const hop = server(row, from.column + 1, line++);
      arrows.push({ from: from.id, to: hop.id, short: short(letter), exchange: letter.id, colour: "mail", words: `${from.title} carries it to ${hop.title} by SMTP${sealed(letter)}: ${said(letter)}` });
      boxOf.set(letter.id, hop);
    } else if (/^(fetched|looked at|copied|moved|marked)/.test(tie)) {
      const box = mailbox(from, steps.find((step) => step.row.id === above).row);
      const who = row.facts.account || row.client.host;
      const reader = node(`reader ${who} ${row.protocol}`, { title: who, detail: `${PROTOCOLS[row.protocol]} ${row.client.host}`, column: box.column + 1, row: box.row, colour: "web" });
      if (!arrows.some((one) => one.from === box.id && one.to === reader.id && one.tie === tie)) {
        arrows.push({ from: box.id, to: reader.id, tie, short: PROTOCOLS[row.protocol], exchange: row.id, colour: "mail", words: `${who}: the letter is ${tie}${sealed(row)}` });
      }
    }
  }
  for (const { row } of steps) {
    const stays = (row.verb === "message" || row.verb === "APPEND") && boxOf.has(row.id) && !arrows.some((one) => one.from === boxOf.get(row.id).id && one.to.startsWith("session"));
    if (stays && row.mood !== "bad" && row.facts.message) mailbox(boxOf.get(row.id), row);
  }
  return { nodes, arrows };

  /** Where a server puts what it keeps. */
  function mailbox(from, row) {
    const whose = row.facts.recipients?.split(" ") ?? [row.facts.account ?? ""];
    const box = node(`mailbox ${from.id}`, { title: whose.length > 1 ? `${whose.length} mailboxes` : whose[0] || "mailbox", detail: whose.length > 1 ? whose.join(", ") : "mailbox", column: from.column + 1, row: from.row, colour: "files" });
    if (!arrows.some((one) => one.to === box.id)) {
      const at = arrows.findIndex((one) => one.to === from.id) + 1;
      const arrow = { from: from.id, to: box.id, short: "", exchange: row.id, colour: "mail", words: `${from.title} puts it into the mailbox of ${whose.join(", ")}` };
      const readers = arrows.findIndex((one, place) => place >= at && one.from.startsWith("mailbox"));
      arrows.splice(readers < 0 ? arrows.length : readers, 0, arrow);
    }
    return box;
  }
}

const TITLES = { submission: "submission server", submissions: "submission server", smtp: "mail server", imap: "IMAP server", imaps: "IMAP server" };
const PROTOCOLS = { smtp: "SMTP", imap: "IMAP", pop3: "POP3" };
const host = (rows = []) => rows.find((one) => one.verb === "TLS" && one.facts.host)?.facts.host;
const sealed = (row) => (row.encrypted ? ", encrypted" : ", readable on the way");
const said = (row) => `${row.outcome} ${row.answered}`.trim();
const short = (row) => `${PROTOCOLS[row.protocol] ?? ""}${row.encrypted ? ", TLS" : ""}`;
