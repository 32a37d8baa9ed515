"""What every protocol's dissector keeps to: the parts of any octets cover them, in order and nested, it never raises,
and what a part says of itself is in the knowledge."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.explain import lookup
from sandbox.protocols.contract.registry import PROTOCOLS
from sandbox.protocols.contract.spans import About, Span, dissect, dissector_of, whole

NAMES = [protocol.name for protocol in PROTOCOLS if dissector_of(protocol.name) is not None]

DIALOGUES: dict[str, list[tuple[About, bytes]]] = {
    "http": [
        (About(client=True, verb="POST"),
         b"POST http://example.com/a?b=1&c HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"5;x=y\r\nhello\r\n0\r\nTrailer: 1\r\n\r\n"),
        (About(client=False), b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhi"),
    ],
    "dns": [(About(client=True, transport="udp"), bytes.fromhex(
        "123401000001000000000001037777770765786d61706c6503636f6d0000010001"
        "0000291000000000000004000a0000"))],
    "smtp": [
        (About(client=True, verb="MAIL"), b"MAIL FROM:<a@example.org> SIZE=10\r\n"),
        (About(client=True, verb="AUTH"), b"AUTH PLAIN AGEAYg==\r\n"),
        (About(client=False, verb="EHLO"), b"250-mail.example.com\r\n250 2.1.0 Fine\r\n"),
        (About(client=True, verb="message"), b"Subject: Hi\r\n there\r\n\r\nBody\r\n.\r\n"),
    ],
    "pop3": [
        (About(client=True, verb="USER"), b"USER alice\r\n"),
        (About(client=False, verb="RETR"), b"+OK 20 octets\r\nSubject: Hi\r\n\r\nBody\r\n.\r\n"),
        (About(client=False, verb="LIST"), b"+OK\r\n1 120\r\n2 90\r\n.\r\n"),
    ],
    "ftp": [
        (About(client=True, verb="RETR"), b"RETR a.txt\r\n"),
        (About(client=False), b"227 Entering Passive Mode (127,0,0,1,4,1)\r\n229 Fine (|||1025|)\r\n"
                              b"211-Features\r\n x\r\n211 End\r\n"),
        (About(client=False, service="ftp-data"), b"octets of a file"),
    ],
    "tcp": [(About(client=False, service="time"), bytes(4)), (About(client=True, service="echo"), b"hello")],
}


def walk(spans: tuple[Span, ...]) -> Iterator[Span]:
    for span in spans:
        yield span
        yield from walk(span.children)


def check(spans: tuple[Span, ...], start: int, end: int) -> None:
    at = start
    for span in spans:
        assert span.start == at < span.end <= end, f"{span} does not begin at {at}"
        if span.children:
            check(span.children, span.start, span.end)
        at = span.end
    assert at == end


abouts = st.builds(About, client=st.booleans(), transport=st.sampled_from(["tcp", "udp"]),
                   verb=st.sampled_from(["", "GET", "message", "AUTH", "RETR", "A", "FETCH"]),
                   service=st.sampled_from(["", "ftp-data", "time", "smtp"]))
PIECES = [b"\r\n", b"\n", b" ", b":", b"HTTP/1.1 ", b"GET ", b"250-", b"+OK ", b".\r\n",
          b"Transfer-Encoding: chunked\r\n", b"ffff\r\n", b"\xc0\x0c", b"\0\x01", b"{10}", b"(", b")", b'"']
octets_like = st.lists(st.one_of(st.binary(max_size=20), st.sampled_from(PIECES)), max_size=30).map(b"".join)


@pytest.mark.parametrize("protocol", NAMES)
@given(octets=octets_like, about=abouts)
def test_parts_cover_any_octets(protocol: str, octets: bytes, about: About) -> None:
    check(dissect(protocol, octets, about), 0, len(octets))


@pytest.mark.parametrize("protocol", NAMES)
@given(octets=octets_like, about=abouts)
def test_a_dissector_raises_for_nothing(protocol: str, octets: bytes, about: About) -> None:
    dissector = dissector_of(protocol)
    assert dissector is not None
    dissector(octets, about)


@pytest.mark.parametrize("protocol", NAMES)
def test_every_cut_of_a_dialogue_is_covered(protocol: str) -> None:
    for about, octets in DIALOGUES[protocol]:
        for end in range(len(octets) + 1):
            check(dissect(protocol, octets[:end], about), 0, end)


@pytest.mark.parametrize("protocol", NAMES)
def test_every_part_of_a_dialogue_is_explained(protocol: str) -> None:
    for about, octets in DIALOGUES[protocol]:
        for span in walk(dissect(protocol, octets, about)):
            other, colon, own = span.key.rpartition(":")
            kind, _, term = own.partition(".")
            if span.key:
                assert lookup(other if colon else protocol, kind, term), f"{span.name} has no entry {span.key}"


def test_gaps_are_named_and_what_does_not_fit_is_left_out() -> None:
    odd = (Span(2, 4, "one"), Span(3, 6, "over"), Span(6, 9, "outside"),
           Span(4, 5, "two", children=(Span(0, 9, "wide"),)))
    assert [(span.start, span.end, span.name) for span in whole(odd, 0, 8)] == [
        (0, 2, "octets"), (2, 4, "one"), (4, 5, "two"), (5, 8, "octets")]
