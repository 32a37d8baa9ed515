"""What one session sees of its mailbox, while other threads change it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sandbox.protocols.imap.view import View
from sandbox.world.mail import FolderChange


class Leaving(View):
    """A session that stops idling while the store's thread tells it something: who looks twice finds nobody."""

    __slots__ = ("called", "looks")

    def __init__(self) -> None:
        self.called = 0
        self.looks: Iterator[Callable[[], None] | None] = iter([self._called])
        super().__init__("INBOX", read_only=False)

    def _called(self) -> None:
        self.called += 1

    @property
    def wake(self) -> Callable[[], None] | None:
        return next(self.looks, None)

    @wake.setter
    def wake(self, value: Callable[[], None] | None) -> None:
        pass


def test_news_that_comes_while_idling_ends_is_heard() -> None:
    """An observer that raises would never be told anything again."""
    view = Leaving()
    view.hear(FolderChange(folder=1, modseq=7))
    assert view.called == 1
    assert view.restless
