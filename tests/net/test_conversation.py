"""The conversation over real sockets: reading, writing, limits, deadlines, endings, and what of it is recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import time

import pytest
import trio
import trio.testing

from sandbox.config import Limits
from sandbox.journal.batch import Batch
from sandbox.journal.records import Stream
from sandbox.protocols.contract.conversation import (
    Closed,
    Conversation,
    ConversationError,
    EndOfStream,
    TimedOut,
    TooLong,
)
from tests.support.network import pieces, read_all, serving

SHORT = Limits(idle=0.05, grace=0.1, line=64)


async def say_lines(conversation: Conversation) -> None:
    """Answers each line with itself in capitals; `quit` ends."""
    while True:
        line = await conversation.read_line()
        exchange = conversation.begin("say", line.decode().strip())
        conversation.write(line.upper())
        exchange.end("ok")
        if line == b"quit\n":
            return


@pytest.mark.parametrize("seed", range(6))
async def test_any_chunking_gives_the_same_exchanges(tmp_path: Path, seed: int) -> None:
    text = b"".join(b"line number %d\n" % number for number in range(20)) + b"quit\n"
    async with serving(say_lines, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            for piece in pieces(text, seed):
                await stream.send_all(piece)
            assert await read_all(stream) == text.upper()
        session = await bench.watcher.wait_closed()
        with await bench.read() as journal:
            exchanges = [exchange for _, exchange in journal.exchanges()]
            assert [exchange.asked for exchange in exchanges] == text.decode().split("\n")[:-1]
            for exchange in exchanges:
                asked = journal.octets(session.id, Stream.CLIENT, *exchange.client)
                assert journal.octets(session.id, Stream.SERVER, *exchange.server) == asked.upper()
            assert journal.stream(session.id, Stream.CLIENT) == text
            assert journal.stream(session.id, Stream.SERVER) == text.upper()
    assert session.end == "server-closed"


async def test_when_an_answer_left_is_recorded(tmp_path: Path) -> None:
    """A session ends an exchange while its answer is queued, or when it is out already, or there is none."""
    async def session(conversation: Conversation) -> None:
        for word in ("queued", "sent", "silent"):
            await conversation.read_line()
            exchange = conversation.begin(word)
            if word != "silent":
                conversation.write(b"ok\n")
            if word == "sent":
                await conversation.flush()
            exchange.end("ok")

    async with serving(session, tmp_path) as bench:
        async with await bench.connect() as stream:
            for answer in (b"ok\n", b"ok\n", b""):
                await stream.send_all(b"next\n")
                assert await stream.receive_some() == answer
        await bench.watcher.wait_closed()
        with await bench.read() as journal:
            queued, sent, silent = [exchange for _, exchange in journal.exchanges()]
    assert queued.started <= queued.ended <= queued.sent <= sent.started
    assert sent.started <= sent.sent <= sent.ended
    assert silent.sent == 0.0


async def test_an_answer_has_left_when_the_last_octet_has(tmp_path: Path) -> None:
    """What is more than the system takes at once waits for the client to read."""
    size = 1 << 23
    read = trio.Event()
    ended: list[float] = []

    async def session(conversation: Conversation) -> None:
        await conversation.read_line()
        exchange = conversation.begin("large")
        conversation.write(bytes(size))
        exchange.end("ok")
        ended.append(time())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(conversation.flush)
            await trio.testing.wait_all_tasks_blocked()
            read.set()

    async with serving(session, tmp_path) as bench:
        async with await bench.connect() as stream:
            await stream.send_all(b"next\n")
            await read.wait()
            began = time()
            assert len(await read_all(stream)) == size
        await bench.watcher.wait_closed()
        [exchange] = await bench.watcher.wait_exchanges()
    assert exchange.ended <= ended[0] < began <= exchange.sent


async def test_what_is_under_way_is_told_and_ends_under_its_number(tmp_path: Path) -> None:
    go_on = trio.Event()

    async def session(conversation: Conversation) -> None:
        await conversation.read_line()
        conversation.begin("short").end("ok")
        exchange = conversation.begin("long", "asked")
        exchange.note("warning", "slow")
        await go_on.wait()
        exchange.end("ok")

    async with serving(session, tmp_path) as bench:
        with bench.journal.bus.listen() as listener:
            async with await bench.connect() as stream:
                await stream.send_all(b"next\n")
                with trio.fail_after(5):
                    while not (begun := (await anext(listener)).begun):
                        pass
                [(told, exchange)] = begun
                assert (exchange.verb, exchange.asked, exchange.facts) == ("long", "asked", {"warning": "slow"})
                assert exchange.id == 0
                go_on.set()
                assert await read_all(stream) == b""
            await bench.watcher.wait_closed()
    assert [(found.verb, found.id, found.session) for _, found in bench.watcher.exchanges] == [
        ("short", 1, told.id), ("long", exchange.id, told.id)]


async def test_replies_to_pipelined_lines_leave_in_one_write(tmp_path: Path) -> None:
    async with serving(say_lines, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            await stream.send_all(b"a\nb\nc\n")
            assert await stream.receive_some() == b"A\nB\nC\n"


async def test_a_line_over_the_limit_is_too_long_and_stays_in_the_buffer(tmp_path: Path) -> None:
    async def session(conversation: Conversation) -> None:
        with pytest.raises(TooLong):
            await conversation.read_line(10)
        conversation.write(b"too long: " + conversation.take(10))

    async with serving(session, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            await stream.send_all(b"0123456789abc\n")
            assert await read_all(stream) == b"too long: 0123456789"


async def test_the_service_limit_for_lines_holds_without_a_line_end(tmp_path: Path) -> None:
    outcome: list[str] = []

    async def session(conversation: Conversation) -> None:
        try:
            await conversation.read_line()
        except TooLong:
            outcome.append("too long")

    async with serving(session, tmp_path, limits=SHORT) as bench:
        stream = await bench.connect()
        async with stream:
            await stream.send_all(b"x" * 100)
            await read_all(stream)
    assert outcome == ["too long"]


async def test_end_of_stream_in_the_middle_of_something(tmp_path: Path) -> None:
    async def session(conversation: Conversation) -> None:
        with pytest.raises(EndOfStream):
            await conversation.read_exactly(10)
        assert conversation.buffer == b"1234"
        assert await conversation.read_some() == b"1234"
        assert await conversation.read_some() == b""
        conversation.write(b"bye")

    async with serving(session, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            await stream.send_all(b"1234")
            await stream.send_eof()
            assert await read_all(stream) == b"bye"
        assert (await bench.watcher.wait_closed()).end == "client-closed"


async def test_what_nobody_claimed_becomes_a_last_exchange(tmp_path: Path) -> None:
    async with serving(say_lines, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            await stream.send_all(b"half a li")
        session = await bench.watcher.wait_closed()
        with await bench.read() as journal:
            [(_, exchange)] = journal.exchanges()
    assert (exchange.verb, exchange.asked, exchange.key) == ("", "half a li", f"end.{session.end}")
    assert exchange.client == (0, 9)


async def test_untake_gives_the_octets_to_the_next_exchange(tmp_path: Path) -> None:
    async def session(conversation: Conversation) -> None:
        data = await conversation.read_exactly(6)
        conversation.untake(data[3:])
        conversation.begin("first").end("ok")
        assert await conversation.read_exactly(3) == b"def"
        conversation.begin("second").end("ok")

    async with serving(session, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            await stream.send_all(b"abcdef")
            await read_all(stream)
        await bench.watcher.wait_closed()
        with await bench.read() as journal:
            assert [exchange.client for _, exchange in journal.exchanges()] == [(0, 3), (3, 6)]


async def test_an_idle_client_times_out_and_still_gets_a_farewell(tmp_path: Path) -> None:
    async def session(conversation: Conversation) -> None:
        try:
            await conversation.read_line()
        except TimedOut:
            conversation.write(b"421 too slow\r\n")

    async with serving(session, tmp_path, limits=SHORT) as bench:
        stream = await bench.connect()
        async with stream:
            assert await read_all(stream) == b"421 too slow\r\n"
        assert (await bench.watcher.wait_closed()).end == "idle-timeout"


async def test_a_trickling_client_passes_the_idle_limit_but_not_its_due(tmp_path: Path) -> None:
    async def session(conversation: Conversation) -> None:
        conversation.due = trio.current_time() + 0.2
        with pytest.raises(TimedOut):
            await conversation.read_line()
        conversation.write(b"late")

    async with serving(session, tmp_path, limits=Limits(idle=30, grace=0.1)) as bench:
        stream = await bench.connect()
        async with stream, trio.open_nursery() as nursery:
            async def trickle() -> None:
                with contextlib.suppress(trio.BrokenResourceError):
                    while True:
                        await stream.send_all(b".")
                        await trio.sleep(0.02)

            nursery.start_soon(trickle)
            assert await stream.receive_some() == b"late"
            nursery.cancel_scope.cancel()


async def test_a_client_that_does_not_read_is_bounded_and_ends(tmp_path: Path) -> None:
    produced = 0

    async def session(conversation: Conversation) -> None:
        nonlocal produced
        while True:
            await conversation.send(LONG)
            produced += len(LONG)

    async with serving(session, tmp_path, limits=SHORT) as bench:
        stream = await bench.connect()
        async with stream:
            session_record = await bench.watcher.wait_closed()
            assert session_record.end == "idle-timeout"
            assert 0 < int(session_record.facts["close"]["unsent"]) <= len(LONG)
    # What the two kernels buffer, and no more.
    assert produced < 64 << 20


LONG = b"".join(b"%07d\n" % number for number in range(1_500_000))
"""More than two kernels hold for a connection that nobody reads."""


async def test_what_a_cancelled_flush_had_not_sent_is_still_the_next_to_leave(tmp_path: Path) -> None:
    cancelled = trio.Event()

    async def session(conversation: Conversation) -> None:
        async with trio.open_nursery() as nursery:
            conversation.write(LONG)
            nursery.start_soon(conversation.flush)
            await trio.testing.wait_all_tasks_blocked(0.05)
            nursery.cancel_scope.cancel()
        conversation.write(b"the end\n")
        cancelled.set()

    async with serving(session, tmp_path) as bench, await bench.connect() as stream:
        await cancelled.wait()
        assert await read_all(stream) == LONG + b"the end\n"


async def test_a_farewell_to_who_stopped_reading_comes_behind_what_was_said_before(tmp_path: Path) -> None:
    waited = trio.Event()

    async def session(conversation: Conversation) -> None:
        with pytest.raises(TimedOut):
            await conversation.send(LONG)
        waited.set()
        conversation.write(b"421 too slow\r\n")

    async with serving(session, tmp_path, limits=Limits(idle=0.1, grace=10)) as bench:
        async with await bench.connect() as stream:
            await waited.wait()
            assert await read_all(stream) == LONG + b"421 too slow\r\n"
        assert (await bench.watcher.wait_closed()).end == "idle-timeout"


async def test_all_who_wait_for_an_idle_client_are_told_the_same(tmp_path: Path) -> None:
    told: list[type[Exception]] = []

    async def session(conversation: Conversation) -> None:
        async def wait(until: Callable[[], Awaitable[object]]) -> None:
            try:
                await until()
            except ConversationError as error:
                told.append(type(error))

        conversation.write(LONG)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, conversation.flush)
            await trio.testing.wait_all_tasks_blocked(0.02)
            nursery.start_soon(wait, conversation.read_line)

    async with serving(session, tmp_path, limits=SHORT) as bench, await bench.connect():
        assert (await bench.watcher.wait_closed()).end == "idle-timeout"
    assert told == [TimedOut, TimedOut]


async def test_a_connection_does_not_last_longer_than_the_total_limit(tmp_path: Path) -> None:
    async def session(conversation: Conversation) -> None:
        while True:
            await conversation.read_some()
            await trio.sleep(0.01)

    async with serving(session, tmp_path, limits=Limits(total=0.1, grace=0.1)) as bench:
        stream = await bench.connect()
        async with stream:
            await stream.send_all(b"x")
            await read_all(stream)
        assert (await bench.watcher.wait_closed()).end == "time-limit"


async def test_more_connections_than_allowed_are_told_so(tmp_path: Path) -> None:
    for limits in (Limits(connections=2), Limits(connections_per_client=2)):
        async with serving(say_lines, tmp_path, limits=limits, busy=b"421 busy\r\n") as bench:
            streams = [await bench.connect() for _ in range(2)]
            for stream in streams:
                await stream.send_all(b"in\n")
                assert await stream.receive_some() == b"IN\n"
            third = await bench.connect()
            async with third:
                assert await read_all(third) == b"421 busy\r\n"
            assert (await bench.watcher.wait_closed()).end == "refused"
            await streams[0].aclose()
            await bench.watcher.wait_closed(2)
            fourth = await bench.connect()
            async with fourth:
                await fourth.send_all(b"again\n")
                assert await fourth.receive_some() == b"AGAIN\n"
            await streams[1].aclose()


async def test_a_reset_is_a_reset_and_drops_what_was_queued(tmp_path: Path) -> None:
    async def session(conversation: Conversation) -> None:
        await conversation.read_some()
        conversation.write(b"never sent")
        conversation.reset()

    async with serving(session, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            await stream.send_all(b"x")
            with pytest.raises(trio.BrokenResourceError):
                await stream.receive_some()
        assert (await bench.watcher.wait_closed()).end == "server-reset"


async def test_half_close_lets_the_client_go_on(tmp_path: Path) -> None:
    received: list[bytes] = []

    async def session(conversation: Conversation) -> None:
        conversation.write(b"last words")
        await conversation.end_writing()
        received.append(await conversation.read_exactly(5))

    async with serving(session, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            assert await read_all(stream) == b"last words"
            await stream.send_all(b"reply")
        await bench.watcher.wait_closed()
    assert received == [b"reply"]


async def test_a_failing_session_hurts_only_its_own_client(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def session(conversation: Conversation) -> None:
        line = await conversation.read_line()
        if line == b"fail\n":
            raise ZeroDivisionError("a bug")
        conversation.write(b"fine")

    async with serving(session, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            await stream.send_all(b"fail\n")
            assert await read_all(stream) == b""
        assert (await bench.watcher.wait_closed()).end == "failed"
        other = await bench.connect()
        async with other:
            await other.send_all(b"work\n")
            assert await read_all(other) == b"fine"
        with await bench.read() as journal:
            _, exchange = next(journal.exchanges())
    assert "ZeroDivisionError: a bug" in exchange.facts["traceback"]
    assert "the test session" in caplog.text


async def test_the_last_reply_arrives_although_input_is_left_unread(tmp_path: Path) -> None:
    """Closing with unread input would send a reset, which can destroy the reply on its way."""
    async def session(conversation: Conversation) -> None:
        await conversation.read_exactly(1)
        conversation.write(b"413 too much\r\n")

    async with serving(session, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            await stream.send_all(b"x" * 200_000)
            assert await read_all(stream) == b"413 too much\r\n"
        session_record = await bench.watcher.wait_closed()
        with await bench.read() as journal:
            assert journal.stream(session_record.id, Stream.CLIENT) == b"x" * 200_000


async def test_tcp_facts_are_there_at_open_and_close(tmp_path: Path) -> None:
    async with serving(say_lines, tmp_path) as bench:
        stream = await bench.connect()
        async with stream:
            await stream.send_all(b"quit\n")
            await read_all(stream)
        facts = (await bench.watcher.wait_closed()).facts
    syn = facts["open"]["syn"]
    assert isinstance(syn, bytes)
    assert syn[0] >> 4 == 4
    assert syn[33] & 0x02, "the SYN flag of the client's own first packet"
    assert facts["close"]["mss"]
    assert facts["close"]["rtt_us"]


async def test_a_client_waits_while_the_journal_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records are not dropped: when the writer is behind, reading stops."""
    sent = 0
    async with serving(say_lines, tmp_path, queue=1 << 18, limits=Limits(line=1 << 16)) as bench:
        real_submit = bench.journal._store.submit
        held: list[Batch] = []
        monkeypatch.setattr(bench.journal._store, "submit", held.append)
        stream = await bench.connect()
        async with stream, trio.open_nursery() as nursery:
            async def drain() -> None:
                async for _ in stream:
                    pass

            nursery.start_soon(drain)
            line = b"y" * 60_000 + b"\n"
            with trio.move_on_after(0.5):
                while True:
                    await stream.send_all(line)
                    sent += len(line)
            taken = sum(batch.size for batch in held)
            assert taken < (1 << 18) + (1 << 20)
            monkeypatch.undo()
            for batch in held:
                real_submit(batch)
            with trio.fail_after(5):
                await stream.send_all(b"rest\n")
                await bench.watcher.wait_exchanges(sent // len(line))
            nursery.cancel_scope.cancel()


async def test_stopping_ends_idle_connections_at_once_and_others_after_the_grace(tmp_path: Path) -> None:
    async def session(conversation: Conversation) -> None:
        line = await conversation.read_line()
        conversation.begin("work", line.decode())
        conversation.write(b"working\n")
        await conversation.flush()
        await trio.sleep(60)

    async with serving(session, tmp_path) as bench:
        idle, busy = await bench.connect(), await bench.connect()
        async with idle, busy:
            await busy.send_all(b"hard\n")
            assert await busy.receive_some() == b"working\n"
            with trio.fail_after(5):
                await bench.server.watch.stop(0.1)
                assert await read_all(idle) == b""
                assert await read_all(busy) == b""
            await bench.watcher.wait_closed(2)
    assert {session.end for session in bench.watcher.closed} == {"stopped"}


async def test_nothing_can_be_read_or_written_after_the_client_reset(tmp_path: Path) -> None:
    outcome: list[type[Exception]] = []

    async def session(conversation: Conversation) -> None:
        try:
            while True:
                await conversation.send(b"z" * 65536)
                await trio.sleep(0.001)
        except (Closed, TimedOut) as error:
            outcome.append(type(error))
            raise

    async with serving(session, tmp_path) as bench:
        stream = await bench.connect()
        stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await stream.receive_some(10)
        await stream.aclose()
        assert (await bench.watcher.wait_closed()).end == "client-reset"
    assert outcome == [Closed]
