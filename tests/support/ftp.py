"""A small FTP client for tests: it says what it is told, and shows what it hears."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from sandbox.address import Address
from sandbox.app import Sandbox

__all__ = ["FtpClient", "ftp"]


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class FtpClient:
    """A control connection, and data connections as they are wanted."""

    def __init__(self, stream: trio.abc.Stream, address: Address) -> None:
        self.stream = stream
        self.address = address
        self.protected = False
        self._heard = bytearray()

    async def send(self, line: str | bytes) -> None:
        await self.stream.send_all((line.encode() if isinstance(line, str) else line) + b"\r\n")

    async def reply(self) -> str:
        """The next reply, its lines joined by line ends."""
        lines: list[str] = []
        with trio.fail_after(10):
            while True:
                while (end := self._heard.find(b"\r\n")) < 0:
                    data = await self.stream.receive_some()
                    assert data, f"closed after {lines}"
                    self._heard += data
                lines.append(self._heard[:end].decode())
                del self._heard[: end + 2]
                if lines[-1][:3].isdecimal() and lines[-1][3:4] == " " and lines[-1][:3] == lines[0][:3]:
                    return "\n".join(lines)

    async def closed(self) -> bool:
        """Whether nothing more comes."""
        with trio.fail_after(10):
            return not self._heard and not await self.stream.receive_some()

    async def ask(self, line: str | bytes) -> str:
        await self.send(line)
        return await self.reply()

    async def expect(self, *dialogue: tuple[str, str]) -> None:
        """Lines, each with the start of its reply."""
        for line, start in dialogue:
            heard = await self.ask(line)
            assert heard.startswith(start), f"{line}: {heard}"

    async def login(self, user: str = "alice", password: str = "wonderland") -> None:
        await self.expect((f"USER {user}", "331"), (f"PASS {password}", "230"), ("TYPE I", "200"))

    async def secure(self) -> None:
        await self.expect(("AUTH TLS", "234"))
        await self.start_tls()
        await self.expect(("PBSZ 0", "200"), ("PROT P", "200"))
        self.protected = True

    async def start_tls(self) -> None:
        self.stream = trio.SSLStream(self.stream, trusting(), server_hostname="ftp.example.com")
        await self.stream.do_handshake()

    async def open(self) -> trio.abc.Stream:
        """A passive data connection."""
        reply = await self.ask("EPSV")
        assert reply.startswith("229"), reply
        return await trio.open_tcp_stream(self.address.host, int(reply.split("|")[3]))

    async def dressed(self, data: trio.abc.Stream) -> trio.abc.Stream:
        """With TLS where it was asked for, once the server has said that it begins."""
        if not self.protected:
            return data
        stream = trio.SSLStream(data, trusting(), server_hostname="ftp.example.com")
        await stream.do_handshake()
        return stream

    async def fetch(self, line: str) -> bytes:
        """What a command sends over a data connection."""
        data = await self.open()
        assert (first := await self.ask(line)).startswith("150"), first
        found = bytearray()
        async with await self.dressed(data) as stream:
            with trio.fail_after(20):
                async for piece in stream:
                    found += piece
        assert (last := await self.reply()).startswith("226"), last
        return bytes(found)

    async def give(self, line: str, content: bytes) -> str:
        """Send content by a command, which must succeed. The first reply."""
        data = await self.open()
        first = await self.ask(line)
        assert first.startswith("150"), first
        async with await self.dressed(data) as stream:
            await stream.send_all(content)
        assert (last := await self.reply()).startswith("226"), last
        return first


@asynccontextmanager
async def ftp(sandbox: Sandbox, service: str = "ftp", *, host: str = "") -> AsyncIterator[FtpClient]:
    """A connection that has heard the greeting."""
    address = sandbox.endpoints[service]
    address = Address(host or address.host, address.port)
    stream = await trio.open_tcp_stream(address.host, address.port)
    async with stream:
        client = FtpClient(stream, address)
        if service == "ftps":
            await client.start_tls()
        assert (await client.reply()).startswith("220")
        yield client
