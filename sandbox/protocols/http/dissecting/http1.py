"""An HTTP/1.1 message in its parts (RFC 9112): start line, fields, framing, content."""

from __future__ import annotations

import re

from sandbox.protocols.contract.spans import Cutter
from sandbox.protocols.http.dissecting.content import content_of
from sandbox.protocols.http.dissecting.fields import field_value, pairs, query_text

__all__ = ["messages", "target_parts"]

VERSION = re.compile(rb"HTTP/\d\.\d")
SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")
CHUNK = re.compile(rb"[0-9A-Fa-f]{1,16}")


def messages(cutter: Cutter, *, client: bool, verb: str = "") -> None:
    """One side of an exchange: interim responses before the final one, too."""
    while cutter.left:
        fields = message(cutter, client=client)
        if fields is None or (not client and fields.get("status", "").startswith("1")
                              and fields["status"] != "101"):
            continue
        content(cutter, fields)
        break


def message(cutter: Cutter, *, client: bool) -> dict[str, str] | None:
    """The head. Its framing fields by name in small letters, and "status"; None for an empty line before it."""
    if cutter.peek(2) == b"\r\n" or cutter.peek(1) == b"\n":
        cutter.line_end()
        return None
    found: dict[str, str] = {}
    with cutter.within(after_line(cutter), "request line" if client else "status line",
                       "part.request-line" if client else "part.status-line") as line:
        if client:
            request_line(line)
        else:
            found["status"] = status_line(line)
    while cutter.left and cutter.peek(2) != b"\r\n" and cutter.peek(1) != b"\n":
        name, value = field(cutter)
        found[name] = f"{found[name]}, {value}" if name in found else value
    cutter.line_end("empty line")
    return found


def after_line(cutter: Cutter) -> int:
    """Where the line after this one begins."""
    found = cutter.find(b"\n")
    return cutter.end if found < 0 else found + 1


def request_line(line: Cutter) -> None:
    end = line.line()
    method = line.octets[line.position:end].partition(b" ")[0].decode("latin-1")
    line.take(len(method), "method", f"verb.{method}")
    line.skip(b" ")
    stop = line.octets.rfind(b" ", line.position, end)
    with line.within(end if stop < 0 else stop, "target", "part.target") as target:
        target_parts(target)
    line.skip(b" ")
    line.to(end, "version", "part.version")
    line.line_end()


def target_parts(target: Cutter) -> None:
    """Authority, path and query (RFC 9112 §3.2)."""
    scheme = SCHEME.match(target.octets, target.position, target.end)
    if scheme:
        target.to(scheme.end(), "authority", "part.authority")
    path = target.octets[target.position:target.end].partition(b"?")[0]
    target.take(len(path), "path", "part.path", query_text(path.replace(b"+", b"%2B")))
    target.take(1, "question mark", "part.query")
    pairs(target)


def status_line(line: Cutter) -> str:
    end = line.line()
    line.until(b" ", "version", "part.version")
    line.skip(b" ")
    code = line.peek(3).decode("latin-1")
    line.take(3, "status code", f"status.{code}")
    line.skip(b" ")
    line.to(end, "reason phrase", "part.reason-phrase")
    line.line_end()
    return code


def field(cutter: Cutter) -> tuple[str, str]:
    """One field line. Its name in small letters, and its value."""
    end = cutter.line()
    text = cutter.octets[cutter.position:end]
    name = text.partition(b":")[0].decode("latin-1").strip().lower()
    value = text.partition(b":")[2].decode("latin-1").strip()
    key = f"header.{name}"
    with cutter.within(after_line(cutter), "field", key) as line:
        if b":" in text:
            line.until(b":", "field name", key)
            line.take(1, "colon", "part.colon")
            line.skip(b" \t")
            last = len(line.octets[line.position:end].rstrip(b" \t"))
            field_value(line, line.position + last, name, key)
            line.skip(b" \t")
        line.to(end, "text", "lines:part.text")
        line.line_end()
    return name, value


def content(cutter: Cutter, fields: dict[str, str]) -> None:
    """What follows the head: chunks and their trailers, or octets of the type that the head says."""
    kind = fields.get("content-type", "")
    if fields.get("transfer-encoding", "").lower().endswith("chunked"):
        chunks(cutter, kind)
    content_of(cutter, cutter.end, kind, fields.get("content-encoding", ""))


def chunks(cutter: Cutter, kind: str) -> None:
    while cutter.left and (size := CHUNK.match(cutter.peek(16))):
        length = int(size[0], 16)
        first = len(cutter.spans)
        with cutter.within(after_line(cutter), "chunk header", "part.chunk-header", f"{length} octets") as line:
            end = line.line()
            line.take(len(size[0]), "chunk size", "part.chunk-size", f"{length} octets")
            line.to(end, "chunk extension", "part.chunk-extension")
            line.line_end()
        if not length:
            while cutter.left and cutter.peek(2) != b"\r\n" and cutter.peek(1) != b"\n":
                field(cutter)
            cutter.line_end("empty line")
            cutter.nest(first, "last chunk", "part.last-chunk")
            return
        cutter.take(length, "content", "part.content", kind)
        cutter.line_end()
        cutter.nest(first, "chunk", "part.chunk")
