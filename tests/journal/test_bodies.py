"""Long bodies: in files of their own, once, as long as a session mentions them or the loop remembers them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.journal.bodies import OPEN_FILES, Bodies, BodyReader, folder_of
from sandbox.journal.digests import PIECE
from sandbox.journal.journal import Journal
from sandbox.journal.reader import Reader
from sandbox.journal.records import Cut, Stream
from sandbox.journal.shared import SharedContent
from tests.support.journal import NAME, journal_at, open_session

LONG = bytes(range(256)) * 4_000
"""A little more than a mebibyte."""


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder_of(folder / NAME).glob("*"))


def upload(journal: Journal, data: bytes = LONG, piece: int = 100_000) -> SharedContent:
    """A session that received data, as a content."""
    recorder = open_session(journal)
    for start in range(0, len(data), piece):
        recorder.chunk(Stream.CLIENT, data[start:start + piece])
    content = recorder.content(Stream.CLIENT)
    assert content is not None
    recorder.exchange(1.0, "STOR", "x", "226", "", "", len(data), None)
    journal.sharing.remember((1, content.body, len(data), 0, 0), content)
    recorder.close("client-closed")
    return content


def download(journal: Journal, content: SharedContent, pieces: int = 3) -> int:
    """A session that was sent a content. Its id."""
    recorder = open_session(journal)
    step = content.length // pieces
    for start in range(0, content.length, step):
        recorder.passed(Stream.SERVER, content, start, min(step, content.length - start))
    recorder.known(Stream.SERVER, content.sha256)
    assert recorder.sha256(Stream.SERVER) == content.sha256
    recorder.exchange(1.0, "RETR", "x", "226", "", "", 0, None)
    recorder.close("server-closed")
    return recorder.session.id


def test_pieces_are_read_as_they_were_written(tmp_path: Path) -> None:
    bodies, reader = Bodies(tmp_path / "bodies"), BodyReader(tmp_path / "bodies")
    for number in range(1, 2 * OPEN_FILES):
        bodies.write(number, b"%03d" % number * 10, 0)
        bodies.write(number, b"end", 30)
    for number in (1, 2, 1, 2 * OPEN_FILES - 1):
        assert reader.read(number, 27, 6) == b"%03dend" % number
    bodies.drop(1)
    bodies.drop(1)
    assert reader.read(2, 0, 3) == b"002"
    assert reader.read(1, 0, 3) == b""
    bodies.keep_only({3})
    assert [path.name for path in (tmp_path / "bodies").iterdir()] == ["3"]
    reader.close()
    bodies.close()


async def test_a_long_body_is_a_file_and_short_ones_are_not(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        recorder = open_session(journal)
        for data in (b"short", LONG, b"short again", LONG):
            recorder.chunk(Stream.SERVER, data)
            recorder.exchange(1.0, "GET", "", "200", "", "", 0, None)
        recorder.close("client-closed")
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert reader.stream(1, Stream.SERVER) == b"short" + LONG + b"short again" + LONG
            assert reader.octets(1, Stream.SERVER, 300_000, 300_010) == LONG[299_995:300_005]
    assert len(files(tmp_path)) == 2
    assert (tmp_path / NAME).stat().st_size < len(LONG) / 4


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 2 * PIECE), min_size=1, max_size=8), st.integers(1, 4 * PIECE), st.booleans())
def test_any_pieces_and_any_limit(tmp_path_factory: pytest.TempPathFactory, sizes: list[int], limit: int,
                                  ends: bool) -> None:
    folder = tmp_path_factory.mktemp("bodies")
    data = (LONG * 4)[:sum(sizes)]

    async def main() -> None:
        async with journal_at(folder, body_limit=limit) as journal:
            recorder = open_session(journal)
            position = 0
            for size in sizes:
                recorder.chunk(Stream.CLIENT, data[position:position + size])
                position += size
            if ends:
                recorder.exchange(1.0, "PUT", "", "200", "", "", position, None)
                recorder.chunk(Stream.CLIENT, b"next")
            recorder.close("client-closed")

    trio.run(main)
    with Reader(folder / NAME) as reader:
        assert reader.stream(1, Stream.CLIENT) == data[:limit] + (b"next"[:limit] if ends else b"")
        cut = Cut(Stream.CLIENT, len(data), hashlib.sha256(data).hexdigest())
        for _, exchange in reader.exchanges():
            assert exchange.cuts == ([cut] if len(data) > limit else [])


async def test_what_passes_again_is_mentioned_not_kept_again(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        content = upload(journal)
        assert content.sha256 == hashlib.sha256(LONG).hexdigest()
        assert content.head, "the first pieces passed before it was long"
        numbers = [download(journal, content, pieces) for pieces in (1, 3, 50)]
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            for number in numbers:
                assert reader.stream(number, Stream.SERVER) == LONG
    assert len(files(tmp_path)) == 1


async def test_a_content_over_the_limit(tmp_path: Path) -> None:
    async with journal_at(tmp_path, body_limit=500_000) as journal:
        content = upload(journal)
        number = download(journal, content, 7)
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert reader.stream(number, Stream.SERVER) == LONG[:500_000]
            exchanges = [exchange for _, exchange in reader.exchanges()]
    assert exchanges[1].cuts == [Cut(Stream.SERVER, len(LONG), hashlib.sha256(LONG).hexdigest())]
    assert exchanges[1].server == (0, len(LONG))


async def test_a_body_goes_with_the_last_session_that_mentions_it(tmp_path: Path) -> None:
    async with journal_at(tmp_path, size=3 * len(LONG)) as journal:
        content = upload(journal)
        for _ in range(40):
            download(journal, content)
        await journal.settle()
        assert len(files(tmp_path)) == 1
        for _ in range(5):
            upload(journal)
            await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            left = list(reader.sessions())
            assert [session.id for session in left] == [44, 45, 46][-len(left):]
            for session in left:
                assert reader.stream(session.id, Stream.CLIENT) == LONG
        assert len(files(tmp_path)) == len(left) == 2, "what is too much to be remembered is not pinned"


async def test_what_is_remembered_stays_though_its_sessions_are_gone(tmp_path: Path) -> None:
    other = bytes(1_000_000)
    async with journal_at(tmp_path, size=5 * len(LONG)) as journal:
        content = upload(journal)
        for _ in range(9):
            recorder = open_session(journal)
            recorder.chunk(Stream.CLIENT, other)
            recorder.close("client-closed")
            await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert reader.session(1) is None
        number = download(journal, content)
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert reader.stream(number, Stream.SERVER) == LONG


async def test_one_endless_session_loses_its_oldest_bodies(tmp_path: Path) -> None:
    async with journal_at(tmp_path, size=3 * len(LONG)) as journal:
        recorder = open_session(journal)
        for _ in range(12):
            recorder.chunk(Stream.SERVER, LONG)
            recorder.exchange(1.0, "GET", "", "200", "", "", 0, None)
            await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            left = reader.stream(1, Stream.SERVER)
        assert left in (LONG, LONG * 2)
        assert len(files(tmp_path)) == len(left) // len(LONG)


async def test_a_start_removes_what_nobody_mentions(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        upload(journal)
    assert len(files(tmp_path)) == 1
    (folder_of(tmp_path / NAME) / "77").write_bytes(b"of a batch that a kill kept from the store")
    async with journal_at(tmp_path) as journal:
        assert len(files(tmp_path)) == 1
        upload(journal)
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert [reader.stream(session.id, Stream.CLIENT) for session in reader.sessions()] == [LONG, LONG]
