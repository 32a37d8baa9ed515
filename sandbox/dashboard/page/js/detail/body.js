// What was carried: JSON folded, text as text, HTML as its source, an image as one.

import { h } from "../dom.js";
import { size } from "../format.js";
import { readable, text } from "../text.js";

const MOST = 60_000;      // characters that are drawn at once

export function body(octets, span, row) {
  const type = (row.facts["content-type"] ?? span.value ?? "").toLowerCase();
  return h("details", { class: "body", open: octets.length < 20_000 },
    h("summary", { class: "small soft" }, `The ${/content|body/.test(span.name) ? span.name : "content"}, ${size(octets.length)}`, type ? h("span", {}, `, ${type.split(";")[0]}`) : ""), drawn(octets, type));
}

function drawn(octets, type) {
  const picture = kindOfPicture(octets);
  if (picture) {
    const image = h("img", { class: "carried", alt: "The image that was carried" });
    const url = URL.createObjectURL(new Blob([octets], { type: picture }));
    image.addEventListener("load", () => URL.revokeObjectURL(url));
    image.src = url;
    return image;
  }
  if (!readable(octets)) return h("p", { class: "soft" }, `Octets that are no text (${type || "of unknown kind"}). Bytes shows them.`);
  const words = text(octets);
  if (/json/.test(type) || /^\s*[[{]/.test(words)) {
    try {
      return tree(JSON.parse(words), 0);
    } catch { /* it only looked like JSON */ }
  }
  return h("pre", { class: "content" }, words.slice(0, MOST), words.length > MOST ? "\n…" : "");
}

function kindOfPicture(octets) {
  const head = String.fromCharCode(...octets.subarray(0, 12));
  if (head.startsWith("\x89PNG")) return "image/png";
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("GIF8")) return "image/gif";
  if (head.startsWith("RIFF") && head.endsWith("WEBP")) return "image/webp";
  return "";
}

function tree(value, depth) {
  if (value === null || typeof value !== "object") return h("span", { class: `json-${typeof value}` }, JSON.stringify(value));
  const entries = Object.entries(value);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (!entries.length) return h("span", {}, open + close);
  return h("details", { class: "json", open: depth < 2 }, h("summary", {}, `${open} ${entries.length} ${close}`),
    h("ul", {}, entries.slice(0, 500).map(([key, one]) => h("li", {}, h("span", { class: "json-key" }, `${key}: `), tree(one, depth + 1)))));
}
