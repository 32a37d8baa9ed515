// What is shown, in the address: a view can be pasted into a chat. Whoever draws subscribes.

const listeners = new Set();
let current = read();

function read() {
  const query = new URLSearchParams(location.search);
  const [view = "", ...rest] = location.pathname.split("/").filter(Boolean).map(decodePart);
  return {
    view: view || "live", path: rest, filter: query.get("filter") ?? "", exchange: Number(query.get("exchange")) || 0,
    session: Number(query.get("session")) || 0, tab: query.get("tab") ?? "", own: query.get("own") === "1",
    kind: query.get("kind") ?? "",
  };
}

function decodePart(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const state = () => current;

export function address(changes = {}) {
  const next = { ...current, ...changes };
  const query = new URLSearchParams();
  if (next.filter) query.set("filter", next.filter);
  if (next.exchange) query.set("exchange", next.exchange);
  if (next.session) query.set("session", next.session);
  if (next.tab) query.set("tab", next.tab);
  if (next.own) query.set("own", "1");
  if (next.kind) query.set("kind", next.kind);
  const path = `/${[next.view === "live" && !next.path.length ? "" : next.view, ...next.path].map(encodeURIComponent).join("/")}`;
  return path + (query.size ? `?${query}` : "");
}

/** Change what is shown. A step that "back" should undo is pushed; what only refines is replaced. */
export function go(changes, { replace = false } = {}) {
  const target = address(changes);
  if (target === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"]({}, "", target);
  changed();
}

function changed() {
  const before = current;
  current = read();
  for (const listener of listeners) listener(current, before);
}

export function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

window.addEventListener("popstate", changed);

/** What a browser remembers between visits: the theme, saved filters, whether background traffic is shown. */
export const remembered = {
  get(name, fallback) {
    try {
      return JSON.parse(localStorage.getItem(`sandbox.${name}`)) ?? fallback;
    } catch {
      return fallback;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`sandbox.${name}`, JSON.stringify(value));
    } catch { /* a browser that keeps nothing shows the page all the same */ }
  },
};
