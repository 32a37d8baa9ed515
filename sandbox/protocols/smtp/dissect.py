"""SMTP in its parts (RFC 5321): commands, replies, and the message between."""

from __future__ import annotations

import re

from sandbox.protocols.contract.spans import About, Cutter, Span
from sandbox.protocols.lines.dissect import codes, commands, line_stop
from sandbox.protocols.lines.message import message
from sandbox.protocols.lines.values import base64_text

__all__ = ["PARTS", "dissect"]

PARTS = frozenset({
    "address", "argument", "body", "challenge", "closing-delimiter", "colon", "delimiter", "display-name", "domain",
    "epilogue", "final-dot", "identifier", "line-end", "message", "message-inside", "more-to-come", "octets",
    "parameter", "part",
    "path", "received-by", "received-comment", "received-date", "received-for", "received-from", "received-id",
    "received-via", "received-with", "sasl-response", "space", "text",
})
"""Every part that has an entry of its own in the knowledge."""

PATH = re.compile(rb"(FROM|TO)(:)( ?)(<[^>]*>)?", re.IGNORECASE)
ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?= |$)")


def dissect(octets: bytes, about: About) -> tuple[Span, ...]:
    cutter = Cutter(octets)
    if not about.client:
        codes(cutter, "status", enhanced)
    elif about.verb == "message":
        stop = cutter.end - 3 if cutter.octets.endswith(b".\r\n") else cutter.end
        message(cutter, stop)
        cutter.to(cutter.end, "final dot", "part.final-dot")
    elif about.verb == "AUTH":
        commands_and_answers(cutter)
    else:
        commands(cutter, path)
    return cutter.done()


def path(line: Cutter, end: int, verb: str) -> None:
    """The path of MAIL and RCPT, and the parameters behind it (RFC 5321 §4.1.2)."""
    found = PATH.match(line.octets, line.position, end) if verb in ("MAIL", "RCPT") else None
    if found:
        line.take(len(found[1]) + 1, "keyword", f"verb.{verb}")
        line.skip(b" ")
        line.take(len(found[4] or b""), "path", "part.path")
        while line.position < end:
            line.skip(b" ")
            stop = line.octets.find(b" ", line.position, end)
            line.to(end if stop < 0 else stop, "parameter", "part.parameter")
    elif verb in ("EHLO", "HELO"):
        line.to(end, "domain", "part.domain")


def enhanced(line: Cutter, end: int) -> None:
    """The enhanced status code in front of a reply's text (RFC 2034 §4)."""
    if line.octets[line.position - 4:line.position - 1] == b"334":
        line.to(end, "challenge", "part.challenge", base64_text(line.octets[line.position:end]))
    elif found := ENHANCED.match(line.octets, line.position, end):
        line.take(len(found[0]), "enhanced code", f"enhanced.{found[0].decode()}")
        line.skip(b" ")


def commands_and_answers(cutter: Cutter) -> None:
    """AUTH, and the lines that answer challenges (RFC 4954 §4)."""
    with cutter.within(line_stop(cutter), "command", "verb.AUTH") as line:
        end = line.line()
        line.take(4, "verb", "verb.AUTH")
        line.skip(b" ")
        stop = line.octets.find(b" ", line.position, end)
        mechanism = line.octets[line.position:end if stop < 0 else stop].decode("latin-1").upper()
        line.take(len(mechanism), "mechanism", f"sasl:mechanism.{mechanism}")
        line.skip(b" ")
        line.to(end, "initial response", "part.sasl-response", base64_text(line.octets[line.position:end]))
        line.line_end()
    while cutter.left:
        end = cutter.line()
        cutter.to(end, "response", "part.sasl-response", base64_text(cutter.octets[cutter.position:end]))
        cutter.line_end()
