"""How a connection ends so that its client understands it, and what the journal then says."""

from __future__ import annotations

import contextlib

import trio

from sandbox.journal.records import Stream
from sandbox.net.conversation import Conversation
from sandbox.net.facts import tcp_facts
from sandbox.protocols.contract.conversation import Closed

__all__ = ["conclude", "linger"]

LINGER_SECONDS = 2.0
"""How long a client may take to close after we did."""

LINGER_OCTETS = 262_144
"""What a client may still send in that time."""


async def linger(conversation: Conversation) -> None:
    """Half-close, then read until the client closes too. What still comes is recorded, and ignored.

    Without it a reset could overtake our last reply (RFC 9112 §9.6 has the story). Raises Closed.
    """
    channel = conversation.channel
    channel.end_writing()
    taken = 0
    with trio.move_on_after(LINGER_SECONDS):
        while taken < LINGER_OCTETS and conversation.expired != "stopped":
            data = channel.receive_now()
            if data is None:
                with contextlib.suppress(Closed):
                    await channel.readable()
            elif not data:
                return
            else:
                taken += len(data)
                conversation.recorder.chunk(Stream.CLIENT, data)
                await trio.lowlevel.checkpoint()


def conclude(conversation: Conversation, end: str) -> None:
    """Close the connection and its session in the journal. end: a term of the tcp knowledge."""
    channel = conversation.channel
    reset = conversation.resetting or end in ("failed", "time-limit")
    if not (reset or channel.reset or channel.behind or conversation.unsent):
        # Who closed first hears that all was said and nothing cut off: in TLS by a close_notify (RFC 8446 §6.1).
        with contextlib.suppress(Closed):
            channel.end_writing()
    facts = tcp_facts(channel.sock)
    if conversation.unsent:
        facts["unsent"] = conversation.unsent
    end_exchanges(conversation, f"end.{end}")
    channel.close(with_reset=reset)
    conversation.recorder.close(end, facts)


def end_exchanges(conversation: Conversation, key: str) -> None:
    """What is unclaimed becomes a last exchange. key: how it ended."""
    for stream in tuple(conversation.streams):
        stream.end("", "", key)
    exchange = conversation.open_exchange
    if exchange is None:
        if not conversation.recorder.unclaimed(conversation.recorder.offset(Stream.CLIENT)):
            return
        exchange = conversation.begin("", preview(conversation.buffer))
    conversation.buffer.clear()
    exchange.end("", "", key)


def preview(data: bytearray, length: int = 60) -> str:
    """The start of unclaimed bytes as text, one character an octet; whoever shows it escapes it."""
    return bytes(data[:length]).decode("latin-1")
