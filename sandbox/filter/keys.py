"""Every key of the language, each a line. Whoever adds one adds its row to docs/reference/filter.md."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from sandbox.filter import fields, terms
from sandbox.filter.terms import Build
from sandbox.journal.facts import FACTS
from sandbox.journal.records import Exchange, Session
from sandbox.journal.traits import TRAITS

__all__ = ["ALIASES", "KEYS", "Key"]


class Key(NamedTuple):
    """One key. meaning: a sentence; example: a whole term; values: all it takes, where they are few."""

    name: str
    meaning: str
    example: str
    build: Build
    values: tuple[str, ...] = ()


def _name(session: Session, exchange: Exchange) -> str:
    """The name of a question. A DNS exchange has no fact of it: asked is the name, and nothing else."""
    return exchange.asked if session.protocol == "dns" else exchange.facts.get("name", "")


OWN = (
    # the connection
    Key("protocol", "The protocol: http, dns, smtp, imap, pop3, ftp, sftp, tcp.", "protocol:http",
        terms.column("protocol")),
    Key("service", "The service that was asked: https, submission, echo.", "service:https", terms.column("service")),
    Key("transport", "What carried it: tcp or udp.", "transport:udp", terms.column("transport"), ("tcp", "udp")),
    Key("client", "The client's address, or a network that it is in.", "client:10.0.0.0/8", terms.client),
    Key("space", "The space that answered.", "space:main", terms.column("space")),
    Key("session", "The number of the session, or a range of numbers.", "session:12",
        terms.number("whose session", lambda session, exchange: exchange.session, of_session=True)),
    Key("exchange", "The number of the exchange, or a range of numbers; id means the same.", "exchange:100..200",
        terms.number("whose number", lambda session, exchange: exchange.id)),
    # what was asked and answered
    Key("verb", "What was asked, in the protocol's own word: a method, a command, a record type.", "verb:GET",
        terms.whole("whose verb", lambda session, exchange: exchange.verb)),
    Key("asked", "A text in what was asked for, as the live line shows it.", "asked:index",
        terms.part("whose question", lambda session, exchange: exchange.asked)),
    Key("outcome", "The protocol's own code, or a family of codes.", "outcome:4xx", terms.outcome),
    Key("answered", "A text in the summary of the answer.", 'answered:"not found"',
        terms.part("whose answer", lambda session, exchange: exchange.answered)),
    Key("key", "The entry of the knowledge that explains it.", "key:situation.nodata",
        terms.whole("whose explanation", lambda session, exchange: exchange.key)),
    # facts that have a shape
    Key("host", "The host name that was asked for, or a domain that it is in.", "host:example.com",
        terms.domain("whose host", lambda session, exchange: exchange.facts.get("host", ""))),
    Key("name", "The name a DNS question asked about, or a domain that it is in.", "name:example.org",
        terms.domain("whose name", _name)),
    Key("path", "The path of an HTTP request, or a folder that it is in.", "path:/shop",
        terms.tree("whose path", lambda session, exchange: exchange.facts.get("path", ""))),
    Key("file", "The file it was about, or a folder that it is in.", "file:*.txt",
        terms.tree("whose file", lambda session, exchange: exchange.facts.get("file", ""))),
    Key("account", "The person who is logged in.", "account:alice",
        terms.whole("whose account", lambda session, exchange: exchange.facts.get("account", ""))),
    Key("message", "The number of a stored message it was about.", "message:12",
        terms.listed("about the message", "message")),
    # what it is and has
    Key("is", "What can be said of it in a word.", "is:error", terms.trait, tuple(TRAITS)),
    Key("has", "A password in readable octets, or a fact, by its name.", "has:password", terms.has,
        ("password", *FACTS)),
    # what was said
    Key("field", "A part of what was said, by the name its protocol has for it, and perhaps what it says.",
        "field:content-type=text/html", fields.condition),
    # times and sizes
    Key("since", "When it ended: so long ago or later, or a date.", "since:10m", terms.since),
    Key("until", "When it ended: so long ago or earlier, or a date.", "until:2026-01-31T10:00", terms.until),
    Key("longer", "How long it took: more than that.", "longer:200ms", terms.longer),
    Key("larger", "How many octets it has, both sides together: more than that.", "larger:1MB", terms.larger),
)

KEYS: Mapping[str, Key] = MappingProxyType(
    {name: Key(name, f"A text in the fact: {fact.meaning}", f"{name}:*", terms.fact(name))
     for name, fact in FACTS.items()} | {key.name: key for key in OWN})
"""By name. A fact that has no line above is asked for by its name all the same."""

ALIASES: Mapping[str, str] = MappingProxyType({"id": "exchange"})
