"""What a client opens on its connection: SFTP, scp, or something that is refused. As asyncssh has it, less strict."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asyncssh import SSHReader, SSHWriter
from asyncssh.constants import FXP_READ
from asyncssh.packet import SSHPacket
from asyncssh.process import SSHServerProcess
from asyncssh.sftp import SFTPEOFError, SFTPInvalidHandle, SFTPLimits, SFTPServerHandler

from sandbox.protocols.sftp.files import HANDLES, Files
from sandbox.protocols.sftp.handles import DATA_LIMIT

__all__ = ["Channel"]

VERSION = 3
"""Of SFTP, as OpenSSH speaks it."""

PACKET_LIMIT = 262_144
"""Octets of a packet, as OpenSSH has it."""

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

    async def _process_read(self, packet: SSHPacket) -> tuple[bytes, bool]:
        """A READ of no octets is answered with none: that is no end of the file (filexfer-02 §6.4)."""
        handle, offset, length = packet.get_string(), packet.get_uint64(), packet.get_uint32()
        file = self._file_handles.get(handle)
        if file is None:
            raise SFTPInvalidHandle("Invalid file handle")
        data = await self._server.read(file, offset, min(length, DATA_LIMIT)) if length else b""  # type: ignore[misc]
        if length and not data:
            raise SFTPEOFError
        return data, False

    async def _process_limits(self, packet: SSHPacket) -> SFTPLimits:
        """OpenSSH's PROTOCOL file, §4.8: the longest packet, READ and WRITE, and how many handles."""
        return SFTPLimits(PACKET_LIMIT, DATA_LIMIT, DATA_LIMIT, HANDLES)

    async def _cleanup(self, exc: Exception | None) -> None:
        """The session is over; what is still open will be closed, but not as the client would have."""
        if isinstance(self._server, Files):
            self._server.over = True
        await super()._cleanup(exc)

    _packet_handlers: dict[Any, Any] = {
        **SFTPServerHandler._packet_handlers, FXP_READ: _process_read, b"limits@openssh.com": _process_limits}

    async def recv_packet(self) -> SSHPacket:
        return Packet((await super().recv_packet()).get_full_payload())


class Packet(SSHPacket):
    """One request."""

    def check_end(self) -> None:
        """Whatever follows is passed over."""
