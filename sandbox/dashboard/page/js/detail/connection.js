// The connection as a ladder between client and sandbox: how it began, what passed, how it ended, with times.

import { ask } from "../api.js";
import { h, show, svg } from "../dom.js";
import { address, duration, fullTime } from "../format.js";

const STEP = 46, LEFT = 70, RIGHT = 530, MOST = 40;

export async function connection(pane, { exchange: row }) {
  show(pane, h("p", { class: "soft" }, "…"));
  let found;
  try {
    found = await ask(`sessions/${row.session}`);
  } catch (error) {
    show(pane, h("div", { class: "problem" }, h("p", {}, error.message)));
    return;
  }
  const { session, exchanges, handshake } = found;
  const steps = ladder(session, exchanges.slice(0, MOST), handshake);
  show(pane, h("p", { class: "small soft" }, `${address(session.client)} to ${address(session.server)}, opened ${fullTime(session.opened)}`,
    session.closed ? `, open for ${duration(session.closed - session.opened)}.` : ", still open."),
    drawing(steps, row.id), exchanges.length > MOST ? h("p", { class: "small soft" }, `${exchanges.length - MOST} more exchanges follow.`) : "",
    h("details", {}, h("summary", {}, "As a list"), h("ol", {}, steps.map((step) => h("li", {}, `${step.from === "client" ? "client" : "sandbox"}: ${step.words}`)))),
    handshake ? certificates(handshake) : "",
    h("a", { href: `/session/${session.id}` }, "The whole session"));
}

function ladder(session, exchanges, handshake) {
  const steps = [];
  const opened = session.opened;
  const add = (from, words, at, about = {}) => steps.push({ from, words, at, ...about });
  if (session.transport === "tcp") {
    const { mss, rtt_us: rtt } = session.facts?.open ?? {};
    add("client", `SYN${mss ? `, MSS ${mss}` : ""}`, 0, { kind: "tcp" });
    add("server", "SYN, ACK", 0, { kind: "tcp" });
    add("client", `ACK${rtt ? `, round trip ${duration(rtt / 1e6)}` : ""}`, 0, { kind: "tcp" });
  }
  for (const one of exchanges) {
    if (one.verb === "TLS") {
      add("client", `ClientHello${handshake?.sni ? ` for ${handshake.sni}` : ""}`, one.started - opened, { kind: "tls", id: one.id });
      add("server", `${one.outcome || "TLS"}: ${one.answered || "ServerHello, certificate, finished"}`, one.ended - opened, { kind: "tls", id: one.id });
      continue;
    }
    if (one.received || one.verb) add("client", `${one.verb} ${one.asked}`, one.started - opened, { kind: "data", id: one.id });
    if (one.sent || one.outcome) add("server", `${one.outcome} ${one.answered}`, one.ended - opened, { kind: "data", id: one.id });
  }
  if (session.closed) add(/^server|idle|time|refused|stopped|failed/.test(session.end) ? "server" : "client", session.end_text || session.end, session.closed - opened, { kind: "tcp" });
  return steps;
}

function drawing(steps, current) {
  const height = steps.length * STEP + 60;
  const picture = svg("svg", { class: "ladder", viewBox: `0 0 600 ${height}`, role: "img", "aria-label": "The connection, step by step; the list below says the same" });
  for (const [x, name] of [[LEFT, "client"], [RIGHT, "sandbox"]]) {
    picture.append(svg("text", { x, y: 18, "text-anchor": "middle", class: "end" }, name), svg("line", { x1: x, x2: x, y1: 28, y2: height - 8, class: "rail" }));
  }
  steps.forEach((step, at) => {
    const y = 58 + at * STEP;
    const [from, to] = step.from === "client" ? [LEFT, RIGHT] : [RIGHT, LEFT];
    const point = to === RIGHT ? -8 : 8;
    const group = svg("g", { class: `${step.kind}${step.id === current ? " now" : ""}` });
    group.append(svg("line", { x1: from, x2: to, y1: y, y2: y + 10, class: "arrow" }),
      svg("path", { d: `M${to + point} ${y + 4} L${to} ${y + 10} L${to + point} ${y + 14}`, class: "arrow" }),
      svg("text", { x: 300, y: y - 4, "text-anchor": "middle" }, short(step.words)),
      svg("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end", class: "at" }, step.at > 0 ? duration(step.at) : ""));
    picture.append(group);
  });
  return picture;
}

const short = (words) => (words.length > 58 ? `${words.slice(0, 57)}…` : words);

function certificates(handshake) {
  const chain = handshake.certificates ?? [];
  if (!chain.length) return "";
  return h("section", {}, h("h3", {}, "Certificates"), chain.map((one, at) => h("details", { open: at === 0 }, h("summary", {}, one.subject ?? one.title ?? "certificate"),
    h("table", {}, Object.entries(one).map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "mono" }, String(value))))))));
}
