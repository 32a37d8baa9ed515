"""A full disk, or whatever else keeps a batch from the store: clients go on, and what follows is recorded well."""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path

import pytest
import trio

from sandbox.journal.bodies import folder_of
from sandbox.journal.journal import Journal
from sandbox.journal.reader import Reader
from sandbox.journal.records import Stream
from tests.support.journal import NAME, journal_at, one_exchange, open_session

LONG = bytes(range(256)) * 4_000
FILE = (1, 2, len(LONG), 4, 5)


def fill(journal: Journal) -> None:
    """From now on the file cannot grow, as on a full disk."""
    db = journal._store._db
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages}")


def empty(journal: Journal) -> None:
    journal._store._db.execute("PRAGMA max_page_count = 1000000")


def no_room(*_: object) -> int:
    raise OSError(28, "No space left on device")


def upload(journal: Journal) -> None:
    recorder = open_session(journal)
    recorder.chunk(Stream.CLIENT, LONG)
    content = recorder.content(Stream.CLIENT)
    assert content is not None
    recorder.exchange(1.0, "STOR", "x", "226", "", "", len(LONG), None)
    journal.sharing.remember(FILE, content)
    recorder.close("client-closed")


async def test_sessions_that_a_full_disk_kept_out_are_there_afterwards(tmp_path: Path) -> None:
    """Their openings and ends, that is: what passed meanwhile is lost."""
    async with journal_at(tmp_path) as journal:
        before = open_session(journal)
        one_exchange(before, b"before", b"ok")
        await journal.settle()
        fill(journal)
        meanwhile, over = open_session(journal), open_session(journal)
        one_exchange(meanwhile, os.urandom(100_000), b"ok")
        over.close("client-closed")
        before.close("client-closed")
        await journal.settle()
        one_exchange(meanwhile, os.urandom(100_000), b"ok")
        await journal.settle()
        empty(journal)
        one_exchange(meanwhile, b"after", b"ok", asked="after")
        meanwhile.close("client-closed")
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert [(session.id, session.end) for session in reader.sessions()] == [
                (before.session.id, "client-closed"), (meanwhile.session.id, "client-closed")]
            assert [exchange.asked for _, exchange in reader.exchanges()] == ["/", "after"]


async def test_bytes_that_repeat_are_not_lost_with_a_batch(tmp_path: Path) -> None:
    page = bytes(5_000)
    async with journal_at(tmp_path) as journal:
        recorder = open_session(journal)
        await journal.settle()
        fill(journal)
        for _ in range(3):
            recorder.chunk(Stream.SERVER, page)
        recorder.chunk(Stream.SERVER, os.urandom(200_000))
        await journal.settle()
        empty(journal)
        later = open_session(journal)
        later.chunk(Stream.SERVER, page)
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert reader.stream(later.session.id, Stream.SERVER) == page


async def test_a_body_that_was_not_written_is_not_remembered(tmp_path: Path,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    async with journal_at(tmp_path) as journal:
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", no_room)
            upload(journal)
            await journal.settle()
        assert journal.sharing.known(FILE, 1) is None
        assert not list(folder_of(tmp_path / NAME).iterdir()), "of what is not in the store no file is left"
        upload(journal)
        await journal.settle()
        assert journal.sharing.known(FILE, 1) is not None
        assert journal._store._retention.size < 2 * len(LONG)


async def test_what_a_session_is_about_to_send_is_not_dropped_before(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        upload(journal)
        await journal.settle()
        recorder = open_session(journal)
        content = journal.sharing.known(FILE, recorder.session.id)
        assert content is not None
        journal.sharing.lost()  # or many others are remembered, and then the journal makes room:
        journal._store._retention._limit = 1
        await journal.settle()
        open_session(journal)
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert reader.session(1) is None
        journal._store._retention._limit = 1 << 30
        recorder.passed(Stream.SERVER, content, 0, len(LONG))
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert reader.stream(recorder.session.id, Stream.SERVER) == LONG


async def test_room_that_was_not_made_in_the_end_removes_no_file(tmp_path: Path,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    async with journal_at(tmp_path, size=3 * len(LONG)) as journal:
        for _ in range(2):
            upload(journal)
            await journal.settle()
        retention = journal._store._retention
        size, make_room = retention.size, retention.make_room

        def interrupted() -> None:
            make_room()
            raise sqlite3.OperationalError("disk I/O error")

        with monkeypatch.context() as patch:
            patch.setattr(retention, "make_room", interrupted)
            upload(journal)
            await journal.settle()
        assert retention.size == size
        open_session(journal).close("client-closed")
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert [reader.stream(session, Stream.CLIENT) == LONG for session in (1, 2)] == [True, True]


async def test_the_writer_outlives_what_cannot_be_encoded(tmp_path: Path) -> None:
    """Else everybody would wait for it for ever."""
    async with journal_at(tmp_path) as journal:
        one_exchange(open_session(journal), b"q", b"a", asked="half a pair: \udc80")
        with trio.fail_after(5):
            await journal.settle()
        one_exchange(open_session(journal), b"q", b"a", asked="whole")
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert [exchange.asked for _, exchange in reader.exchanges()] == ["whole"]


async def test_a_lasting_failure_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                              caplog: pytest.LogCaptureFixture) -> None:
    async with journal_at(tmp_path) as journal:
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", no_room)
            for _ in range(3):
                upload(journal)
                await journal.settle()
        for _ in range(2):
            upload(journal)
            await journal.settle()
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 2
    assert "free some space" in told[0]
    assert told[1] == f"the journal is written again to {tmp_path / NAME}; 3 batches before are lost"


async def test_what_a_lost_batch_would_have_brought_to_a_body_is_missing_not_zeros(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece of a long body is lost while others send the same file: its place in the file must not be read."""
    async with journal_at(tmp_path, body_limit=1 << 24) as journal:
        recorder = open_session(journal)
        for number in range(5):
            with monkeypatch.context() as patch:
                if number in (0, 3):
                    patch.setattr(os, "pwrite", no_room)
                recorder.chunk(Stream.CLIENT, bytes([number + 1]) * len(LONG))
                await journal.settle()
        content = recorder.content(Stream.CLIENT)
        assert content is not None
        later = open_session(journal)
        later.passed(Stream.SERVER, content, 0, content.length)
        later.close("server-closed")
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            chunks = list(reader.chunks(later.session.id))
            kept = b"".join(bytes([number]) * len(LONG) for number in (2, 3, 5))
            assert reader.stream(later.session.id, Stream.SERVER) == kept
            assert sum(chunk.length for chunk in chunks) == content.length
            assert [(chunk.offset // len(LONG), len(chunk.data) // len(LONG)) for chunk in chunks] == [
                (0, 0), (1, 2), (3, 0), (4, 1)]
            assert reader.octets(later.session.id, Stream.SERVER, 3 * len(LONG) - 1, 4 * len(LONG) + 1) == b"\3\5"
            assert reader.stream(recorder.session.id, Stream.CLIENT) == kept
