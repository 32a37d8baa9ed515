"""Carries asyncssh over a conversation, so that SSH is recorded, limited and counted like every other protocol.

asyncssh is written for asyncio and knows transports; `Carrier` is one, over a `Conversation`. asyncio itself runs
inside trio, by trio-asyncio, one small loop for each connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import trio
import trio_asyncio

from sandbox.protocols.contract.conversation import Conversation, ConversationError
from sandbox.protocols.sftp.log import Log

__all__ = ["Carrier", "carry"]

PIECE = 262_144
"""Octets taken from the conversation at once."""


class Carrier(asyncio.Transport):
    """The asyncio transport. `write` queues; the task in `send` flushes."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__({"peername": tuple(conversation.client), "sockname": tuple(conversation.server)})
        self._conversation = conversation
        self._news = trio.Event()
        self._flowing = trio.Event()
        self._flowing.set()
        self._closing = False
        self.closed = trio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closing:
            self._conversation.write(bytes(data))
            self._news.set()

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """What is queued is still sent."""
        self._closing = True
        self._news.set()

    def abort(self) -> None:
        self.close()

    def pause_reading(self) -> None:
        self._flowing = trio.Event()

    def resume_reading(self) -> None:
        self._flowing.set()

    async def flowing(self) -> None:
        """Wait until more input is wanted."""
        await self._flowing.wait()

    async def send(self) -> None:
        """Send what is written, until it is closed and all is sent, or the client is gone."""
        try:
            while not self._closing:
                await self._news.wait()
                self._news = trio.Event()
                await self._conversation.flush()
            await self._conversation.flush()
        except ConversationError:
            pass
        finally:
            self._closing = True
            self.closed.set()


async def carry(conversation: Conversation, build: Callable[[asyncio.AbstractEventLoop], Any], log: Log) -> None:
    """Run one connection. build: makes the asyncio protocol, given the loop it lives in.

    Raises ConversationError, and whatever the protocol raises for a client's garbage.
    """
    failure: Exception | None = None
    async with trio_asyncio.open_loop() as loop:
        carrier = Carrier(conversation)
        protocol = build(loop)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(end_with, nursery.cancel_scope, carrier)
            protocol.connection_made(carrier)
            try:
                while data := await conversation.read_some(PIECE):
                    protocol.data_received(data)
                    await carrier.flowing()
            except Exception as error:
                failure = error
            finally:
                log.gone = True
                protocol.connection_lost(None)
            carrier.close()
    with trio.CancelScope(shield=True):
        while log.handles:  # the loop is over, and nobody else closes what the client left open
            await trio.to_thread.run_sync(log.handles.pop().give_up)
    if failure is not None:
        raise failure


async def end_with(scope: trio.CancelScope, carrier: Carrier) -> None:
    """When the protocol has closed the connection, nothing more is read."""
    await carrier.send()
    scope.cancel()
