"""A TCP socket as two calls that never wait and two that do.

Sockets here are the standard library's, non-blocking, with trio waiting for them: most reads and writes succeed at
once and then cost one system call and no trip through the scheduler. Whoever calls the ones that never wait many
times in a row must give way to other tasks itself (`Conversation` counts).
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct

import trio

from sandbox.protocols.contract.conversation import Closed

__all__ = ["BULK_SIZE", "READ_SIZE", "Channel"]

READ_SIZE = 65_536
"""Octets asked for at once."""

BULK_SIZE = 524_288
"""The same, when so many came the last time that there is more."""


class Channel:
    """One connected TCP socket, which it owns. All errors of the wire become `Closed`.

    reset: whether the peer ended it with an error instead of an end of stream.
    """

    __slots__ = ("_said_all", "_waited", "closed", "reset", "sock")
    behind = False
    """Whether bytes it has taken still wait for the kernel; here they never do."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.closed = False
        self.reset = False
        self._said_all = False
        self._waited = False
        """Whether trio knows of the socket: most of FTP's data connections are over without a wait."""

    damaged = False
    """Whether what came was not what the client had encrypted."""
    truncated = False
    """Whether the end of stream came without the goodbye that TLS wants before it."""
    at_end = False
    """Whether the end of stream has come already, behind what was received; only TLS knows such a thing."""

    def receive_now(self, limit: int = READ_SIZE) -> bytes | None:
        """What has arrived, b"" for end of stream, None for nothing yet. Raises Closed."""
        try:
            return self.sock.recv(limit)
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._broken(error) from error

    def send_now(self, data: bytes | memoryview) -> int:
        """Send as much as the kernel takes: how many octets that was. Raises Closed."""
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._broken(error) from error

    def send_file_now(self, descriptor: int, position: int, count: int) -> int | None:
        """Send as much of a file as the kernel takes: how many octets that was, None for none yet, 0 at the file's
        end. For a worker thread, as it may wait for the disk. Raises Closed."""
        try:
            return os.sendfile(self.sock.fileno(), descriptor, position, count)
        except BlockingIOError:
            return None
        except ConnectionError as error:
            raise self._broken(error) from error

    async def readable(self) -> None:
        """Wait until there is something to receive. Raises Closed when closed or `interrupt`ed meanwhile."""
        self._waited = True
        try:
            await trio.lowlevel.wait_readable(self.sock)
        except (trio.ClosedResourceError, OSError, ValueError) as error:
            raise Closed("closed while waiting") from error

    async def writable(self) -> None:
        """Wait until the kernel takes more. Raises Closed likewise."""
        self._waited = True
        try:
            await trio.lowlevel.wait_writable(self.sock)
        except (trio.ClosedResourceError, OSError, ValueError) as error:
            raise Closed("closed while waiting") from error

    def interrupt(self) -> None:
        """Wake whoever waits in `readable` or `writable` with `Closed`. The socket stays usable."""
        if not self.closed:
            trio.lowlevel.notify_closing(self.sock)

    def end_writing(self) -> None:
        """Half-close; does no harm twice. Raises Closed."""
        if self._said_all:
            return
        self._said_all = True
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise self._broken(error) from error

    def close(self, *, with_reset: bool = False) -> None:
        """Close. with_reset: drop what is unsent and send RST instead of FIN."""
        if self.closed:
            return
        if self._waited:
            self.interrupt()
        self.closed = True
        if with_reset:
            with contextlib.suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _broken(self, error: OSError) -> Closed:
        if isinstance(error, (ConnectionResetError, BrokenPipeError)):
            self.reset = True
        return Closed(str(error))
