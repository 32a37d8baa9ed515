"""HTTP exchanges as a HAR 1.2 archive, which browsers' developer tools open. Times that nobody knows are -1."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import IO, Any, NamedTuple
from urllib.parse import parse_qsl

from sandbox.journal.reader import Reader
from sandbox.journal.records import Exchange, Session, Stream
from sandbox.protocols.contract.spans import About, Span, dissect

__all__ = ["write"]

Pairs = list[dict[str, str]]

MOST = 16_777_216
"""Octets of one body that are unpacked."""


class Message(NamedTuple):
    """One side of an exchange: its fields in order, its content as it was sent, the first line's reason phrase, and
    the octets of its head."""

    fields: list[tuple[str, str]]
    content: bytes
    reason: str
    head: int

    def get(self, name: str) -> str:
        return next((value for key, value in self.fields if key.lower() == name), "")


def write(file: IO[str], reader: Reader, pairs: Iterable[tuple[Session, Exchange]], version: str) -> int:
    """Write the HTTP exchanges among these. version: of the sandbox. Gives how many there were."""
    head = json.dumps({"version": "1.2", "creator": {"name": "sandbox", "version": version}, "pages": []})
    file.write(f'{{"log":{head[:-1]}, "entries":[')
    count = 0
    for session, exchange in pairs:
        if session.protocol != "http" or "path" not in exchange.facts:
            continue
        file.write(",\n" if count else "\n")
        json.dump(entry(reader, session, exchange), file)
        count += 1
    file.write("\n]}}\n")
    return count


def entry(reader: Reader, session: Session, exchange: Exchange) -> dict[str, Any]:
    asked, answered = (message(reader, session, exchange, stream) for stream in (Stream.CLIENT, Stream.SERVER))
    wait = round((exchange.ended - exchange.started) * 1000, 3)
    left = round((exchange.sent - exchange.ended) * 1000, 3) if exchange.sent > exchange.ended else -1
    return {
        "startedDateTime": datetime.fromtimestamp(exchange.started, UTC).isoformat(timespec="milliseconds"),
        "time": wait + max(left, 0),
        "request": request(exchange, session, asked),
        "response": response(exchange, answered),
        "cache": {},
        # Both ends are on this machine: how long the request took to be sent nobody knows.
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": wait,
                    "receive": max(left, 0)},
        "serverIPAddress": session.server.host, "connection": str(session.id),
        "_sandbox": {"exchange": exchange.id, "session": session.id, "facts": exchange.facts},
        **websocket(reader, session, exchange),
    }


def request(exchange: Exchange, session: Session, asked: Message) -> dict[str, Any]:
    facts = exchange.facts
    query = facts.get("query", "")
    scheme = "https" if "encrypted" in facts else "http"
    # What stood behind the host is no fact; a proxy's client means the scheme's own port.
    usual = "proxied" in facts or session.server.port in (80, 443)
    place = f"{facts.get('host') or session.server.host}{'' if usual else f':{session.server.port}'}"
    found: dict[str, Any] = {
        "method": exchange.verb, "httpVersion": version(facts),
        "url": f"{scheme}://{place}{facts['path']}{f'?{query}' if query else ''}",
        "headers": named(asked.fields), "cookies": cookies(asked.get("cookie")),
        "queryString": [{"name": name, "value": value} for name, value in parse_qsl(query, keep_blank_values=True)],
        "headersSize": asked.head or -1, "bodySize": len(asked.content),
    }
    if asked.content:
        kind = asked.get("content-type")
        form = kind.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"
        text = asked.content.decode("utf-8", "replace")
        found["postData"] = {"mimeType": kind, "text": text,
                             "params": named(parse_qsl(text, keep_blank_values=True)) if form else []}
    return found


def response(exchange: Exchange, answered: Message) -> dict[str, Any]:
    status = int(exchange.outcome) if exchange.outcome.isdecimal() else 0
    body = unpacked(answered.content, answered.get("content-encoding"))
    content: dict[str, Any] = {"size": len(body), "mimeType": answered.get("content-type") or "x-unknown",
                               "compression": len(body) - len(answered.content)}
    try:
        content["text"] = body.decode()
    except UnicodeDecodeError:
        content |= {"text": base64.b64encode(body).decode(), "encoding": "base64"}
    return {"status": status, "statusText": answered.reason, "httpVersion": version(exchange.facts),
            "headers": named(answered.fields), "cookies": [cookie for value in answered.fields
                                                           if value[0].lower() == "set-cookie"
                                                           for cookie in cookies(value[1].partition(";")[0])],
            "content": content, "redirectURL": answered.get("location"), "headersSize": answered.head or -1,
            "bodySize": len(answered.content)}


def version(facts: dict[str, str]) -> str:
    return "HTTP/2" if "stream" in facts else "HTTP/1.1"


def message(reader: Reader, session: Session, exchange: Exchange, stream: Stream) -> Message:
    """What one side said, from its dissection."""
    start, end = exchange.client if stream is Stream.CLIENT else exchange.server
    octets = reader.octets(session.id, stream, start, end)
    spans = dissect("http", octets, told(reader, session, exchange, stream))
    fields = list(fields_of(spans, octets))
    body = b"".join(octets[span.start:span.end] for span in walk(spans) if span.name == "content")
    reason = next((octets[span.start:span.end].decode("latin-1") for span in walk(spans)
                   if span.name == "reason phrase"), "")
    head = next((span.start for span in walk(spans) if span.name in ("content", "chunk")), len(octets))
    return Message(fields, body, reason, head)


def told(reader: Reader, session: Session, exchange: Exchange, stream: Stream) -> About:
    """What a dissector is told of one side."""
    start = (exchange.client if stream is Stream.CLIENT else exchange.server)[0]
    return About(stream is Stream.CLIENT, exchange.verb, exchange.asked, exchange.outcome, session.service,
                 session.transport, exchange.facts, start,
                 lambda count: reader.octets(session.id, stream, 0, min(count, start)))


def walk(spans: tuple[Span, ...]) -> Iterator[Span]:
    """Every span; of a content not its parts."""
    for span in spans:
        yield span
        if span.name != "content":
            yield from walk(span.children)


def fields_of(spans: tuple[Span, ...], octets: bytes) -> Iterator[tuple[str, str]]:
    """Names and values: as they stand in HTTP/1.1, as HPACK unpacked them in HTTP/2."""
    for span in walk(spans):
        if span.name != "field":
            continue
        names = [child for child in span.children if child.name == "field name"]
        values = [child for child in span.children if child.name == "field value"]
        if span.value:
            name, _, rest = span.value.rpartition(" (")[0].partition(": ")
            yield name, rest
        elif names:
            yield (octets[names[0].start:names[0].end].decode("latin-1"),
                   octets[values[0].start:values[0].end].decode("latin-1") if values else "")


def named(pairs: Iterable[tuple[str, str]]) -> Pairs:
    return [{"name": name, "value": value} for name, value in pairs]


def cookies(value: str) -> Pairs:
    return named((name.strip(), text.strip()) for name, found, text in
                 (part.partition("=") for part in value.split(";")) if found)


def unpacked(body: bytes, coding: str) -> bytes:
    """The content without gzip or deflate; as it is where it cannot be unpacked."""
    if coding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    for window in (47, -15):
        try:
            return zlib.decompressobj(window).decompress(body, MOST)
        except zlib.error:
            continue
    return body


def websocket(reader: Reader, session: Session, exchange: Exchange) -> dict[str, Any]:
    """The messages of a WebSocket as browsers write them into their archives."""
    if exchange.outcome != "101":
        return {}
    messages = []
    for other in reader.exchanges_of(session.id):
        if other.id == exchange.id or other.started < exchange.started:
            continue
        for stream, kind in ((Stream.CLIENT, "send"), (Stream.SERVER, "receive")):
            place = other.client if stream is Stream.CLIENT else other.server
            octets = reader.octets(session.id, stream, *place)
            about = told(reader, session, other, stream)
            messages += [{"type": kind, "time": other.started, "opcode": 1, "data": span.value}
                         for span in walk(dissect("http", octets, about)) if span.key.endswith("ws-payload")]
    return {"_resourceType": "websocket", "_webSocketMessages": messages}
