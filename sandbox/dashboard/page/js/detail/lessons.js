// What an exchange leads to: the journey it belongs to, and the words of a course that it is an example of.

import { ask } from "../api.js";
import { h, show } from "../dom.js";

export function lessons(row) {
  const some = h("span", {});
  ask("concepts", { query: { exchange: row.id } }).then(({ concepts }) => {
    if (concepts.length) show(some, " · an example of: ", concepts.slice(0, 5).map((one, at) => [at ? ", " : "", h("a", { href: `/learn/${encodeURIComponent(one.name)}` }, one.title)]));
  }, () => {});
  return h("p", { class: "lessons small" }, h("a", { href: `/journeys/${row.id}?exchange=${row.id}`, title: "Everything that belongs to it" }, "its journey"), some);
}
