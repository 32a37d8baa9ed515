"""Who hears of changes."""

from __future__ import annotations

import logging

import pytest

from sandbox.world.mail import FolderChange
from sandbox.world.mail.observers import FolderObservers


def test_each_hears_of_its_folder_until_it_stops() -> None:
    observers = FolderObservers()
    heard: list[tuple[str, int]] = []
    stop = observers.add(1, lambda change: heard.append(("one", change.modseq)))
    observers.add(1, lambda change: heard.append(("other", change.modseq)))
    observers.announce([FolderChange(1, 5), FolderChange(2, 6)])
    stop()
    stop()
    observers.announce([FolderChange(1, 7)])
    assert heard == [("one", 5), ("other", 5), ("other", 7)]


def test_one_that_raises_is_logged_and_not_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    observers = FolderObservers()
    asked: list[FolderChange] = []
    heard: list[FolderChange] = []

    def broken(change: FolderChange) -> None:
        asked.append(change)
        raise RuntimeError("broken")

    observers.add(1, broken)
    observers.add(1, heard.append)
    with caplog.at_level(logging.ERROR):
        observers.announce([FolderChange(1, 5), FolderChange(1, 6)])
    assert asked == [FolderChange(1, 5)]
    assert heard == [FolderChange(1, 5), FolderChange(1, 6)]
    assert "was removed" in caplog.text
