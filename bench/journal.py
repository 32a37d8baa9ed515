"""A large journal, and how long it takes to find something in it, while a loop beside wants its turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import trio

from sandbox.address import Address
from sandbox.journal.journal import Journal
from sandbox.journal.matching import Narrowing
from sandbox.journal.reader import Reader
from sandbox.journal.recorder import Recorder
from sandbox.journal.records import Exchange, Session, Stream
from sandbox.journal.store import FILE, Store

__all__ = ["EXCHANGES", "Took", "fill", "lag", "questions"]

EXCHANGES = 1_000_000
NEWEST = 50
ROUND = 30
"""Exchanges of one visitor: four connections with three pages each, ten names, a mail."""
TICK = 0.001
"""Seconds between two turns of the loop whose lag is measured."""


class Took(NamedTuple):
    """What was asked, in how many seconds, and how many exchanges were found."""

    question: str
    seconds: float
    found: int


class Text:
    """A matcher: texts of a protocol's exchanges. "" for any."""

    def __init__(self, text: str = "", protocol: str = "") -> None:
        self._text = text
        self._narrowing = Narrowing(literals=(text,) if text else (),
                                    columns={"protocol": frozenset([protocol])} if protocol else {})

    def narrowing(self) -> Narrowing:
        return self._narrowing

    def matches(self, session: Session, exchange: Exchange) -> bool:
        return self._text in exchange.asked.lower() or self._text in exchange.answered.lower()


def fill(folder: Path) -> Path:
    """A journal of EXCHANGES exchanges, as visitors of a small world leave it."""
    async def main() -> None:
        journal = Journal(Store(folder / FILE, size=1 << 31), queue=1 << 26, body_limit=1 << 20)
        async with trio.open_nursery() as nursery:
            await nursery.start(journal.run)
            for number in range(EXCHANGES // ROUND + 1):
                visit(journal, number)
                if number % 20 == 0:  # about what passes between two batches of a busy sandbox
                    await journal.settle()
            nursery.cancel_scope.cancel()

    trio.run(main)
    return folder / FILE


def visit(journal: Journal, number: int) -> None:
    client = Address("127.0.0.1", 20_000 + number % 40_000)

    def begin(service: str, port: int, transport: str = "tcp") -> Recorder:
        return journal.open(service=service, protocol=service, transport=transport, client=client,
                            server=Address("127.0.0.1", port))

    for connection in range(4):
        recorder = begin("http", 8080)
        for page in range(3):
            asked = f"/shop/{number % 977}/{connection}/page-{page}.html"
            recorder.chunk(Stream.CLIENT, f"GET {asked} HTTP/1.1\r\nHost: www.example.com\r\n\r\n".encode())
            recorder.chunk(Stream.SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n" + bytes(400))
            recorder.exchange(time.time(), "GET", asked, "200", "OK, 400 octets of text/html", "",
                              recorder.offset(Stream.CLIENT), {"host": "www.example.com"})
        recorder.close("client-closed")
    recorder = begin("dns", 8053, "udp")
    for name in range(10):
        recorder.datagram(time.time(), bytes(40), bytes(80), (
            "A", f"host-{number % 991}-{name}.example.com", "NOERROR", "127.0.0.1", "", None), 30)
        journal.count(120)
    recorder.close("flow-idle")
    recorder = begin("smtp", 8025)
    for verb in ("EHLO", "MAIL", "RCPT", "RCPT", "RCPT", "DATA", "RSET", "QUIT"):
        recorder.chunk(Stream.CLIENT, f"{verb} someone-{number}@example.org\r\n".encode())
        recorder.chunk(Stream.SERVER, b"250 2.0.0 OK\r\n")
        recorder.exchange(time.time(), verb, f"someone-{number}@example.org", "250", "2.0.0 OK", "",
                          recorder.offset(Stream.CLIENT), None)
    recorder.close("client-closed")


def questions(journal: Path) -> Iterator[Took]:
    """Each asked of a reader of its own."""
    for question, ask in QUESTIONS.items():
        with Reader(journal) as reader:
            began = time.perf_counter()
            found = ask(reader)
            yield Took(question, time.perf_counter() - began, found)


def count(matcher: Text | None) -> Callable[[Reader], int]:
    return lambda reader: sum(len(found.exchanges) for found in reader.search(matcher))


def newest(matcher: Text | None) -> Callable[[Reader], int]:
    return lambda reader: len(reader.newest(NEWEST, matcher))


QUESTIONS: dict[str, Callable[[Reader], int]] = {
    "all exchanges": count(None),
    f"the newest {NEWEST}": newest(None),
    f"the newest {NEWEST} of one protocol": newest(Text(protocol="dns")),
    f"the newest {NEWEST} with a text": newest(Text("page-2.html")),
    "all of one protocol": count(Text(protocol="smtp")),
    "all with a text that is nowhere": count(Text("nowhere to be found")),
    "what is new since the last exchange": lambda reader: sum(
        len(found.exchanges) for found in reader.search(after=EXCHANGES)),
}


def lag(journal: Path, matcher: Text | None, searches: int = 1) -> tuple[float, float]:
    """How late a loop's turns are while a search runs in a thread beside it, or for a second when none does: the 99th
    percentile, and the worst; seconds."""
    late: list[float] = []

    def look() -> None:
        if not searches:
            time.sleep(1)
            return
        with Reader(journal) as reader:
            for _ in reader.search(matcher, newest=True):
                pass

    async def tick() -> None:
        while True:
            due = trio.current_time() + TICK
            await trio.sleep_until(due)
            late.append(trio.current_time() - due)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tick)
            await trio.to_thread.run_sync(look)
            nursery.cancel_scope.cancel()

    trio.run(main)
    return statistics.quantiles(late, n=100)[98], max(late)


