"""Answers datagrams: wait until there are some, then take, answer and record them by the batch.

A *flow*, all datagrams between one client address and one service, is a session of the journal; each datagram with
its answer is an exchange. Flows end when they have been idle, or when there are too many.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable
from time import time
from typing import Any, Protocol

import trio

from sandbox.address import Address
from sandbox.journal.journal import Journal
from sandbox.journal.recorder import Recorder
from sandbox.linux.mmsg import Burst, available
from sandbox.net.script import MARK
from sandbox.net.server import Door, LazyService
from sandbox.protocols.contract.conversation import Answer, DatagramHandler, Description
from sandbox.protocols.contract.script import NO_FACTS, ScriptedAnswer
from sandbox.protocols.contract.strike import Point, Strike

__all__ = ["answer_from"]

log = logging.getLogger(__name__)

DRAIN = 64
"""Datagrams of one batch, where the system call for many is missing."""

FLOW_SECONDS = 10.0
"""A flow without datagrams for so long is over."""

FLOWS = 4096
"""Flows a socket remembers; past it the oldest end."""

SIZE = 65_535
"""The largest datagram."""

LATE = 1000
"""Answers of one socket that wait at a time; past it they no longer do."""

HARMLESS = 10_000
"""Questions that a socket knows nothing befalls."""

Route = Any
"""Where an answer goes: hashable, the same for all datagrams of one client, and of whatever type the port likes."""


class Flow:
    """One client's datagrams."""

    __slots__ = ("client", "handle", "last", "recorder", "service")

    def __init__(self, client: Address, service: LazyService, recorder: Recorder, now: float) -> None:
        self.client = client
        self.service = service
        self.handle = handler(service)
        self.recorder = recorder
        self.last = now


class Flows:
    """The flows of one socket, oldest first."""

    def __init__(self, journal: Journal, door: Door, server: Address,
                 client: Callable[[Route], Address]) -> None:
        self._client = client
        self._journal = journal
        self._door = door
        self._version = door.version
        self._server = server
        self._flows: dict[Route, Flow] = {}
        self.harmless: set[str] = set()

    def find(self, route: Route, now: float) -> Flow:
        """The flow of a client; a new one when there is none."""
        flow = self._flows.get(route)
        if flow is None:
            if len(self._flows) >= FLOWS:
                self._end(next(iter(self._flows)))
            client = self._client(route)
            service = self._door.choose(client)
            recorder = self._journal.open(service=service.name, protocol=service.protocol, transport="udp",
                                          client=client, server=self._server, space=service.space)
            flow = self._flows[route] = Flow(client, service, recorder, now)
        flow.last = now
        return flow

    def choose_anew(self) -> None:
        """End the flows of clients that somebody else answers by now."""
        if self._version != self._door.version:
            self._version = self._door.version
            for route in [route for route, flow in self._flows.items()
                          if self._door.choose(flow.client) is not flow.service]:
                self._end(route)

    def expire(self, now: float) -> None:
        self.choose_anew()
        for route in [route for route, flow in self._flows.items() if flow.last < now - FLOW_SECONDS]:
            self._end(route)

    def end_all(self) -> None:
        for route in list(self._flows):
            self._end(route)

    def _end(self, route: Route) -> None:
        self._flows.pop(route).recorder.close("flow-idle")


class Port(Protocol):
    """What takes and sends datagrams by the batch: `Burst`, or `OneByOne`, which says what the methods do."""

    def receive(self) -> list[tuple[bytes, Route]]: ...
    def send(self, answers: list[tuple[bytes, Route]]) -> int: ...
    def client(self, route: Route) -> Address: ...


class OneByOne:
    """A system call per datagram, where the system has nothing better."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def receive(self) -> list[tuple[bytes, Route]]:
        """What has arrived, up to DRAIN datagrams, each with the way back. Raises OSError."""
        found: list[tuple[bytes, Route]] = []
        with contextlib.suppress(BlockingIOError):
            while len(found) < DRAIN:
                found.append(self._sock.recvfrom(SIZE))
        return found

    def send(self, answers: list[tuple[bytes, Route]]) -> int:
        """Send answers until the system does not take one: how many it took."""
        for sent, (answer, route) in enumerate(answers):
            try:
                self._sock.sendto(answer, route)
            except OSError:
                return sent
        return len(answers)

    def client(self, route: Route) -> Address:
        return Address(route[0], route[1])


async def answer_from(sock: socket.socket, door: Door, journal: Journal) -> None:
    """Answer datagrams until cancelled. Closes the socket."""
    own = sock.getsockname()
    port: Port = Burst(sock) if available() else OneByOne(sock)
    flows = Flows(journal, door, Address(own[0], own[1]), port.client)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(expire, flows)
            while True:
                await trio.lowlevel.wait_readable(sock)
                while drain(port, flows, journal, nursery):
                    if journal.full:
                        await journal.room()
                    await trio.lowlevel.checkpoint()
    finally:
        flows.end_all()
        sock.close()


async def expire(flows: Flows) -> None:
    while True:
        await trio.sleep(FLOW_SECONDS / 4)
        flows.expire(time())


def drain(port: Port, flows: Flows, journal: Journal, later: trio.Nursery) -> bool:
    """Answer one batch of what has arrived. later: for answers that have to wait. Whether there may be more."""
    try:
        batch = port.receive()
    except OSError:
        return True  # an ICMP error about an earlier answer
    if not batch:
        return False
    now = time()
    flows.choose_anew()
    find, harmless = flows.find, flows.harmless
    handled: list[tuple[Recorder, bytes, bytes | None, Description]] = []
    outgoing = []
    for data, route in batch:
        flow = find(route, now)
        if flow.handle is None:
            if len(later.child_tasks) < LATE:
                later.start_soon(answer_slowly, port, flows, journal, data, route)
            else:
                handled.append((flow.recorder, data, None, BUSY))  # lost, as any datagram may be
            continue
        try:
            answer, about = flow.handle(data, flow.client)
            script, faults = flow.service.script, flow.service.script.faults
            if script.decide is not None or (faults is not None and not (faults.quiet and about.asked in harmless)):
                strike = struck(flow, about, harmless)
                if strike is not None and strike.wait is None and strike.stage is None:
                    answer, about = restated(flow.service, data, Answer(answer, about), strike, strike.answer)
                elif strike is not None and len(later.child_tasks) < LATE:
                    later.start_soon(answer_late, port, flows, journal, data, route, Answer(answer, about), strike)
                    continue
        except Exception:
            log.exception("the %s service failed on a datagram from %s", flow.service.name, flow.client)
            answer, about = None, FAILED
        if answer is not None:
            outgoing.append((answer, route))
        handled.append((flow.recorder, data, answer, about))
    lost = send_all(port, outgoing) if outgoing else ()
    took = max(0, round((time() - now) * 1e6))
    size = answers = 0
    for recorder, data, answer, about in handled:
        if answer is not None:
            if answers in lost:
                answer = None
            else:
                size += len(answer)
            answers += 1
        size += len(data)
        recorder.datagram(now, data, answer, about, took)
    journal.count(size, len(handled))
    return True


def struck(flow: Flow, about: Description, harmless: set[str]) -> Strike | None:
    """What befalls the answer to a datagram. harmless: what was asked that nothing befalls while there are no rules,
    so that the next look at it costs next to nothing."""
    script, facts = flow.service.script, about.facts or NO_FACTS
    if script.concerns(Point.QUESTION, flow.service.protocol, about.asked, facts):
        return script.strike(Point.QUESTION, flow.recorder.session, about.verb, about.asked, facts)
    if MARK not in about.asked.lower():
        if len(harmless) >= HARMLESS:
            harmless.clear()
        harmless.add(about.asked)
    return None


def restated(service: LazyService, data: bytes, answer: Answer, strike: Strike,
             instead: ScriptedAnswer | None) -> Answer:
    """The answer to a datagram, in other words where there are some, and with the fact of what befell it."""
    if instead is not None and service.built.restate is not None:
        answer = service.built.restate(data, answer, instead)
    if not strike.fault:
        return answer
    return answer._replace(about=answer.about._replace(facts={**(answer.about.facts or {}), "fault": strike.fault}))


async def answer_late(port: Port, flows: Flows, journal: Journal, data: bytes, route: Route, answer: Answer,
                      strike: Strike) -> None:
    """Answer one datagram after a wait, or otherwise than it should be."""
    await say(port, flows, journal, data, route, time(), answer, strike)


class UnderWay:
    """A datagram that is being answered: the cause of what that takes."""

    id = 0


async def answer_slowly(port: Port, flows: Flows, journal: Journal, data: bytes, route: Route) -> None:
    """Answer one datagram for which others have to be asked."""
    began, cause = time(), UnderWay()
    flow = flows.find(route, began)
    answer, strike = Answer(None, FAILED), None
    try:
        slow = flow.service.built.later
        assert slow is not None
        answer = await slow(data, flow.client, cause)
        strike = struck(flow, answer.about, flows.harmless)
    except Exception:
        log.exception("the %s service failed on a datagram from %s", flow.service.name, flow.client)
    cause.id = await say(port, flows, journal, data, route, began, answer, strike)


async def say(port: Port, flows: Flows, journal: Journal, data: bytes, route: Route, began: float, answer: Answer,
              strike: Strike | None) -> int:
    """Send an answer and record it, as it is or as it was struck. The number of the exchange. began: when its
    datagram came."""
    said, about = answer
    if strike is not None:
        said, about = await changed(flows.find(route, time()).service, data, answer, strike)
    if said is not None and port.send([(said, route)]) == 0:
        said = None
    took = max(0, round((time() - began) * 1e6))
    number = flows.find(route, time()).recorder.datagram(began, data, said, about, took)
    journal.count(len(data) + len(said or b""), 1)
    return number


async def changed(service: LazyService, data: bytes, answer: Answer, strike: Strike) -> Answer:
    """What becomes of an answer that is struck, when its time has come."""
    instead = None if strike.wait is None else await strike.wait()
    said, about = restated(service, data, answer, strike, instead or strike.answer)
    if said is not None and strike.stage is not None:
        wait, said = strike.stage.datagram(said)
        if said is None:
            about = about._replace(outcome="", answered="", key="")
        else:
            released = trio.Event()
            strike.stage.wake = released.set
            with trio.move_on_after(0 if strike.stage.released else wait):
                await released.wait()
    return Answer(said, about)


def send_all(port: Port, answers: list[tuple[bytes, Route]]) -> list[int]:
    """Send every answer that the system takes. The places of those it did not: no room, or no way to the client."""
    lost = []
    done = 0
    while done < len(answers):
        done += port.send(answers[done:])
        if done < len(answers):
            lost.append(done)
            done += 1
    return lost


FAILED = Description("", "", "", "the sandbox failed", "end.failed")
BUSY = Description("", "", "", "too many at once", "end.refused")


def handler(service: LazyService) -> DatagramHandler | None:
    """What answers the datagrams of a service; where it cannot be built, nobody does. None where that takes time."""
    try:
        if service.built.later is not None:
            return None
        handle = service.built.datagram
    except Exception:
        log.exception("the %s service cannot be built", service.name)
        return lambda data, client: Answer(None, FAILED)
    assert handle is not None
    return handle
