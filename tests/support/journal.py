"""A journal of its own for a test, and what to put into it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from sandbox.address import Address
from sandbox.journal.journal import Journal
from sandbox.journal.recorder import Recorder
from sandbox.journal.records import Stream
from sandbox.journal.store import Store

__all__ = ["NAME", "journal_at", "one_exchange", "open_session"]

CLIENT, SERVER = Address("127.0.0.1", 40000), Address("127.0.0.1", 8080)
NAME = "journal.sqlite3"


@asynccontextmanager
async def journal_at(folder: Path, *, size: int = 1 << 30, body_limit: int = 1 << 20) -> AsyncIterator[Journal]:
    journal = Journal(Store(folder / NAME, size=size), queue=1 << 24, body_limit=body_limit)
    async with trio.open_nursery() as nursery:
        await nursery.start(journal.run)
        yield journal
        nursery.cancel_scope.cancel()


def open_session(journal: Journal, service: str = "http", transport: str = "tcp") -> Recorder:
    return journal.open(service=service, protocol=service, transport=transport, client=CLIENT, server=SERVER)


def one_exchange(recorder: Recorder, question: bytes, answer: bytes, asked: str = "/") -> None:
    recorder.chunk(Stream.CLIENT, question)
    recorder.chunk(Stream.SERVER, answer)
    recorder.exchange(1.0, "GET", asked, "200", "OK", "", recorder.offset(Stream.CLIENT), {"note": "kept"})
