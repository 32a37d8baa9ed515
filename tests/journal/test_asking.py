"""Asking: history, then live, without gap or repeat; the first that is meant, or what came near."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
import trio.testing

from sandbox.filter import parse
from sandbox.journal import scanning
from sandbox.journal.asking import Asking, NotSeen
from sandbox.journal.journal import Journal
from sandbox.journal.reader import Reader
from sandbox.journal.recorder import Recorder
from sandbox.journal.records import Exchange, Session
from tests.support.journal import journal_at, one_exchange, open_session


def ids(pairs: Sequence[tuple[Session, Exchange]]) -> list[int]:
    return [exchange.id for _, exchange in pairs]


def some(recorder: Recorder, count: int, asked: str = "/") -> None:
    for _ in range(count):
        one_exchange(recorder, b"q", b"a", asked)


async def test_history_is_newest_first_and_in_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "FIRST_PAGES", 1)
    monkeypatch.setattr(scanning, "MOST_PAGES", 1)
    async with journal_at(tmp_path) as journal:
        asking = Asking(journal)
        recorder = open_session(journal)
        for turn in range(5):
            some(recorder, 2, asked=f"turn-{turn}")
            await journal.settle()
        some(recorder, 1, asked="not written yet")
        async with asking.history(before=10, after=3) as history:
            slices = [(ids(found.exchanges), found.next) async for found in history]
        assert slices == [([9], 9), ([8, 7], 7), ([6, 5], 5), ([4], 0)]
        async with asking.history(limit=4) as history:
            assert [(ids(found.exchanges), found.next) async for found in history] == [
                ([11], 11), ([10, 9], 9), ([8], 8)]
        assert ids(await asking.newest(parse("turn-1 or turn-3"), count=3)) == [8, 7, 4]
        async with asking.history(parse("turn-0"), newest=False) as history:
            assert ids([pair async for found in history for pair in found.exchanges]) == [1, 2]


async def test_history_then_live_without_gap_or_repeat(tmp_path: Path) -> None:
    """While exchanges end all the time: in batches written, in ones under way, and in the one collected."""
    async with journal_at(tmp_path) as journal, trio.open_nursery() as nursery:
        asking = Asking(journal)
        recorder, flow = open_session(journal), open_session(journal, "dns", "udp")
        over = False

        async def happen() -> None:
            while not over:
                some(recorder, 1)
                flow.datagram(time.time(), b"q", b"a", ("A", "x", "", "", "", None))
                journal.count(1)
                await trio.sleep(0.001)

        nursery.start_soon(happen)
        for after in (0, 7, 50):
            seen: list[int] = []
            async with asking.follow(after=after) as following:
                upto = journal.last + 200
                async for news in following:
                    assert not news.missed
                    seen += ids(news.exchanges)
                    if seen[-1] >= upto:
                        break
            assert seen == list(range(after + 1, seen[-1] + 1))
        over = True


async def test_live_alone(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        recorder = open_session(journal)
        some(recorder, 3, "before")
        async with Asking(journal).follow(parse("wanted or before")) as following:
            some(recorder, 1, "wanted")
            some(recorder, 1, "other")
            some(recorder, 1, "wanted")
            await journal.settle()
            with trio.fail_after(5):
                assert ids((await anext(following)).exchanges) == [4, 6]
        assert not journal.bus, "who has left is told nothing"


async def test_who_reads_slowly_is_told_how_many_it_missed(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        recorder = open_session(journal)
        async with Asking(journal).follow(waiting=5) as following:
            for _ in range(4):
                some(recorder, 2)
                await journal.settle()
            with trio.fail_after(5):
                told = [await anext(following) for _ in range(3)]
    assert [(ids(news.exchanges), news.missed) for news in told] == [([], 4), ([5, 6], 0), ([7, 8], 0)]


async def test_what_came_too_fast_while_history_was_read_is_read_too(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        recorder = open_session(journal)
        some(recorder, 2)
        async with Asking(journal).follow(after=0, waiting=5) as following:
            seen = ids((await anext(following)).exchanges)
            for _ in range(4):
                some(recorder, 2)
                await journal.settle()
            some(recorder, 1)
            journal.flush()
            while seen[-1] < 11:
                news = await anext(following)
                assert not news.missed
                seen += ids(news.exchanges)
    assert seen == list(range(1, 12))


async def test_the_first_may_have_come_or_may_come(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        asking, recorder = Asking(journal), open_session(journal)
        some(recorder, 1, "first")
        assert ids(await asking.first(parse("first"), timeout=5)) == [1]
        async with trio.open_nursery() as nursery:
            async def later() -> None:
                await trio.testing.wait_all_tasks_blocked(0.01)
                some(recorder, 2, "second")

            nursery.start_soon(later)
            assert ids(await asking.first(parse("first or second"), count=2, timeout=5)) == [1, 2]
        assert ids(await asking.first(parse("second"), after=2, timeout=5)) == [3]


async def test_what_did_not_come_says_what_came_near(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        asking, recorder = Asking(journal), open_session(journal)
        some(recorder, 1, "/login")
        some(recorder, 3, "/other")
        with pytest.raises(NotSeen) as caught:
            await asking.first(parse("verb:GET asked:/login outcome:404"), timeout=0.05)
        misses = caught.value.near_misses
        assert [(miss.exchange.id, miss.failed) for miss in misses[:2]] == [
            (1, ["outcome:404"]), (4, ["asked:/login", "outcome:404"])]
        with pytest.raises(NotSeen) as caught:
            await asking.first(parse("/login"), count=2, timeout=0.05)
        assert ids(caught.value.seen) == [1]
        with pytest.raises(NotSeen) as caught:
            await asking.first(parse("/login"), since=time.time() + 60, timeout=0.05)
        assert not caught.value.seen
        assert not caught.value.near_misses, "what was before is not near"


async def test_one_exchange_by_its_number(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        recorder = open_session(journal)
        some(recorder, 1, "one")
        some(recorder, 1, "two")
        await journal.settle()
        with Reader(journal.path) as reader:
            found = reader.exchange(2)
            assert found is not None
            assert found[1].asked == "two"
            assert reader.exchange(3) is None


async def test_searches_of_many_take_turns(tmp_path: Path) -> None:
    """And who leaves in the middle leaves nothing behind."""
    async with journal_at(tmp_path) as journal:
        await fill(journal)
        asking = Asking(journal)
        counts: list[int] = []

        async def count() -> None:
            async with asking.history() as history:
                counts.append(sum([len(found.exchanges) async for found in history]))

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(count)
        assert counts == [200] * 10
        with trio.move_on_after(0):
            await count()
        async with asking.history() as history:
            await anext(history)


async def fill(journal: Journal) -> None:
    recorder = open_session(journal)
    for _ in range(20):
        some(recorder, 10)
        await journal.settle()
