"""Observers may fail or be slow; nobody else notices."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from sandbox.journal.bus import Bus, Happened

NEWS = Happened([], [], [])


def test_an_observer_that_raises_is_logged_and_removed(caplog: pytest.LogCaptureFixture) -> None:
    bus = Bus()
    calls = []

    def bad(happened: Happened) -> None:
        calls.append("bad")
        raise ValueError("broken observer")

    bus.watch(bad)
    bus.watch(lambda happened: calls.append("good"))
    bus.publish(NEWS)
    bus.publish(NEWS)
    assert calls == ["bad", "good", "good"]
    assert "broken observer" in caplog.text


async def test_a_slow_listener_loses_the_oldest_and_knows_how_many() -> None:
    bus = Bus()
    batches = [Happened([], [], []) for _ in range(5)]
    with bus.listen(limit=3) as listener:
        for batch in batches:
            bus.publish(batch)
        assert listener.dropped == 2
        with trio.fail_after(1):
            got = [await anext(listener) for _ in range(3)]
    assert [id(batch) for batch in got] == [id(batch) for batch in batches[2:]]
    assert not bus, "it is unsubscribed at the end of the block"


async def test_a_listener_waits_for_news() -> None:
    bus = Bus()
    with bus.listen() as listener:
        async with trio.open_nursery() as nursery:
            async def publish() -> None:
                await trio.testing.wait_all_tasks_blocked()
                bus.publish(NEWS)

            nursery.start_soon(publish)
            with trio.fail_after(1):
                assert await anext(listener) is NEWS
