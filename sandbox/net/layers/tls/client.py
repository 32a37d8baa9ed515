"""TLS as a client, for the connections that the sandbox itself opens: a mail server that carries mail to the next."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sandbox.protocols.contract.conversation import Closed

__all__ = ["TlsClient"]

T = TypeVar("T")


class TlsClient:
    """One connection's TLS. send, receive: those of the connection below, as a `Wire` has them.

    One task at a time may use it: what one side sends can depend on what the other has to say.
    """

    def __init__(self, context: ssl.SSLContext, server_name: str, send: Callable[[bytes], Awaitable[None]],
                 receive: Callable[[], Awaitable[bytes]]) -> None:
        self._send = send
        self._receive = receive
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    async def handshake(self) -> None:
        """Raises Closed when it fails, or when the certificate is not one for this name by our authority."""
        await self._run(self._tls.do_handshake)

    async def send(self, data: bytes) -> None:
        if data:
            await self._run(lambda: self._tls.write(data))

    async def receive(self, limit: int) -> bytes:
        try:
            return await self._run(lambda: self._tls.read(limit))
        except ssl.SSLZeroReturnError:
            return b""

    def goodbye(self) -> bytes:
        """What says that nothing more will be sent (close_notify, RFC 8446 §6.1)."""
        with contextlib.suppress(ssl.SSLError):  # it wants the server's too, which may come or not
            self._tls.unwrap()
        return self._outgoing.read()

    async def _run(self, step: Callable[[], T]) -> T:
        """One step of TLS, repeated until it has what it wants from the wire."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._push()
                data = await self._receive()
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLZeroReturnError:
                raise
            except ssl.SSLError as error:  # the alert that says so to the server is in the buffer
                with contextlib.suppress(Closed):
                    await self._push()
                raise Closed(f"TLS failed: {error}") from error
            else:
                await self._push()
                return result

    async def _push(self) -> None:
        data = self._outgoing.read()
        if data:
            await self._send(data)
