"""What the loop remembers: numbers, pins and their ends, in the order the writer needs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.journal.reader import Reader
from sandbox.journal.records import Stream
from sandbox.journal.shared import CONTENTS, REPEATS, FileIdentity, Shared, SharedContent, Sharing
from tests.support.journal import NAME, journal_at, one_exchange, open_session


def file(number: int) -> FileIdentity:
    return (1, number, 10, 0, 0)


def content(body: int, kept: int = 10) -> SharedContent:
    return SharedContent(b"", body, kept, 10, "")


def test_bytes_get_a_number_when_they_pass_again() -> None:
    sharing = Sharing(7, 1000)
    page = bytes(2000)
    assert sharing.find(1, page) is page
    assert sharing.take() == Shared([], [], set(), [], [])
    assert (sharing.find(1, page), sharing.find(1, page)) == (7, 7)
    assert sharing.take() == Shared([(7, page)], [], {(1, 7)}, [7], [])
    for _ in range(REPEATS):
        sharing.find(1, bytes(2001))
    assert sharing.find(1, page) is page
    assert sharing.take().released == [7]


def test_contents_are_remembered_up_to_a_size_and_a_number() -> None:
    sharing = Sharing(1, 100)
    sharing.remember(file(1), content(1, kept=101))
    assert sharing.known(file(1), 5) is None, "one that is too large"
    for number in range(10):
        sharing.remember(file(number), content(number))
    assert sharing.known(file(0), 5) == content(0)
    sharing.remember(file(10), content(10))
    assert sharing.known(file(1), 5) is None, "the one that was not asked for the longest time"
    assert sharing.known(file(0), 5) is not None
    shared = sharing.take()
    assert (shared.pinned, shared.released) == (list(range(11)), [1])
    assert shared.mentions == {(5, 0)}, "who asks has it"
    sharing.remember(file(0), content(77))
    assert sharing.known(file(0), 5) == content(77)
    assert sharing.take().released == [0]


def test_after_a_batch_that_is_lost_nothing_is_known_and_no_body_from_before_is_remembered() -> None:
    sharing = Sharing(5, 1000)
    sharing.remember(file(1), content(sharing.number()))
    unfinished = content(sharing.number())
    sharing.lost()
    assert sharing.known(file(1), 1) is None
    assert sharing.take().released == [5]
    sharing.remember(file(2), unfinished)
    sharing.remember(file(3), content(sharing.number()))
    assert sharing.known(file(2), 1) is None
    assert sharing.known(file(3), 1) == content(7)


def test_many_small_contents() -> None:
    sharing = Sharing(1, 1 << 30)
    for number in range(CONTENTS + 5):
        sharing.remember(file(number), content(number))
    assert sharing.take().released == [0, 1, 2, 3, 4]


async def test_a_page_in_memory_is_kept_though_its_sessions_are_gone(tmp_path: Path) -> None:
    page = bytes(range(256)) * 40
    async with journal_at(tmp_path, size=100_000) as journal:
        first = open_session(journal)
        for _ in range(3):
            one_exchange(first, b"q", page)
        first.close("client-closed")
        for _ in range(30):
            other = open_session(journal)
            one_exchange(other, bytes(1000) + bytes([other.session.id]) * 9_000, b"a")
            other.close("client-closed")
            await journal.settle()
        last = open_session(journal)
        one_exchange(last, b"q", page)
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert reader.session(first.session.id) is None
            assert reader.stream(last.session.id, Stream.SERVER) == page


@pytest.mark.parametrize("idle", [False, True])
async def test_bytes_that_repeat_go_with_the_last_session_that_mentions_them(tmp_path: Path, idle: bool) -> None:
    """Also while somebody idles who has been there longer."""
    async with journal_at(tmp_path, size=300_000) as journal:
        if idle:
            open_session(journal)
        for number in range(100):
            page = number.to_bytes(2) * 2_500
            recorder = open_session(journal)
            for _ in range(3):
                one_exchange(recorder, b"q", page)
            recorder.close("client-closed")
            await journal.settle()
        assert journal._store._retention.size <= 300_000
        with Reader(tmp_path / NAME) as reader:
            kept = [session.id for session in reader.sessions(service="http") if session.closed]
            assert len(kept) > 10
            for number in kept:
                assert len(reader.stream(number, Stream.SERVER)) == 15_000
