"""IMAP in its parts (RFC 9051): commands and their arguments, responses to the token, messages in literals."""

from __future__ import annotations

from sandbox.protocols.contract.spans import About, Cutter, Span
from sandbox.protocols.imap.dissecting.commands import command, response
from sandbox.protocols.imap.dissecting.responses import reply

__all__ = ["PARTS", "dissect"]

PARTS = frozenset({
    "address", "argument", "body-language", "body-location", "bracket", "challenge", "checksum", "content-id",
    "criterion", "date", "delimiter", "description", "display-name", "extension", "flag-change", "host-name",
    "identification", "line-count", "line-end", "list", "literal", "literal-size", "local-part", "macro", "mailbox",
    "media-parameters", "media-type", "namespace", "nil", "number", "octets", "option", "partial", "password",
    "pattern", "quota", "reference", "result", "route", "sasl-response", "section", "sequence-set", "size", "tag",
    "text", "untagged", "user",
})
"""Every part that has an entry of its own in the knowledge."""


def dissect(octets: bytes, about: About) -> tuple[Span, ...]:
    cutter = Cutter(octets)
    answering = False
    while cutter.left:
        before = cutter.position
        if not about.client:
            reply(cutter)
        elif answering:
            response(cutter)
        else:
            answering = command(cutter) == "AUTHENTICATE"
        if cutter.position == before:
            break
    return cutter.done()
