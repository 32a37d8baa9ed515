"""What the knowledge of DNS has to cover: all that a message can ask for and all that ours can answer."""

from __future__ import annotations

from dns.edns import OptionType
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from sandbox.protocols.dns.grammar import class_text, opcode_text, rcode_text, type_text

__all__ = ["ERRORS", "FLAGS", "NO_QUERY", "SITUATIONS", "vocabulary"]

NO_QUERY = frozenset({"QUERY", "RESPONSE", "MALFORMED"})
"""What stands as the verb where there is no question."""

FLAGS = frozenset({"QR", "AA", "TC", "RD", "RA", "AD", "CD", "DO"})

SITUATIONS = frozenset({
    "alias", "any", "bad-cookie", "captured", "chaos", "class", "cookie", "fragment", "ixfr", "loop", "malformed",
    "meta", "no-zone", "nodata", "not-offered", "opcode", "referral", "refused", "response", "too-long", "transfer",
    "transfer-refused", "transfer-udp", "truncated", "unknown-key", "unknown-type", "version", "wildcard",
})
"""What can be special about an exchange."""

ERRORS = frozenset({"0", "4", "18", "20", "21"})
"""The extended errors that we send (RFC 8914)."""


def vocabulary() -> dict[str, frozenset[str]]:
    """Every term a record of this protocol can have, by kind; numbered ones without a name by their family."""
    types = {"TYPE"} | {type_text(rdtype) for rdtype in RdataType if rdtype}
    opcodes = {opcode_text(opcode).rstrip("0123456789") for opcode in range(1, 16)}
    return {
        "verb": NO_QUERY | types | opcodes,
        "outcome": frozenset(rcode_text(rcode) for rcode in Rcode),
        "class": frozenset({"CLASS"} | {class_text(rdclass) for rdclass in RdataClass}),
        "flag": FLAGS,
        "option": frozenset({"OPTION"} | {option.name for option in OptionType}),
        "situation": SITUATIONS,
        "error": ERRORS,
    }
