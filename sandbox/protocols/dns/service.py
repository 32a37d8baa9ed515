"""The services of DNS: the one that knows every name, the keepers of the tree, and the resolver that asks them."""

from __future__ import annotations

from sandbox.address import Address
from sandbox.protocols.contract.conversation import Answer, DatagramHandler
from sandbox.protocols.contract.registry import Context, Service
from sandbox.protocols.dns.grammar import Transport
from sandbox.protocols.dns.responder import Responder
from sandbox.protocols.dns.restating import restate
from sandbox.protocols.dns.session import datagram_handler, session_handler

__all__ = ["serve"]

INSIDE = Transport("https", limited=False, stream=False)
"""No limit on an answer, but one message only: no zone transfers."""


def serve(context: Context) -> Service:
    """DNS for the world's zones: all of them, or the part that the role keeps."""
    if context.role.name == "resolver":
        from sandbox.protocols.dns import resolver  # only where it is turned on
        return resolver.serve(context)
    zones = context.world.zones
    settings = context.config.dns
    if settings.keys and context.role.name in ("dns", "domain-s"):
        from sandbox.protocols.dns.updates import Updating, keys_of  # only where somebody may change names
        responder: Responder = Updating(zones, settings, keys_of(settings))
    else:
        responder = Responder(zones, settings, level=context.role.name)
    return Service(session=session_handler(zones, responder), datagram=datagram_handler(zones, responder),
                   restate=restate, message=message_handler(responder))


def message_handler(responder: Responder) -> DatagramHandler:
    """Answers messages that another protocol carries (RFC 8484)."""
    def answer(message: bytes, client: Address) -> Answer:
        reply = responder.respond(message, INSIDE, client)
        return Answer(reply.data, reply.about)

    return answer
