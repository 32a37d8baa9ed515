"""Datagrams: answered by the batch, from the right address, one flow a client, nothing lost in the journal."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from sandbox.address import Address
from sandbox.journal.journal import Journal
from sandbox.journal.reader import Reader
from sandbox.journal.records import Stream
from sandbox.journal.store import Store
from sandbox.net import datagrams
from sandbox.net.binding import bind
from sandbox.net.server import LazyService
from sandbox.protocols.contract.conversation import Answer, Description
from sandbox.protocols.contract.registry import Service
from tests.support.journal import NAME, journal_at
from tests.support.network import watching


def shout(data: bytes, client: Address) -> Answer:
    if data == b"fail":
        raise ZeroDivisionError("a bug")
    answer = None if data == b"silence" else data.upper()
    return Answer(answer, Description("shout", data.decode("latin-1")[:20], "" if answer is None else "ok"))


@asynccontextmanager
async def serving(folder: Path, host: str = "127.0.0.1") -> AsyncIterator[tuple[int, Journal]]:
    journal = Journal(Store(folder / "journal", size=1 << 30), queue=1 << 24, body_limit=1 << 20)
    bound = bind([host], 0, ("udp",))
    async with trio.open_nursery() as nursery:
        await nursery.start(journal.run)
        nursery.start_soon(datagrams.answer_from, bound.datagrams[0],
                           LazyService("shout", "tcp", lambda: Service(datagram=shout)), journal)
        yield bound.port, journal
        nursery.cancel_scope.cancel()


async def client_socket(host: str, port: int) -> trio.socket.SocketType:
    sock = trio.socket.socket(trio.socket.AF_INET6 if ":" in host else trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
    await sock.connect((host, port))
    return sock


@pytest.fixture(params=["many", "one by one"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to the kernel: the call for many datagrams, and the portable one."""
    if request.param == "one by one":
        monkeypatch.setattr(datagrams, "available", lambda: False)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_each_datagram_gets_its_answer_and_is_recorded(tmp_path: Path, host: str) -> None:
    sent = [b"hello", b"", b"x" * 9000, b"silence", b"last"]
    async with serving(tmp_path, host) as (port, journal):
        with await client_socket(host, port) as sock, trio.fail_after(5):
            for data in sent:
                await sock.send(data)
            received = [await sock.recv(65535) for _ in range(4)]
            own = sock.getsockname()
        await journal.settle()
        with Reader(tmp_path / "journal") as reader:
            [session] = reader.sessions()
            exchanges = [exchange for _, exchange in reader.exchanges()]
            assert reader.stream(session.id, Stream.CLIENT) == b"".join(sent)
            assert reader.stream(session.id, Stream.SERVER) == b"".join(received)
    assert received == [data.upper() for data in sent if data != b"silence"]
    assert session.client == Address(own[0], own[1])
    assert (session.transport, session.server) == ("udp", Address(host, port))
    assert [exchange.outcome for exchange in exchanges] == ["ok" if data != b"silence" else "" for data in sent]


@pytest.mark.usefixtures("way")
async def test_a_burst_from_many_clients_is_answered_whole(tmp_path: Path) -> None:
    async with serving(tmp_path) as (port, journal):
        socks = [await client_socket("127.0.0.1", port) for _ in range(20)]
        for turn in range(20):
            for index, sock in enumerate(socks):
                await sock.send(b"turn %d of %d" % (turn, index))
        with trio.fail_after(10):
            for index, sock in enumerate(socks):
                assert {await sock.recv(100) for _ in range(20)} == {b"TURN %d OF %d" % (t, index) for t in range(20)}
                sock.close()
        await journal.settle()
        with Reader(tmp_path / "journal") as reader:
            assert len(list(reader.sessions())) == 20
            assert len(list(reader.exchanges())) == 400


async def test_on_a_wildcard_address_the_answer_leaves_from_where_the_question_came_to(tmp_path: Path) -> None:
    async with serving(tmp_path, "0.0.0.0") as (port, _):
        for host in ("127.0.0.1", "127.0.0.99"):
            # A connected socket takes answers only from the address it sent to.
            with await client_socket(host, port) as sock, trio.fail_after(5):
                await sock.send(b"who")
                assert await sock.recv(100) == b"WHO"


async def test_a_failing_service_costs_one_datagram(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path) as (port, journal):
        with await client_socket("127.0.0.1", port) as sock, trio.fail_after(5):
            await sock.send(b"fail")
            await sock.send(b"work")
            assert await sock.recv(100) == b"WORK"
        await journal.settle()
        with Reader(tmp_path / "journal") as reader:
            assert [exchange.key for _, exchange in reader.exchanges()] == ["end.failed", ""]
    assert "ZeroDivisionError" in caplog.text


async def test_an_answer_that_cannot_be_sent_is_not_recorded_as_sent(tmp_path: Path,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that has closed its port makes the kernel report an error later; the server goes on."""
    async with serving(tmp_path) as (port, _):
        for _turn in range(3):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
                gone.sendto(b"and gone", ("127.0.0.1", port))
        with await client_socket("127.0.0.1", port) as sock, trio.fail_after(5):
            await sock.send(b"still there?")
            assert await sock.recv(100) == b"STILL THERE?"


async def test_old_flows_end_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "FLOWS", 2)
    async with serving(tmp_path) as (port, journal):
        with watching(journal) as watcher, trio.fail_after(5):
            for _ in range(3):
                with await client_socket("127.0.0.1", port) as sock:
                    await sock.send(b"x")
                    await sock.recv(10)
            assert (await watcher.wait_closed()).end == "flow-idle"


class Picky:
    """A port that takes the answers of one client only: no system can be made to fail for just one of a batch."""

    def __init__(self, batch: list[tuple[bytes, str]], taken: str) -> None:
        self._batch = batch
        self._taken = taken

    def receive(self) -> list[tuple[bytes, str]]:
        return self._batch

    def send(self, answers: list[tuple[bytes, str]]) -> int:
        return next((place for place, (_, route) in enumerate(answers) if route != self._taken), len(answers))

    def client(self, route: str) -> Address:
        return Address(route, 40000)


async def test_of_equal_answers_only_the_one_that_was_lost_is_recorded_as_lost(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        port = Picky([(b"who", "127.0.0.1"), (b"who", "127.0.0.2")], taken="127.0.0.2")
        service = LazyService("udp", "test", lambda: Service(datagram=shout))
        flows = datagrams.Flows(journal, service, Address("127.0.0.1", 53), port.client)
        async with trio.open_nursery() as later:
            datagrams.drain(port, flows, journal, later)
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            sent = {session.client.host: reader.stream(session.id, Stream.SERVER) for session in reader.sessions()}
    assert sent == {"127.0.0.1": b"", "127.0.0.2": b"WHO"}


@pytest.mark.usefixtures("way")
async def test_both_times_of_a_datagram_are_recorded(tmp_path: Path) -> None:
    async with serving(tmp_path) as (port, journal):
        with watching(journal) as watcher, await client_socket("127.0.0.1", port) as sock:
            for text in (b"hello", b"silence"):
                await sock.send(text)
            assert await sock.recv(100) == b"HELLO"
            live = await watcher.wait_exchanges(2)
        await journal.settle()
        with Reader(tmp_path / "journal") as reader:
            stored = [exchange for _, exchange in reader.exchanges()]
    assert stored == live
    answered, silent = stored
    assert answered.started < answered.ended == answered.sent
    assert silent.sent == 0.0
