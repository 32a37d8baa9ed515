"""The small services over UDP: handlers from datagram to answer."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import trio

from sandbox.address import Address
from sandbox.config import Config
from sandbox.journal.reader import Reader
from sandbox.protocols.contract.conversation import DatagramHandler
from sandbox.protocols.contract.registry import Context, find_role
from sandbox.protocols.tcp.quotes import QUOTES
from sandbox.protocols.tcp.session import LARGEST_DATAGRAM, PATTERN, quote_of_the_day
from sandbox.world import World
from tests.support.service import STORE, no_dial, serving

CLIENT = Address("127.0.0.1", 50000)
ENDPOINTS: dict[str, Address] = {}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.load(None, tmp_path)


def handler(world: World, role: str) -> DatagramHandler:
    protocol, found = find_role(role)
    datagram = protocol.serve(Context(world, found, Config(), ENDPOINTS, no_dial)).datagram
    assert datagram is not None
    return datagram


@pytest.mark.parametrize("data", [b"", b"hello", bytes(range(256)), b"x" * 65_507])
def test_echo(data: bytes, world: World) -> None:
    answer = handler(world, "echo")(data, CLIENT)
    assert answer.data == data
    assert (answer.about.verb, answer.about.outcome) == ("echo", "done")


def test_discard(world: World) -> None:
    answer = handler(world, "discard")(b"hello", CLIENT)
    assert answer.data is None
    assert answer.about[:4] == ("discard", "hello", "done", "5 octets thrown away")


def test_chargen(world: World) -> None:
    datagram = handler(world, "chargen")
    answers = [datagram(b"", CLIENT).data or b"" for _ in range(200)]
    assert all(len(data) <= LARGEST_DATAGRAM and PATTERN.startswith(data) for data in answers)
    assert len({len(data) for data in answers}) > 20


def test_quote_of_the_day(world: World) -> None:
    answer = handler(world, "qotd")(b"", CLIENT)
    assert answer.data is not None
    assert answer.data.removesuffix(b"\r\n").decode() in QUOTES
    assert answer.about.answered in answer.data.decode()


def test_quotes_are_short_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    said = set()
    for day in range(len(QUOTES)):
        monkeypatch.setattr(time, "time", lambda moment=day * 86_400.0: moment)
        said.add(quote_of_the_day())
    assert len(said) == len(QUOTES)
    assert all(re.fullmatch(rb"[ -~]{1,509}\r\n", quote) for quote in said)


def test_daytime(world: World) -> None:
    answer = handler(world, "daytime")(b"what time is it?", CLIENT)
    assert re.fullmatch(rb"\w+, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\r\n", answer.data or b"")


@pytest.mark.parametrize(("now", "expected"), [
    (0.0, 2_208_988_800), (1_700_000_000.9, 3_908_988_800), (2_085_978_495.0, 2**32 - 1), (2_085_978_496.0, 0),
])
def test_time(now: float, expected: int, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: now)
    answer = handler(world, "time")(b"", CLIENT)
    assert answer.data == expected.to_bytes(4, "big")


@pytest.mark.parametrize("role", ["echo", "chargen", "qotd", "daytime", "time"])
@pytest.mark.parametrize("port", [0, 7, 19, 53, 1023, 8019])
def test_services_are_not_answered(role: str, port: int, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    datagram = handler(world, role)
    monkeypatch.setitem(ENDPOINTS, "chargen", Address("127.0.0.1", 8019))  # known only after the handler was built
    answer = datagram(b"forged", Address("127.0.0.1", port))
    assert answer.data is None
    assert (answer.about.outcome, answer.about.key) == ("ignored", "outcome.ignored")
    assert datagram(b"honest", Address("127.0.0.1", 1024)).data is not None


async def test_over_the_wire(tmp_path: Path) -> None:
    async with serving("echo", tmp_path) as address:
        with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as sock:
            await sock.connect(address)
            await sock.send(b"hello")
            with trio.fail_after(5):
                assert await sock.recv(100) == b"hello"
    with Reader(tmp_path / STORE) as reader:
        [(session, exchange)] = reader.exchanges()
    assert (session.transport, exchange.asked, exchange.client, exchange.server) == ("udp", "hello", (0, 5), (0, 5))
