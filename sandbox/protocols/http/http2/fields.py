"""Fields between HTTP/2's form and the one sites know (RFC 9113 §8). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hpack import Decoder, HeaderTuple

from sandbox.protocols.http.dates import now
from sandbox.protocols.http.facts import facts_of
from sandbox.protocols.http.heads import SELECTIVE, asked, expectation
from sandbox.protocols.http.messages import Headers, HttpError, Response
from sandbox.protocols.http.target import Target, parse_authority, parse_target
from sandbox.protocols.http.writer import OURS, Written

__all__ = ["Asked", "Unpacker", "read_fields", "read_trailers", "write_fields", "write_trailers"]

NOT_HERE = OURS | {"upgrade"}
"""Fields of one HTTP/1.1 connection, which HTTP/2 must not carry (RFC 9113 §8.2.2)."""

OVERHEAD = 32
"""What each field counts beside its octets (RFC 9113 §10.5.1)."""


class Unpacker(Decoder):
    """HPACK, with blanks around a value dropped, as in HTTP/1.1 (RFC 9112 §5).

    RFC 9113 §8.2.1 calls a request with such blanks malformed, but Evolution's User-Agent ends with a space, and it
    asks for its mail settings so. What is left can be read in one way only.
    """

    def decode(self, data: bytes, raw: bool = False) -> list[HeaderTuple]:
        return [type(field)(field[0], field[1].strip(b" \t")) if not field[0].startswith(b":") else field
                for field in super().decode(data, raw)]


class Asked(NamedTuple):
    """A request's fields, understood. problem: the error to answer with, None where all is well."""

    method: str
    host: str
    port: int
    target: Target
    headers: Headers
    text: str
    expect: str
    selective: bool
    facts: Mapping[str, str]
    problem: HttpError | None = None


def read_fields(fields: list[tuple[bytes, bytes]], limit: int) -> Asked:
    """The field section of a request, which h2 has checked for form. limit: octets of one. Never raises.

    The target is text, one character an octet, as in HTTP/1.1.
    """
    pseudo: dict[str, str] = {}
    lines: list[tuple[str, str]] = []
    crumbs: list[str] = []
    for raw_name, raw_value in fields:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name.startswith(":"):
            pseudo[name[1:]] = value
        elif name == "cookie":
            crumbs.append(value)
        else:
            lines.append((name, value))
    if crumbs:
        lines.append(("cookie", "; ".join(crumbs)))          # §8.2.3: split only for compression
    headers = Headers(lines)
    method, path = pseudo.get("method", ""), pseudo.get("path", "")
    authority = pseudo.get("authority", headers.get("host"))
    target, host, port, problem = NOWHERE, "", 0, None
    try:
        if method == "CONNECT":
            raise HttpError(501, "CONNECT is taken over HTTP/1.1 here (RFC 9113 §8.5 is optional); ask again without "
                            "HTTP/2.")
        host, port = parse_authority(authority)
        if not path.startswith("/") and path != "*":
            raise HttpError(400, ":path begins with a slash (RFC 9113 §8.3.1).")
        target = parse_target(method, path)
        if sum(len(name) + len(value) + OVERHEAD for name, value in fields) > limit:
            raise HttpError(431, f"The header fields are longer than the {limit} octets taken here (RFC 6585 §5).")
    except ValueError as error:
        problem = HttpError(400, f":authority (RFC 9113 §8.3.1) is not a host: {error}.")
    except HttpError as error:
        problem = error
    if "host" not in headers and authority:
        # What HTTP/1.1 calls Host; sites that show or check the fields find it where it always is.
        headers = Headers([("host", authority), *lines])
    text = asked(target, host, port) if target is not NOWHERE else authority
    return Asked(method, host, port, target, headers, text, expectation(headers.get_all("expect")),
                 any(name in SELECTIVE for name, _ in lines), facts_of(host, target.path, target.query, headers),
                 problem)


NOWHERE = Target("origin", "", "", 0, "/", "")


def read_trailers(fields: list[tuple[bytes, bytes]]) -> Headers:
    return Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields])


def write_fields(response: Response, written: Written, length: int) -> list[tuple[str, str]]:
    """The field section of a response. written: its fields, checked; length: of the body, -1 where nobody says."""
    fields = [(":status", str(response.status))]
    if "date" not in written.names:
        fields += [("date", now().decode("ascii")), ("server", "sandbox")]
    fields += write_trailers(response.headers)
    if length >= 0:
        fields.append(("content-length", str(length)))
    return fields


def write_trailers(headers: Headers) -> list[tuple[str, str]]:
    """Names in small letters (RFC 9113 §8.2.1), without what belongs to an HTTP/1.1 connection."""
    return [(lower, value.strip(" \t")) for name, value in headers if (lower := name.lower()) not in NOT_HERE]
