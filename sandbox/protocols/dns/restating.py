"""An answer in a script's words instead of the zones' (see `protocols/contract/script.py`)."""

from __future__ import annotations

import dns.edns
import dns.exception
import dns.message
import dns.rcode
from dns.rcode import Rcode

from sandbox.protocols.contract.conversation import Answer
from sandbox.protocols.contract.script import Manner, ScriptedAnswer
from sandbox.protocols.dns import grammar
from sandbox.protocols.dns.grammar import Draft, Malformed

__all__ = ["restate"]

STALE_TTL = 30


def restate(message: bytes, answer: Answer, scripted: ScriptedAnswer) -> Answer:
    """scripted.code: an RCODE by name; "" keeps what was going to be said, for a manner alone."""
    header = grammar.read_header(message)
    if header is None:
        return answer                                        # not even a number to answer to
    about = answer.about._replace(facts={**(answer.about.facts or {}), **scripted.facts})
    if scripted.manner is Manner.SILENT:
        return Answer(None, about._replace(outcome="", answered="", key="situation.silent"))
    data = answer.data
    if scripted.code or scripted.manner is Manner.TRUNCATED or data is None:
        rcode = dns.rcode.from_text(scripted.code) if scripted.code else Rcode.NOERROR
        data = empty(message, rcode)
        about = about._replace(outcome=grammar.rcode_text(rcode), answered=scripted.text, key="")
    if scripted.manner is Manner.TRUNCATED:
        data = with_flags(data, grammar.TC)
        about = about._replace(answered="cut short", key="situation.truncated")
    if scripted.manner is Manner.WRONG_ID:
        about = about._replace(key="situation.wrong-id")
        data = (header.id ^ 0xFFFF).to_bytes(2) + data[2:]
    if scripted.manner is Manner.LAME:
        data = without_flags(empty(message, Rcode.NOERROR), grammar.AA)
        about = about._replace(outcome="NOERROR", answered="nothing is known of the zone", key="situation.lame")
    if scripted.manner is Manner.STALE:
        data, about = stale(data), about._replace(key="situation.stale")
    return Answer(data, about)


def stale(data: bytes) -> bytes:
    """An answer that was kept beyond its time: 30 seconds to live (RFC 8767 §4), said so where the client speaks EDNS
    (RFC 8914 §4.4)."""
    try:
        found = dns.message.from_wire(data)
    except dns.exception.DNSException:
        return data                                          # truncated, or no message
    for rrset in (*found.answer, *found.authority):
        rrset.ttl = STALE_TTL
    if found.edns >= 0:
        option = dns.edns.EDEOption(dns.edns.EDECode.STALE_ANSWER)
        found.use_edns(found.edns, found.ednsflags, found.payload, options=[*found.options, option])
    return found.to_wire(max_size=grammar.LARGEST_MESSAGE)


def empty(message: bytes, rcode: Rcode) -> bytes:
    """The question with no records."""
    try:
        query = grammar.read_query(message)
    except Malformed:
        header = grammar.read_header(message)
        assert header is not None
        return grammar.bare(header, rcode)
    return grammar.render(query, Draft(rcode=rcode), grammar.LARGEST_MESSAGE, grammar.LARGEST_MESSAGE)[0]


def without_flags(data: bytes, flags: int) -> bytes:
    return data[:2] + (int.from_bytes(data[2:4]) & ~flags).to_bytes(2) + data[4:]


def with_flags(data: bytes, flags: int) -> bytes:
    return data[:2] + (int.from_bytes(data[2:4]) | flags).to_bytes(2) + data[4:]
