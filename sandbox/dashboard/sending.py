"""Sends a letter for somebody at the page: over the real submission or SMTP service, as any client would."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parseaddr
from typing import NamedTuple

import trio

from sandbox.address import Address
from sandbox.app import Sandbox
from sandbox.dashboard.answers import ProblemError
from sandbox.dashboard.board import ANYWHERE
from sandbox.errors import UserError
from sandbox.journal.bus import Happened
from sandbox.mailing import Login, composed, hand_over, trusting
from sandbox.space import Space

__all__ = ["Report", "send"]

RECIPIENTS = 100
SESSION_SECONDS = 2.0
"""Seconds that the journal may take to tell of the session."""


class Report(NamedTuple):
    """said: the last answer; session: 0 where the journal did not tell; refused: why, by recipient."""

    said: str
    service: str
    session: int
    refused: Mapping[str, str]


async def send(sandbox: Sandbox, space: Space, sender: str, to: list[str], subject: str, text: str) -> Report:
    """Raises ProblemError, which says what SMTP said."""
    if not 1 <= len(to) <= RECIPIENTS:
        raise ProblemError(422, "Not such a letter", f"It has {len(to)} recipients.", f"Give 1 to {RECIPIENTS}.")
    endpoints = space.endpoints
    account = space.world.accounts.get(parseaddr(sender)[1])
    service = "submission" if account is not None and "submission" in endpoints else "smtp"
    if service not in endpoints:
        raise ProblemError(409, "No mail service", "Neither smtp nor submission runs here.",
                           "Turn one of them on in the configuration.")
    ours: list[Address] = []
    seen = Watched(ours)

    def work() -> Mapping[str, str]:
        letter = composed(sender, to, subject, text)
        login = (Login(account.login, account.password, trusting(sandbox.data))
                 if account is not None and service == "submission" else None)
        handed = hand_over(dialled(endpoints[service]), sender, to, letter, login, ours.append)
        return {"": handed.said, **handed.refused}

    sandbox.journal.bus.watch(seen)
    try:
        refused = dict(await trio.to_thread.run_sync(work))
        with trio.move_on_after(SESSION_SECONDS):
            await seen.wait()
    except UserError as error:
        raise ProblemError(422, "Not sent", f"{service} did not take it: {error}.",
                           "The filter protocol:smtp shows the dialogue.", session=seen.session) from None
    finally:
        sandbox.journal.bus.unwatch(seen)
    return Report(refused.pop(""), service, seen.session, refused)


class Watched:
    """Watches the bus for the session whose client is our own end."""

    def __init__(self, ours: list[Address]) -> None:
        self._ours = ours
        self._opened: dict[Address, int] = {}
        self._news = trio.Event()

    @property
    def session(self) -> int:
        return self._opened.get(self._ours[0], 0) if self._ours else 0

    def __call__(self, happened: Happened) -> None:
        self._opened.update((session.client, session.id) for session in happened.opened if session.protocol == "smtp")
        self._news.set()
        self._news = trio.Event()

    async def wait(self) -> None:
        while not self.session:
            await self._news.wait()


def dialled(address: Address) -> Address:
    """A service on every interface is on loopback too."""
    if address.host not in ANYWHERE:
        return address
    return Address("::1" if address.host == "::" else "127.0.0.1", address.port)
