// Who said what to whom, one arrow each, as steps and as a drawing. Pure: records in, steps out.

import { svg } from "../dom.js";
import { duration, size } from "../format.js";

const STEP = 50, LEFT = 66;
const LETTER = 7.6, SMALL = 6.4;      // widths of a letter of each size, so that words end before the rails

/** [{ from, words, note, at, kind, id }], at: seconds since the session was opened. */
export function ladder(session, exchanges, handshake) {
  const steps = [];
  const add = (from, words, note, at, about) => steps.push({ from, words, note, at, ...about });
  const { mss, rtt_us: rtt, options } = session.facts?.open ?? {};
  if (session.transport === "tcp") {
    add("client", "SYN", [mss ? `segments of up to ${size(mss)}` : "", options ?? ""].filter(Boolean).join(", "), 0, { kind: "tcp" });
    add("server", "SYN, ACK", "", 0, { kind: "tcp" });
    add("client", "ACK", rtt ? `a round trip takes ${duration(rtt / 1e6)}` : "", 0, { kind: "tcp" });
  }
  for (const one of exchanges) {
    const from = one.started - session.opened, to = one.ended - session.opened;
    if (one.verb === "TLS") {
      for (const [who, words, note] of flights(one, handshake)) add(who, words, note, who === "client" ? from : to, { kind: "tls", id: one.id });
      continue;
    }
    const kind = session.transport === "udp" ? "udp" : "data";
    if (one.received) add("client", `${one.verb} ${one.asked}`.trim() || "octets", size(one.received), from, { kind, id: one.id });
    if (one.sent || one.outcome) add("server", `${one.outcome} ${one.answered}`.trim() || "octets", size(one.sent), to, { kind, id: one.id });
  }
  if (session.closed) {
    const ours = /^(server|idle|time|refused|stop|fail|flow)/.test(session.end);
    add(ours ? "server" : "client", session.transport === "udp" ? "no more datagrams" : /reset/.test(session.end) ? "RST" : "FIN", session.end_text || session.end, session.closed - session.opened, { kind: "tcp" });
  }
  return steps;
}

/** The flights of a handshake (RFC 8446 §2, RFC 5246 §7.3). */
function flights(row, handshake) {
  const { offer, choice, alerts = [] } = handshake ?? {};
  const found = [["client", "ClientHello", [offer?.server_name && `for ${offer.server_name}`, offer?.versions?.[0] && `up to ${offer.versions[0]}`, offer?.alpn?.join(", ")].filter(Boolean).join(", ")]];
  if (choice?.retried) found.push(["server", "HelloRetryRequest", "another key share, please"], ["client", "ClientHello", "with it"]);
  if (choice && /1\.3/.test(choice.version)) {
    found.push(["server", "ServerHello, {Certificate, Finished}", `${choice.suite}; from here on encrypted`]);
    if (row.mood !== "bad" && row.mood !== "warning") found.push(["client", "{Finished}", "both know the key"]);
  } else if (choice) {
    found.push(["server", "ServerHello, Certificate, ServerHelloDone", choice.suite], ["client", "ClientKeyExchange, Finished", ""], ["server", "Finished", ""]);
  }
  for (const one of alerts) found.push([one.sender === "client" ? "client" : "server", `Alert: ${one.name || "encrypted"}`, one.level ?? ""]);
  if (!choice && !alerts.length) found.push(["server", row.outcome || "nothing", row.answered]);
  return found;
}

/** width: how wide it is drawn, so that its letters keep their size. */
export function drawing(steps, current, width) {
  const wide = Math.min(720, Math.max(330, width));
  const right = wide - 34, middle = (LEFT + right) / 2, room = right - LEFT - 16;
  const height = steps.length * STEP + 64;
  const picture = svg("svg", { class: "ladder", viewBox: `0 0 ${wide} ${height}`, role: "img", "aria-label": "The connection, step by step; the list below says the same" });
  for (const [x, name] of [[LEFT, "client"], [right, "sandbox"]]) {
    picture.append(svg("text", { x, y: 18, "text-anchor": "middle", class: "end" }, name), svg("line", { x1: x, x2: x, y1: 28, y2: height - 6, class: "rail" }));
  }
  steps.forEach((step, at) => {
    const y = 60 + at * STEP;
    const [from, to] = step.from === "client" ? [LEFT, right] : [right, LEFT];
    const point = to === right ? -9 : 9;
    picture.append(svg("g", { class: `${step.kind}${step.id && step.id === current ? " now" : ""}` },
      svg("line", { x1: from, x2: to, y1: y, y2: y + 8, class: "arrow" }),
      svg("path", { d: `M${to + point} ${y + 2} L${to} ${y + 8} L${to + point} ${y + 13}`, class: "arrow" }),
      svg("text", { x: middle, y: y - 5, "text-anchor": "middle" }, cut(step.words, room / LETTER)),
      svg("text", { x: middle, y: y + 21, "text-anchor": "middle", class: "at" }, cut(step.note ?? "", room / SMALL)),
      svg("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end", class: "at" }, step.at > 0.0005 ? duration(step.at) : "")));
  });
  return picture;
}

const cut = (words, most) => (words.length > most ? `${words.slice(0, Math.floor(most) - 1)}…` : words);
