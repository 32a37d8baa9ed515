"""Sessions and exchanges out of nothing, for what reads records: by hand, and by hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sandbox.address import Address
from sandbox.journal.facts import FACTS
from sandbox.journal.records import Exchange, Session

__all__ = ["exchange", "exchanges", "session", "sessions"]

TEXTS = st.one_of(
    st.sampled_from(["", "GET", "get", "/shop/index.html", "/shop", "alice", "www.example.com", "example.com", "404",
                     "5", "NXDOMAIN", "password", "12", "12 13", "Ärger", "\u212aelvin", "İ", "a\"b\\c",
                     "end.stopped", "detectportal.firefox.com", "Not Found"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12))


def session(**fields: Any) -> Session:
    """A session like any other, but for these fields."""
    usual: dict[str, Any] = {"id": 1, "service": "http", "protocol": "http", "transport": "tcp",
              "client": Address("127.0.0.1", 40000), "server": Address("127.0.0.1", 8080), "opened": 100.0}
    return Session(**usual | fields)


def exchange(**fields: Any) -> Exchange:
    """An exchange like any other, but for these fields."""
    usual: dict[str, Any] = {"id": 7, "session": 1, "started": 100.0, "ended": 100.5, "verb": "GET",
                             "asked": "/index.html", "outcome": "200", "answered": "1,024 octets of text/html",
                             "key": "", "client": (0, 100), "server": (0, 1200),
                             "facts": {"host": "www.example.com", "path": "/index.html"}}
    return Exchange(**usual | fields)


sessions = st.builds(
    session, id=st.integers(1, 20), service=st.sampled_from(["http", "https", "domain", "echo"]),
    protocol=st.sampled_from(["http", "dns", "tcp"]), transport=st.sampled_from(["tcp", "udp"]),
    client=st.builds(Address, st.sampled_from(["127.0.0.1", "::1", "10.1.2.3", "::ffff:10.1.2.3", "no address"]),
                     st.just(1)))
exchanges = st.builds(
    exchange, id=st.integers(1, 300), session=st.integers(1, 20), started=st.floats(0, 1e6), ended=st.floats(0, 1e6),
    verb=TEXTS, asked=TEXTS, outcome=TEXTS, answered=TEXTS, key=TEXTS,
    client=st.tuples(st.just(0), st.integers(0, 2_000_000)),
    facts=st.dictionaries(st.sampled_from(sorted(FACTS)), TEXTS, max_size=4))
