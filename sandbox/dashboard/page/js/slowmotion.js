// Slow motion: every step of the sandbox for one client or one host waits for "next". It is a rule with the action
// hold; whoever opens the page finds it again by its option.

import { ask } from "./api.js";

export const isSlow = (fault) => fault.rule.at === "step" && "hold" in fault.rule;

/** who: a term of the filter, such as client:127.0.0.1, "" for everybody; limit: seconds, "" for each protocol's own. */
export const start = (who, limit) => ask("faults", { method: "POST", body: { filter: who, hold: limit ? `${limit}s` : "", at: "step" } });

export const stop = (fault) => ask(`faults/${fault.id}`, { method: "DELETE" });

/** Let one go, or all that the rule holds. change: what is said or leaves instead. */
export const next = (fault, held = 0, change = {}) => ask(`faults/${fault}/go-on`, { method: "POST", body: { held, ...change } });

const ABOUT = {
  connection: "A client has connected. Nothing has been said yet.",
  handshake: "The client’s TLS hello is here. The server has not answered it.",
  question: "The question has arrived. Nothing has been done for it.",
  answer: "The answer is ready, and about to leave.",
};

export const about = (held) => ABOUT[held.step] ?? "";
