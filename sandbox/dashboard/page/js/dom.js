// Making elements. Whatever a client sent becomes a text node: nothing here ever parses HTML; and what would turn
// writing around or could not be seen has a sign.

import { visible } from "./text.js";

const SHOWN = new Set(["title", "aria-label"]);

export function h(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value;
    else if (key === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(key, value === true ? "" : SHOWN.has(key) ? visible(String(value)) : value);
  }
  append(element, children);
  return element;
}

export function append(parent, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    parent.append(child instanceof Node ? child : document.createTextNode(visible(String(child))));
  }
  return parent;
}

export function show(parent, ...children) {
  parent.replaceChildren();
  return append(parent, children);
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(name, props = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(props)) {
    if (value !== undefined && value !== null) element.setAttribute(key, value);
  }
  return append(element, children);
}

/** A drawn symbol of index.html. label: what it says to somebody who does not see it; without one it is decoration. */
export function icon(name, label = "") {
  const props = label ? { class: "icon", role: "img", "aria-label": label } : { class: "icon", "aria-hidden": "true" };
  return svg("svg", props, svg("use", { href: `#i-${name}` }));
}

let sayer;
/** Tell those who listen instead of look. */
export function say(text) {
  sayer ??= document.getElementById("say");
  sayer.textContent = text;
}

/** A command in a box, with a button that copies it. */
export function command(text, label = "Copy") {
  const button = h("button", { type: "button", title: "Copy", "aria-label": `${label}: ${text}` }, icon("copy"));
  button.addEventListener("click", () => copy(text, button));
  return h("div", { class: "command" }, h("code", {}, text), button);
}

export async function copy(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = copyOldWay(text);      // a page that is not on this machine and not encrypted has no clipboard
  }
  say(done ? "Copied" : "The browser does not let the page copy; select the text instead");
  const before = [...button.childNodes];
  button.replaceChildren(icon(done ? "good" : "bad"));
  setTimeout(() => button.replaceChildren(...before), 1200);
}

function copyOldWay(text) {
  const area = h("textarea", { class: "visually-hidden", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
