"""A passive port whose client is met as soon as it comes, rather than when a command wants it.

With TLS some clients finish the handshake on the data connection before they say what it is for (aioftp), others
wait for the command's 150 first; RFC 4217 §7 allows both. Without TLS nobody can tell the difference.
"""

from __future__ import annotations

import trio

from sandbox.address import Address
from sandbox.protocols.contract.conversation import Closed, ConversationError, DataConversation, DataPort, TimedOut

__all__ = ["EncryptedPort"]


class EncryptedPort:
    """A `DataPort` over another. Its connection is encrypted already; `accept` raises Closed where that failed."""

    def __init__(self, port: DataPort, nursery: trio.Nursery) -> None:
        self._port = port
        self._scope = trio.CancelScope()
        self._over = trio.Event()
        self._wanted = False
        self._data: DataConversation | None = None
        self._problem: OSError | None = None
        nursery.start_soon(self._meet)

    @property
    def address(self) -> Address:
        return self._port.address

    def accept_now(self) -> DataConversation | None:
        return None  # a handshake always waits

    async def accept(self) -> DataConversation:
        self._wanted = True
        await self._over.wait()
        data, self._data = self._data, None
        if self._problem is not None:
            raise self._problem
        if data is None:
            raise TimedOut("no data connection came")
        if not data.secure:
            data.abort()
            raise Closed("the client did not start TLS")
        return data

    def close(self) -> None:
        self._scope.cancel()
        self._port.close()
        if self._data is not None:
            self._data.abort()
            self._data = None

    async def _meet(self) -> None:
        try:
            with self._scope:
                self._data = data = await self._come()
                await data.start_tls()
        except ConversationError:
            pass  # `accept` says it
        except OSError as error:
            self._problem = error  # such as no file descriptor left: this transfer's misfortune, not the session's
        finally:
            self._over.set()

    async def _come(self) -> DataConversation:
        """Raises TimedOut, when a command waits; before it, the client has all the time it wants."""
        while True:
            try:
                return await self._port.accept()
            except TimedOut:
                if self._wanted:
                    raise
