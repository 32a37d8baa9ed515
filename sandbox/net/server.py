"""Accepts connections, carries each one's conversation, and closes it in a way its client understands."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Protocol

import trio

from sandbox.address import Address
from sandbox.config import Limits
from sandbox.journal.journal import Journal
from sandbox.journal.recorder import Recorder
from sandbox.journal.records import Stream
from sandbox.net.conversation import Conversation
from sandbox.net.data import DataLine, DataRules, Maker
from sandbox.net.ending import conclude, linger
from sandbox.net.facts import keep_syn, opening_facts
from sandbox.net.layers.channel import Channel
from sandbox.net.script import Script
from sandbox.net.watch import Watch
from sandbox.protocols.contract.conversation import Closed, ConversationError
from sandbox.protocols.contract.registry import Service

if TYPE_CHECKING:
    from sandbox.net.layers.tls.channel import TlsSettings

__all__ = ["Door", "LazyService", "Server"]

log = logging.getLogger(__name__)

ACCEPT_BATCH = 64
"""Connections accepted before other tasks get a turn."""

PAUSE = 0.1
"""Seconds to wait when the machine is out of file descriptors."""


class Door(Protocol):
    """What a listener is opened for: it says who answers a client.

    version: rises when the answer may have become another, for clients that have been told one already.
    """

    @property
    def version(self) -> int: ...

    def choose(self, client: Address) -> LazyService: ...


@dataclass
class LazyService:
    """A service with its names: what a listener hands its connections to.

    build: makes the service, which imports its code; tls: how it encrypts; encrypted: whether the TLS handshake
    comes first, rather than when the session asks for it; script: decides which of its answers are scripted; space:
    the name of the space it answers in.

    For a listener that has nothing to choose between it is a `Door` itself.
    """

    name: str
    protocol: str
    build: Callable[[], Service]
    tls: TlsSettings | None = None
    encrypted: bool = False
    script: Script = field(default_factory=Script)
    recorded: bool = True
    """Whether what passes is kept in the journal."""
    space: str = "main"
    version: ClassVar[int] = 0

    def choose(self, client: Address) -> LazyService:
        return self

    @cached_property
    def built(self) -> Service:
        """The service itself, built when it is first needed."""
        return self.build()

    @property
    def busy(self) -> bytes:
        """What a client is told when there is no room; nothing by a service that nobody has needed yet."""
        return self.built.busy if "built" in vars(self) else b""

    def open(self) -> None:
        """Build the service now. Raises what is wrong with the stores it stands on."""
        assert self.built is not None


class Server:
    """Carries the connections of all services, within the limits they share."""

    def __init__(self, journal: Journal, limits: Limits, data_rules: DataRules | None = None) -> None:
        self._journal = journal
        self._limits = limits
        self._data_rules = data_rules or DataRules()
        self._per_client: Counter[str] = Counter()
        self.watch = Watch(limits)

    async def accept_from(self, listener: socket.socket, door: Door, connections: trio.Nursery,
                          make: Maker = socket.socket) -> None:
        """Accept until cancelled. connections: where each conversation runs; make: sockets of the listener's network,
        by family. Closes the listener."""
        keep_syn(listener)
        try:
            while True:
                await trio.lowlevel.wait_readable(listener)
                for _ in range(ACCEPT_BATCH):
                    try:
                        sock, peer = listener.accept()
                    except BlockingIOError:
                        break
                    except OSError as error:
                        if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                            log.warning("cannot accept another connection: %s", error.strerror)
                            await trio.sleep(PAUSE)
                        continue  # the client was gone before we came: not our error
                    connections.start_soon(self._carry, sock, Address(peer[0], peer[1]), door, make)
                await trio.lowlevel.checkpoint()
        finally:
            listener.close()

    async def _carry(self, sock: socket.socket, client: Address, door: Door, make: Maker) -> None:
        service = door.choose(client)
        channel = Channel(sock)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            own = sock.getsockname()
        except OSError:
            channel.close()
            return
        recorder = self._journal.open(service=service.name, protocol=service.protocol, transport="tcp", client=client,
                                      server=Address(own[0], own[1]), space=service.space,
                                      recorded=service.recorded)
        recorder.session.facts["open"] = opening_facts(sock)
        if self._crowded(client):
            self._refuse(channel, recorder, service)
            return
        conversation = Conversation(channel, recorder, self._journal, self._limits, self.watch, service.tls,
                                    DataLine(self._journal, self._limits, self.watch, self._data_rules, service.tls,
                                             service.script, make),
                                    service.script)
        self.watch.begin(conversation)
        self._per_client[client.host] += 1
        end = "failed"
        try:
            end = await self._converse(conversation, service)
        finally:
            self.watch.end(conversation)
            self._per_client[client.host] -= 1
            if not self._per_client[client.host]:
                del self._per_client[client.host]
            conclude(conversation, end)

    async def _converse(self, conversation: Conversation, service: LazyService) -> str:
        """Run the session and close the connection gracefully. How it ended, a term of the tcp knowledge."""
        with conversation.scope:
            try:
                session = service.built.session
                assert session is not None
                await conversation.accepted()
                if service.encrypted:
                    await conversation.start_tls()
                await session(conversation)
            except ConversationError:
                pass
            except Exception:
                # A fault of ours must not become the client's silence or the end of the sandbox.
                log.exception("the %s session with %s failed", service.name, conversation.client)
                exchange = conversation.open_exchange or conversation.begin("", "")
                exchange.note("traceback", traceback.format_exc())
                return "failed"
            if conversation.resetting:
                return "server-reset"
            if conversation.strikes is not None and conversation.strikes.severed:
                with contextlib.suppress(ConversationError):
                    await linger(conversation)
                return conversation.failed
            with contextlib.suppress(ConversationError):
                await conversation.flush()
                if not conversation.ended and not conversation.channel.reset:
                    # All is said. A client that now leaves without another word is no broken connection.
                    with contextlib.suppress(ConversationError):
                        await linger(conversation)
                    return conversation.expired or conversation.failed or "server-closed"
        channel = conversation.channel
        ended = ("client-reset" if channel.reset else "tls-damaged" if channel.damaged
                 else "tls-truncated" if channel.truncated else "client-closed")
        return conversation.expired or conversation.failed or ended

    def _crowded(self, client: Address) -> bool:
        return (len(self.watch.conversations) >= self._limits.connections
                or self._per_client[client.host] >= self._limits.connections_per_client)

    def _refuse(self, channel: Channel, recorder: Recorder, service: LazyService) -> None:
        """Say that there is no room, without waiting, and close; where TLS comes first, without a word: in clear the
        client could not read it, and a handshake is what there is no room for."""
        with contextlib.suppress(Closed):
            busy = service.busy
            if busy and not service.encrypted:
                recorder.chunk(Stream.SERVER, busy)
                channel.send_now(busy)
        recorder.exchange(recorder.session.opened, "", "", "", "too many connections", "end.refused", 0, None)
        channel.close()
        recorder.close("refused")
