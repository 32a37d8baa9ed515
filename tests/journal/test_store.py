"""The journal on disk: what goes in comes out, across restarts, kills, and the size limit."""

from __future__ import annotations

import hashlib
import sqlite3
from itertools import accumulate, pairwise
from pathlib import Path

import msgspec
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import StoreError
from sandbox.journal import retention
from sandbox.journal.reader import Reader
from sandbox.journal.records import Cut, Stream
from sandbox.journal.schema import MIGRATIONS
from sandbox.journal.store import Store
from tests.support.journal import NAME, journal_at, one_exchange, open_session


async def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        recorder = open_session(journal)
        recorder.session.facts["open"] = {"mss": 1460, "syn": b"\x45"}
        one_exchange(recorder, b"question", b"answer")
        recorder.close("client-closed", {"rtt_us": 40})
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            [session] = reader.sessions()
            [(_, exchange)] = reader.exchanges()
            assert session == recorder.session
            assert session.facts == {"open": {"mss": 1460, "syn": b"\x45"}, "close": {"rtt_us": 40}}
            assert (exchange.verb, exchange.outcome, exchange.facts) == ("GET", "200", {"note": "kept"})
            assert (exchange.client, exchange.server) == ((0, 8), (0, 6))
            assert reader.stream(session.id, Stream.CLIENT) == b"question"
            assert reader.octets(session.id, Stream.SERVER, 1, 4) == b"nsw"


async def test_ids_rise_across_restarts(tmp_path: Path) -> None:
    seen = []
    for _ in range(3):
        async with journal_at(tmp_path) as journal:
            recorder = open_session(journal)
            one_exchange(recorder, b"q", b"a")
            recorder.close("client-closed")
    with Reader(tmp_path / NAME) as reader:
        seen = [(session.id, exchange.id) for session, exchange in reader.exchanges()]
    assert seen == [(1, 1), (2, 2), (3, 3)]


async def test_exchanges_of_many_sessions_come_in_the_order_they_ended(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        recorders = [open_session(journal) for _ in range(5)]
        for turn in range(20):
            one_exchange(recorders[turn * 3 % 5], b"q", b"a", asked=str(turn))
            if turn % 7 == 0:
                await journal.settle()
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert [exchange.asked for _, exchange in reader.exchanges()] == [str(turn) for turn in range(20)]
            assert [exchange.id for _, exchange in reader.exchanges(after=12)] == list(range(13, 21))


async def test_filters(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        for service in ("http", "dns", "http"):
            recorder = open_session(journal, service)
            one_exchange(recorder, b"q", b"a", asked=service)
            recorder.close("client-closed")
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert [exchange.asked for _, exchange in reader.exchanges(protocol="http")] == ["http", "http"]
            assert [exchange.asked for _, exchange in reader.exchanges(service="dns")] == ["dns"]
            assert not list(reader.exchanges(client="10.0.0.1"))
            assert not list(reader.exchanges(since=1e12))
            assert len(list(reader.sessions(client="127.0.0.1"))) == 3


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=6), st.integers(1, 2000), st.integers(1, 1500))
def test_a_cut_has_what_came_ahead_of_its_exchange(tmp_path_factory: pytest.TempPathFactory, sizes: list[int],
                                                   piece: int, limit: int) -> None:
    """As with pipelined requests: a piece may hold the end of one exchange and the beginning of the next."""
    folder = tmp_path_factory.mktemp("cuts")
    data = (bytes(range(251)) * 80)[:sum(sizes)]

    async def main() -> None:
        async with journal_at(folder, body_limit=limit) as journal:
            recorder = open_session(journal)
            arrived = 0
            for end in accumulate(sizes):
                while arrived < end:
                    recorder.chunk(Stream.CLIENT, data[arrived:arrived + piece])
                    arrived += len(data[arrived:arrived + piece])
                recorder.exchange(1.0, "PUT", "", "200", "", "", end, None)
            recorder.close("client-closed")

    trio.run(main)
    with Reader(folder / NAME) as reader:
        for (_, exchange), size in zip(reader.exchanges(), sizes, strict=True):
            start, end = exchange.client
            assert end - start == size
            for cut in exchange.cuts:
                assert cut == Cut(Stream.CLIENT, size, hashlib.sha256(data[start:end]).hexdigest())
            kept = reader.octets(1, Stream.CLIENT, start, end)
            assert data[start:end].startswith(kept)
            assert len(kept) == size or exchange.cuts
            assert len(kept) >= min(size, limit)


async def test_datagrams_are_exchanges_and_chunks_too(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        recorder = open_session(journal, "dns", "udp")
        about = ("A", "www.example.com", "NOERROR", "127.0.0.1", "", None)
        with journal.bus.listen() as listener:
            recorder.datagram(10.0, b"first", b"one", about)
            journal.count(8)
            await journal.settle()
            recorder.datagram(11.0, b"second", None, about)
            recorder.datagram(12.0, b"third", b"three", ("A", "x", "", "", "situation.x", {"why": "because"}))
            journal.count(16, 2)
            recorder.close("flow-idle")
            await journal.settle()
            live = [exchange for _ in range(2) for _, exchange in (await anext(listener)).exchanges]
        with Reader(tmp_path / NAME) as reader:
            found = [exchange for _, exchange in reader.exchanges()]
            assert found == live
            assert [exchange.client for exchange in found] == [(0, 5), (5, 11), (11, 16)]
            assert [exchange.server for exchange in found] == [(0, 3), (3, 3), (3, 8)]
            assert found[2].facts == {"why": "because"}
            assert reader.stream(1, Stream.CLIENT) == b"firstsecondthird"
            assert reader.octets(1, Stream.SERVER, *found[2].server) == b"three"


@pytest.mark.parametrize("step", [1, 7, 1000, 100_000])
async def test_a_body_over_the_limit_is_cut_with_its_length_and_hash(tmp_path: Path, step: int) -> None:
    body = bytes(range(256)) * 400
    limit = 70_000
    async with journal_at(tmp_path, body_limit=limit) as journal:
        recorder = open_session(journal)
        step = step if step > 1 else 97
        for start in range(0, len(body), step):
            recorder.chunk(Stream.CLIENT, body[start:start + step])
        recorder.chunk(Stream.SERVER, b"ok")
        recorder.exchange(1.0, "PUT", "/", "201", "", "", len(body), None)
        one_exchange(recorder, b"next question", b"next answer")
        recorder.close("client-closed")
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            first, second = [exchange for _, exchange in reader.exchanges()]
            assert first.cuts == [Cut(Stream.CLIENT, len(body), hashlib.sha256(body).hexdigest())]
            assert reader.octets(1, Stream.CLIENT, *first.client) == body[:limit]
            assert second.cuts == []
            assert reader.octets(1, Stream.CLIENT, *second.client) == b"next question"
            chunks = [chunk for chunk in reader.chunks(1) if chunk.stream == Stream.CLIENT]
    assert sum(chunk.length for chunk in chunks) == len(body) + len(b"next question")
    assert [chunk.offset for chunk in chunks] == [0, *accumulate(chunk.length for chunk in chunks)][:-1]


async def test_what_follows_a_cut_body_in_one_chunk_is_kept(tmp_path: Path) -> None:
    """A pipelined request can arrive with the end of a large upload: it belongs to the next exchange."""
    async with journal_at(tmp_path, body_limit=10) as journal:
        recorder = open_session(journal)
        recorder.chunk(Stream.CLIENT, b"0123456789")
        recorder.chunk(Stream.CLIENT, b"more bodyGET /next")
        recorder.exchange(1.0, "PUT", "/", "201", "", "", 19, None)
        recorder.exchange(1.0, "GET", "/next", "200", "", "", 28, None)
        recorder.close("client-closed")
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            first, second = [exchange for _, exchange in reader.exchanges()]
            assert first.cuts[0].length == 19
            assert first.cuts[0].sha256 == hashlib.sha256(b"0123456789more body").hexdigest()
            assert reader.octets(1, Stream.CLIENT, *second.client) == b"GET /next"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([Stream.CLIENT, Stream.SERVER]), st.binary(max_size=30), st.booleans()),
                max_size=30))
def test_streams_are_rebuilt_from_any_sequence(tmp_path_factory: pytest.TempPathFactory,
                                               steps: list[tuple[Stream, bytes, bool]]) -> None:
    folder = tmp_path_factory.mktemp("journal")

    async def main() -> None:
        async with journal_at(folder) as journal:
            recorder = open_session(journal)
            for stream, data, ends in steps:
                recorder.chunk(stream, data)
                if ends:
                    recorder.exchange(1.0, "x", "", "", "", "", recorder.offset(Stream.CLIENT), None)
            recorder.close("client-closed")

    trio.run(main)
    with Reader(folder / NAME) as reader:
        for stream in (Stream.CLIENT, Stream.SERVER):
            whole = b"".join(data for kind, data, _ in steps if kind == stream)
            assert reader.stream(1, stream) == whole
        ranges = [exchange.client for _, exchange in reader.exchanges()]
    assert all(before[1] == after[0] for before, after in pairwise(ranges))


async def test_bytes_that_repeat_are_kept_once(tmp_path: Path) -> None:
    page = bytes(range(256)) * 100
    async with journal_at(tmp_path) as journal:
        for _ in range(3):
            recorder = open_session(journal)
            for _turn in range(50):
                one_exchange(recorder, b"q", page)
            recorder.close("client-closed")
            await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            for session in reader.sessions():
                assert reader.stream(session.id, Stream.SERVER) == page * 50
    assert (tmp_path / NAME).stat().st_size < 8 * len(page)


async def test_a_blob_goes_with_the_last_session_that_mentions_it(tmp_path: Path) -> None:
    pages = [bytes([number]) * 4_000 for number in range(1, 6)]
    async with journal_at(tmp_path, size=60_000) as journal:
        for turn in range(40):
            recorder = open_session(journal)
            for _ in range(3):
                one_exchange(recorder, bytes(2_000), pages[turn // 8])
            recorder.close("client-closed")
            await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            sessions = list(reader.sessions())
            assert 3 < len(sessions) < 12
            for session in sessions:
                assert reader.stream(session.id, Stream.SERVER) == pages[(session.id - 1) // 8] * 3
        database = sqlite3.connect(tmp_path / NAME)
        [(count,)] = database.execute("SELECT COUNT(*) FROM blobs").fetchall()
        database.close()
    assert count < 4, "blobs of sessions that are gone are gone"


async def test_retention_removes_the_oldest_whole_sessions_first(tmp_path: Path) -> None:
    async with journal_at(tmp_path, size=50_000) as journal:
        first = open_session(journal)
        one_exchange(first, b"still open", b"a")
        for _ in range(20):
            recorder = open_session(journal)
            one_exchange(recorder, bytes(5_000), b"a")
            recorder.close("client-closed")
            await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            left = [session.id for session in reader.sessions()]
            assert left[0] == first.session.id, "an open session stays as long as closed ones can go"
            assert left[1:] == list(range(left[1], 22)), "those that are left are the latest, without a gap"
            assert 5 < len(left) < 12
            for number in left[1:]:
                assert len(reader.stream(number, Stream.CLIENT)) == 5_000, "what is left is whole"
            assert len(list(reader.exchanges())) == len(left)


async def test_what_retention_removes_is_not_written_over_first(tmp_path: Path) -> None:
    """Debian's SQLite does that unless told otherwise: seconds in which every client waits, at two gigabytes."""
    megabyte = 1_000_000
    async with journal_at(tmp_path, size=20 * megabyte) as journal:
        for number in range(20):
            recorder = open_session(journal)
            one_exchange(recorder, b"q", bytes([number]) * (megabyte - 10_000))
            recorder.close("client-closed")
            await journal.settle()
        with sqlite3.connect(tmp_path / NAME) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        one_exchange(open_session(journal), b"q", bytes(megabyte))
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert next(iter(reader.sessions())).id > 2, "two megabytes and more have left"
        assert (tmp_path / f"{NAME}-wal").stat().st_size < 1.5 * megabyte


async def test_room_is_made_a_little_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has to leave leaves at once; spare room is made with the batches that follow, while clients go on."""
    monkeypatch.setattr(retention, "MOMENT", 0.0)
    monkeypatch.setattr(retention, "STEP", 4)

    def visit() -> None:
        recorder = open_session(journal)
        one_exchange(recorder, bytes(1_000), b"a")
        recorder.close("client-closed")

    async with journal_at(tmp_path, size=200_000) as journal:
        store = journal._store._retention
        oldest: list[int] = []
        for _ in range(250):
            visit()
            await journal.settle()
            assert store.size <= 200_000
            [[first]] = journal._store._db.execute("SELECT MIN(id) FROM sessions")
            oldest.append(first)
    steps = [after - before for before, after in pairwise(oldest) if after != before]
    assert max(steps) <= 4
    assert len(steps) < 250 - 200_000 // 1_300, "nor is room made with every batch"


async def test_one_endless_session_loses_its_oldest_pages(tmp_path: Path) -> None:
    async with journal_at(tmp_path, size=50_000) as journal:
        recorder = open_session(journal)
        for _ in range(30):
            one_exchange(recorder, bytes(5_000), b"a")
            await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            left = [exchange.id for _, exchange in reader.exchanges()]
    assert left == list(range(left[0], 31))
    assert 5 < len(left) < 12


async def test_sessions_left_open_by_a_kill_are_closed_at_the_next_start(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        recorder = open_session(journal)
        one_exchange(recorder, b"q", b"a")
    async with journal_at(tmp_path):
        with Reader(tmp_path / NAME) as reader:
            [session] = reader.sessions()
    assert session.end == "sandbox-ended"
    assert session.closed >= session.opened


def test_a_file_that_is_no_journal_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"this is not a database, whatever it may be called" * 10)
    with pytest.raises(StoreError, match="--data DIR"):
        Store(tmp_path / NAME, size=1)
    with pytest.raises(StoreError, match="not a usable journal"):
        Reader(tmp_path / NAME)
    with pytest.raises(StoreError, match="no journal there"):
        Reader(tmp_path / "elsewhere")


def test_a_journal_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / NAME)
    database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    database.commit()
    database.close()
    with pytest.raises(StoreError, match="later version"):
        Store(tmp_path / NAME, size=1)


def test_every_migration_is_applied_once(tmp_path: Path) -> None:
    for _ in range(2):
        store = Store(tmp_path / NAME, size=1)
        store.close()
    database = sqlite3.connect(tmp_path / NAME)
    assert database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_a_journal_of_the_version_before_knows_neither_spaces_nor_causes(tmp_path: Path) -> None:
    """Its exchanges have fewer fields; they are read all the same."""
    database = sqlite3.connect(tmp_path / NAME)
    database.executescript("".join(MIGRATIONS[:3]) + "PRAGMA user_version = 3;")
    encode = msgspec.msgpack.encode
    database.execute("INSERT INTO sessions VALUES (1, 'dns', 'dns', 'udp', '::1', 1, '::1', 53, 0, 1, 2, 'x', ?, 9)",
                     (encode({}),))
    database.execute("INSERT INTO pages VALUES (1, 1, 1, 2, 1.5, 9, ?, NULL, ?)", (
        encode([(1, 1, 1.0, 1.5, "A", "x", "", "", "", (0, 1), (0, 1), {}, [])]),
        encode((1, 1, [(2, 1.5, b"q", b"a", ("A", "y", "", "", "", None))]))))
    database.commit()
    database.close()
    Store(tmp_path / NAME, size=1 << 20).close()
    with Reader(tmp_path / NAME) as reader:
        [session] = reader.sessions()
        assert (session.cause, session.space) == (0, "main")
        assert [(exchange.asked, exchange.sent) for _, exchange in reader.exchanges()] == [("x", 0.0), ("y", 1.5)]


async def test_a_batch_that_cannot_be_written_is_said_and_does_not_stop_the_world(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with journal_at(tmp_path) as journal:
        recorder = open_session(journal)
        other = sqlite3.connect(tmp_path / NAME)
        other.execute("DROP TABLE pages")
        other.commit()
        other.close()
        one_exchange(recorder, b"q", b"a")
        with trio.fail_after(5):
            await journal.settle()
        assert not journal.full
    assert "could not be written" in caplog.text


async def test_what_is_recorded_after_an_early_flush_is_flushed_too(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        recorder = open_session(journal)
        for turn in range(3):
            one_exchange(recorder, b"q", b"a")
            if turn == 0:
                await journal.settle()
            else:
                with journal.bus.listen() as listener, trio.fail_after(5):
                    one_exchange(recorder, b"q", b"a")
                    assert (await anext(listener)).exchanges, "without anybody asking for it"
            journal.flush()
            journal.flush()


def test_blobs_of_before_they_were_mentioned_stay_with_the_session_of_their_last_use(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / NAME)
    for script in MIGRATIONS[:2]:
        database.executescript(script)
    database.execute("PRAGMA user_version = 2")
    for number in (3, 6):
        database.execute("INSERT INTO sessions (id, service, protocol, transport, client_host, client_port,"
                         " server_host, server_port, opened, facts) VALUES (?, '', '', '', '', 0, '', 0, 1.0, x'80')",
                         (number,))
    # 2: last used before all that is left; 4: its session is gone, a later one is not; 9: later than all there is.
    database.executemany("INSERT INTO blobs VALUES (?, ?, ?)", [(12, 2, b"a"), (14, 4, b"b"), (19, 9, b"c")])
    database.commit()
    database.close()
    Store(tmp_path / NAME, size=1 << 30).close()
    database = sqlite3.connect(tmp_path / NAME)
    assert database.execute("SELECT id, data FROM blobs ORDER BY id").fetchall() == [(12, b"a"), (14, b"b")]
    assert database.execute("SELECT session, body FROM mentions ORDER BY body").fetchall() == [(3, 12), (6, 14)]
    database.close()
