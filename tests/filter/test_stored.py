"""What happens now and what is stored: the same filter means the same exchanges of both."""

from __future__ import annotations

import tempfile
from pathlib import Path

import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.filter import parse
from sandbox.journal.reader import Reader
from sandbox.journal.records import Exchange, Session
from tests.support.filters import filters
from tests.support.journal import NAME, journal_at
from tests.support.network import watching
from tests.support.records import exchanges, sessions

RECORDS = st.lists(st.tuples(sessions, exchanges), min_size=1, max_size=20)


@settings(max_examples=25, deadline=None)
@given(RECORDS, st.lists(filters, min_size=10, max_size=20))
def test_live_and_stored_agree(records: list[tuple[Session, Exchange]], texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        live = trio.run(record, Path(folder), records)
        with Reader(Path(folder) / NAME) as reader:
            for text in texts:
                wanted = parse(text, now=1_000_000.0)
                found = [exchange.id for piece in reader.search(wanted)
                         for _, exchange in piece.exchanges]
                assert found == [exchange.id for session, exchange in live if wanted.matches(session, exchange)], text


async def record(folder: Path, records: list[tuple[Session, Exchange]]) -> list[tuple[Session, Exchange]]:
    """Have it all happen, and give what a live listener was told."""
    async with journal_at(folder) as journal:
        with watching(journal) as watcher:
            for session, asked in records:
                recorder = journal.open(service=session.service, protocol=session.protocol, client=session.client,
                                        transport=session.transport, server=session.server)
                recorder.exchange(asked.started, asked.verb, asked.asked, asked.outcome, asked.answered, asked.key, 0,
                                  asked.facts)
                recorder.close("client-closed")
            await watcher.wait_exchanges(len(records))
            await journal.settle()
            return watcher.exchanges
