"""What every protocol's dissector keeps to: the parts of any octets cover them, in order and nested, it never raises,
and what a part says of itself is in the knowledge."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.dashboard.spans import explained
from sandbox.protocols.contract.registry import PROTOCOLS
from sandbox.protocols.contract.spans import MOST, About, Cutter, Span, dissect, dissector_of, whole
from sandbox.protocols.http.http2.frames import PREFACE
from tests.support.dissecting import DIALOGUES, H2_ASKED, H2_CUT, check, walk

NAMES = [protocol.name for protocol in PROTOCOLS if dissector_of(protocol.name) is not None] + ["tls"]

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
@settings(deadline=None)  # the first of a protocol imports it
@given(octets=octets_like, about=abouts)
def test_parts_cover_any_octets(protocol: str, octets: bytes, about: About) -> None:
    check(dissect(protocol, octets, about), 0, len(octets))


@pytest.mark.parametrize("protocol", NAMES)
@settings(deadline=None)  # the first of a protocol imports it
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


def values_of(protocol: str) -> set[tuple[str, str]]:
    return {found for number in range(len(DIALOGUES[protocol])) for found in said(protocol, number)}


def test_logins_and_data_connections_say_what_they_mean() -> None:
    assert {("initial response", "a b"), ("challenge", "Username:")} <= values_of("smtp")
    assert {("response", "a b"), ("size", ""), ("unique id", ""), ("capability", "")} <= values_of("pop3")
    assert {("port", "4 x 256 + 1 = 1025"), ("address family", "IPv6"), ("permissions", ""), ("fact name", ""),
            ("password", "")} <= values_of("ftp")


def test_a_tls_handshake_says_what_was_offered_chosen_and_shown() -> None:
    asked, answered, asked_13, answered_13 = (said("tls", number) for number in range(4))
    assert {("host name", "www.example.com"), ("protocol", "h2"), ("protocol", "http/1.1"), ("group", "x25519"),
            ("cipher suite", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"), ("encrypted octets", "")} <= asked
    assert {("subject", "organization Tests, common name www.example.com"), ("name", "127.0.0.1"),
            ("serial number", "12:67"), ("name", "www.example.com"), ("key usage", "digital signature"),
            ("not before", "2026-01-01 00:00:00 UTC"),
            ("not after", "2080-10-04 00:00:00 UTC"), ("extended key usage", "server authentication"),
            ("key algorithm", "id-ecPublicKey, secp256r1"), ("basic constraints", "no authority")} <= answered
    assert {("version", "TLS 1.3"), ("key exchange mode", "psk_dhe_ke")} <= asked_13
    assert {("version", "TLS 1.3"), ("key share entry", "x25519")} <= answered_13
    assert ("subject", "organization Tests, common name www.example.com") not in answered_13, "it crosses encrypted"
    assert {("alert", "handshake_failure"), ("alert level", "fatal")} <= said("tls", 5)


def test_a_syn_is_told_to_the_bit() -> None:
    assert {("version, header length", "IPv4, 20 octets"), ("control bits", "SYN"), ("source address", "127.0.0.1"),
            ("time to live", "64 hops"), ("segment size", "65495 octets"), ("shift", "window times 128"),
            ("destination port", "8080")} <= said("tcp", 0)
    assert ("source address", "::1") in said("tcp", 1)


def test_ssh_is_readable_until_its_keys() -> None:
    found = said("sftp", 0)
    assert {("software", "OpenSSH_9.2 Debian"), ("message", "KEXINIT"), ("message", "NEWKEYS")} <= found
    assert ("encrypted octets", "") in found


def test_a_dissector_that_goes_round_in_a_circle_is_stopped() -> None:
    cutter = Cutter(b"abc", end=2)

    def wrong() -> None:
        while cutter.position < 3:
            cutter.take(1, "letter")

    with pytest.raises(RuntimeError, match="circle"):
        wrong()
    assert cutter.position == 2


@pytest.mark.parametrize("protocol", NAMES)
def test_what_is_long_is_not_taken_apart_without_end(protocol: str) -> None:
    """A million octets of any dialogue make a bounded number of parts, and so take a bounded time."""
    for about, octets in DIALOGUES[protocol]:
        long = octets * (1_000_000 // len(octets))
        found = dissect(protocol, long, about)
        check(found, 0, len(long))
        assert sum(1 for _ in walk(found)) < 4 * MOST


def test_gaps_are_named_and_what_does_not_fit_is_left_out() -> None:
    odd = (Span(2, 4, "one"), Span(3, 6, "over"), Span(6, 9, "outside"),
           Span(4, 5, "two", children=(Span(0, 9, "wide"),)))
    assert [(span.start, span.end, span.name) for span in whole(odd, 0, 8)] == [
        (0, 2, "octets"), (2, 4, "one"), (4, 5, "two"), (5, 8, "octets")]
