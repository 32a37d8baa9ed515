"""Request heads: from octets to a `Head`, by h11, with the framing rules of RFC 9112 §6 that decide what a body is.

Most requests on a connection are the one before it again. A head without a body that h11 has accepted once is
remembered by its octets, so the same octets need no second reading: they cannot mean anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import h11

from sandbox.protocols.http.errors import Refused
from sandbox.protocols.http.facts import facts_of
from sandbox.protocols.http.messages import Headers
from sandbox.protocols.http.scanner import TOKEN, short
from sandbox.protocols.http.target import Target, parse_authority, parse_target

__all__ = ["Head", "HeadCache", "expectation", "parse_head"]

CHUNKED = -1
LENGTH_DIGITS = 20
"""Digits of a Content-Length: h11 reads no more of them either."""
REGISTERED_CODINGS = ("compress", "deflate", "gzip", "x-compress", "x-gzip")


@dataclass(frozen=True, slots=True)
class Head:
    """A request head, understood.

    length: of the body in octets, 0 for none, -1 for chunked; persistent: whether the client wants to keep the
    connection; selective: whether a field may change which representation, or which part of it, is sent; facts: for
    the journal, shared by all requests that have this head.
    """

    method: str
    target: str
    form: str
    version: str
    scheme: str
    host: str
    port: int
    path: str
    query: str
    asked: str
    headers: Headers
    length: int
    persistent: bool
    expect: str
    selective: bool
    facts: Mapping[str, str]


class HeadCache:
    """Heads by their octets. Bounded: full, it starts afresh, which costs one reading for each head in use."""

    COUNT = 1024
    SIZE = 2048
    """Octets of the longest head kept."""

    def __init__(self) -> None:
        self._heads: dict[bytes, Head] = {}
        self.get = self._heads.get

    def keep(self, raw: bytes, head: Head) -> None:
        """Only a head that stands for itself: nothing follows it and nothing is expected."""
        if head.length == 0 and not head.expect and head.method in ("GET", "HEAD") and len(raw) <= self.SIZE:
            if len(self._heads) >= self.COUNT:
                self._heads.clear()
            self._heads[raw] = head


SELECTIVE = {"accept-encoding", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
             "range"}


def parse_head(raw: bytes) -> Head:
    """A whole head, as `scanner.Scanner` found it, without empty lines before it. Raises Refused."""
    names: dict[str, list[str]] = {}
    for line in raw[:-4].split(b"\r\n")[1:]:
        name, _, text = line.partition(b":")
        names.setdefault(name.decode("ascii").lower(), []).append(text.strip(b" \t").decode("latin-1"))
    version = raw[raw.index(b"\r\n") - 3:raw.index(b"\r\n")].decode("ascii")
    length = body_length(names, version)
    hosts = names.get("host", [])
    check_hosts(hosts, version)

    event = read_with_h11(raw)
    method = event.method.decode("ascii")
    target = parse_target(method, event.target.decode("ascii"))
    host, port = authority(target, hosts)
    headers = fields(event, target, hosts)
    options = {option.strip().lower() for value in names.get("connection", []) for option in value.split(",")}
    return Head(
        method=method, target=event.target.decode("ascii"), form=target.form, version=version, scheme=target.scheme,
        host=host, port=port, path=target.path, query=target.query,
        asked=asked(target, host, port), length=length,
        headers=headers,
        persistent="close" not in options and (version != "1.0" or "keep-alive" in options),
        # A server MUST ignore an expectation of 100-continue in HTTP/1.0 (RFC 9110 §10.1.1).
        expect=expectation(names.get("expect", [])) if version != "1.0" else "",
        selective=not SELECTIVE.isdisjoint(names),
        facts=facts_of(host, target.path, target.query, headers),
    )


def fields(event: h11.Request, target: Target, hosts: list[str]) -> Headers:
    """The header fields as they came. Beside the absolute form Host MUST be ignored, and whoever gets the request
    next MUST hear the target's host instead (RFC 9112 §3.2.2)."""
    found = Headers([(name.decode("ascii"), value.decode("latin-1")) for name, value in event.headers.raw_items()])
    if target.form == "absolute" and not (hosts and parse_authority(hosts[0]) == (target.host, target.port)):
        written = f"[{target.host}]" if ":" in target.host else target.host
        found.set("Host", f"{written}:{target.port}" if target.port else written)
    return found


def read_with_h11(raw: bytes) -> h11.Request:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=len(raw) + 1)
    connection.receive_data(raw)
    try:
        event = connection.next_event()
    except h11.RemoteProtocolError as error:
        raise Refused(error.error_status_hint, f"This request head is not valid HTTP: {error} (RFC 9112).",
                      "situation.field") from None
    if not isinstance(event, h11.Request):
        raise Refused(400, "This request head is not complete (RFC 9112 §2).", "situation.field")
    return event


def body_length(names: dict[str, list[str]], version: str) -> int:
    """How long the body is (RFC 9112 §6.3), when there is one answer to that. Raises Refused."""
    lengths = names.get("content-length", [])
    codings = names.get("transfer-encoding")
    if codings is not None:
        if lengths:
            raise smuggling("Both Content-Length and Transfer-Encoding: one program would believe the one and "
                            "another the other (RFC 9112 §6.1)")
        if version == "1.0":
            raise smuggling("Transfer-Encoding does not exist in HTTP/1.0 (RFC 9112 §6.1)")
        return check_codings(codings)
    if not lengths:
        return 0
    if len(lengths) > 1 or "," in lengths[0]:
        raise smuggling("More than one Content-Length: nobody can say which one counts (RFC 9112 §6.3)")
    digits = lengths[0]
    if not (digits.isascii() and digits.isdigit()):
        raise smuggling(f"Content-Length is a plain number of octets, not {short(digits.encode('latin-1'))} "
                        "(RFC 9110 §8.6)")
    if len(digits) > LENGTH_DIGITS:
        raise Refused(413, f"A Content-Length of {len(digits)} digits is a number, and more than anybody takes "
                      "(RFC 9110 §8.6, §15.5.14).", "situation.length-too-large")
    return int(digits)


def check_codings(values: list[str]) -> int:
    members = [member.strip(" \t").lower() for value in values for member in value.split(",")]
    if any(not member or member.encode("latin-1").translate(None, TOKEN) for member in members):
        raise smuggling("Transfer-Encoding is spelled in a way programs read differently; it is chunked, and "
                        "nothing else (RFC 9112 §6.1)")
    if members.count("chunked") > 1:
        raise smuggling("A body is chunked once (RFC 9112 §6.1)")
    if members[-1] != "chunked":
        raise smuggling("Transfer-Encoding does not end in chunked, so nobody can tell where the body ends "
                        "(RFC 9112 §6.3)")
    if len(members) > 1:
        if all(member in REGISTERED_CODINGS for member in members[:-1]):
            raise Refused(501, f"The transfer coding {members[0]} is not spoken here, only chunked (RFC 9112 §6.1).",
                          "situation.transfer-coding")
        raise Refused(501, "There is an unknown transfer coding; only chunked is spoken here (RFC 9112 §6.1).",
                      "situation.transfer-coding")
    return CHUNKED


def check_hosts(hosts: list[str], version: str) -> None:
    """RFC 9112 §3.2: a server MUST answer 400 to no Host, to more than one, and to an invalid one."""
    if not hosts and version != "1.0":
        raise Refused(400, "HTTP/1.1 needs a Host field, as Host: www.example.com: many sites share one address, "
                      "and it says which one is meant (RFC 9112 §3.2).", "situation.no-host")
    if len(hosts) > 1:
        raise Refused(400, "More than one Host field: which site is meant? (RFC 9112 §3.2)", "situation.smuggling")
    if hosts:
        try:
            parse_authority(hosts[0])
        except ValueError as error:
            raise Refused(400, f"The Host field (RFC 9112 §3.2) is not a host: {error}.", "situation.host") from None


def expectation(values: list[str]) -> str:
    """The members of Expect, in lower case, without the empty ones (RFC 9110 §5.6.1.2, §10.1.1)."""
    return ", ".join(member.lower() for value in values for part in value.split(",") if (member := part.strip(" \t")))


def authority(target: Target, hosts: list[str]) -> tuple[str, int]:
    """The target's own host wins over the Host field (RFC 9112 §3.2.2)."""
    if target.host:
        return target.host, target.port
    return parse_authority(hosts[0]) if hosts else ("", 0)


def asked(target: Target, host: str, port: int) -> str:
    """The object of the exchange, as a person would write it."""
    if target.form == "authority":
        return f"{host}:{port}"
    if target.form == "asterisk":
        return "*"
    written = f"[{host}]" if ":" in host else host
    return f"{written}{target.path}?{target.query}" if target.query else written + target.path


def smuggling(sentence: str) -> Refused:
    return Refused(400, sentence + ".",
                   "situation.smuggling")
