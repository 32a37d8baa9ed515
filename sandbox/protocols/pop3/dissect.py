"""POP3 in its parts (RFC 1939): commands, status lines, and listings or messages up to a lone dot."""

from __future__ import annotations

from sandbox.protocols.contract.spans import About, Cutter, Span
from sandbox.protocols.lines.dissect import command, commands, line_stop, marked
from sandbox.protocols.lines.values import base64_text

__all__ = ["PARTS", "dissect"]

PARTS = frozenset({
    "argument", "final-dot", "line-end", "listing-line", "message-number", "octets", "password", "sasl-response",
    "size", "text", "unique-id",
})
"""Every part that has an entry of its own in the knowledge."""


def dissect(octets: bytes, about: About) -> tuple[Span, ...]:
    cutter = Cutter(octets)
    if about.client:
        if about.verb == "AUTH":
            command(cutter, argument)
            while cutter.left:
                end = cutter.line()
                cutter.to(end, "response", "part.sasl-response", base64_text(cutter.octets[cutter.position:end]))
                cutter.line_end()
        commands(cutter, argument)
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
            listing_line(cutter, min(stop, line_stop(cutter)), about.verb)
    cutter.to(cutter.end, "final dot", "part.final-dot")
    return cutter.done()


def listing_line(cutter: Cutter, stop: int, verb: str) -> None:
    """A line of LIST or UIDL: a message's number, and its size or its name (RFC 1939 §5, §7); a capability."""
    with cutter.within(stop, "line", "part.listing-line") as line:
        end = line.line()
        if verb in ("LIST", "UIDL") and line.peek(1).isdigit():
            stop = line.octets.find(b" ", line.position, end)
            line.to(end if stop < 0 else stop, "message number", "part.message-number")
            line.skip(b" ")
            name, key = ("size", "part.size") if verb == "LIST" else ("unique id", "part.unique-id")
            line.to(end, name, key)
        elif verb == "CAPA":
            word = line.octets[line.position:end].split(b" ")[0].decode("latin-1").upper()
            line.take(len(word), "capability", f"capability.{word}")
            line.skip(b" ")
        line.to(end, "text", "part.text")
        line.line_end()


def argument(line: Cutter, end: int, verb: str) -> None:
    """A password, or what proves that the client knows one."""
    if verb == "PASS":
        line.to(end, "password", "part.password")
    elif verb == "AUTH":
        stop = line.octets.find(b" ", line.position, end)
        stop = end if stop < 0 else stop
        mechanism = line.octets[line.position:stop].decode("latin-1").upper()
        line.to(stop, "mechanism", f"sasl:mechanism.{mechanism}")
        line.skip(b" ")
        line.to(end, "initial response", "part.sasl-response", base64_text(line.octets[line.position:end]))
