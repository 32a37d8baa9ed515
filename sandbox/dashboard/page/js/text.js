// Octets as text that can be looked at: line ends and controls have signs, nothing a client sent acts.

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** UTF-8 where it is that, else one character for an octet. Controls, and what turns writing around, get a picture of their own. */
export function text(octets) {
  let decoded;
  try {
    decoded = utf8.decode(octets);
  } catch {
    decoded = Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
  }
  return visible(decoded);
}

const ODD = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/;

/** Nearly every text is as it is; what is not gets its signs. */
export const visible = (decoded) => (ODD.test(decoded) ? signed(decoded) : decoded);

const signed = (decoded) =>
  decoded.replace(/\r\n/g, "\n").replace(/[\x00-\x08\x0b-\x1f]/g, (one) => String.fromCharCode(0x2400 + one.charCodeAt(0)))
    .replace(/[\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, (one) => one === "\x7f" ? "␡" : `‹${one.charCodeAt(0).toString(16)}›`);

function isText(octets) {
  try {
    return Boolean(new TextDecoder("utf-8", { fatal: true }).decode(octets, { stream: true }));
  } catch {
    return false;
  }
}

/** Whether it is something to read rather than noise. */
export function readable(octets) {
  const some = octets.subarray(0, 2000);
  let odd = 0, high = 0;
  for (const octet of some) if (octet < 9 || (octet > 13 && octet < 32 && octet !== 27) || octet === 127) odd += 1; else if (octet > 127) high += 1;
  return odd * 20 <= some.length && (high * 3 <= some.length || isText(some));
}

/** Whether it is noise through and through: nothing for a reader, and no message with a form. */
export const opaque = (octets) => octets.length > 0 && !readable(octets);

export const hex = (octet) => octet.toString(16).padStart(2, "0");
export const glyph = (octet) => (octet > 32 && octet < 127 ? String.fromCharCode(octet) : octet === 32 ? " " : "·");
