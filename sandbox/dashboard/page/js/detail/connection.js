// The connection as a ladder between client and sandbox: how it began, what passed, how it ended, with times; and what the kernel knew.

import { ask } from "../api.js";
import { h, show } from "../dom.js";
import { address, count, duration, fullTime } from "../format.js";
import { chain } from "./handshake.js";
import { drawing, ladder } from "./ladder.js";

const AROUND = 16;      // exchanges drawn before and after the one that is looked at

export async function connection(pane, { exchange: row }) {
  show(pane, h("p", { class: "soft" }, "…"));
  let found;
  try {
    found = await ask(`sessions/${row.session}`);
  } catch (error) {
    show(pane, h("div", { class: "problem" }, h("p", {}, error.message)));
    return;
  }
  const { session, exchanges, handshake, children = [] } = found;
  const at = Math.max(0, exchanges.findIndex((one) => one.id === row.id));
  const from = Math.max(0, Math.min(at - AROUND, exchanges.length - 2 * AROUND)), stop = Math.min(exchanges.length, from + 2 * AROUND);
  const steps = ladder(session, exchanges.slice(from, stop), handshake);
  const left = exchanges.length - (stop - from);
  show(pane,
    h("p", { class: "small soft" }, `${session.transport.toUpperCase()}, ${address(session.client)} to ${address(session.server)}, opened ${fullTime(session.opened)}`,
      session.closed ? `, open for ${duration(session.closed - session.opened)}.` : ", still open."),
    h("p", { class: "small" }, h("a", { href: `/session/${session.id}` }, "The whole session"), session.parent ? [" · ", h("a", { href: `/session/${session.parent}` }, "it carries data for this one")] : "",
      children.length ? [" · its data connections: ", children.map((one) => [h("a", { href: `/session/${one.id}` }, String(one.id)), " "])] : "",
      session.cause ? [" · ", h("a", { href: `/?exchange=${session.cause}` }, "what made the sandbox connect")] : ""),
    drawing(steps, row.id, pane.clientWidth - 40), left > 0 ? h("p", { class: "small soft" }, `${count(left, "more exchange")} in this session.`) : "",
    h("details", {}, h("summary", {}, "As a list"), h("ol", {}, steps.map((step) => h("li", {}, h("b", {}, step.from === "client" ? "client" : "sandbox"), ` ${step.words}`, step.note ? h("span", { class: "soft" }, `, ${step.note}`) : "")))),
    handshake ? chain(handshake) : "", kernel(session.facts ?? {}));
}

const NAMES = { rtt_us: ["round trip", "µs"], rtt_var_us: ["its variation", "µs"], cwnd: ["congestion window", "segments"], mss: ["largest segment", "octets"], send_mss: ["largest segment sent", "octets"],
  receive_mss: ["largest segment received", "octets"], receive_window: ["receive window", "octets"], retransmits: ["sent again", "segments"], lost: ["lost", "segments"], path_mtu: ["path MTU", "octets"],
  options: ["TCP options", ""], syn: ["the client’s SYN", ""] };

/** What the system said of the connection when it was opened and when it closed. */
function kernel({ open = {}, close = {} }) {
  const names = [...new Set([...Object.keys(open), ...Object.keys(close)])];
  if (!names.length) return "";
  const value = (one, unit) => (one === undefined ? "" : `${typeof one === "number" ? one.toLocaleString() : one}${unit && one !== "" ? ` ${unit}` : ""}`);
  return h("details", { class: "all-facts" }, h("summary", {}, "What the system knew of it"),
    h("table", {}, h("thead", {}, h("tr", {}, ["", "when it opened", "when it closed"].map((one) => h("th", { scope: "col" }, one)))),
      h("tbody", {}, names.map((name) => { const [title, unit] = NAMES[name] ?? [name, ""]; return h("tr", {}, h("th", { scope: "row" }, title), h("td", { class: "mono" }, value(open[name], unit)), h("td", { class: "mono" }, value(close[name], unit))); }))));
}
