"""What a client opens on its connection: SFTP, scp, or something that is refused. As asyncssh has it, less strict."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asyncssh import SSHReader, SSHWriter
from asyncssh.packet import SSHPacket
from asyncssh.process import SSHServerProcess
from asyncssh.sftp import SFTPServerHandler

from sandbox.protocols.sftp.files import Files

__all__ = ["Channel"]

VERSION = 3
"""Of SFTP, as OpenSSH speaks it."""

UNAVAILABLE = frozenset({
    b"ranges@asyncssh.com",  # which parts of a file are empty: asked of an open file of asyncssh's own, not of ours
    b"hardlink@openssh.com",  # a client that is told of it takes the refusal for an error
})
"""What asyncssh would announce."""


class Channel(SSHServerProcess[Any]):
    """One session channel of a connection (RFC 4254 §6).

    answer: what becomes of a shell or a command; files: makes the SFTP session of the one who came in.
    """

    def __init__(self, answer: Callable[[Any], Awaitable[None]], files: Callable[[Any], Awaitable[Files]]) -> None:
        super().__init__(answer, files, VERSION, allow_scp=True)

    def session_started(self) -> None:
        if self._chan.get_subsystem() != "sftp":
            super().session_started()
            return
        reader, writer = SSHReader[bytes](self, self._chan), SSHWriter[bytes](self, self._chan)
        files = self._init_sftp_server()  # now, as it also says that what comes is octets, not text
        assert self._conn is not None
        self._conn.create_task(serve(files, reader, writer), reader.logger)


async def serve(files: Any, reader: SSHReader[bytes], writer: SSHWriter[bytes]) -> None:
    """files: promises the session's files."""
    await Requests(await files, reader, writer, VERSION).run()


class Requests(SFTPServerHandler):
    """Takes what OpenSSH takes: octets behind the last field of a request mean nothing.

    Programs in Go (pkg/sftp before 1.13.6, in rclone 1.60) send a whole buffer with the last WRITE of a file and say
    the right length before it; told that this is a bad message, they could copy no file of any size.
    """

    _extensions = [one for one in SFTPServerHandler._extensions if one[0] not in UNAVAILABLE]

    async def recv_packet(self) -> SSHPacket:
        return Packet((await super().recv_packet()).get_full_payload())


class Packet(SSHPacket):
    """One request."""

    def check_end(self) -> None:
        """Whatever follows is passed over."""
