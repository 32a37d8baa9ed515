"""The contract of a conversation, kept by every one there is: that of `net`, and those in memory that tests of
sessions stand on. Each case is a session that knows the contract alone; what its client hears, and what is recorded,
must be the same whoever carries it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import NamedTuple

import pytest
import trio

from sandbox.config import Limits
from sandbox.journal.records import Stream
from sandbox.protocols.contract.conversation import (
    Conversation,
    EndOfStream,
    SessionHandler,
    TimedOut,
    TooLong,
)
from sandbox.protocols.contract.script import ScriptedAnswer
from tests.support.conversation import MemoryConversation
from tests.support.dialogue import Talk
from tests.support.memory import Memory
from tests.support.network import read_all, serving

IDLE = 0.1
"""Seconds until a silent client's time is out."""


class Seen(NamedTuple):
    """An exchange as it was recorded. client, server: its octets."""

    verb: str
    outcome: str
    client: bytes
    server: bytes
    facts: dict[str, str]


@dataclass
class Went:
    """How a conversation went. heard: by the client."""

    heard: bytes
    exchanges: list[Seen]


Script = Callable[[str], ScriptedAnswer | None]
Carry = Callable[[SessionHandler, list[bytes], bool, Script | None, Path], Awaitable[Went]]
"""A session, what its client says and whether it then closes or falls silent, and what is scripted for a verb."""


def seen(memory: Memory) -> list[Seen]:
    return [Seen(each.verb, each.outcome, each.client, each.server, each.facts) for each in memory.exchanges]


async def in_memory(session: SessionHandler, says: list[bytes], closes: bool, script: Script | None,
                    folder: Path) -> Went:
    talk = MemoryConversation(says, ending="close" if closes else "silence")
    if script is not None:
        talk.script = lambda verb, _: script(verb)
    await session(talk)
    await talk.finish()
    return Went(talk.sent, seen(talk))


async def as_dialogue(session: SessionHandler, says: list[bytes], closes: bool, script: Script | None,
                      folder: Path) -> Went:
    talk = Talk()
    talk.idle = inf if closes else IDLE
    if script is not None:
        talk.script = lambda verb, _: script(verb)
    for piece in says:
        talk.feed(piece)
    if closes:
        talk.hang_up()
    await talk.serve(lambda: session(talk))
    heard = b""
    while (line := await talk.hear_line()) != "<end>":
        heard += line.encode() + b"\r\n"
    return Went(heard + bytes(talk.heard), seen(talk))


async def over_net(session: SessionHandler, says: list[bytes], closes: bool, script: Script | None,
                   folder: Path) -> Went:
    async with serving(session, folder, limits=Limits(idle=30.0 if closes else IDLE, grace=0.1)) as bench:
        if script is not None:
            bench.script.decide = lambda _, question: script(question.verb)
        async with await bench.connect() as stream:
            for piece in says:
                await stream.send_all(piece)
            if closes:
                await stream.send_eof()
            heard = await read_all(stream)
        ended = await bench.watcher.wait_closed()
        with await bench.read() as journal:
            exchanges = [
                Seen(each.verb, each.outcome, journal.octets(ended.id, Stream.CLIENT, *each.client),
                     journal.octets(ended.id, Stream.SERVER, *each.server), each.facts)
                for _, each in journal.exchanges() if not each.key.startswith("end.")]
    return Went(heard, exchanges)


@pytest.fixture(params=[in_memory, as_dialogue, over_net], ids=lambda carry: carry.__name__)
def carry(request: pytest.FixtureRequest) -> Carry:
    found: Carry = request.param
    return found


async def run(carry: Carry, session: SessionHandler, says: list[bytes], folder: Path, *, closes: bool = True,
              script: Script | None = None) -> Went:
    with trio.fail_after(20):
        return await carry(session, says, closes, script, folder)


async def test_exchanges_part_both_streams_between_them(carry: Carry, tmp_path: Path) -> None:
    """Whatever was consumed and written since the one before, claimed or not, in whatever pieces it came."""
    async def session(talk: Conversation) -> None:
        for _ in range(2):
            line = await talk.read_line()
            exchange = talk.begin("say", line.decode().strip())
            talk.write(b"you said\r\n")
            talk.write(await talk.read_exactly(3) + b"\r\n")
            exchange.end("ok")

    went = await run(carry, session, [b"on", b"e\r\nab", b"ctwo\r\n", b"def"], tmp_path)
    assert went.heard == b"you said\r\nabc\r\nyou said\r\ndef\r\n"
    assert went.exchanges == [Seen("say", "ok", b"one\r\nabc", b"you said\r\nabc\r\n", {}),
                              Seen("say", "ok", b"two\r\ndef", b"you said\r\ndef\r\n", {})]


async def test_what_is_put_back_belongs_to_the_next_exchange(carry: Carry, tmp_path: Path) -> None:
    async def session(talk: Conversation) -> None:
        await talk.read_line()
        second = await talk.read_line()
        talk.untake(second)
        talk.begin("first").end("1")
        assert bytes(talk.buffer[:len(second)]) == second
        assert talk.take(len(second)) == second
        talk.begin("second").end("2")

    went = await run(carry, session, [b"one\r\ntwo\r\n"], tmp_path)
    assert [(each.verb, each.client) for each in went.exchanges] == [("first", b"one\r\n"), ("second", b"two\r\n")]


async def test_a_stream_says_itself_what_is_its_own(carry: Carry, tmp_path: Path) -> None:
    async def session(talk: Conversation) -> None:
        one, two = talk.begin_stream("one"), talk.begin_stream("two")
        talk.take(len(await talk.read_exactly(2)) - 2)
        one.received(2)
        await talk.read_exactly(2)
        two.received(2)
        await talk.read_exactly(2)
        one.received(2)
        talk.write(b"TWO\r\n")
        two.sent(5)
        two.end("done")
        talk.write(b"ONE\r\n")
        one.sent(5)
        one.note("name", "first")
        one.end("done")

    went = await run(carry, session, [b"112211"], tmp_path)
    assert went.heard == b"TWO\r\nONE\r\n"
    assert sorted(went.exchanges) == [Seen("one", "done", b"112211", b"ONE\r\n", {"name": "first"}),
                                      Seen("two", "done", b"22", b"TWO\r\n", {})]


async def test_what_had_arrived_before_an_error_stays(carry: Carry, tmp_path: Path) -> None:
    async def session(talk: Conversation) -> None:
        with pytest.raises(TooLong):
            await talk.read_line(4)
        assert talk.buffer.startswith(b"1234")
        assert await talk.read_exactly(6) == b"123456"
        with pytest.raises(EndOfStream):
            await talk.read_exactly(10)
        assert talk.buffer == b"78"
        with pytest.raises(EndOfStream):
            await talk.read_line()
        assert await talk.read_some(1) == b"7"
        assert await talk.read_some() == b"8"
        assert await talk.read_some() == b""
        assert not await talk.fill()
        talk.begin("end").end("ok")

    went = await run(carry, session, [b"12345678"], tmp_path)
    assert [each.client for each in went.exchanges] == [b"12345678"]


async def test_who_is_silent_too_long_still_hears_a_farewell(carry: Carry, tmp_path: Path) -> None:
    async def session(talk: Conversation) -> None:
        try:
            await talk.read_line()
        except TimedOut:
            exchange = talk.begin("goodbye")
            talk.write(b"too long\r\n")
            exchange.end("bye")
            await talk.flush()

    went = await run(carry, session, [b"half a li"], tmp_path, closes=False)
    assert went.heard == b"too long\r\n"
    assert [(each.verb, each.server) for each in went.exchanges] == [("goodbye", b"too long\r\n")]


async def test_queued_replies_leave_when_the_session_waits(carry: Carry, tmp_path: Path) -> None:
    """And those of a session that returns leave too; `send` is for what is large."""
    large = b"x" * 200_000 + b"\r\n"

    async def session(talk: Conversation) -> None:
        talk.write(b"hello\r\n")
        await talk.read_line()
        await talk.send(large)
        talk.write(b"bye\r\n")
        talk.begin("all").end("ok")

    went = await run(carry, session, [b"x\r\n"], tmp_path)
    assert went.heard == b"hello\r\n" + large + b"bye\r\n"
    assert [each.server for each in went.exchanges] == [went.heard]


async def test_after_the_end_of_writing_reading_goes_on(carry: Carry, tmp_path: Path) -> None:
    async def session(talk: Conversation) -> None:
        talk.write(b"that is all\r\n")
        await talk.end_writing()
        assert await talk.read_line() == b"more\r\n"
        talk.begin("more").end("ok")

    went = await run(carry, session, [b"more\r\n"], tmp_path)
    assert went.heard == b"that is all\r\n"
    assert [(each.verb, each.client) for each in went.exchanges] == [("more", b"more\r\n")]


async def test_facts_can_be_read_and_a_script_is_asked(carry: Carry, tmp_path: Path) -> None:
    async def session(talk: Conversation) -> None:
        exchange = talk.begin("plain", "x")
        exchange.note("host", "a.test")
        assert dict(exchange.facts) == {"host": "a.test"}
        assert await talk.scripted("plain", "x", exchange.facts) is None
        exchange.end("ok")
        answer = await talk.scripted("odd")
        talk.begin("odd").end("" if answer is None else answer.code)

    script = {"odd": ScriptedAnswer("451")}.get
    went = await run(carry, session, [], tmp_path, script=script)
    assert [(each.verb, each.outcome, each.facts) for each in went.exchanges] == [
        ("plain", "ok", {"host": "a.test"}), ("odd", "451", {})]
    (tmp_path / "unscripted").mkdir()
    went = await run(carry, session, [], tmp_path / "unscripted")
    assert [each.outcome for each in went.exchanges] == ["ok", ""]


async def test_who_speaks_to_whom_and_how(carry: Carry, tmp_path: Path) -> None:
    async def session(talk: Conversation) -> None:
        assert talk.client.host == "127.0.0.1"
        assert talk.server != talk.client
        assert talk.service
        assert (talk.secure, talk.alpn, talk.channel_binding("tls-exporter")) == (False, "", None)
        assert talk.due == inf
        talk.due = trio.current_time() + 100
        talk.patience = max(talk.patience, 10)
        talk.begin("seen").end("ok")

    went = await run(carry, session, [], tmp_path)
    assert [each.outcome for each in went.exchanges] == ["ok"]
