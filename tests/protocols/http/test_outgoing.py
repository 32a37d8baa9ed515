"""The queue that HTTP/2 and WebSocket write through."""

from __future__ import annotations

import trio
import trio.testing

from sandbox.protocols.http.outgoing import Outgoing
from tests.support.conversation import MemoryConversation


async def test_all_is_written_in_order_and_then_it_ends(autojump_clock: trio.testing.MockClock) -> None:
    talk = MemoryConversation()
    rested: list[int] = []
    out = Outgoing(talk, lambda: rested.append(len(talk.sent)))
    exchange = talk.begin_stream("one")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(out.write)
        await trio.testing.wait_all_tasks_blocked()
        out.say(b"first ")
        out.say(b"second", exchange, lambda: exchange.end("done"))
        assert (out.waiting, out.backlog, bool(out)) == (12, 12, True)
        await out.changed.park()
        assert talk.sent == b"first second"
        assert (out.waiting, out.backlog, bool(out)) == (0, 0, False)
        out.say(b" last")
        out.end()
    assert talk.sent == b"first second last"
    assert exchange.server == b"second"
    assert rested == [0, 12], "once before there was anything, once between"
