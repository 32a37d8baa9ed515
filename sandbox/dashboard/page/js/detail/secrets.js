// Which octets of what a side said ought to be secret: found by the names of their parts, else by the words of the protocols.

const FIELDS = { authorization: "password or token", "proxy-authorization": "password or token", cookie: "cookie", "set-cookie": "cookie" };
const WORDS = [
  [/^(?:PASS|APOP \S+) ([^\r\n]+)/gim, "password"],
  [/\bAUTH(?:ENTICATE)? \S+ ([^\s=][^\r\n]*)/gi, "password"],
  [/\bLOGIN \S+ ("[^"\r\n]*"|\S+)/g, "password"],
  [/(?:^|[&?"])(?:password|passwd|pass|pin|secret)"?(?:=|: ?")([^&\s"]+)/gi, "password"],
  [/(?:^|[&?"])(?:token|api_key|access_token)"?(?:=|: ?")([^&\s"]+)/gi, "token"],
];

/** [{ start, end, what }] in the octets of one side, in order. */
export function secretsIn({ bytes: octets, spans = [] }, row) {
  const found = [];
  for (const span of spans) {
    const [, field] = (span.key ?? "").split("header.");
    const value = span.children?.find(({ name }) => name === "field value");
    if (field in FIELDS && value) found.push({ start: value.start, end: value.end, what: named(FIELDS[field], octets.subarray(value.start, value.end)) });
  }
  // One character for each octet, so that places in the text are places in the octets.
  const words = new TextDecoder("latin1").decode(octets.subarray(0, 65_536));
  for (const [pattern, what] of WORDS) {
    for (const match of words.matchAll(pattern)) {
      const start = match.index + match[0].lastIndexOf(match[1]);
      found.push({ start, end: start + match[1].length, what });
    }
  }
  if (/^AUTH/.test(row.verb) && !found.length) found.push(...answers(words, row));
  return found.sort((one, other) => one.start - other.start).filter((one, at, all) => !at || one.start >= all[at - 1].end);
}

/** The lines of a login whose name and password come one by one, after a challenge each (AUTH LOGIN, AUTH PLAIN). */
function answers(words, row) {
  if (/CRAM|SCRAM|DIGEST/i.test(row.asked)) return [];
  const found = [];
  for (const match of words.matchAll(/^[A-Za-z0-9+/]{4,}={0,2}(?=\r?$)/gm)) found.push({ start: match.index, end: match.index + match[0].length, what: "name and password" });
  return found;
}

const named = (what, octets) => {
  const scheme = String.fromCharCode(...octets.subarray(0, 7)).toLowerCase();
  return what === "cookie" ? what : scheme.startsWith("bearer") ? "token" : "password";
};
