"""The live stream: what happens, as it happens; resuming, gaps, heartbeats, and the stop."""

from __future__ import annotations

import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from sandbox.address import Address
from sandbox.dashboard import live
from sandbox.dashboard.access import Asker, Seen
from sandbox.dashboard.live import Live, Watcher
from sandbox.filter import parse
from sandbox.journal.bus import Happened
from sandbox.journal.journal import Journal
from tests.support.dashboard import VISITOR, Page, Stream, live_page
from tests.support.journal import journal_at
from tests.support.records import exchange, session


async def fetch(page: Page, path: str = "/", source: str = "127.0.0.1", count: int = 1) -> None:
    """Over real HTTP, in one connection."""
    address = page.sandbox.endpoints["http"]
    sock = trio.socket.socket()
    await sock.bind((source, 0))
    await sock.connect(tuple(address))
    async with trio.SocketStream(sock) as stream:
        request = f"GET {path} HTTP/1.1\r\nHost: www.example.com\r\n"
        await stream.send_all((f"{request}\r\n" * (count - 1) + f"{request}Connection: close\r\n\r\n").encode())
        async for _ in stream:
            pass


async def test_an_exchange_arrives_within_a_quarter_of_a_second(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page, page.stream() as stream:
        hello = await stream.next()
        assert (hello.name, hello.data) == ("hello", {"last": 0, "sessions_open": 0})
        await fetch(page, "/warm")
        await stream.next("exchanges")
        began = time.monotonic()
        await fetch(page, "/now")
        event = await stream.next("exchanges")
        assert time.monotonic() - began < 0.25 * slowness()
        assert [row["facts"]["path"] for row in event.data] == ["/now"]
        assert event.id == event.data[-1]["id"]
        assert event.data[0]["explanation"]


def slowness() -> float:
    """How much slower than its word this machine may be just now: it is shared."""
    began = time.perf_counter()
    sum(range(1_000_000))
    return max(1.0, (time.perf_counter() - began) / 0.02)


async def test_rows_are_what_the_list_gives(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page, page.stream() as stream:
        await fetch(page)
        [row] = (await stream.next("exchanges")).data
        assert (await page.get("exchanges"))["exchanges"] == [row]


async def test_how_many_sessions_are_open_is_told_at_once_and_when_it_changes(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http", "qotd") as page:
        http = page.sandbox.endpoints["http"]
        async with await trio.open_tcp_stream(http.host, http.port) as one:
            await one.send_all(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
            await one.receive_some()
            async with page.stream() as stream:
                assert (await stream.next("hello")).data["sessions_open"] == 1
                async with await trio.open_tcp_stream(http.host, http.port):
                    assert (await stream.next("sessions")).data["sessions_open"] == 2
                while (await stream.next("sessions")).data["sessions_open"] != 1:
                    pass


async def test_what_is_under_way_is_told_before_it_has_ended(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page, page.stream() as stream:
        await stream.next("hello")
        http = page.sandbox.endpoints["http"]
        async with await trio.open_tcp_stream(http.host, http.port) as client:
            await client.send_all(b"POST /login HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nname")
            [begun] = (await stream.next("begun")).data
            assert (begun["verb"], begun["service"]) == ("POST", "http")


async def test_a_stream_is_filtered(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page, page.stream(filter="path:/wanted") as stream:
        await stream.next("hello")
        await fetch(page, "/other")
        await fetch(page, "/wanted")
        assert [row["facts"]["path"] for row in (await stream.next("exchanges")).data] == ["/wanted"]


async def test_a_filter_that_is_wrong_is_a_problem_and_no_stream(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        reply = await page.ask("GET", "events", filter="host:")
        assert (reply.status, reply.headers["content-type"]) == (400, "application/problem+json")
        assert reply.json["position"] >= 0


@pytest.mark.parametrize("by", ["header", "parameter"])
async def test_a_page_that_comes_back_is_told_what_it_missed_once(tmp_path: Path, by: str) -> None:
    async with live_page(tmp_path, "http") as page:
        async with page.stream() as stream:
            await fetch(page, "/one")
            last = (await stream.next("exchanges")).id
        await fetch(page, "/two", count=3)
        headers = [("Last-Event-ID", str(last))] if by == "header" else []
        query: dict[str, Any] = {} if by == "header" else {"after": last}
        async with page.stream(headers=headers, **query) as stream:
            missed = await stream.next("exchanges")
            assert [row["id"] for row in missed.data] == [last + 1, last + 2, last + 3]
            await fetch(page, "/three")
            following = await stream.next("exchanges")
            assert [row["id"] for row in following.data] == [last + 4]


async def test_a_page_that_comes_back_too_late_is_told_of_the_gap(tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.dashboard.api import events
    monkeypatch.setattr(events, "CAUGHT_UP", 2)
    async with live_page(tmp_path, "http") as page:
        await fetch(page, count=5)
        await page.sandbox.journal.settle()
        async with page.stream(after=1) as stream:
            gap = await stream.next("gap", "exchanges")
            assert gap.name == "gap"
            assert [row["id"] for row in (await stream.next("exchanges")).data] == [4, 5]
            assert gap.data == {"missed": 2}


async def test_a_page_that_knows_another_journal_begins_anew(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        await fetch(page)
        await page.sandbox.journal.settle()
        async with page.stream(after=5000) as stream:
            assert [row["id"] for row in (await stream.next("exchanges")).data] == [1]


async def test_a_quiet_stream_has_a_heart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT", 0.01)
    async with live_page(tmp_path, "http") as page, page.stream() as stream:
        await stream.next("hello")
        await stream.next("")
        assert stream.comments == 1


async def test_streams_are_told_and_ended_at_once_at_the_stop(tmp_path: Path) -> None:
    events = []

    async def watch(stream: Stream) -> None:
        events.append((await stream.next("stop")).name)
        with pytest.raises(EOFError):
            await stream.next()
        events.append("end")
        await stream.wire.aclose()

    async with trio.open_nursery() as nursery:
        async with live_page(tmp_path, "http") as page:
            stream = await page.open_stream()
            await stream.next("hello")
            nursery.start_soon(watch, stream)
            began = time.monotonic()
        assert time.monotonic() - began < 3 * slowness()
    assert events == ["stop", "end"]


async def test_so_many_pages_of_one_address_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PAGES", 2)
    monkeypatch.setattr(live, "HEARTBEAT", 0.05)
    async with live_page(tmp_path, "http") as page:
        async with page.stream() as one, page.stream() as other:
            await one.next("hello")
            await other.next("hello")
            reply = await page.ask("GET", "events")
            assert (reply.status, reply.headers["content-type"]) == (429, "application/problem+json")
            async with page.stream(source=VISITOR) as elsewhere:
                await elsewhere.next("hello")
        with trio.fail_after(20):      # until the sandbox has noticed that they are gone
            while (await page.ask("HEAD", "events")).status != 200:
                pass


async def test_a_visitor_is_told_of_the_own_traffic_alone(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page, page.stream(source=VISITOR) as stream:
        assert (await stream.next("hello")).data["sessions_open"] == 0
        await fetch(page, "/owners")
        await fetch(page, "/visitors", source=VISITOR)
        rows = (await stream.next("exchanges")).data
        assert {row["client"]["host"] for row in rows} == {VISITOR}
        opened = await stream.next("sessions")
        assert {one["client"]["host"] for one in [*opened.data["opened"], *opened.data["closed"]]} == {VISITOR}


# -- the ring, in memory ------------------------------------------------------------------------------------------


EVERYTHING = Seen(Asker("owner", "127.0.0.1"), None)


def happens(journal: Journal, number: int, count: int = 1, host: str = "127.0.0.1") -> None:
    one = session(id=1, client=Address(host, 1))
    journal.bus.publish(Happened([], [(one, exchange(id=number + at, session=1)) for at in range(count)], [], []))


async def frame(watcher: Watcher, seen: Seen = EVERYTHING, text: str = "") -> bytes:
    async with aclosing(watcher.frames(seen, text, 0)) as frames:
        return await anext(frames)


async def test_a_page_that_is_overtaken_is_told_how_much_it_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                   ) -> None:
    monkeypatch.setattr(live, "RING", 3)
    monkeypatch.setattr(live, "EVERY", 0)
    async with journal_at(tmp_path) as journal, trio.open_nursery() as nursery:
        pages = Live(journal)
        nursery.start_soon(pages.run)
        with pages.subscribed() as watcher:
            for number in range(1, 6):
                happens(journal, number)
                await trio.testing.wait_all_tasks_blocked()
            async with aclosing(watcher.frames(EVERYTHING, "", 0)) as frames:
                data = await anext(frames)
                assert b'event: gap\ndata: {"missed":2}' in data
                data = await anext(frames)
            assert data.count(b"event: exchanges") == 3
        nursery.cancel_scope.cancel()


async def test_more_than_a_frame_holds_is_left_out_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                               ) -> None:
    monkeypatch.setattr(live, "ROWS", 10)
    async with journal_at(tmp_path) as journal, trio.open_nursery() as nursery:
        pages = Live(journal)
        nursery.start_soon(pages.run)
        with pages.subscribed() as watcher:
            happens(journal, 1, 25)
            data = await frame(watcher)
            assert b'event: gap\ndata: {"missed":15}' in data
            assert b"id: 25\n" in data
            assert data.count(b'"explanation"') == 10
        nursery.cancel_scope.cancel()


async def test_pages_under_the_same_filter_share_what_was_encoded(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal, trio.open_nursery() as nursery:
        pages = Live(journal)
        nursery.start_soon(pages.run)
        matcher = parse("protocol:http")
        with pages.subscribed() as one, pages.subscribed() as other:
            happens(journal, 1)
            seen = Seen(Asker("owner", "127.0.0.1"), matcher)
            first, second = [await frame(each, seen, "protocol:http") for each in (one, other)]
            assert first is second or first == second
            assert len(pages._encoded) == 1
        assert not journal.bus
        nursery.cancel_scope.cancel()
