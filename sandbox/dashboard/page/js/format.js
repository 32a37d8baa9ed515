// Numbers with units, times of day, families and moods in words.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, fractionalSecondDigits: 3 });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Of seconds since the epoch: local, to the millisecond. */
export const time = (seconds) => clock.format(seconds * 1000);
/** The same in two pieces: to the second, and the milliseconds with their dot. */
export const timePieces = (seconds) => [time(seconds).slice(0, -4), time(seconds).slice(-4)];
export const fullTime = (seconds) => day.format(seconds * 1000);
export const dateTime = (seconds) => date.format(seconds * 1000);

export function duration(seconds) {
  if (!(seconds >= 0)) return "";
  if (seconds < 0.001) return "<1 ms";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

export function size(octets) {
  if (octets === 1) return "1 octet";
  if (octets < 1000) return `${octets} octets`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = octets / 1000, unit = 0;
  while (value >= 999.5 && unit < units.length - 1) { value /= 1000; unit += 1; }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

const numbers = new Intl.NumberFormat();

export const count = (number, one, many) => `${numbers.format(number)} ${number === 1 ? one : many ?? `${one}s`}`;

const FAMILIES = {
  http: ["web", "web", "Web"], dns: ["names", "names", "Names"], smtp: ["mail", "mail", "Mail"], pop3: ["mail", "mail", "Mail"],
  imap: ["mail", "mail", "Mail"], ftp: ["files", "files", "Files"], sftp: ["ssh", "ssh", "Secure shell"],
  tcp: ["small-services", "small", "Small services"],
};

/** Colour class, symbol and word of a row's family. A TLS handshake has a symbol of its own in its family's place. */
export function family(row) {
  if (row.verb === "TLS") return { colour: "tls", symbol: "tls", word: "TLS handshake" };
  const [colour, symbol, word] = FAMILIES[row.protocol] ?? FAMILIES.tcp;
  return { colour, symbol, word };
}

export const MOODS = { good: "it worked", more: "more to come", warning: "look out", bad: "it failed" };

/** The host that was asked for, and what is left of the question without it. */
export function target(row) {
  const host = row.facts?.host ?? "";
  if (!host || row.asked === host) return ["", row.asked];
  return [host, row.asked.startsWith(host) ? row.asked.slice(host.length) : row.asked];
}

/** A sentence without its sources: for a line, where there is no room for them. */
export const plain = (sentence) => sentence.replace(/ ?\((?:RFC \d|draft-)[^)]*\)/g, "");

/** The same in pieces, words and sources in turn. */
export const cited = (sentence) => sentence.split(/ ?\(((?:RFC \d|draft-)[^)]*)\)/);

export const address = ({ host, port }) => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);

export function decode(base64) {
  const binary = atob(base64);
  const octets = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) octets[at] = binary.charCodeAt(at);
  return octets;
}
