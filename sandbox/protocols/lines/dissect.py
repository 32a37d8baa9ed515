"""Commands and replies in lines, in their parts: what SMTP, POP3 and FTP share."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.protocols.contract.spans import Cutter

__all__ = ["codes", "commands", "line_stop", "marked"]


def line_stop(cutter: Cutter) -> int:
    """Where the line after this one begins."""
    found = cutter.find(b"\n")
    return cutter.end if found < 0 else found + 1


def commands(cutter: Cutter, arguments: Callable[[Cutter, int, str], None] | None = None) -> None:
    """Command lines. arguments: takes what follows a verb, up to a place."""
    while cutter.left:
        command(cutter, arguments)


def command(cutter: Cutter, arguments: Callable[[Cutter, int, str], None] | None = None) -> str:
    """One command line; its verb in capital letters."""
    end = cutter.line()
    verb = cutter.octets[cutter.position:end].split(b" ", 1)[0].decode("latin-1").upper()
    with cutter.within(line_stop(cutter), "command", f"verb.{verb}") as line:
        line.take(len(verb), "verb", f"verb.{verb}")
        line.skip(b" ")
        if arguments is not None:
            arguments(line, end, verb)
        line.to(end, "argument", "part.argument")
        line.line_end()
    return verb


def codes(cutter: Cutter, kind: str, text: Callable[[Cutter, int], None] | None = None) -> None:
    """Reply lines that begin with three digits. kind: of the codes in the knowledge; text: takes what follows the
    code, up to a place."""
    while cutter.left:
        end = cutter.line()
        code = cutter.peek(3)
        if not (len(code) == 3 and code.isdigit()):
            cutter.to(line_stop(cutter), "text", "part.text")
            continue
        key = f"{kind}.{code.decode()}"
        with cutter.within(line_stop(cutter), "reply", key) as line:
            line.take(3, "code", key)
            line.take(1, "more to come" if line.peek(1) == b"-" else "space",
                      "part.more-to-come" if line.peek(1) == b"-" else "part.space")
            if text is not None:
                text(line, end)
            line.to(end, "text", "part.text")
            line.line_end()


def marked(cutter: Cutter) -> None:
    """A status line that begins with +OK, -ERR or +, and what follows it up to a lone dot."""
    end = cutter.line()
    mark = cutter.octets[cutter.position:end].split(b" ", 1)[0].decode("latin-1")
    with cutter.within(line_stop(cutter), "reply", f"outcome.{mark}") as line:
        line.take(len(mark), "status", f"outcome.{mark}")
        line.skip(b" ")
        if line.peek(1) == b"[" and (stop := line.octets.find(b"]", line.position, end)) > 0:
            code = line.octets[line.position + 1:stop].decode("latin-1").upper()
            line.to(stop + 1, "response code", f"code.{code}")
            line.skip(b" ")
        line.to(end, "text", "part.text")
        line.line_end()
