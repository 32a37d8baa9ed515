"""Searching the store: what is found is what matches, in order, from any place, however the pages lie."""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.address import Address
from sandbox.journal import scanning
from sandbox.journal.beside import TURN, beside_the_loop
from sandbox.journal.journal import Journal
from sandbox.journal.matching import Narrowing
from sandbox.journal.reader import Reader
from sandbox.journal.recorder import Recorder
from sandbox.journal.records import Exchange, Session
from tests.support.journal import NAME, SERVER, journal_at, one_exchange, open_session

Pair = tuple[Session, Exchange]


class Wanted:
    """A matcher that says itself which exchanges a narrowing means."""

    def __init__(self, narrowing: Narrowing) -> None:
        self._narrowing = narrowing

    def narrowing(self) -> Narrowing:
        return self._narrowing

    def matches(self, session: Session, exchange: Exchange) -> bool:
        wanted = self._narrowing
        values = {"protocol": session.protocol, "service": session.service, "transport": session.transport,
                  "client": session.client.host, "space": session.space}
        texts = [text.lower() for text in (exchange.verb, exchange.asked, exchange.outcome, exchange.answered,
                                           exchange.key, *exchange.facts.values())]
        return (all(any(literal in text for text in texts) for literal in wanted.literals)
                and all(values[name] in among for name, among in wanted.columns.items())
                and (wanted.sessions is None or session.id in wanted.sessions)
                and wanted.since <= exchange.ended <= wanted.until)


def found(reader: Reader, matcher: Wanted | None = None, *, after: int = 0, before: int = 0, newest: bool = False,
          ) -> list[Exchange]:
    return [exchange for piece in reader.search(matcher, after=after, before=before, newest=newest)
            for _, exchange in piece.exchanges]


WORDS = ["", "GET", "www.Example.com", "caf\u00e9 Straße", "K\u212a", "needle"]

STEPS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(WORDS), st.sampled_from(["", "settle", "close"])),
                 max_size=40)
NARROWINGS = st.builds(
    Narrowing, literals=st.lists(st.sampled_from(["get", "example", "caf", "nowhere", "e"]), max_size=2).map(tuple),
    columns=st.dictionaries(st.sampled_from(["protocol", "transport", "client", "space", "service"]),
                            st.frozensets(st.sampled_from(["http", "dns", "udp", "tcp", "::1", "127.0.0.1", "main"]),
                                          max_size=3), max_size=2),
    sessions=st.none() | st.frozensets(st.integers(1, 6), max_size=3))


def record(folder: Path, steps: Sequence[tuple[int, str, str]]) -> list[Pair]:
    """Four sessions at a time do what the steps say. What was told live."""
    live: list[Pair] = []

    async def main() -> None:
        async with journal_at(folder) as journal:
            journal.bus.watch(lambda happened: live.extend(happened.exchanges))
            recorders = [begin(journal, number) for number in range(4)]
            for number, asked, then in steps:
                if number % 2:
                    recorders[number].datagram(5.0, b"q", b"a", ("A", asked, "", "", "", {"name": asked}), 7)
                    journal.count(2)
                else:
                    one_exchange(recorders[number], b"q", b"a", asked)
                if then == "settle":
                    await journal.settle()
                elif then == "close":
                    recorders[number].close("client-closed")
                    recorders[number] = begin(journal, number)

    trio.run(main)
    return live


def begin(journal: Journal, number: int) -> Recorder:
    return journal.open(service=("http", "dns")[number % 2], protocol=("http", "dns")[number % 2],
                        transport=("tcp", "udp")[number % 2], client=Address(("::1", "127.0.0.1")[number // 2], 9),
                        server=SERVER)


@settings(max_examples=60, deadline=None)
@given(STEPS, NARROWINGS, st.integers(0, 45), st.integers(0, 45), st.sampled_from([1, 2, 3, 500]),
       st.sampled_from([1, 2, 5, 256]))
def test_the_store_finds_what_matched_live(tmp_path_factory: pytest.TempPathFactory,
                                           steps: list[tuple[int, str, str]], narrowing: Narrowing, after: int,
                                           before: int, enough: int, pages: int) -> None:
    folder = tmp_path_factory.mktemp("search")
    live = record(folder, steps)
    matcher = Wanted(narrowing)
    wanted = [exchange for session, exchange in live
              if matcher.matches(session, exchange) and after < exchange.id < (before or math.inf)]
    with pytest.MonkeyPatch.context() as patch, Reader(folder / NAME) as reader:
        patch.setattr(scanning, "ENOUGH", enough)
        patch.setattr(scanning, "FIRST_PAGES", pages)
        patch.setattr(scanning, "MOST_PAGES", pages)
        assert [exchange.id for exchange in found(reader)] == [exchange.id for _, exchange in live]
        assert found(reader, matcher, after=after, before=before) == wanted
        assert found(reader, matcher, after=after, before=before, newest=True) == wanted[::-1]
        assert [exchange for _, exchange in reader.newest(3, matcher)] == [
            exchange for session, exchange in live if matcher.matches(session, exchange)][-3:]


@settings(max_examples=30, deadline=None)
@given(STEPS, st.integers(0, 40), st.integers(0, 40))
def test_times_narrow_what_is_read(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str, str]],
                                   first: int, last: int) -> None:
    folder = tmp_path_factory.mktemp("times")
    live = [pair for pair in record(folder, steps) if pair[0].transport == "tcp"]
    if not live:
        return
    moments = [exchange.ended for _, exchange in live]
    since, until = moments[first % len(moments)], moments[last % len(moments)]
    matcher = Wanted(Narrowing(since=since, until=until))
    with Reader(folder / NAME) as reader:
        for newest in (False, True):
            assert sorted(exchange.id for exchange in found(reader, matcher, newest=newest)) == [
                exchange.id for session, exchange in live if since <= exchange.ended <= until]


async def test_a_search_says_how_far_it_is_and_can_be_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "FIRST_PAGES", 4)
    monkeypatch.setattr(scanning, "MOST_PAGES", 4)
    async with journal_at(tmp_path) as journal:
        for _ in range(10):
            one_exchange(open_session(journal), b"q", b"a")
            await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            nowhere = Wanted(Narrowing(literals=("nowhere",)))
            assert [round(piece.share, 1) for piece in reader.search(nowhere)] == [0.4, 0.8, 1.0]
            turn = sys.getswitchinterval()
            search = reader.search(newest=True)
            assert [exchange.id for _, exchange in next(search).exchanges] == [10, 9, 8, 7]
            assert gc.isenabled()
            assert sys.getswitchinterval() == turn


async def test_rooms_that_were_made_meanwhile_are_no_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "ENOUGH", 1)
    async with journal_at(tmp_path, size=20_000) as journal:
        def visit() -> None:
            recorder = open_session(journal)
            one_exchange(recorder, bytes(1_000), b"a")
            recorder.close("client-closed")

        for _ in range(18):
            visit()
            await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            search = reader.search(newest=True)
            first = next(search)
            for _ in range(6):
                visit()
                await journal.settle()
            ids = [exchange.id for piece in (first, *search) for _, exchange in piece.exchanges]
    assert ids == list(range(18, ids[-1] - 1, -1))
    assert 1 < ids[-1] < 12, "some have left meanwhile"


async def test_what_is_new_costs_only_what_is_new(tmp_path: Path) -> None:
    """And the newest of a filter are not looked for through the index of sessions, nor sorted."""
    async with journal_at(tmp_path) as journal:
        for _ in range(300):
            one_exchange(open_session(journal), b"q", b"a")
            await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            steps = 0

            def step() -> int:
                nonlocal steps
                steps += 1
                return 0

            reader._db.set_progress_handler(step, 100)
            assert len(found(reader, after=298)) == 2
            assert steps <= 2
            scan = scanning.Scan(reader._db, Narrowing(columns={"protocol": frozenset(["dns"])}), newest=True)
            plan = [row for (_, _, _, row) in reader._db.execute(f"EXPLAIN QUERY PLAN {scan._query}",
                                                                 (1, 2, 3, "[]"))]
    assert plan[0].startswith("SEARCH pages USING INTEGER PRIMARY KEY")
    assert not any("TEMP B-TREE" in row for row in plan)


def test_the_last_of_several_slices_puts_back_how_threads_take_turns() -> None:
    before = (gc.isenabled(), sys.getswitchinterval())
    first, second = beside_the_loop(), beside_the_loop()
    for slice_ in (first, second):
        slice_.__enter__()
        assert (gc.isenabled(), round(sys.getswitchinterval(), 6)) == (False, TURN)
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert (gc.isenabled(), sys.getswitchinterval()) == before
