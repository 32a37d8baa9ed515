"""A conversation in memory whose client has said everything beforehand: for tests of sessions without a network.

The client is a list of steps:

    talk = MemoryConversation([b"GET / HTTP/1.1\\r\\n", b"Host: x\\r\\n\\r\\n"])
    await session(talk)
    assert talk.sent.startswith(b"HTTP/1.1 200")

A step is octets that arrive, or a function from what the client has seen so far to octets. After the last step the
client closes its side, or with ending="silence" says nothing more until a limit strikes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import trio

from sandbox.address import Address
from sandbox.protocols.contract.conversation import Closed, Conversation, TimedOut
from tests.support.memory import CLIENT, SERVER, Memory

Step = bytes | Callable[[bytes], bytes]


class MemoryConversation(Memory):
    """steps: what the client does; gone_after: octets the client takes before it is gone, None for all."""

    def __init__(self, steps: Iterable[Step] = (), *, ending: str = "close", service: str = "http",
                 client: Address = CLIENT, server: Address = SERVER,
                 secure: bool = False, alpn: str = "", gone_after: int | None = None) -> None:
        super().__init__(service, client=client, server=server, secure=secure, alpn=alpn)
        self._steps = list(steps)
        self._ending = ending
        self._gone_after = gone_after
        self._writing = True
        self._sent = bytearray()
        self.patience = 300.0
        self.segments: list[bytes] = []
        self.was_reset = False
        self.waited_until: list[float] = []
        """`due`, each time the session waited for the client."""

    @property
    def sent(self) -> bytes:
        """What the client has received."""
        return bytes(self._sent)

    @property
    def sent_and_queued(self) -> bytes:
        return bytes(self._sent + self.queue)

    async def fill(self) -> bool:
        await self.flush()
        self.waited_until.append(self.due)
        while self._steps:
            step = self._steps.pop(0)
            data = step(self.sent) if callable(step) else step
            if data:
                self.buffer += data
                return True
        if self._ending == "silence":
            raise TimedOut("nothing arrived in time")
        return False

    def write(self, data: bytes) -> None:
        assert self._writing, "written after the end"
        super().write(data)

    async def flush(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.queue and not self.was_reset:
            if self._gone_after is not None and len(self._sent) + len(self.queue) > self._gone_after:
                raise Closed("the client is gone")
            self.segments.append(bytes(self.queue))
            self._sent += self.queue
        self.queue.clear()

    async def end_writing(self) -> None:
        await self.flush()
        self._writing = False

    def reset(self) -> None:
        self.queue.clear()
        self.was_reset = True

    async def finish(self) -> None:
        """What the network does once a session has returned."""
        if self._writing:
            await self.flush()


def as_conversation(talk: MemoryConversation) -> Conversation:
    """Says to a type checker that this is one."""
    return talk
