"""A resolver: it knows no name, but asks its way down from the root, and remembers what it was told.

It is off unless turned on (`services.resolver`). Each of its questions is an exchange with a service of the sandbox,
and has the question that made it ask as its cause.
"""

from __future__ import annotations

import trio
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from sandbox.address import Address
from sandbox.config import Dns
from sandbox.protocols.contract.conversation import Answer, Cause, Conversation, Description, EndOfStream, TimedOut
from sandbox.protocols.contract.registry import Context, Service
from sandbox.protocols.contract.script import NO_FACTS
from sandbox.protocols.dns import grammar
from sandbox.protocols.dns.grammar import Draft, Malformed, Query, Transport
from sandbox.protocols.dns.memory import Memory
from sandbox.protocols.dns.responder import META, TCP, UDP, Reply, Responder, summary
from sandbox.protocols.dns.restating import restate
from sandbox.protocols.dns.session import read_message, send_reply
from sandbox.protocols.dns.walking import Learnt, Walker

__all__ = ["Resolver", "serve"]


class Resolver:
    """Answers messages. manners: who answers those that are no plain question for a name."""

    def __init__(self, walker: Walker, manners: Responder, settings: Dns) -> None:
        self._walker = walker
        self._manners = manners
        self._settings = settings

    async def answer(self, wire: bytes, transport: Transport, client: Address, cause: Cause) -> Answer:
        """Never raises, whatever is in the message. cause: the exchange that it makes."""
        query = plain(wire)
        if query is None or query.name is None:
            reply = self._manners.respond(wire, transport._replace(stream=False), client)
            return Answer(reply.data, reply.about)
        rdtype = RdataType.make(query.rdtype)
        if query.header.flags & grammar.RD:
            learnt = await self._walker.find(query.name, rdtype, cause)
            key = KEYS.get(learnt.rcode.name) or ("situation.walked" if learnt.asked else "situation.remembered")
        else:
            # Who does not wish recursion gets what is known already (RFC 1034 §4.3.1), or nothing.
            known = self._walker.remembered(query.name, rdtype)
            learnt = known or Learnt(Rcode.REFUSED)
            key = "situation.remembered" if known else "situation.not-remembered"
        return self._write(query, learnt, key, transport)

    def _write(self, query: Query, learnt: Learnt, key: str, transport: Transport) -> Answer:
        draft = Draft(rcode=learnt.rcode, answer=list(learnt.answer))
        if learnt.missing is not None:
            draft.authority.append((learnt.missing.zone, learnt.missing.soa))
        limit = grammar.limit_for(query, transport, self._settings.udp_size)
        data, truncated = grammar.render(query, draft, limit, self._settings.udp_size)
        about = Description(grammar.type_text(query.rdtype), grammar.name_text(query.name),
                            grammar.rcode_text(learnt.rcode), "cut short" if truncated else summary(draft),
                            "situation.truncated" if truncated else key)
        return Answer(data, about)


KEYS = {"SERVFAIL": "situation.no-way"}
"""What is special about an answer, where it is not how it was come by."""


def plain(wire: bytes) -> Query | None:
    """A question for records of a name, None for anything else."""
    header = grammar.read_header(wire)
    if header is None or header.flags & grammar.QR or header.opcode:
        return None
    try:
        query = grammar.read_query(wire)
    except Malformed:
        return None
    odd = (query.signature is not None or query.rdclass != RdataClass.IN or query.rdtype in META
           or query.rdtype in (RdataType.OPT, RdataType.NONE) or (query.edns is not None and query.edns.version))
    return None if odd else query


def question(wire: bytes) -> tuple[str, str]:
    """What an exchange says of a message that is being answered: its type and name."""
    query = plain(wire)
    return ("", "") if query is None else (grammar.type_text(query.rdtype), grammar.name_text(query.name))


def serve(context: Context) -> Service:
    """The resolver of a space, with a memory of its own."""
    settings = context.config.dns
    root = context.endpoints.get("dns-root")
    walker = Walker(context.dial, [root.host] if root else [], root.port if root else 0, Memory(trio.current_time))
    resolver = Resolver(walker, Responder(context.world.zones, settings), settings)

    async def session(conversation: Conversation) -> None:
        try:
            while (message := await read_message(conversation)) is not None:
                exchange = conversation.begin(*question(message))
                answer = await resolver.answer(message, TCP, conversation.client, exchange)
                about = answer.about
                scripted = await conversation.scripted(about.verb, about.asked, about.facts or NO_FACTS)
                if scripted is not None:
                    answer = restate(message, answer, scripted)
                await send_reply(conversation, Reply(*answer), exchange)
        except (EndOfStream, TimedOut):
            return

    async def datagram(data: bytes, client: Address, cause: Cause) -> Answer:
        return await resolver.answer(data, UDP, client, cause)

    return Service(session=session, later=datagram, restate=restate)
