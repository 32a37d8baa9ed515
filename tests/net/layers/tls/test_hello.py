"""Hellos read from bytes: a browser's by table, any by property, garbage with one error."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.net.layers.tls import names
from sandbox.net.layers.tls.contexts import Contexts, Site
from sandbox.net.layers.tls.fingerprints import ja3, ja3_text, ja4
from sandbox.net.layers.tls.handshake import HandshakeFacts, describe
from sandbox.net.layers.tls.hello import (
    ClientHello,
    HelloReader,
    parse_client_hello,
    parse_server_hello,
    parse_sslv2_hello,
)
from sandbox.net.layers.tls.wire import Malformed, Records


def u16(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(2) for number in numbers)


def vector(size: int, data: bytes) -> bytes:
    return len(data).to_bytes(size) + data


def extension(kind: int, data: bytes = b"") -> bytes:
    return u16(kind) + vector(2, data)


def client_hello(suites: list[int], extensions: list[bytes], version: int = 0x0303) -> bytes:
    return (u16(version) + bytes(range(32)) + vector(1, b"s" * 32) + vector(2, u16(*suites)) + b"\x01\x00"
            + vector(2, b"".join(extensions)))


def records(body: bytes, fragment: int = 1 << 14, kind: int = 1) -> bytes:
    """A handshake message in records of at most `fragment` bytes."""
    message = bytes([kind]) + vector(3, body)
    return b"".join(b"\x16\x03\x01" + vector(2, message[at:at + fragment])
                    for at in range(0, len(message), fragment))


SCHEMES = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]

CHROME = client_hello(
    [0x4A4A, 4865, 4866, 4867, 49195, 49199, 49196, 49200, 52393, 52392, 49171, 49172, 156, 157, 47, 53],
    [extension(0x3A3A),
     extension(45, b"\x01\x01"),
     extension(51, vector(2, u16(0x6A6A) + vector(2, b"\0") + u16(4588) + vector(2, b"k" * 1216))),
     extension(16, vector(2, vector(1, b"h2") + vector(1, b"http/1.1"))),
     extension(65037, b"ech"), extension(23), extension(17613),
     extension(0, vector(2, b"\0" + vector(2, b"WWW.Example.com"))),
     extension(11, b"\x01\x00"),
     extension(10, vector(2, u16(0x6A6A, 4588, 29, 23, 24))),
     extension(43, vector(1, u16(0x2A2A, 0x0304, 0x0303))),
     extension(65281, b"\0"), extension(35), extension(18), extension(5, b"\x01\0\0\0\0"),
     extension(13, vector(2, u16(*SCHEMES))), extension(27, b"\x02\x00\x02"),
     extension(0x8A8A, b"\0")])
"""Chrome 143's hello, rebuilt from what public fingerprint services say about it."""


def test_a_browsers_hello() -> None:
    hello = parse_client_hello(CHROME, 0x0301)
    assert (hello.version, hello.record_version, hello.random) == (0x0303, 0x0301, bytes(range(32)))
    assert hello.server_name == "www.example.com"
    assert hello.alpn == (b"h2", b"http/1.1")
    assert hello.versions == (0x2A2A, 0x0304, 0x0303)
    assert hello.groups == (0x6A6A, 4588, 29, 23, 24)
    assert hello.key_shares == (0x6A6A, 4588)
    assert hello.schemes == tuple(SCHEMES)
    assert hello.psk_modes == (1,)
    assert hello.malformed == ()


def test_the_fingerprints_of_a_browser_are_those_others_compute() -> None:
    hello = parse_client_hello(CHROME)
    assert ja3_text(hello) == (
        "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,"
        "45-51-16-65037-23-17613-0-11-10-43-65281-35-18-5-13-27,4588-29-23-24,0")
    assert ja3(hello) == "98487aa16281980e7d1120d399efb6a4"
    assert ja4(hello) == "t13d1516h2_8daaf6152771_d8a2da3f94cd"


@pytest.mark.parametrize(("suites", "extensions", "version", "expected"), [
    ([], [], 0x0303, "t12i000000_000000000000_000000000000"),
    ([5], [extension(0x0A0A)], 0x0301, "t10i010000_1ed8eb363bcd_000000000000"),
    ([0x1A1A, 5], [extension(16, vector(2, vector(1, b"\xab\xcd")))], 0x0302, "t11i0101ad_1ed8eb363bcd_000000000000"),
    ([5], [extension(16, vector(2, vector(1, b"x")))], 0x7F00, "t00i0101xx_1ed8eb363bcd_000000000000"),
])
def test_ja4_of_bare_hellos(suites: list[int], extensions: list[bytes], version: int, expected: str) -> None:
    assert ja4(parse_client_hello(client_hello(suites, extensions, version))) == expected


@given(cut=st.lists(st.integers(0, 2000), max_size=6), fragment=st.integers(1, 3000))
@settings(max_examples=60, deadline=None)
def test_any_fragments_and_any_chunks_give_the_same_hello(cut: list[int], fragment: int) -> None:
    wire = records(CHROME, fragment)
    reader, found = HelloReader(), None
    bounds = [0, *sorted(min(at, len(wire)) for at in cut), len(wire)]
    for start, end in pairwise(bounds):
        if found is None and start < end:
            found = reader.feed(wire[start:end])
    assert found == parse_client_hello(CHROME, 0x0301)


def test_byte_by_byte() -> None:
    reader = HelloReader()
    wire = records(CHROME)
    found = [reader.feed(wire[at:at + 1]) for at in range(len(wire))]
    assert found[:-1] == [None] * (len(wire) - 1)
    assert found[-1] is not None


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_garbage_raises_one_error_only(data: bytes) -> None:
    parsers: list[Callable[[bytes], object]] = [
        parse_client_hello, parse_server_hello, parse_sslv2_hello, lambda given: HelloReader().feed(given),
        lambda given: list(Records().feed(given))]
    for parse in parsers:
        with contextlib.suppress(Malformed):
            parse(data)


@given(at=st.integers(0, len(CHROME) - 1), value=st.integers(0, 255))
@settings(max_examples=200)
def test_a_changed_byte_never_surprises(at: int, value: int) -> None:
    body = bytearray(CHROME)
    body[at] = value
    assert isinstance(describe(records(bytes(body)), b""), HandshakeFacts)


@pytest.mark.parametrize("body", [CHROME[:length] for length in (0, 1, 33, 34, 66, 70, 110, 150)])
def test_truncated_hellos_are_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_client_hello(body)


def test_an_extension_that_does_not_parse_is_named_and_the_rest_is_read() -> None:
    hello = parse_client_hello(client_hello([5], [
        extension(10, b"\x00\x09\x00"), extension(0, vector(2, b"\0" + vector(2, "bücher".encode()))),
        extension(43, vector(1, u16(0x0304)))]))
    assert hello.malformed == (10, 0)
    assert (hello.groups, hello.server_name, hello.versions) == ((), "", (0x0304,))


@pytest.mark.parametrize("wire", [
    b"\x17\x03\x01\x00\x01x", b"\x16\x02\x00\x00\x01x", b"\x16\x03\x01\xff\xff", b"\x16\x03\x01\x00\x00",
    records(b"x" * 100, kind=2), b"\x16\x03\x01\x00\x04\x01\xff\xff\xff", b"\xff\xff\x03\x00\x00",
])
def test_what_cannot_become_a_hello_is_malformed_at_once(wire: bytes) -> None:
    with pytest.raises(Malformed):
        HelloReader().feed(wire)


def test_an_sslv2_hello() -> None:
    wire = bytes.fromhex("802b 01 0301 0012 0000 0010 0700c0 00002f 000035 010080 00000a 000005") + b"c" * 16
    for chunk in (1, len(wire)):
        reader = HelloReader()
        found = [reader.feed(wire[at:at + chunk]) for at in range(0, len(wire), chunk)]
        hello = found[-1]
        assert hello == ClientHello(layout="sslv2", version=0x0301, random=b"c" * 16,
                                    suites=(0x2F, 0x35, 0x0A, 0x05))
    facts = describe(wire, b"")
    assert facts.offer is not None
    assert (facts.kind, facts.offer.layout, facts.offer.version) == ("sslv2", "sslv2", "TLS 1.0")


def server_hello(version: int, suite: int, extensions: list[bytes], random: bytes = b"r" * 32) -> bytes:
    return u16(version) + random + vector(1, b"") + u16(suite) + b"\0" + vector(2, b"".join(extensions))


def test_a_server_hello_of_tls_1_3() -> None:
    chosen = parse_server_hello(server_hello(0x0303, 0x1301, [
        extension(43, u16(0x0304)), extension(51, u16(29) + vector(2, b"k" * 32))]))
    assert (chosen.version, chosen.suite, chosen.group, chosen.retry) == (0x0304, 0x1301, 29, False)


def test_a_server_hello_of_tls_1_2() -> None:
    chosen = parse_server_hello(server_hello(0x0303, 0xC02B, [extension(16, vector(2, vector(1, b"h2")))]))
    assert (chosen.version, chosen.alpn) == (0x0303, b"h2")


def exchange(maximum: ssl.TLSVersion, server: ssl.SSLContext, groups: str = "") -> tuple[bytes, bytes]:
    """The wire bytes of a handshake between Python's own ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Debian's Python offers TLS 1.0 and 1.1 too.
    context.minimum_version = min(maximum, ssl.TLSVersion.TLSv1_2)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = maximum
    context.set_alpn_protocols(["h2"])
    if groups:
        context.set_ecdh_curve(groups)
    one, two, three, four = (ssl.MemoryBIO() for _ in range(4))
    client = context.wrap_bio(one, two, server_hostname="www.example.com")
    other = server.wrap_bio(three, four, server_side=True)
    sent = answered = b""
    for _ in range(4):
        for end, out, into in ((client, two, three), (other, four, one)):
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
            wire = out.read()
            into.write(wire)
            sent, answered = (sent + wire, answered) if end is client else (sent, answered + wire)
    return sent, answered


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Contexts:
    return Contexts(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def server(contexts: Contexts) -> ssl.SSLContext:
    return contexts.get(Site("www.example.com", ("h2",)))


def test_a_whole_handshake_of_tls_1_3(server: ssl.SSLContext) -> None:
    facts = describe(*exchange(ssl.TLSVersion.TLSv1_3, server))
    assert facts.offer is not None
    assert facts.choice is not None
    assert (facts.kind, facts.situation, facts.alerts) == ("tls", "", [])
    assert (facts.choice.version, facts.choice.suite) == ("TLS 1.3", "TLS_AES_256_GCM_SHA384")
    assert facts.choice.parts["cipher"] == "AES_256"
    assert (facts.choice.group, facts.choice.retried) == ("x25519", False)
    assert facts.choice.certificates == []
    assert facts.offer.server_name == "www.example.com"
    assert facts.offer.versions == ["TLS 1.3", "TLS 1.2"]
    assert facts.offer.alpn == ["h2"]
    assert [one.value for one in facts.offer.extensions if one.name == "server_name"] == ["www.example.com"]


def test_a_handshake_that_needed_another_key_share(contexts: Contexts) -> None:
    server = contexts.get(Site("picky.example"))
    server.set_ecdh_curve("secp384r1")
    facts = describe(*exchange(ssl.TLSVersion.TLSv1_3, server))
    assert facts.choice is not None
    assert (facts.choice.group, facts.choice.retried) == ("secp384r1", True)


def test_a_whole_handshake_of_tls_1_2_shows_the_certificate(server: ssl.SSLContext) -> None:
    facts = describe(*exchange(ssl.TLSVersion.TLSv1_2, server))
    assert facts.choice is not None
    assert (facts.choice.version, facts.choice.alpn) == ("TLS 1.2", "h2")
    assert facts.choice.suite == "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    assert facts.choice.group == "x25519"
    assert len(facts.choice.certificates) == 2  # and the root
    assert b"www.example.com" in facts.choice.certificates[0]


@pytest.mark.parametrize(("alert", "sender", "situation"), [
    (48, "client", "unknown-ca"), (46, "client", "unknown-ca"), (42, "client", "bad-certificate"),
    (45, "client", "expired-certificate"), (80, "client", "client-gave-up"), (70, "server", "no-common-version"),
    (40, "server", "no-common-suite"), (120, "server", "no-common-alpn"), (50, "server", "not-tls"),
    (86, "server", "downgrade"), (80, "server", "server-gave-up"),
])
def test_why_it_failed(alert: int, sender: str, situation: str) -> None:
    wire = bytes([21, 3, 3, 0, 2, 2, alert])
    client, server = (records(CHROME) + wire, b"") if sender == "client" else (records(CHROME), wire)
    facts = describe(client, server)
    assert facts.situation == situation
    assert [(one.sender, one.level, one.name) for one in facts.alerts] == [(sender, "fatal", names.alert(alert))]


@given(client=st.binary(max_size=300), server=st.binary(max_size=300))
@settings(max_examples=100)
def test_describing_never_raises(client: bytes, server: bytes) -> None:
    describe(client, server)
    describe(b"\x16\x03\x01" + client, b"\x16\x03\x03" + server)
