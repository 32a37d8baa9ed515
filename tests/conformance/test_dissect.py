"""What every protocol's dissector keeps to: the parts of any octets cover them, in order and nested, it never raises,
and what a part says of itself is in the knowledge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.dashboard.spans import explained
from sandbox.protocols.contract.registry import PROTOCOLS
from sandbox.protocols.contract.spans import About, Span, dissect, dissector_of, whole
from sandbox.protocols.http.http2.frames import PREFACE
from tests.support.dissecting import DIALOGUES, H2_ASKED, H2_CUT, check, walk

NAMES = [protocol.name for protocol in PROTOCOLS if dissector_of(protocol.name) is not None]

abouts = st.builds(About, client=st.booleans(), transport=st.sampled_from(["tcp", "udp"]),
                   verb=st.sampled_from(["", "GET", "message", "AUTH", "RETR", "A", "FETCH", "TEXT", "PREFACE"]),
                   service=st.sampled_from(["", "ftp-data", "time", "smtp"]))
PIECES = [b"\r\n", b"\n", b" ", b":", b"HTTP/1.1 ", b"GET ", b"250-", b"+OK ", b".\r\n",
          b"Transfer-Encoding: chunked\r\n", b"ffff\r\n", b"\xc0\x0c", b"\0\x01", b"{10}", b"(", b")", b'"', PREFACE,
          bytes.fromhex("000004010400000001"), bytes.fromhex("000006040000000000"), b"\xc1\x05",
          b"Content-Type: multipart/x; boundary=b\r\n", b"--b", b"=?utf-8?q?", b"* 1 FETCH (",
          b"BODYSTRUCTURE (", b"a FETCH 1 BODY[", b"Received: from a by b; c"]
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
        step = len(octets) // 1000 + 1
        for end in (*range(0, len(octets), step), len(octets)):
            check(dissect(protocol, octets[:end], about), 0, end)


@pytest.mark.parametrize("protocol", NAMES)
def test_every_part_of_a_dialogue_is_explained(protocol: str) -> None:
    for about, octets in DIALOGUES[protocol]:
        for span in walk(dissect(protocol, octets, about)):
            what = f"{span.name} {octets[span.start:span.end]!r}"
            assert explained(protocol, span.key)[1], f"{what}: no entry {span.key!r}"
            assert span.name != "octets", f"{what} has no name"


def test_a_message_says_what_its_parts_say() -> None:
    about, octets = DIALOGUES["smtp"][-1]
    found = {(span.name, span.value) for span in walk(dissect("smtp", octets, about)) if span.value}
    assert {("body", "Hello"), ("part", "part 1: text/plain"), ("display name", "J\u00fc"), ("body", "2 parts"),
            ("parameter value", "X Y")} <= found
    names = {span.name: octets[span.start:span.end] for span in walk(dissect("smtp", octets, about))}
    assert names["by value"] == b"b.example"
    assert names["closing delimiter"] == b"--X Y--"
    assert names["epilogue"] == b"after\r\n"


def said(protocol: str, number: int) -> set[tuple[str, str]]:
    """The names and values of one dialogue's parts."""
    about, octets = DIALOGUES[protocol][number]
    return {(span.name, span.value) for span in walk(dissect(protocol, octets, about))}


def test_an_http_message_says_what_its_values_mean() -> None:
    assert {("credentials", "alice:wonderland"), ("path", "/a b"), ("value", "A b"), ("value", "2"),
            ("parameter value", "b.png"), ("part", "part 1: image/png")} <= said("http", 1)
    assert ("content", "gzip: hello") in said("http", 3)


def test_http2_fields_are_unpacked_by_what_was_said_before() -> None:
    found = said("http", 5)
    assert ("field", ":authority: www.example.com (from the table)") in found
    assert any(name == "piece of the fields" and "x-new: abc; authorization" in value for name, value in found)
    assert {("debug data", ""), ("increment", "1000 octets"), ("error code", "NO_ERROR")} <= found
    far = About(client=True, start=2_000_000, before=lambda count: H2_ASKED[:count])
    names = {span.name for span in walk(dissect("http", H2_ASKED[H2_CUT:], far))}
    assert "packed fields" in names, "what the fields were packed against is too far back"
    assert "field" not in names


def test_websocket_payloads_are_unmasked_and_unpacked() -> None:
    assert ("payload", "Hello") in said("http", 7)
    assert ("payload", "hello hello") in said("http", 8)
    assert ("payload", "hello hello") in said("http", 9)


def test_gaps_are_named_and_what_does_not_fit_is_left_out() -> None:
    odd = (Span(2, 4, "one"), Span(3, 6, "over"), Span(6, 9, "outside"),
           Span(4, 5, "two", children=(Span(0, 9, "wide"),)))
    assert [(span.start, span.end, span.name) for span in whole(odd, 0, 8)] == [
        (0, 2, "octets"), (2, 4, "one"), (4, 5, "two"), (5, 8, "octets")]
