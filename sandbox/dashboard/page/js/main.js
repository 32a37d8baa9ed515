// Puts the page together: the rail, the view the address names, the detail beside it, and the line at the bottom.

import { ask, reached } from "./api.js";
import { h, show } from "./dom.js";
import { Detail } from "./detail.js";
import { keys } from "./keys.js";
import { PLACES, Rail, Status } from "./rail.js";
import { go, onChange, remembered, state } from "./state.js";
import { Live } from "./views/live.js";

const VIEWS = {      // each in a file of its own, fetched when it is first looked at
  mail: () => import("./views/mail.js"), files: () => import("./views/files.js"), names: () => import("./views/names.js"),
  services: () => import("./views/services.js"), setup: () => import("./views/setup.js"), session: () => import("./views/session.js"),
  projector: () => import("./views/projector.js"), learn: () => import("./views/learn.js"), labs: () => import("./views/labs.js"), journeys: () => import("./views/journeys.js"),
  faults: () => import("./views/faults.js"), just: () => import("./views/just.js"),
};

const app = document.getElementById("app");
const main = document.getElementById("main");
const place = { view: null, name: "" };
const counts = { arrived: 0, open: 0 };
const does = {
  projector: () => go({ view: place.name === "projector" ? "live" : "projector", path: [], exchange: 0 }), theme, help,
};
const rail = new Rail(document.getElementById("rail"), does);
const status = new Status(document.getElementById("status"), does);

const detail = new Detail(document.getElementById("detail"), {
  close: () => {
    go({ exchange: 0, tab: "" });
    place.view?.list?.element.focus();
  },
  narrow: (term) => {
    if (place.name !== "live") go({ view: "live", path: [], exchange: 0 });
    place.view?.box?.narrow(term);
  },
});

const dark = matchMedia("(prefers-color-scheme: dark)");

function paint() {
  document.documentElement.dataset.theme = remembered.get("theme", "") || (dark.matches ? "dark" : "light");
}

function theme() {
  remembered.set("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  paint();
  status.draw();
}

function help() {
  const dialog = document.getElementById("help");
  show(dialog, h("h2", { id: "help-title" }, "Keys"), h("table", {}, keys.map(([key, does]) => h("tr", {}, h("td", {}, key.split(" ").map((one) => [h("kbd", {}, one), " "])),
    h("td", {}, does)))), h("form", { method: "dialog" }, h("button", { class: "primary" }, "Close")));
  dialog.showModal();
}

const tells = {
  opened: (row) => go({ exchange: row.id }),
  counted: ({ arrived = 0, sessions_open: open, change = 0 }) => {
    counts.arrived += arrived;
    counts.open = open ?? Math.max(0, counts.open + change);
    status.tell(counts);
  },
  connected: (connection) => status.tell({ connection }),
};

async function draw() {
  const now = state();
  rail.draw();
  const name = now.view in VIEWS ? now.view : "live";
  document.body.dataset.view = name;
  if (place.name !== name) {
    place.view?.close?.();
    place.name = name;
    place.view = null;
    show(main);
    main.className = name === "live" ? "" : "scrolls";
    if (name === "live") {
      place.view = new Live(main, tells);
    } else {
      const module = await VIEWS[name]();
      if (state().view !== name) return;
      place.view = new module.View(main, tells);
    }
  } else {
    place.view?.update?.();
  }
  document.title = `${PLACES.find(([one]) => one === name)?.[1] ?? "Sandbox"} · Sandbox`;
  const shown = detail.show(now.exchange, now.tab);
  app.classList.toggle("with-detail", !detail.element.hidden);      // before it is drawn, so that it knows its room
  await shown;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/']");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button || link.target || link.hasAttribute("download")) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || url.pathname.startsWith("/api/")) return;
  event.preventDefault();
  history.pushState({}, "", url.pathname + url.search);
  window.dispatchEvent(new PopStateEvent("popstate"));
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.closest("input, textarea, select");
  if (typing) return;
  const list = place.view?.list;
  const act = {
    "/": () => document.getElementById("filter")?.focus(), "?": help,
    j: () => walk(list, 1), ArrowDown: () => walk(list, 1), k: () => walk(list, -1), ArrowUp: () => walk(list, -1),
    PageDown: () => walk(list, 15), PageUp: () => walk(list, -15), Home: () => walk(list, -1e9), End: () => walk(list, 1e9),
    Enter: () => list?.selected && go({ exchange: list.selected }), Escape: () => state().exchange && detail.close(),
    p: does.projector, d: theme, e: () => detail.explain(),
    1: () => detail.pick(0), 2: () => detail.pick(1), 3: () => detail.pick(2), 4: () => detail.pick(3),
  }[event.key];
  const walking = event.key.length > 1 && event.key !== "Escape";
  if (!act || (walking && event.target !== document.body && !event.target.closest(".list, #main"))) return;
  if (walking && event.target.closest("button, a")) return;
  event.preventDefault();
  act();
});

function walk(list, by) {
  const row = list?.step(by);
  if (row && state().exchange) go({ exchange: row.id }, { replace: true });
}

/** The teacher's token comes in the fragment, which no server sees, and leaves the address at once. */
async function login() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  history.replaceState({}, "", location.pathname + location.search);
  try {
    await ask("login", { method: "POST", body: { token } });
  } catch (error) {
    const dialog = document.getElementById("help");
    show(dialog, h("h2", { id: "help-title" }, "Not logged in"), h("p", {}, error.message, " ", error.hint), h("form", { method: "dialog" }, h("button", { class: "primary" }, "Close")));
    dialog.showModal();
  }
}

/** Where no stream says how it is, what was asked last does. */
reached.tell = (answered) => {
  if (place.name !== "live" && place.name !== "projector") status.tell({ connection: answered ? "connected" : "waiting" });
};

async function begin() {
  dark.addEventListener("change", paint);
  onChange(draw);
  paint();
  await login();
  draw();
  try {
    const me = await ask("me");
    document.body.dataset.role = me.role;
    status.tell({ me });
  } catch { /* the line at the bottom says already that the sandbox does not answer */ }
}

begin();
