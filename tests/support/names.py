"""A small world of names, and questions to it, for the tests of DNS."""

from __future__ import annotations

import struct

import dns.message
import dns.name
import dns.rdatatype
from dns.message import Message

from sandbox.address import Address
from sandbox.config import Dns
from sandbox.protocols.dns.cookies import Cookies
from sandbox.protocols.dns.grammar import Transport
from sandbox.protocols.dns.responder import TCP, UDP, Reply, Responder
from sandbox.world.names.builtin_zones import build_zones
from sandbox.world.names.zones import Zone, Zones

__all__ = [
    "CLIENT", "TCP", "UDP", "ask", "header", "make_responder", "make_zones", "query", "records", "respond",
]

CLIENT = Address("127.0.0.1", 40000)
NOW = 1_800_000_000.0

ZONE = """
$TTL 300
@           SOA   ns1 hostmaster 7 300 60 86400 30
            NS    ns1
            NS    ns2
            MX    10 mail
            HTTPS 1 . alpn=h2
ns1         A     192.0.2.1
ns2         AAAA  2001:db8::2
mail        A     192.0.2.3
alias       CNAME mail
gone        CNAME nobody
away        CNAME www.elsewhere.example.
round       CNAME round2
round2      CNAME round
deep.empty  A     192.0.2.4
*.wild      A     192.0.2.5
*.wild      MX    10 mail
here.wild   TXT   "listed"
sub.wild    A     192.0.2.6
child       NS    ns.child
child       NS    ns.other.example.
child       DS    1 8 2 0000000000000000000000000000000000000000000000000000000000000000
ns.child    A     192.0.2.7
old         DNAME new
box.new     A     192.0.2.8
odd         TYPE65280 \\# 3 010203
_imap._tcp  SRV   0 1 143 mail
quoted      TXT   "semi;colon" "\\027[31mred"
many        TXT   ( {many} )
"""


def make_zones(*, capture: bool = True) -> Zones:
    """The built-in zones, and zone.test from `ZONE`."""
    zones = build_zones(["example.com", "sandbox.test"], ["www", "mail"], ["127.0.0.1", "::1"],
                        {"http": Address("127.0.0.1", 8080)}, capture=capture, serial=1)
    many = " ".join(f'"{number:03} {"x" * 200}"' for number in range(10))
    zones.install(Zone.from_text(ZONE.format(many=many), "zone.test."))
    return zones


def make_responder(zones: Zones | None = None, settings: Dns | None = None) -> Responder:
    return Responder(make_zones() if zones is None else zones, settings or Dns(), Cookies(b"s" * 16, lambda: NOW))


RESPONDER = make_responder()


def query(name: str, rdtype: str = "A", **options: object) -> Message:
    """A query; options as dnspython's `make_query` has them."""
    return dns.message.make_query(name, rdtype, **options)  # type: ignore[arg-type]


def respond(message: Message | bytes, transport: Transport = UDP, *, responder: Responder | None = None,
            client: Address = CLIENT) -> Reply:
    wire = message if isinstance(message, bytes) else message.to_wire()
    return (responder or RESPONDER).respond(wire, transport, client)


def ask(name: str, rdtype: str = "A", transport: Transport = UDP, *, responder: Responder | None = None,
        client: Address = CLIENT, **options: object) -> Message:
    """The answer to a question, which must be one to it."""
    question = query(name, rdtype, **options)
    reply = respond(question, transport, responder=responder, client=client)
    assert reply.data is not None
    answer = dns.message.from_wire(reply.data, keyring=False)
    assert question.is_response(answer)
    return answer


def records(section: list[dns.rrset.RRset]) -> list[str]:
    """A section as lines of text, sorted."""
    return sorted(f"{found.name} {dns.rdatatype.to_text(found.rdtype)} {item}" for found in section for item in found)


def header(wire: bytes) -> tuple[int, ...]:
    """id, flags and the four counts."""
    return struct.unpack_from("!HHHHHH", wire)
