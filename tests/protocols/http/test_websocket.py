"""WebSockets: the upgrade, messages both ways, limits, and how they close."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wsproto import ConnectionType, WSConnection
from wsproto import events as ws
from wsproto.extensions import PerMessageDeflate

from sandbox.address import Address
from sandbox.config import Config, Limits
from sandbox.protocols.http import websocket
from sandbox.protocols.http.content import NO_CONTENT
from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.protocols.http.session import HttpService
from sandbox.protocols.http.websocket import frame_size, negotiate, upgrade
from sandbox.websites.sockets import Room, echo
from tests.support.http import context, converse
from tests.support.network import Bench, narrowed, pieces, serving

UPGRADE = (b"GET /websocket/echo HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


async def site(request: Request) -> Response:
    return echo(request)


def frame(opcode: int, payload: bytes, *, last: bool = True, masked: bool = True) -> bytes:
    """As a client sends it, with a mask of zeros that changes nothing."""
    length = (bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2)
              if len(payload) < 65536 else b"\x7f" + len(payload).to_bytes(8))
    length = bytes([length[0] | 0x80 * masked]) + length[1:]
    return bytes([opcode | 0x80 * last]) + length + (bytes(4) if masked else b"") + payload


async def test_the_handshake_of_the_rfc() -> None:
    """RFC 6455 §1.3 has this key and this answer."""
    talk = await converse([UPGRADE], site)
    head = talk.sent.partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    assert b"Upgrade: websocket" in head
    assert b"Connection: Upgrade" in head
    assert b"Extensions" not in head


@pytest.mark.parametrize(("old", "new", "status"), [
    (b"Upgrade: websocket\r\n", b"", 426), (b"Version: 13", b"Version: 8", 426),
    (b"keep-alive, Upgrade", b"close", 426),
    (b"dGhlIHNhbXBsZSBub25jZQ==", b"c2hvcnQ=", 400), (b"dGhl", b"....", 400), (b"GET", b"PUT", 405),
])
async def test_what_is_no_handshake_is_refused(old: bytes, new: bytes, status: int) -> None:
    talk = await converse([UPGRADE.replace(old, new)], site)
    assert talk.sent.startswith(b"HTTP/1.1 %d" % status)
    if status == 426:
        assert b"Upgrade: websocket" in talk.sent


@pytest.mark.parametrize(("offers", "answer"), [
    ([], None), (["x-webkit-deflate-frame"], None), (["permessage-deflate"], "permessage-deflate"),
    (["foo, permessage-deflate; client_max_window_bits"], "permessage-deflate; client_max_window_bits=15"),
    (["permessage-deflate; server_max_window_bits=10"], "permessage-deflate; server_max_window_bits=10"),
    (["permessage-deflate; server_max_window_bits=77", "permessage-deflate"], "permessage-deflate"),
    (["permessage-deflate; server_max_window_bits=x"], None),
])
def test_compression_is_agreed_on(offers: list[str], answer: str | None) -> None:
    extension, text = negotiate(offers)
    assert (text if extension is not None else None) == answer


@pytest.mark.parametrize(("data", "size"), [
    (b"", 0), (b"\x81", 0), (b"\x81\x05", 7), (b"\x81\x85", 11), (b"\x81\xfe\x01", 0), (b"\x81\xfe\x01\x00", 264),
    (b"\x82\x7f" + (70_000).to_bytes(8), 70_010),
])
def test_frame_sizes(data: bytes, size: int) -> None:
    assert frame_size(data) == size


@pytest.mark.parametrize("seed", range(4))
async def test_any_chunking_gives_the_same_messages(seed: int) -> None:
    said = (frame(1, b"hel", last=False) + frame(9, b"now") + frame(0, b"lo") + frame(2, b"\0" * 300)
            + frame(8, b"\x03\xe8bye"))
    talk = await converse([UPGRADE, *pieces(said, seed)], site)
    heard = talk.sent.partition(b"\r\n\r\n")[2]
    found = [(one.verb, one.asked, one.outcome, one.client, one.server) for one in talk.exchanges[1:]]
    assert sorted(found) == sorted([
        ("TEXT", "hello", "done", said[:said.index(b"\x82\xfe")], b"\x81\x05hello"),
        ("PING", "now", "PONG", frame(9, b"now"), b"\x8a\x03now"),
        ("BINARY", "\0" * 60, "done", frame(2, b"\0" * 300), b"\x82\x7e\x01\x2c" + b"\0" * 300),
        ("CLOSE", "1000 bye", "1000", frame(8, b"\x03\xe8bye"), b"\x88\x05\x03\xe8bye")])
    assert heard.endswith(b"\x88\x05\x03\xe8bye")


@pytest.mark.parametrize(("said", "code"), [
    (frame(1, b"\xff\xfe"), 1007), (frame(1, b"plain", masked=False), 1002), (frame(3, b"?"), 1002),
    (frame(9, bytes(126)), 1002), (frame(0, b"of nothing"), 1002), (frame(8, b"\x01"), 1002),
    (frame(8, b"\x03\xed"), 1002), (b"\x81\xff" + (1 << 40).to_bytes(8) + bytes(4), 1009),
    (frame(2, bytes(600_000), last=False) + frame(0, bytes(600_000)), 1009),
    (b"\xc1\x85" + bytes(4) + b"12345", 1002),
])
async def test_what_breaks_the_rules_is_closed_with_its_code(said: bytes, code: int) -> None:
    talk = await converse([UPGRADE, said, frame(8, code.to_bytes(2))], site)
    assert b"\x03" + bytes([code & 0xFF]) in talk.sent.partition(b"\r\n\r\n")[2]
    [close] = [one for one in talk.exchanges if one.verb == "CLOSE"]
    assert (close.outcome, close.key) == (str(code), f"close.{code}")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(max_size=100), st.lists(
    st.builds(frame, st.integers(0, 15), st.binary(max_size=130), last=st.booleans()), max_size=6).map(b"".join)))
def test_garbage_never_raises(data: bytes) -> None:
    async def main() -> None:
        talk = await converse([UPGRADE, data], site)
        assert talk.sent.startswith(b"HTTP/1.1 101")

    trio.run(main)


class Client:
    """A WebSocket client over a socket. heard: every message."""

    def __init__(self, stream: trio.SocketStream, path: str, deflate: bool) -> None:
        self.stream = stream
        self.ws = WSConnection(ConnectionType.CLIENT)
        self.heard: list[str | bytes] = []
        self.closed = 0
        self.pings = 0
        self._opening = self.ws.send(ws.Request(host="h", target=path,
                                                extensions=[PerMessageDeflate()] if deflate else []))
        self._parts: list[str | bytes] = []

    async def say(self, event: ws.Event) -> None:
        await self.stream.send_all(self.ws.send(event))

    async def hear(self, until: Callable[[], bool], *, answer: bool = True) -> None:
        with trio.fail_after(10):
            if self._opening:
                await self.stream.send_all(self._opening)
                self._opening = b""
            while not until():
                data = await self.stream.receive_some(65536)
                self.ws.receive_data(data or None)
                for event in self.ws.events():
                    if isinstance(event, ws.Message):
                        self._parts.append(event.data if isinstance(event.data, str) else bytes(event.data))
                        if event.message_finished:
                            self.heard.append("".join(map(str, self._parts)) if isinstance(event.data, str) else
                                              b"".join(part for part in self._parts if isinstance(part, bytes)))
                            self._parts = []
                    elif isinstance(event, ws.Ping):
                        self.pings += 1
                        if answer:
                            await self.say(event.response())
                    elif isinstance(event, ws.CloseConnection):
                        self.closed = int(event.code)
                if not data:
                    return


@asynccontextmanager
async def connected(answer: Callable[[Request], Response], folder: Path, *, clients: int = 1, deflate: bool = False,
                    paths: Sequence[str] = ("/",)) -> AsyncIterator[tuple[list[Client], Bench]]:
    async def at(request: Request) -> Response:
        return answer(request)

    server = HttpService(context(Config(limits=Limits(grace=0.1))), at)
    async with serving(server.session, folder, limits=Limits(grace=0.1)) as bench:
        streams = [await bench.connect() for _ in range(clients)]
        yield [Client(stream, paths[number % len(paths)], deflate) for number, stream in enumerate(streams)], bench
        for stream in streams:
            await stream.aclose()


@pytest.mark.parametrize("deflate", [False, True])
async def test_large_messages_come_back_whole(tmp_path: Path, deflate: bool) -> None:
    text = "ünïcødé " * 60_000
    async with connected(echo, tmp_path, deflate=deflate) as ([client], bench):
        await client.hear(lambda: client.ws.state.name == "OPEN")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.say, ws.TextMessage(text))
            await client.hear(lambda: bool(client.heard))
        assert client.heard == [text]
        await client.say(ws.CloseConnection(1000))
        await client.hear(lambda: client.closed > 0)
        assert client.closed == 1000
        exchanges = await bench.watcher.wait_exchanges(3)
    assert [(one.verb, one.outcome) for one in exchanges] == [("GET", "101"), ("TEXT", "done"), ("CLOSE", "1000")]


async def test_a_message_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    async with connected(echo, tmp_path, deflate=True) as ([client], _):
        await client.hear(lambda: client.ws.state.name == "OPEN")
        await client.say(ws.BytesMessage(bytes(50_000_000)))
        await client.hear(lambda: client.closed > 0)
        assert client.closed == 1009


async def test_a_client_that_answers_no_ping_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "PING_SECONDS", 0.05)
    async with connected(echo, tmp_path) as ([client], _):
        await client.hear(lambda: client.closed > 0, answer=False)
        assert client.pings == 1
        assert client.closed == 1011


async def test_a_client_that_answers_its_pings_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "PING_SECONDS", 0.05)
    async with connected(echo, tmp_path) as ([client], _):
        await client.hear(lambda: client.pings >= 4)
        assert not client.closed


async def test_a_client_that_reads_late_is_not_taken_for_gone(
        tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """A PING behind an answer that is still being sent cannot be answered."""
    async with connected(echo, tmp_path) as ([client], bench):
        await client.hear(lambda: client.ws.state.name == "OPEN")
        conversation = narrowed(bench, client.stream)
        await client.say(ws.TextMessage("x" * 900_000))
        await trio.sleep(5 * websocket.PING_SECONDS)
        assert conversation.unsent
        await client.hear(lambda: bool(client.heard))
        await client.say(ws.TextMessage("still here"))
        await client.hear(lambda: len(client.heard) == 2 or client.closed > 0)
        assert (client.heard[1:], client.closed) == (["still here"], 0)


async def test_a_stop_says_that_it_goes_away(tmp_path: Path) -> None:
    async with connected(echo, tmp_path) as ([client], bench):
        await client.hear(lambda: client.ws.state.name == "OPEN")
        await bench.server.watch.stop(1)
        await client.hear(lambda: client.closed > 0)
        assert client.closed == 1001


def chat(room: Room) -> Callable[[Request], Response]:
    return lambda request: upgrade(request, lambda socket: room.serve(socket, room.name(request.path[1:])))


async def test_a_room_hears_what_one_says(tmp_path: Path) -> None:
    async with connected(chat(Room()), tmp_path, clients=2, paths=("/ann", "/ben")) as ([ann, ben], bench):
        await ann.hear(lambda: len(ann.heard) == 1)
        await ben.hear(lambda: len(ben.heard) == 1)
        await ben.say(ws.TextMessage("hello"))
        await ann.hear(lambda: len(ann.heard) == 3)
        assert ann.heard == ['{"from": "", "text": "ann came in"}', '{"from": "", "text": "ben came in"}',
                             '{"from": "ben", "text": "hello"}']
        await ben.stream.aclose()
        await ann.hear(lambda: len(ann.heard) == 4)
        assert ann.heard[3] == '{"from": "", "text": "ben left"}'
        sent = [one for one in await bench.watcher.wait_exchanges(8) if one.outcome == "sent"]
        assert "hello" in "".join(one.answered for one in sent)


def test_names_in_the_room() -> None:
    room = Room()
    assert room.name(" a  b ") == "a b"
    assert room.name("") == "guest 1"
    room._members[None] = "ann"  # type: ignore[index]
    assert room.name("ann") == "ann 2"
    assert len(room.name("x" * 500)) == 30


def test_upgrade_needs_http_1_1() -> None:
    here = Address("127.0.0.1", 8443)
    request = Request("GET", "/", "https", "h", 443, "/", "", Headers(), NO_CONTENT, here, here, "2")
    with pytest.raises(HttpError) as caught:
        echo(request)
    assert caught.value.status == 426
