"""Connections that carry another conversation's data, such as FTP's: accepted on a port of their own, or made back to
the client. Each is a session of the journal with the other as its parent.

Only the client of the conversation is connected to or accepted: a server that dials where it is told, or takes data
from anyone, can be made to attack others (RFC 2577 §3, §5).
"""

from __future__ import annotations

import contextlib
import errno
import random
import socket
from typing import TYPE_CHECKING, NamedTuple

import trio

from sandbox.address import Address
from sandbox.config import Limits
from sandbox.journal.recorder import Journal
from sandbox.journal.records import Stream
from sandbox.net.channel import Channel
from sandbox.net.conversation import Conversation
from sandbox.net.dial import connect
from sandbox.net.ending import conclude, linger
from sandbox.net.facts import keep_syn, opening_facts
from sandbox.protocols.conversation import ConversationError, TimedOut

if TYPE_CHECKING:
    from sandbox.net.tls.channel import TlsSettings
    from sandbox.net.watch import Watch

__all__ = ["DataConversation", "DataLine", "DataPort", "DataRules"]

BACKLOG = 8


class DataRules(NamedTuple):
    """Ports for data connections, first and last (0 and 0 for any), the IPv4 address told to clients ("" for the
    one they reached), and how many seconds to wait for one."""

    first: int = 0
    last: int = 0
    advertise: str = ""
    seconds: float = 30.0


class DataConversation(Conversation):
    """A data connection; it implements the contract's `DataConversation`."""

    __slots__ = ()

    async def aclose(self) -> None:
        end = "server-closed"
        try:
            await self.flush()
            if not self.ended:
                await linger(self)
        except ConversationError:
            end = "client-reset" if self.channel.reset else "client-closed"
            raise
        else:
            end = "client-closed" if self.ended else "server-closed"
        finally:
            self._close(self.expired or self.failed or end)

    def sha256(self, *, sent: bool) -> str:
        return self.recorder.sha256(Stream.SERVER if sent else Stream.CLIENT)

    def abort(self) -> None:
        self.reset()
        self._close(self.expired or self.failed or "server-reset")

    def _close(self, end: str) -> None:
        if self in self._watch.conversations:
            self._watch.end(self)
            conclude(self, end)


class DataLine:
    """Makes the data connections of one service's conversations."""

    def __init__(self, journal: Journal, limits: Limits, watch: Watch, rules: DataRules,
                 tls: TlsSettings | None) -> None:
        self._journal = journal
        self._limits = limits
        self._watch = watch
        self._tls = tls.for_data() if tls is not None else None
        self.rules = rules

    def listen(self, owner: Conversation) -> DataPort:
        """Raises OSError."""
        return DataPort(self, owner, self._bind(owner.server.host))

    def _bind(self, host: str) -> socket.socket:
        first, last = self.rules.first, self.rules.last
        ports = list(range(first, last + 1)) if first else [0]
        random.shuffle(ports)  # a port that is easy to guess is easy to steal (RFC 2577 §8)
        for port in ports:
            sock = socket.socket(family_of(host))
            try:
                sock.setblocking(False)
                sock.bind((host, port))
                sock.listen(BACKLOG)
            except OSError as error:
                sock.close()
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return sock
        raise OSError(errno.EADDRINUSE, f"every port from {first} to {last} is in use")

    async def connect_back(self, owner: Conversation, port: int, from_port: int) -> DataConversation:
        """Raises OSError, TimeoutError among them."""
        host = owner.server.host
        sock = socket.socket(family_of(host))
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((host, from_port))
            except OSError:
                sock.bind((host, 0))  # ports below 1024 are not for everybody
            with trio.move_on_after(self.rules.seconds):
                await connect(sock, Address(owner.client.host, port))
                return self.carry(owner, sock)
            raise TimeoutError(errno.ETIMEDOUT, "the client did not answer in time")
        except BaseException:
            sock.close()
            raise

    def carry(self, owner: Conversation, sock: socket.socket) -> DataConversation:
        """A connected socket as a conversation. The watch looks after it from now on."""
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        own, peer = sock.getsockname(), sock.getpeername()
        parent = owner.recorder.session
        recorder = self._journal.open(
            service=f"{parent.service}-data", protocol=parent.protocol, transport="tcp",
            client=Address(peer[0], peer[1]), server=Address(own[0], own[1]), parent=parent.id)
        recorder.session.facts["open"] = opening_facts(sock)
        conversation = DataConversation(Channel(sock), recorder, self._journal, self._limits, self._watch, self._tls)
        conversation.owner = owner
        self._watch.begin(conversation)
        return conversation

    def refuse(self, owner: Conversation, sock: socket.socket, peer: Address) -> None:
        """Somebody else came: close, and say so in the journal."""
        parent = owner.recorder.session
        recorder = self._journal.open(service=f"{parent.service}-data", protocol=parent.protocol, transport="tcp",
                                      client=peer, server=owner.server, parent=parent.id)
        recorder.exchange(recorder.session.opened, "", "", "", "not the client of this transfer", "end.refused", 0,
                          None)
        Channel(sock).close(with_reset=True)
        recorder.close("refused")


class DataPort:
    """A listening socket for one data connection; it implements the contract's `DataPort`."""

    def __init__(self, line: DataLine, owner: Conversation, listener: socket.socket) -> None:
        self._line = line
        self._owner = owner
        self._listener = listener
        keep_syn(listener)

    @property
    def address(self) -> Address:
        host, port = self._listener.getsockname()[:2]
        advertised = self._line.rules.advertise
        return Address(advertised if advertised and ":" not in host else host, port)

    async def accept(self) -> DataConversation:
        with trio.move_on_after(self._line.rules.seconds):
            while True:
                try:
                    sock, peer = self._listener.accept()
                except BlockingIOError:
                    await trio.lowlevel.wait_readable(self._listener)
                    continue
                except ConnectionError:
                    continue
                if peer[0] == self._owner.client.host:
                    return self._line.carry(self._owner, sock)
                self._line.refuse(self._owner, sock, Address(peer[0], peer[1]))
        raise TimedOut("no data connection came")

    def close(self) -> None:
        if self._listener.fileno() >= 0:
            with contextlib.suppress(RuntimeError):  # no trio any more
                trio.lowlevel.notify_closing(self._listener)
            self._listener.close()


def family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
