"""POP3 in its parts (RFC 1939): commands, status lines, and listings or messages up to a lone dot."""

from __future__ import annotations

from sandbox.protocols.contract.spans import About, Cutter, Span
from sandbox.protocols.lines.dissect import commands, line_stop, marked

__all__ = ["PARTS", "dissect"]

PARTS = frozenset({
    "argument", "final-dot", "line-end", "listing-line", "octets", "text",
})
"""Every part that has an entry of its own in the knowledge."""


def dissect(octets: bytes, about: About) -> tuple[Span, ...]:
    cutter = Cutter(octets)
    if about.client:
        commands(cutter)
        return cutter.done()
    while cutter.left and cutter.peek(1) in (b"+", b"-"):
        marked(cutter)
        if about.verb in ("RETR", "TOP") and cutter.left:
            break
    if not cutter.left:
        return cutter.done()
    stop = cutter.end - 3 if cutter.octets.endswith(b".\r\n") else cutter.end
    if about.verb in ("RETR", "TOP"):
        from sandbox.protocols.lines.message import message
        message(cutter, stop)
    else:
        while cutter.position < stop:
            cutter.to(min(stop, line_stop(cutter)), "line", "part.listing-line")
    cutter.to(cutter.end, "final dot", "part.final-dot")
    return cutter.done()
