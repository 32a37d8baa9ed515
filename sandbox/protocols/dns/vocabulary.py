"""What the knowledge of DNS has to cover: all that a message can ask for and all that ours can answer."""

from __future__ import annotations

from sandbox.protocols.dns.dissect import PARTS
from sandbox.protocols.dns.grammar import TYPES, opcode_text

__all__ = ["CLASSES", "ERRORS", "FLAGS", "NO_QUERY", "OPTIONS", "OUTCOMES", "SITUATIONS", "vocabulary"]

NO_QUERY = frozenset({"QUERY", "RESPONSE", "MALFORMED"})
"""What stands as the verb where there is no question."""

OUTCOMES = frozenset({
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
    "NOTAUTH", "NOTZONE", "DSOTYPENI", "BADVERS", "BADKEY", "BADTIME", "BADMODE", "BADNAME", "BADALG",
    "BADTRUNC", "BADCOOKIE",
})
"""Every RCODE there is: a learner may meet those that we never send elsewhere (RFC 6895 §2.3)."""

OPTIONS = frozenset({
    "NSID", "DAU", "DHU", "N3U", "ECS", "EXPIRE", "COOKIE", "KEEPALIVE", "PADDING", "CHAIN", "EDE",
    "REPORTCHANNEL", "EDE_EXTRA_TEXT_LANGUAGE", "FILTERING_CONTACT", "FILTERING_ORGANIZATION", "FILTERING_DB",
    "OPTION",
})
"""EDNS options a client may send; OPTION is any other."""

CLASSES = frozenset({"IN", "CH", "HS", "NONE", "ANY", "RESERVED0", "CLASS"})

FLAGS = frozenset({"QR", "AA", "TC", "RD", "RA", "AD", "CD", "DO"})

SITUATIONS = frozenset({
    "alias", "any", "bad-cookie", "bad-signature", "captured", "chaos", "class", "cookie", "dns-domains",
    "dns-root", "dns-tld", "elsewhere", "fragment", "ixfr", "lame", "loop", "malformed", "meta", "no-way", "no-zone",
    "nodata", "not-offered", "not-remembered", "opcode", "prerequisite", "priming", "referral", "refused",
    "remembered", "response", "silent", "stale", "too-long", "transfer", "transfer-refused", "transfer-udp",
    "truncated", "unknown-key", "unknown-type", "unsigned", "updated", "version", "walked", "wildcard", "wrong-id",
})
"""What can be special about an exchange."""

ERRORS = frozenset({"0", "4", "18", "20", "21"})
"""The extended errors that we send (RFC 8914)."""


def vocabulary() -> dict[str, frozenset[str]]:
    """Every term a record of this protocol can have, by kind; numbered ones without a name by their family."""
    opcodes = {opcode_text(opcode).rstrip("0123456789") for opcode in range(1, 16)}
    return {
        "part": PARTS,
        "verb": NO_QUERY | TYPES | {"TYPE"} | opcodes,
        "outcome": OUTCOMES,
        "class": CLASSES,
        "flag": FLAGS,
        "option": OPTIONS,
        "situation": SITUATIONS,
        "error": ERRORS,
    }
