"""The queue's carrier: takes submitted mail to the next server, tries again, and reports failure (RFC 5321 §4.5.4).

A leg (one message for one recipient) leaves the queue only when the next server has answered for it, or in the same
commit that puts its bounce in. A process killed in between tries again, so that mail is never lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import trio

from sandbox.address import Address
from sandbox.protocols.contract.conversation import Cause, Dial
from sandbox.protocols.smtp.bounce import Facts, Outcome, needs, report
from sandbox.protocols.smtp.client import Answer, Client, NegativeReply, TlsFailed
from sandbox.protocols.smtp.exchangers import Exchangers, NoExchanger
from sandbox.protocols.threads import Pieces, settled
from sandbox.world.mail import QUEUE, FolderChange, MailStore, Outbound

__all__ = ["Carrier"]

TOGETHER = 8       # messages on their way at once
BATCH = 200        # legs looked at in one round
RECIPIENTS = 100   # of one message in one transaction
LATE = 2           # attempts after which a sender who asked is told of the delay

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Carrier:
    """Carries what is in a store's queue, for as long as `run` runs.

    exchangers: finds the next server; port: where servers listen; retry: seconds before each further attempt.
    """

    store: MailStore
    exchangers: Exchangers
    dial: Dial
    port: int
    hostname: str
    retry: Sequence[float]

    async def run(self) -> None:
        """For ever: carry what is due, then wait for more."""
        token = trio.lowlevel.current_trio_token()
        wakeup = Wakeup()

        def ring(change: FolderChange) -> None:
            if change.added:
                token.run_sync_soon(wakeup.wake)

        stop = self.store.watch(QUEUE, ring)
        try:
            # A process that was killed after the next server, which has the same store, took a message, and before
            # the leg was taken from the queue: sent again, it would be there twice.
            arrived = await trio.to_thread.run_sync(self.store.arrived)
            await settled(self.store.delete_outbound(arrived))
            while True:
                wakeup.clear()
                await self.carry_due()
                due = await trio.to_thread.run_sync(self.store.next_due)
                with trio.move_on_after(max(0.0, due - time.time()) if due is not None else float("inf")):
                    await wakeup.wait()
        finally:
            stop()

    async def carry_due(self) -> None:
        """One round."""
        legs = await trio.to_thread.run_sync(self.store.outbound, time.time(), BATCH)
        limit = trio.CapacityLimiter(TOGETHER)
        async with trio.open_nursery() as nursery:
            for group in grouped(legs):
                await trio.lowlevel.checkpoint()
                nursery.start_soon(self.carry_safely, group, limit)

    async def carry_safely(self, legs: list[Outbound], limit: trio.CapacityLimiter) -> None:
        async with limit:
            try:
                await self.carry(legs)
            except Exception:  # one message that cannot be carried must not stop the others
                log.exception("carrying message %s", legs[0].content)
                failed = Answer(451, "4.3.0", "the sandbox failed; its log says where")
                await self.settle(legs, [failed] * len(legs), "")

    async def carry(self, legs: list[Outbound]) -> None:
        """One message to the recipients of one domain: the first of its servers that takes it decides."""
        domain = legs[0].recipient.rpartition("@")[2]
        last, remote = Answer(450, "4.4.1", "no server could be reached"), ""
        try:
            for name, address in await self.exchangers.find(domain, self.cause(legs)):
                remote = name
                try:
                    await self.hand_over(legs, name, Address(address, self.port))
                    return
                except OSError as error:  # PermissionError among them: an address that is not of this machine
                    last = Answer(450, "4.4.1", f"{name} does not answer: {error}")
                except NegativeReply as refused:
                    last = refused.answer
                    if last.lasting:
                        break
        except NoExchanger as error:
            last = Answer(550 if error.lasting else 450, error.status, str(error))
        await self.settle(legs, [last] * len(legs), remote)

    def cause(self, legs: Sequence[Outbound]) -> Cause | int:
        """The exchange that a message came with, 0 where nobody knows any more."""
        known = self.store.origins.find(legs[0].content)
        return known or Facts.decode(legs[0].facts).cause

    async def hand_over(self, legs: list[Outbound], name: str, address: Address) -> None:
        """One message to one server, encrypted if that can be (RFC 7435). A handshake that fails is followed by a
        second try in clear text: some protection when there is some to have, and no mail lost over it.

        Raises OSError, NegativeReply.
        """
        try:
            await self.talk(legs, name, address, encrypt=True)
        except TlsFailed:
            await self.talk(legs, name, address, encrypt=False)

    async def talk(self, legs: list[Outbound], name: str, address: Address, *, encrypt: bool) -> None:
        wire = await self.dial(address, self.cause(legs))
        client = Client(wire, self.hostname)
        try:
            await client.greet()
            if encrypt and "STARTTLS" in client.extensions:
                await client.start_tls(name.strip("[]"))
            message = Pieces(lambda: self.store.read(legs[0].content))
            answers = await client.carry(legs[0].sender, [(leg.recipient, Facts.decode(leg.facts)) for leg in legs],
                                         legs[0].size, message)
            if "DSN" not in client.extensions:  # RFC 3461 §5.2.1: from here on nobody will report
                answers = [answer._replace(status="relayed") if answer.good else answer for answer in answers]
            await self.settle(legs, answers, name)
            await client.quit()
        finally:
            await wire.aclose()

    async def settle(self, legs: list[Outbound], answers: list[Answer], remote: str) -> None:
        """Write down what became of each leg: done, again later, or over."""
        done, reports, again = [], [], []
        for leg, answer in zip(legs, answers, strict=True):
            facts = Facts.decode(leg.facts)
            outcome = Outcome(leg.recipient, facts, "failed", answer.status, answer.text, remote)
            if answer.good:
                done.append(leg.id)
                if answer.status == "relayed" and facts.wants("SUCCESS"):
                    reports.append(outcome._replace(action="relayed", status="2.0.0"))
            elif answer.lasting or leg.attempts >= len(self.retry):
                done.append(leg.id)
                if facts.wants("FAILURE"):
                    status = answer.status if answer.lasting else "5.4.7"  # RFC 3463 §3.5: delivery time expired
                    reports.append(outcome._replace(status=status))
            else:
                again.append(leg)
                if leg.attempts + 1 == LATE and facts.wants("DELAY"):
                    reports.append(outcome._replace(action="delayed"))
        for leg in again:
            facts = Facts.decode(leg.facts)
            cause = self.cause([leg])
            facts.cause = cause if isinstance(cause, int) else cause.id
            await settled(self.store.retry_outbound([leg.id], time.time() + self.retry[leg.attempts], facts.encode()))
        for _, group in groupby(sorted(reports, key=lambda one: one.action), key=lambda one: one.action):
            await self.report(legs[0], list(group), done)
            done = []
        if done:
            await settled(self.store.delete_outbound(done))

    async def report(self, leg: Outbound, outcomes: list[Outcome], done: list[int]) -> None:
        """Tell the sender, in the same commit that ends the legs. A report about a report is never written."""
        if not leg.sender:
            if done:
                await settled(self.store.delete_outbound(done))
            return
        full = outcomes[0].facts.ret == "FULL"
        original = b""
        async for piece in Pieces(lambda: self.store.read(leg.content)):
            original += piece
            if not full or len(original) > 1_048_576:
                break
        spool = self.store.spool()
        text = report(leg.sender, outcomes, original, self.hostname)
        spool.add(text)
        await trio.to_thread.run_sync(spool.seal)
        onward = Outbound("", leg.sender, needs(leg.sender, text).encode())
        await settled(self.store.store(b"", spool, [], [onward], replaces=done, origin=self.cause([leg])))


def grouped(legs: Sequence[Outbound]) -> list[list[Outbound]]:
    """Legs that can share a transaction: one message, one domain, the same wishes."""
    found: dict[tuple[object, ...], list[Outbound]] = {}
    for leg in legs:
        facts = Facts.decode(leg.facts)
        key = (leg.content, leg.sender, leg.recipient.rpartition("@")[2].lower(), facts.body, facts.utf8, facts.ret,
               facts.envid)
        found.setdefault(key, []).append(leg)
    return [group[start:start + RECIPIENTS] for group in found.values() for start in range(0, len(group), RECIPIENTS)]


class Wakeup:
    """Wakes one waiter, and remembers a ring that came before the wait."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def wake(self) -> None:
        self._event.set()

    def clear(self) -> None:
        if self._event.is_set():
            self._event = trio.Event()

    async def wait(self) -> None:
        await self._event.wait()
