"""DNS over UDP and TCP (RFC 1035 §4.2, RFC 7766): how messages come and go. What they say is `responder`'s work.

Over UDP a datagram is a message. Over TCP each message has two octets of length before it; a client may send many
without waiting, and the answers come in the same order. Answers are kept (see `cache`), so that most queries cost a
look into a dictionary.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

import trio

from sandbox.address import Address
from sandbox.protocols.contract.conversation import (
    Answer,
    Conversation,
    DatagramHandler,
    Description,
    EndOfStream,
    OpenExchange,
    SessionHandler,
    TimedOut,
)
from sandbox.protocols.contract.script import NO_FACTS
from sandbox.protocols.dns.cache import AnswerCache, Kept
from sandbox.protocols.dns.responder import KEEPALIVE, TCP, UDP, Reply, Responder
from sandbox.protocols.dns.restating import restate
from sandbox.world.names.zones import Zones

__all__ = ["datagram_handler", "read_message", "send_reply", "session_handler"]

IDLE = KEEPALIVE / 10
"""Seconds a TCP client may leave between messages, or take for one (RFC 7766 §6.2.3 wants a few seconds)."""

BURST = 32
"""Pipelined answers before they are sent and others get their turn."""


def datagram_handler(zones: Zones, responder: Responder) -> DatagramHandler:
    """Answers datagrams. Called for each one on the event loop, so the usual case is a few dictionary operations."""
    cache = AnswerCache()
    version = zones.version

    def answer(datagram: bytes, client: Address) -> Answer:
        nonlocal version
        key = datagram[2:]
        if version == zones.version:
            kept = cache.young.get(key) or cache.get(key)
            if kept is not None:
                return Answer(datagram[:2] + kept.tail, kept.about)
        else:
            cache.clear()
            version = zones.version
        reply = responder.respond(datagram, UDP, client)
        _keep(cache, key, reply)
        return Answer(reply.data, reply.about)

    return answer


def session_handler(zones: Zones, responder: Responder) -> SessionHandler:
    """Answers connections."""
    cache = AnswerCache()
    version = zones.version

    def respond(message: bytes, client: Address) -> Reply:
        nonlocal version
        if version != zones.version:
            cache.clear()
            version = zones.version
        key = message[2:]
        kept = cache.get(key)
        if kept is not None:
            return Reply(message[:2] + kept.tail, kept.about)
        reply = responder.respond(message, TCP, client)
        _keep(cache, key, reply)
        return reply

    async def session(conversation: Conversation) -> None:
        try:
            served = 0
            while (message := await read_message(conversation)) is not None:
                reply = respond(message, conversation.client)
                about = reply.about
                scripted = await conversation.scripted(about.verb, about.asked, about.facts or NO_FACTS)
                if scripted is not None:
                    reply = Reply(*restate(message, Answer(reply.data, about), scripted))
                await send_reply(conversation, reply)
                served += 1
                if served % BURST == 0:
                    await conversation.flush()
                    await trio.lowlevel.checkpoint()
        except (EndOfStream, TimedOut):
            return      # the client went away or fell silent; there is nothing to say to that in DNS

    return session


async def read_message(conversation: Conversation) -> bytes | None:
    """The next message, None at the client's end. Raises what `Conversation` raises."""
    buffer = conversation.buffer
    if len(buffer) < 2 or len(buffer) < 2 + int.from_bytes(buffer[:2]):
        # The time for asking begins when the answers have left.
        await conversation.flush()
        conversation.due = trio.current_time() + IDLE
    if not buffer and not await conversation.fill():
        return None
    (length,) = struct.unpack("!H", await conversation.read_exactly(2))
    return await conversation.read_exactly(length)


async def send_reply(conversation: Conversation, reply: Reply, exchange: OpenExchange | None = None) -> None:
    """Write an answer with its length, message by message where it is a transfer, and end its exchange, which is
    begun here where it is not under way."""
    about: Description = reply.about
    if exchange is None:
        exchange = conversation.begin(about.verb, about.asked)
    exchange.verb, exchange.asked = about.verb, about.asked
    facts: Mapping[str, str] = about.facts or {}
    for name, value in facts.items():
        exchange.note(name, value)
    if reply.data is not None:
        conversation.write(struct.pack("!H", len(reply.data)) + reply.data)
    conversation.due = math.inf                              # how long the client may take nothing has its own limit
    for data in reply.more:
        await conversation.send(struct.pack("!H", len(data)) + data)
    exchange.end(about.outcome, about.answered, about.key)


def _keep(cache: AnswerCache, key: bytes, reply: Reply) -> None:
    if reply.keep and reply.data is not None:
        cache.put(key, Kept(reply.data[2:], reply.about))
