"""A large journal, and how long it takes to find something in it, while a loop beside wants its turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import trio

from sandbox.address import Address
from sandbox.filter import parse
from sandbox.journal.journal import Journal
from sandbox.journal.matching import Matcher
from sandbox.journal.reader import Found, Reader
from sandbox.journal.recorder import Recorder
from sandbox.journal.records import Stream
from sandbox.journal.store import FILE, Store

__all__ = ["EXCHANGES", "Took", "fill", "lags", "questions"]

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


def fill(folder: Path, exchanges: int = EXCHANGES) -> Path:
    """A journal of so many exchanges, as visitors of a small world leave it."""
    async def main() -> None:
        journal = Journal(Store(folder / FILE, size=1 << 31), queue=1 << 26, body_limit=1 << 20)
        async with trio.open_nursery() as nursery:
            await nursery.start(journal.run)
            for number in range(exchanges // ROUND):
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


def count(matcher: Matcher | None) -> Callable[[Reader], int]:
    return lambda reader: sum(len(found.exchanges) for found in reader.search(matcher))


def newest(matcher: Matcher | None) -> Callable[[Reader], int]:
    return lambda reader: len(reader.newest(NEWEST, matcher))


QUESTIONS: dict[str, Callable[[Reader], int]] = {
    "all exchanges": count(None),
    f"the newest {NEWEST}": newest(None),
    f"the newest {NEWEST} of one protocol": newest(parse("protocol:dns")),
    f"the newest {NEWEST} with a text": newest(parse("page-2.html")),
    "all of one protocol": count(parse("protocol:smtp")),
    "all with a text that is nowhere": count(parse('"nowhere to be found"')),
    "what is new, when nothing is": lambda reader: sum(
        len(found.exchanges) for found in reader.search(after=reader.last())),
}

SEARCHES = {"all exchanges": None, "all of one protocol": parse("protocol:smtp"),
            "all with a text that is nowhere": parse('"nowhere to be found"')}


def lags(journal: Path, seconds: float = 1.0) -> Iterator[tuple[str, float, float]]:
    """How late a loop's turns are while searches run beside it in threads, slice by slice, as for those who ask a
    running sandbox: the search, the 99th percentile, the worst; in seconds. The first is without any, so long.
    """
    yield ("no search", *lag(None, seconds))
    for name, matcher in SEARCHES.items():
        with Reader(journal) as reader:
            yield (name, *lag(reader.search(matcher, newest=True), seconds))


def lag(search: Iterator[Found] | None, seconds: float) -> tuple[float, float]:
    late: list[float] = []

    async def tick() -> None:
        while True:
            due = trio.current_time() + TICK
            await trio.sleep_until(due)
            late.append(trio.current_time() - due)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tick)
            if search is None:
                await trio.sleep(seconds)
            else:
                while await trio.to_thread.run_sync(next, search, None) is not None:
                    pass
            await trio.sleep(10 * TICK)
            nursery.cancel_scope.cancel()

    trio.run(main)
    return statistics.quantiles(late, n=100, method="inclusive")[98], max(late)
