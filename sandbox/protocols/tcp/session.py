"""The small services: echo (RFC 862), discard (863), chargen (864), qotd (865), daytime (867), time (868).

Each over TCP and UDP. They were made to try out a network with, and still are the plainest thing that can stand on
TCP and on UDP: what a beginner sees here is the transport itself.

What differs from the RFCs, and why:
- Over UDP nothing is sent to a privileged port or to a service of this sandbox. Two such servers, brought together
  by one datagram with a forged source, answer each other for ever (CVE-1999-0103); an ordinary client asks from a
  port of its own above 1023.
- What a client sends to chargen, qotd, daytime or time over TCP is left unread rather than thrown away: nobody can
  tell the two apart, and a client that only sends is stopped by its own full window.
- chargen over TCP ends after as much as the journal keeps of one exchange, so that a forgotten client does not run
  all day.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from sandbox.address import Address
from sandbox.protocols.contract.conversation import (
    Answer,
    Closed,
    Conversation,
    Description,
    OpenExchange,
    TimedOut,
)
from sandbox.protocols.contract.registry import Context, Service
from sandbox.protocols.contract.script import Manner, ScriptedAnswer
from sandbox.protocols.tcp.quotes import QUOTES

__all__ = ["OUTCOMES", "SERVICES", "serve"]

DONE = "done"
LEFT = "left"
IGNORED = "ignored"
OUTCOMES = frozenset({DONE, LEFT, IGNORED})
"""All an exchange can come to: answered in full; the client left or stopped reading; no answer, on purpose."""

FIRST_CLIENT_PORT = 1024
"""Below it are the ports of services, which do not ask questions (RFC 6335 §6)."""

SHOWN = 60
"""Octets of the client's text that an exchange shows."""

EPOCH_1900 = 2_208_988_800
"""Seconds from 1900-01-01, where RFC 868 begins to count, to 1970-01-01."""

PRINTABLE = bytes(range(0x20, 0x7F))
LINE = 72
"""Characters of one chargen line (RFC 864 suggests 72 and a shift of one)."""
PATTERN = b"".join((PRINTABLE * 2)[start:start + LINE] + b"\r\n" for start in range(len(PRINTABLE)))
"""One round of the pattern: after 95 lines it begins again."""
LARGEST_DATAGRAM = 512
"""RFC 864 and RFC 865 keep a UDP answer to 512 characters."""


def size(octets: int) -> str:
    """A count of octets in words."""
    return f"{octets:,} octet{'' if octets == 1 else 's'}"


def shown(data: bytes) -> str:
    """What a client sent, for the journal: its text when it is short text, else its size."""
    if len(data) <= SHOWN:
        text = data.decode("utf-8", "replace").rstrip("\r\n")
        if text.isprintable() and "\ufffd" not in text:
            return text
    return size(len(data))


class SmallService(NamedTuple):
    """A service that says one thing: what it says, and how that reads in the journal."""

    says: Callable[[], bytes]
    reads: Callable[[bytes], str]


def daytime() -> bytes:
    """The time in words, one line (RFC 867 leaves the form open; this one is also ISO 8601)."""
    return time.strftime("%A, %Y-%m-%d %H:%M:%S %z\r\n").encode("ascii", "replace")


def quote_of_the_day() -> bytes:
    """The same quote all day long, here and on every machine with this date."""
    return QUOTES[int(time.time() // 86_400) % len(QUOTES)].encode("ascii") + b"\r\n"


def seconds_since_1900() -> bytes:
    """RFC 868: 32 bits, which begin again from zero on 2036-02-07."""
    return ((int(time.time()) + EPOCH_1900) % 2**32).to_bytes(4, "big")


def characters() -> bytes:
    """A UDP answer of chargen: "a random number (between 0 and 512)" of characters (RFC 864)."""
    return PATTERN[:random.randint(0, LARGEST_DATAGRAM)]


def words(said: bytes) -> str:
    """A line of ours as text."""
    return said.decode("ascii").rstrip()


ONE_LINE: Mapping[str, SmallService] = {
    "daytime": SmallService(daytime, words),
    "qotd": SmallService(quote_of_the_day, words),
    "time": SmallService(seconds_since_1900, lambda said: f"{int.from_bytes(said, 'big')} seconds since 1900"),
}
"""The services that say one thing, whatever they are sent."""

SERVICES = frozenset({"echo", "discard", "chargen", *ONE_LINE})


def serve(context: Context) -> Service:
    """Build the service of `context.role`."""
    name = context.role.name
    if name == "echo":
        return Service(session=echo, datagram=guarded(name, context.endpoints, lambda data: data), restate=restate)
    if name == "discard":
        return Service(session=discard, datagram=ignore, restate=restate)
    if name == "chargen":
        return Service(session=chargen(context.config.journal.body_limit),
                       datagram=guarded(name, context.endpoints, lambda _: characters()), restate=restate)
    service = ONE_LINE[name]
    return Service(session=one_line(name, service), restate=restate,
                   datagram=guarded(name, context.endpoints, lambda _: service.says(), service.reads))


async def echo(conversation: Conversation) -> None:
    """Send back what comes, as it comes, until the client has no more (RFC 862)."""
    while data := await conversation.read_some():
        exchange = conversation.begin("echo", shown(data))
        if (instead := await scripted(conversation, exchange)) is not None:
            if instead.close:
                return
            continue
        try:
            await conversation.send(data)
        except (Closed, TimedOut):
            exchange.end(LEFT)
            raise
        exchange.end(DONE, size(len(data)), "verb.echo")


async def discard(conversation: Conversation) -> None:
    """Read, and say nothing (RFC 863)."""
    while data := await conversation.read_some():
        exchange = conversation.begin("discard", shown(data))
        if (instead := await scripted(conversation, exchange)) is None:
            exchange.end(DONE, f"{size(len(data))} thrown away", "verb.discard")
        elif instead.close:
            return


def chargen(limit: int) -> Callable[[Conversation], Awaitable[None]]:
    """The character generator (RFC 864). limit: octets after which it ends."""

    async def session(conversation: Conversation) -> None:
        exchange = conversation.begin("chargen")
        if await scripted(conversation, exchange) is not None:
            return
        sent = 0
        try:
            while sent < limit:
                await conversation.send(PATTERN[:limit - sent])
                sent += min(len(PATTERN), limit - sent)
            await conversation.flush()
        except (Closed, TimedOut):
            exchange.end(LEFT, size(sent))
            raise
        exchange.end(DONE, size(sent), "verb.chargen")

    return session


def one_line(name: str, service: SmallService) -> Callable[[Conversation], Awaitable[None]]:
    """A session that says one thing and closes, without waiting to be asked."""

    async def session(conversation: Conversation) -> None:
        exchange = conversation.begin(name)
        if await scripted(conversation, exchange) is not None:
            return
        said = service.says()
        try:
            await conversation.send(said)
            await conversation.end_writing()
        except (Closed, TimedOut):
            exchange.end(LEFT)
            raise
        exchange.end(DONE, service.reads(said), f"verb.{name}")

    return session


async def scripted(conversation: Conversation, exchange: OpenExchange) -> ScriptedAnswer | None:
    """Say what a script wants said in an exchange that has just begun; None where it wants nothing."""
    answer = await conversation.scripted(exchange.verb, exchange.asked, exchange.facts, exchange)
    if answer is None:
        return None
    for name, value in answer.facts.items():
        exchange.note(name, value)
    said = answer.body or answer.text.encode()
    await conversation.send(said)
    exchange.end(answer.code, size(len(said)))
    return answer


def restate(data: bytes, answer: Answer, instead: ScriptedAnswer) -> Answer:
    """The same for a datagram."""
    said = None if instead.manner is Manner.SILENT else instead.body or instead.text.encode()
    facts = {**(answer.about.facts or {}), **instead.facts}
    return Answer(said, answer.about._replace(outcome=instead.code, answered=size(len(said or b"")), key="",
                                              facts=facts))


def guarded(name: str, endpoints: Mapping[str, Address], reply: Callable[[bytes], bytes],
            reads: Callable[[bytes], str] = lambda said: size(len(said))) -> Callable[[bytes, Address], Answer]:
    """A datagram handler that answers clients, but no other service: see the module's docstring."""

    def answer(data: bytes, client: Address) -> Answer:
        # Read at each datagram: endpoints are complete only once everything listens.
        if client.port < FIRST_CLIENT_PORT or any(client.port == own.port for own in endpoints.values()):
            return Answer(None, Description(name, shown(data), IGNORED, "no answer to another service",
                                            "outcome.ignored"))
        said = reply(data)
        return Answer(said, Description(name, shown(data), DONE, reads(said), f"verb.{name}"))

    return answer


def ignore(data: bytes, client: Address) -> Answer:
    """discard over UDP: no answer is the whole service (RFC 863)."""
    return Answer(None, Description("discard", shown(data), DONE, f"{size(len(data))} thrown away", "verb.discard"))
