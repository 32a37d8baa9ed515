"""The TLS engine against Python's own client, both in memory; and against what is no TLS at all."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.net.layers.tls.contexts import Contexts, Site, Strength, site_for
from sandbox.net.layers.tls.engine import Engine, NotOpen, State
from sandbox.net.layers.tls.handshake import describe


class Client:
    """Python's TLS client over two memory buffers."""

    def __init__(self, context: ssl.SSLContext, name: str | None) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        self.error: ssl.SSLError | None = None
        self.done = False

    def handshake(self, wire: bytes = b"") -> bytes:
        self.incoming.write(wire)
        if not self.done and self.error is None:
            try:
                self.tls.do_handshake()
                self.done = True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                self.error = error
        return self.outgoing.read()

    def read(self, wire: bytes) -> bytes:
        self.incoming.write(wire)
        data = b""
        try:
            while part := self.tls.read(65536):
                data += part
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return data


class Pair:
    """An engine and a client, with everything that went over the wire between them."""

    def __init__(self, contexts: Contexts, client: Client, *, alpn: tuple[str, ...] = (), chunk: int = 1 << 20,
                 strength: Strength = Strength.MODERN) -> None:
        self.contexts, self.client, self.alpn, self.chunk = contexts, client, alpn, chunk
        self.strength = strength
        self.engine = Engine()
        self.to_server, self.to_client = b"", b""

    def feed(self, wire: bytes) -> bytes:
        """Give the engine wire bytes, in chunks; what it answers."""
        self.to_server += wire
        answer = b""
        for at in range(0, len(wire), self.chunk):
            self.engine.receive(wire[at:at + self.chunk])
            if self.engine.state is State.CONTEXT:
                site = site_for(self.engine.server_name, "127.0.0.1", self.alpn, self.strength)
                self.engine.choose(self.contexts.get(site), self.alpn)
            answer += self.engine.outgoing()
        self.to_client += answer
        return answer

    def handshake(self) -> None:
        wire = self.client.handshake()
        while wire:
            wire = self.client.handshake(self.feed(wire))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ca")


@pytest.fixture(scope="module")
def contexts(folder: Path) -> Contexts:
    contexts = Contexts(folder, keylog=folder / "keys.log")
    contexts.warm()
    return contexts


def trusting(folder: Path) -> ssl.SSLContext:
    """A client of today. Debian's Python would offer TLS 1.0 and 1.1 too."""
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@pytest.mark.parametrize(("only", "said"), [
    (ssl.TLSVersion.TLSv1_2, "TLS 1.2"), (ssl.TLSVersion.TLSv1_3, "TLS 1.3"),
])
@pytest.mark.parametrize("name", ["www.example.com", "127.0.0.1", "::1"])
def test_a_client_that_trusts_the_authority_is_content(
    contexts: Contexts, folder: Path, only: ssl.TLSVersion, said: str, name: str,
) -> None:
    context = trusting(folder)
    context.minimum_version = context.maximum_version = only
    pair = Pair(contexts, Client(context, name))
    if name == "::1":  # Python sends no SNI for addresses: the one the client came to decides
        pair.engine.receive(pair.client.handshake())
        pair.engine.choose(contexts.get(site_for("", "::1")))
        wire = pair.client.handshake(pair.engine.outgoing())
        pair.client.handshake(pair.feed(wire))
    else:
        pair.handshake()
    assert pair.client.error is None
    assert pair.engine.state is State.OPEN
    assert pair.engine.version == said
    assert pair.engine.server_name == ("" if name[0] in ":1" else name)
    pair.client.tls.write(b"question")
    pair.feed(pair.client.outgoing.read())
    assert pair.engine.read() == b"question"
    pair.engine.write(b"answer" * 10_000)
    assert pair.client.read(pair.engine.outgoing()) == b"answer" * 10_000


@given(text=st.binary(max_size=40_000), chunk=st.sampled_from([1, 2, 3, 5, 7, 100, 1000, 16_384, 1 << 20]),
       only=st.sampled_from([ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]))
@settings(max_examples=25, deadline=None)
def test_any_chunking_of_the_wire_gives_the_same_plain_text(
    contexts: Contexts, folder: Path, text: bytes, chunk: int, only: ssl.TLSVersion,
) -> None:
    context = trusting(folder)
    context.minimum_version = context.maximum_version = only
    pair = Pair(contexts, Client(context, "www.example.com"), chunk=chunk)
    pair.handshake()
    for at in range(0, len(text), 9000):
        pair.client.tls.write(text[at:at + 9000])
    pair.feed(pair.client.outgoing.read())
    assert pair.engine.read() == text


@given(wire=st.binary(min_size=1, max_size=300) | st.binary(max_size=300).map(b"\x16\x03\x01\x01\x00".__add__),
       chunk=st.sampled_from([1, 4, 1 << 20]))
@settings(max_examples=120, deadline=None)
def test_garbage_never_raises(contexts: Contexts, wire: bytes, chunk: int) -> None:
    pair = Pair(contexts, Client(ssl.create_default_context(), "x"), chunk=chunk)
    pair.feed(wire)
    pair.engine.receive_end()
    assert pair.engine.state is State.FAILED
    assert pair.engine.failure is not None
    assert pair.engine.failure.situation
    assert pair.engine.read() == b""
    describe(pair.to_server, pair.to_client)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_damage_after_the_handshake_is_a_failure_with_the_text_before_it(
    contexts: Contexts, folder: Path, data: st.DataObject,
) -> None:
    pair = Pair(contexts, Client(trusting(folder), "www.example.com"))
    pair.handshake()
    pair.client.tls.write(b"good")
    good = pair.client.outgoing.read()
    pair.client.tls.write(b"damaged")
    wire = bytearray(pair.client.outgoing.read())
    at = data.draw(st.integers(5, len(wire) - 1))
    wire[at] ^= data.draw(st.integers(1, 255))
    pair.feed(good + bytes(wire))
    assert pair.engine.read() == b"good"
    assert pair.engine.state is State.FAILED
    assert pair.engine.failure is not None
    assert pair.engine.failure.situation == "damaged"
    with pytest.raises(NotOpen):
        pair.engine.write(b"more")


def test_an_untrusting_client_says_why_and_it_is_kept(contexts: Contexts) -> None:
    pair = Pair(contexts, Client(ssl.create_default_context(), "www.example.com"))
    pair.handshake()
    assert pair.client.error is not None
    failure = pair.engine.failure
    assert failure is not None
    assert (failure.situation, failure.received) == ("unknown-ca", "unknown_ca")
    facts = describe(pair.to_server, pair.to_client, cause=failure.situation, alert=failure.received)
    assert facts.situation == "unknown-ca"
    assert facts.choice is not None
    assert facts.choice.version == "TLS 1.3"


@pytest.mark.parametrize(("fault", "alert"), [
    ("expired", "certificate_expired"), ("wrong-host", "bad_certificate"), ("self-signed", "unknown_ca"),
    ("untrusted-root", "unknown_ca"),
])
def test_bad_certificates_are_refused_by_a_client_that_trusts_the_authority(
    contexts: Contexts, folder: Path, fault: str, alert: str,
) -> None:
    pair = Pair(contexts, Client(trusting(folder), f"{fault}.badtls.example.com"))
    pair.handshake()
    assert pair.client.error is not None
    assert pair.engine.failure is not None
    assert pair.engine.failure.received == alert


def test_the_alert_of_a_failed_handshake_is_sent(contexts: Contexts) -> None:
    context = ssl.create_default_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA")  # RSA key exchange and CBC
    pair = Pair(contexts, Client(context, "www.example.com"))
    pair.handshake()
    assert pair.engine.failure is not None
    assert (pair.engine.failure.situation, pair.engine.failure.sent) == ("no-common-suite", "handshake_failure")
    assert pair.to_client == bytes.fromhex("1503030002 0228")
    assert pair.client.error is not None
    assert pair.client.error.reason == "SSLV3_ALERT_HANDSHAKE_FAILURE"


def old_client(maximum: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    if maximum == "TLS 1.0":
        context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    elif maximum == "TLS 1.1":
        with pytest.warns(DeprecationWarning, match="deprecated"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


@pytest.mark.parametrize("version", ["TLS 1.0", "TLS 1.1"])
def test_old_versions_on_the_legacy_listener_only(contexts: Contexts, version: str) -> None:
    pair = Pair(contexts, Client(old_client(version), "www.example.com"), strength=Strength.LEGACY)
    pair.handshake()
    assert (pair.engine.state, pair.engine.version) == (State.OPEN, version)
    pair = Pair(contexts, Client(old_client(version), "www.example.com"))
    pair.handshake()
    assert pair.engine.failure is not None
    assert (pair.engine.failure.situation, pair.engine.failure.sent) == ("no-common-version", "protocol_version")


def test_the_legacy_listener_speaks_the_newest_too(contexts: Contexts) -> None:
    pair = Pair(contexts, Client(old_client("any"), "www.example.com"), strength=Strength.LEGACY)
    pair.handshake()
    assert pair.engine.version == "TLS 1.3"


def test_the_old_tls_host_is_old_for_everyone(contexts: Contexts, folder: Path) -> None:
    pair = Pair(contexts, Client(trusting(folder), "old-tls.badtls.example.com"))
    pair.handshake()
    assert pair.engine.failure is not None
    assert pair.engine.failure.sent == "protocol_version"
    pair = Pair(contexts, Client(old_client("any"), "old-tls.badtls.example.com"))
    pair.handshake()
    assert pair.engine.version == "TLS 1.0"


@pytest.mark.parametrize(("offered", "ours", "chosen"), [
    (["h2", "http/1.1"], ("h2", "http/1.1"), "h2"),
    (["http/1.1", "h2"], ("h2", "http/1.1"), "h2"),
    (["http/1.1"], ("h2", "http/1.1"), "http/1.1"),
    ([], ("h2", "http/1.1"), ""),
    (["imap"], (), ""),
])
def test_application_protocols(
    contexts: Contexts, folder: Path, offered: list[str], ours: tuple[str, ...], chosen: str,
) -> None:
    context = trusting(folder)
    if offered:
        context.set_alpn_protocols(offered)
    pair = Pair(contexts, Client(context, "www.example.com"), alpn=ours)
    pair.handshake()
    assert pair.engine.state is State.OPEN
    assert pair.engine.alpn == chosen
    assert (pair.client.tls.selected_alpn_protocol() or "") == chosen


def test_no_common_application_protocol_ends_the_handshake(contexts: Contexts, folder: Path) -> None:
    context = trusting(folder)
    context.set_alpn_protocols(["imap"])
    pair = Pair(contexts, Client(context, "www.example.com"), alpn=("h2",))
    pair.handshake()
    assert pair.engine.failure is not None
    assert pair.engine.failure.situation == "no-common-alpn"
    assert pair.client.error is not None
    assert "no application protocol" in str(pair.client.error)


def test_close_notify_both_ways(contexts: Contexts, folder: Path) -> None:
    pair = Pair(contexts, Client(trusting(folder), "www.example.com"))
    pair.handshake()
    pair.engine.write(b"last words")
    pair.engine.close()
    assert pair.client.read(pair.engine.outgoing()) == b"last words"
    with pytest.raises(NotOpen):
        pair.engine.write(b"more")
    pair.client.tls.write(b"but I")
    pair.feed(pair.client.outgoing.read())
    assert pair.engine.read() == b"but I"
    pair.client.tls.unwrap()
    pair.feed(pair.client.outgoing.read())
    assert pair.engine.peer_closed
    pair.engine.receive_end()
    assert (pair.engine.state, pair.engine.truncated) == (State.OPEN, False)


def test_the_client_may_close_first_and_still_gets_its_answer(contexts: Contexts, folder: Path) -> None:
    pair = Pair(contexts, Client(trusting(folder), "www.example.com"))
    pair.handshake()
    pair.client.tls.write(b"question")
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.tls.unwrap()
    pair.feed(pair.client.outgoing.read())
    assert (pair.engine.read(), pair.engine.peer_closed) == (b"question", True)
    pair.engine.write(b"answer")
    pair.engine.close()
    assert pair.engine.outgoing()


def test_what_follows_the_clients_close_notify_is_ignored(contexts: Contexts, folder: Path) -> None:
    pair = Pair(contexts, Client(trusting(folder), "www.example.com"))
    pair.handshake()
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.tls.unwrap()
    pair.feed(pair.client.outgoing.read() + b"\x17\x03\x03\x00\x05abcde")
    pair.feed(b"anything")
    assert (pair.engine.state, pair.engine.read()) == (State.OPEN, b"")


def test_nothing_is_nothing() -> None:
    engine = Engine()
    engine.receive(b"")
    assert (engine.state, engine.outgoing(), engine.read()) == (State.HELLO, b"", b"")


def test_truncation_is_noticed(contexts: Contexts, folder: Path) -> None:
    pair = Pair(contexts, Client(trusting(folder), "www.example.com"))
    pair.handshake()
    pair.engine.receive_end()
    assert pair.engine.truncated


def test_a_client_that_leaves_in_the_middle(contexts: Contexts, folder: Path) -> None:
    pair = Pair(contexts, Client(trusting(folder), "www.example.com"))
    hello = pair.client.handshake()
    pair.feed(hello[:100])
    pair.engine.receive_end()
    assert pair.engine.failure is not None
    assert pair.engine.failure.situation == "broken-off"
    with pytest.raises(NotOpen):
        pair.engine.write(b"x")


SSL3_HELLO = bytes.fromhex("16030000 2f 0100002b 0300") + bytes(32) + bytes.fromhex("00 0004 000a0005 01 00")
SSL2_HELLO = bytes.fromhex("801f 01 0002 0006 0000 0010 010080 070040") + bytes(16)


@pytest.mark.parametrize(("hello", "situation"), [(SSL3_HELLO, "sslv3"), (SSL2_HELLO, "sslv2")])
@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_dead_versions_are_refused_with_protocol_version(
    contexts: Contexts, hello: bytes, situation: str, chunk: int,
) -> None:
    pair = Pair(contexts, Client(ssl.create_default_context(), "x"), chunk=chunk)
    pair.feed(hello)
    assert pair.to_client == bytes.fromhex("15 0300 0002 02 46")
    assert pair.engine.failure is not None
    assert pair.engine.failure.situation == situation
    facts = describe(pair.to_server, pair.to_client)
    assert (facts.kind, facts.situation) == (situation, situation)


def test_a_tls_hello_in_the_sslv2_format_on_the_legacy_listener_only(contexts: Contexts) -> None:
    hello = bytes.fromhex("8025 01 0301 000c 0000 0010 00002f 000035 00000a 0000ff") + b"c" * 16
    pair = Pair(contexts, Client(ssl.create_default_context(), "x"), strength=Strength.LEGACY)
    pair.feed(hello)
    facts = describe(pair.to_server, pair.to_client)
    assert facts.choice is not None
    assert (facts.kind, facts.choice.version, facts.choice.group) == ("sslv2", "TLS 1.0", "")
    pair = Pair(contexts, Client(ssl.create_default_context(), "x"))
    pair.feed(hello)
    assert pair.engine.failure is not None
    assert pair.engine.failure.situation == "no-common-version"


@pytest.mark.parametrize("chunk", [1, 1 << 20])
@pytest.mark.parametrize(("line", "situation", "answer"), [
    (b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n", "plain-http", b"HTTP/1.1 400 "),
    (b"HEAD / HTTP/1.1\r\n\r\n", "plain-http", b"HTTP/1.1 400 "),
    (b"EHLO client.example.com\r\n", "plain-text", b""),
    (b"A" * 8192, "plain-text", b""),
])
def test_plain_text_on_a_tls_port(
    contexts: Contexts, line: bytes, situation: str, answer: bytes, chunk: int,
) -> None:
    pair = Pair(contexts, Client(ssl.create_default_context(), "x"), chunk=chunk)
    pair.feed(line)
    assert pair.engine.failure is not None
    assert pair.engine.failure.situation == situation
    assert pair.to_client[:len(answer)] == answer
    assert bool(pair.to_client) == bool(answer)
    if line.startswith(b"GET"):
        assert b"https://" in pair.to_client.partition(b"\r\n\r\n")[2]
    if line.startswith(b"HEAD"):
        assert pair.to_client.endswith(b"\r\n\r\n")


def test_sites(contexts: Contexts) -> None:
    assert site_for("WWW.Example.com", "127.0.0.1") == Site("www.example.com")
    assert site_for("", "::1") == Site("::1")
    assert site_for("no name at all", "127.0.0.1") == Site("127.0.0.1")
    assert contexts.get(Site("a.example")) is contexts.ready(Site("a.example"))
    assert contexts.ready(Site("never.example")) is None
