"""Who hears of changes."""

from __future__ import annotations

import logging

import pytest

from sandbox.world.mail import Change
from sandbox.world.mail.observers import Observers


def test_each_hears_of_its_folder_until_it_stops() -> None:
    observers = Observers()
    heard: list[tuple[str, int]] = []
    stop = observers.add(1, lambda change: heard.append(("one", change.modseq)))
    observers.add(1, lambda change: heard.append(("other", change.modseq)))
    observers.announce([Change(1, 5), Change(2, 6)])
    stop()
    stop()
    observers.announce([Change(1, 7)])
    assert heard == [("one", 5), ("other", 5), ("other", 7)]


def test_one_that_raises_is_logged_and_not_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    observers = Observers()
    asked: list[Change] = []
    heard: list[Change] = []

    def broken(change: Change) -> None:
        asked.append(change)
        raise RuntimeError("broken")

    observers.add(1, broken)
    observers.add(1, heard.append)
    with caplog.at_level(logging.ERROR):
        observers.announce([Change(1, 5), Change(1, 6)])
    assert asked == [Change(1, 5)]
    assert heard == [Change(1, 5), Change(1, 6)]
    assert "was removed" in caplog.text
