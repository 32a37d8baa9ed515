// A walk down the tree of names: who asked, and what the root's, the top-level domain's and the domain's server said.
// Pure: the steps of a journey in, boxes and arrows out.

import { address } from "../format.js";

const TITLES = { "dns-root": "root server", "dns-tld": "TLD server", "dns-domains": "domain server", dns: "where it began" };

export const isWalk = (steps) => steps.some(({ row }) => row.service === "dns-root");

export function walkMap(steps) {
  const first = steps[0].row;
  const resolver = first.service === "resolver";
  const nodes = [{ id: "client", title: "client", detail: first.client.host, column: 0, row: 0, colour: "web" }];
  const arrows = [];
  if (resolver) {
    nodes.push({ id: "resolver", title: "resolver", detail: address(first.server), column: 1, row: 0, colour: "names" });
    arrows.push({ from: "client", to: "resolver", short: "DNS", exchange: first.id, colour: "names", words: `The client asks the resolver: ${question(first)}` });
  }
  const asker = resolver ? "resolver" : "client";
  const asked = steps.map(({ row }) => row).filter((row) => row.protocol === "dns" && row.service !== "resolver").sort((one, other) => one.started - other.started || one.id - other.id);
  for (const row of asked) {
    const id = `${row.service} ${address(row.server)}`;
    if (!nodes.some((one) => one.id === id)) nodes.push({ id, title: TITLES[row.service] ?? row.service, detail: address(row.server), column: resolver ? 2 : 1, row: nodes.filter((one) => one.id.startsWith("dns")).length, colour: "names" });
    arrows.push({ from: asker, to: id, short: (row.answered || row.outcome).slice(0, 30), exchange: row.id, colour: "names", words: `${TITLES[row.service] ?? row.service}: ${question(row)} ${row.answered || row.outcome}` });
  }
  if (resolver) arrows[0].words += ` In the end it gets ${first.answered || first.outcome}`;
  const middle = Math.max(0, (nodes.filter((one) => one.id.startsWith("dns")).length - 1) / 2);
  for (const one of nodes) if (!one.id.startsWith("dns")) one.row = middle;
  return { nodes, arrows };
}

const question = (row) => `${row.verb} ${row.asked}?`;
