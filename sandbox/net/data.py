"""Connections that carry another conversation's data, such as FTP's: accepted on a port of their own, or made back to
the client. Each is a session of the journal with the other as its parent.

Only the client of the conversation is connected to or accepted: a server that dials where it is told, or takes data
from anyone, can be made to attack others (RFC 2577 §3, §5).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import random
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import trio

from sandbox.address import Address
from sandbox.config import Limits
from sandbox.journal.journal import Journal
from sandbox.journal.records import Stream
from sandbox.journal.shared import identity_of
from sandbox.net.conversation import Conversation
from sandbox.net.dial import connect
from sandbox.net.ending import conclude, linger
from sandbox.net.facts import keep_syn, opening_facts
from sandbox.net.layers.channel import BULK_SIZE, Channel
from sandbox.net.script import Script
from sandbox.protocols.contract.conversation import Closed, ConversationError, TimedOut

if TYPE_CHECKING:
    from sandbox.net.layers.tls.channel import TlsSettings
    from sandbox.net.watch import Watch

__all__ = ["DataConversation", "DataLine", "DataPort", "DataRules", "Maker"]

Maker = Callable[[int], socket.socket]
"""Makes a socket of a family, in the network that the client is in."""

BACKLOG = 8

AT_ONCE = 8_388_608
"""Octets of a file that the kernel is asked to send; it takes what fits into the socket's buffer."""

READ_SIZE = 524_288
"""Octets of a file that are read at once to be hashed."""


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
    appetite = BULK_SIZE

    @property
    def cut_off(self) -> bool:
        return self.channel.truncated

    async def aclose(self, *, wait: bool = True) -> None:
        end = "server-closed"
        try:
            await self.flush()
            if not self.ended and wait:
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

    def remember(self, file: os.stat_result, *, sent: bool) -> None:
        content = self.recorder.content(Stream.SERVER if sent else Stream.CLIENT)
        if content is not None and content.length == file.st_size:
            self._journal.sharing.remember(identity_of(file), content)

    async def send_known(self, descriptor: int, passed: Callable[[int], None]) -> bool:
        identity = identity_of(os.fstat(descriptor))
        content, channel = self._journal.sharing.known(identity, self.recorder.session.id), self.channel
        if content is None or not isinstance(channel, Channel):
            return False
        await self.flush()
        sent = 0
        try:
            while sent < content.length:
                count = await trio.to_thread.run_sync(channel.send_file_now, descriptor, sent,
                                                      min(AT_ONCE, content.length - sent))
                if count is None:
                    await self._wait(channel.writable)
                    continue
                self.recorder.passed(Stream.SERVER, content, sent, count)
                sent += count
                passed(count)
                self.active = self._watch.now
                if not count or identity_of(os.fstat(descriptor)) != identity:
                    if self.open_exchange is not None:
                        self.open_exchange.note("uncertain", f"the last {count} octets: the file was being changed")
                    raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
                if self._journal.full:
                    await self._journal.room()
        finally:
            with trio.CancelScope(shield=True):
                self.recorder.known(Stream.SERVER, content.sha256 if sent == content.length else
                                    await trio.to_thread.run_sync(sha256_of, descriptor, sent))
        return True

    def abort(self) -> None:
        self.reset()
        self._close(self.expired or self.failed or "server-reset")

    def _close(self, end: str) -> None:
        if self in self._watch.conversations:
            self._watch.end(self)
            conclude(self, end)


class DataLine:
    """Makes the data connections of one service's conversations. make: sockets of the client's network."""

    def __init__(self, journal: Journal, limits: Limits, watch: Watch, rules: DataRules,
                 tls: TlsSettings | None, script: Script | None = None, make: Maker = socket.socket) -> None:
        self._make = make
        self._journal = journal
        self._limits = limits
        self._watch = watch
        self._tls = tls.for_data() if tls is not None else None
        self.rules = rules
        self._script = script

    def listen(self, owner: Conversation) -> DataPort:
        """Raises OSError."""
        return DataPort(self, owner, self._bind(owner.server.host))

    def _bind(self, host: str) -> socket.socket:
        first, last = self.rules.first, self.rules.last
        ports = list(range(first, last + 1)) if first else [0]
        random.shuffle(ports)  # a port that is easy to guess is easy to steal (RFC 2577 §8)
        for port in ports:
            sock = self._make(family_of(host))
            try:
                sock.setblocking(False)
                # Else a port could not be used again for a minute after its connection, and a range would soon be
                # used up: the system remembers who closed first (RFC 9293 §3.6.1), and that is the server.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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
        sock = self._make(family_of(host))
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((host, from_port))
            except OSError:
                sock.bind((host, 0))  # ports below 1024 are not for everybody
            with trio.move_on_after(self.rules.seconds):
                await connect(sock, Address(owner.client.host, port))
                return self.carry(owner, sock, Address(owner.client.host, port))
            raise TimeoutError(errno.ETIMEDOUT, "the client did not answer in time")
        except BaseException:
            sock.close()
            raise

    def carry(self, owner: Conversation, sock: socket.socket, peer: Address) -> DataConversation:
        """A connected socket as a conversation. The watch looks after it from now on. peer: its other end, which the
        system no longer tells when it has sent a reset already."""
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        own = sock.getsockname()
        parent = owner.recorder.session
        recorder = self._journal.open(
            service=f"{parent.service}-data", protocol=parent.protocol, transport="tcp",
            client=peer, server=Address(own[0], own[1]), parent=parent.id, space=parent.space)
        recorder.session.facts["open"] = opening_facts(sock)
        conversation = DataConversation(Channel(sock), recorder, self._journal, self._limits, self._watch, self._tls,
                                        script=self._script)
        conversation.owner = owner
        self._watch.begin(conversation)
        conversation.accepted_data()
        return conversation

    def refuse(self, owner: Conversation, sock: socket.socket, peer: Address) -> None:
        """Somebody else came: close, and say so in the journal."""
        parent = owner.recorder.session
        recorder = self._journal.open(service=f"{parent.service}-data", protocol=parent.protocol, transport="tcp",
                                      client=peer, server=owner.server, parent=parent.id, space=parent.space)
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
        self._waited = False
        keep_syn(listener)

    @property
    def address(self) -> Address:
        host, port = self._listener.getsockname()[:2]
        advertised = self._line.rules.advertise
        return Address(advertised if advertised and ":" not in host else host, port)

    def accept_now(self) -> DataConversation | None:
        while self._listener.fileno() >= 0:
            try:
                sock, (host, port, *_) = self._listener.accept()
            except BlockingIOError:
                return None
            except ConnectionError:
                continue
            if host == self._owner.client.host:
                return self._line.carry(self._owner, sock, Address(host, port))
            self._line.refuse(self._owner, sock, Address(host, port))
        return None

    async def accept(self) -> DataConversation:
        with trio.move_on_after(self._line.rules.seconds):
            while True:
                if (data := self.accept_now()) is not None:
                    return data
                if self._listener.fileno() < 0:
                    raise Closed("nobody is waited for any more")
                self._waited = True
                try:
                    await trio.lowlevel.wait_readable(self._listener)
                except trio.ClosedResourceError as error:
                    raise Closed("nobody is waited for any more") from error
        raise TimedOut("no data connection came")

    def close(self) -> None:
        if self._waited and self._listener.fileno() >= 0:
            with contextlib.suppress(RuntimeError):  # no trio any more
                trio.lowlevel.notify_closing(self._listener)
        self._listener.close()


def sha256_of(descriptor: int, count: int) -> str:
    """Of the first `count` octets of a file. For a worker thread."""
    digest = hashlib.sha256()
    position = 0
    while position < count and (data := os.pread(descriptor, min(READ_SIZE, count - position), position)):
        digest.update(data)
        position += len(data)
    return digest.hexdigest()


def family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
