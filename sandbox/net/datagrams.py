"""Answers datagrams: wait until there are some, then drain them without waiting.

A *flow*, all datagrams between one client address and one service, is a session of the journal; each datagram with
its answer is an exchange. Flows end when they have been idle, or when there are too many.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from functools import partial
from time import time
from typing import Any

import trio

from sandbox.address import Address
from sandbox.journal.recorder import Journal, Recorder
from sandbox.net.server import Stand
from sandbox.protocols.conversation import Description

__all__ = ["answer_from"]

log = logging.getLogger(__name__)

DRAIN = 64
"""Datagrams answered before other tasks get a turn."""

FLOW_SECONDS = 10.0
"""A flow without datagrams for so long is over."""

FLOWS = 4096
"""Flows a socket remembers; past it the oldest end."""

SIZE = 65_535
"""The largest datagram."""

PKTINFO_SPACE = socket.CMSG_SPACE(32)

Route = tuple[Any, ...]
"""Where an answer goes; hashable. See `Plain` and `Wildcard`."""


class Flow:
    """One client's datagrams."""

    __slots__ = ("client", "last", "recorder")

    def __init__(self, client: Address, recorder: Recorder, now: float) -> None:
        self.client = client
        self.recorder = recorder
        self.last = now


class Flows:
    """The flows of one socket, oldest first."""

    def __init__(self, journal: Journal, stand: Stand, server: Address, client: Callable[[Route], Address]) -> None:
        self._client = client
        self._journal = journal
        self._stand = stand
        self._server = server
        self._flows: dict[Route, Flow] = {}

    def find(self, route: Route, now: float) -> Flow:
        """The flow of a client; a new one when there is none."""
        flow = self._flows.get(route)
        if flow is None:
            if len(self._flows) >= FLOWS:
                self._end(next(iter(self._flows)))
            client = self._client(route)
            recorder = self._journal.open(service=self._stand.name, protocol=self._stand.protocol, transport="udp",
                                          client=client, server=self._server)
            flow = self._flows[route] = Flow(client, recorder, now)
        flow.last = now
        return flow

    def expire(self, now: float) -> None:
        for route in [route for route, flow in self._flows.items() if flow.last < now - FLOW_SECONDS]:
            self._end(route)

    def end_all(self) -> None:
        for route in list(self._flows):
            self._end(route)

    def _end(self, route: Route) -> None:
        self._flows.pop(route).recorder.close("flow-idle")


class Plain:
    """A socket on one address. A route is the client's address as the socket module has it."""

    def __init__(self, sock: socket.socket) -> None:
        self.receive: Callable[[], tuple[bytes, Route]] = partial(sock.recvfrom, SIZE)
        self.send: Callable[[bytes, Route], object] = sock.sendto

    def client(self, route: Route) -> Address:
        return Address(route[0], route[1])


class Wildcard:
    """A socket on all addresses: an answer must leave from the one its question came to, so a route is the client's
    address and what the kernel said about the destination."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)

    def receive(self) -> tuple[bytes, Route]:
        data, control, _, peer = self._sock.recvmsg(SIZE, PKTINFO_SPACE)
        return data, (peer, tuple(source(item) for item in control))

    def send(self, answer: bytes, route: Route) -> object:
        peer, control = route
        return self._sock.sendmsg([answer], control, 0, peer)

    def client(self, route: Route) -> Address:
        return Address(route[0][0], route[0][1])


IP_PKTINFO = 8
IPV6_RECVPKTINFO = 49


def source(control: tuple[int, int, bytes]) -> tuple[int, int, bytes]:
    """Turn where a datagram came to into where its answer leaves from."""
    level, kind, data = control
    if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
        # struct in_pktinfo: interface, local address, header destination. The interface is left to routing.
        return level, kind, bytes(4) + data[8:12] + bytes(4)
    return level, kind, data


async def answer_from(sock: socket.socket, stand: Stand, journal: Journal) -> None:
    """Answer datagrams until cancelled. Closes the socket."""
    own = sock.getsockname()
    port = Wildcard(sock) if own[0] in ("0.0.0.0", "::") else Plain(sock)
    flows = Flows(journal, stand, Address(own[0], own[1]), port.client)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(expire, flows)
            while True:
                await trio.lowlevel.wait_readable(sock)
                while drain(port, stand, flows):
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


def drain(port: Plain | Wildcard, stand: Stand, flows: Flows) -> bool:
    """Answer what has arrived, up to DRAIN. Whether there may be more."""
    handle = stand.service.datagram
    assert handle is not None
    find, receive, send = flows.find, port.receive, port.send
    for _ in range(DRAIN):
        try:
            data, route = receive()
        except BlockingIOError:
            return False
        except OSError:
            continue  # an ICMP error about an earlier answer
        now = time()
        flow = find(route, now)
        try:
            answer, about = handle(data, flow.client)
        except Exception:
            log.exception("the %s service failed on a datagram from %s", stand.name, flow.client)
            answer, about = None, FAILED
        if answer is not None:
            try:
                send(answer, route)
            except OSError:
                answer = None  # no room in the kernel, or the client cannot be reached: datagrams may be lost
        flow.recorder.datagram(now, data, answer, about)
    return True


FAILED = Description("", "", "", "the sandbox failed", "end.failed")
