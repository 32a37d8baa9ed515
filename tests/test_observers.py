"""One list of observers, for everybody who has news."""

from __future__ import annotations

import pytest

from sandbox.observers import Observers


def test_everybody_hears_until_they_stop() -> None:
    observers: Observers[int] = Observers("numbers")
    one: list[int] = []
    other: list[int] = []
    assert not observers
    stop = observers.observe(one.append)
    observers.observe(other.append)
    observers.announce(1)
    stop()
    stop()
    observers.announce(2)
    assert (one, other) == ([1], [1, 2])
    assert observers


def test_one_that_raises_is_logged_and_told_no_more(caplog: pytest.LogCaptureFixture) -> None:
    observers: Observers[int] = Observers("numbers")
    told: list[int] = []

    def broken(number: int) -> None:
        told.append(-number)
        raise RuntimeError("out of order")

    observers.observe(broken)
    observers.observe(told.append)
    observers.announce(1)
    observers.announce(2)
    assert told == [-1, 1, 2]
    assert "an observer of numbers failed and was removed" in caplog.text
    assert "out of order" in caplog.text


def test_an_observer_may_leave_while_it_is_told() -> None:
    observers: Observers[int] = Observers("numbers")
    told: list[int] = []
    stop = observers.observe(lambda _: stop())
    observers.observe(told.append)
    observers.announce(1)
    observers.announce(2)
    assert told == [1, 2]
