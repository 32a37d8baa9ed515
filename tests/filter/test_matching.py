"""What each term means, and that what a reader may leave out never matched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given

from sandbox.address import Address
from sandbox.filter import parse
from sandbox.journal.matching import Narrowing
from sandbox.journal.records import Exchange, Session
from tests.support.filters import filters
from tests.support.records import exchange, exchanges, session, sessions

NOW = 1_000_000.0
DNS = {"protocol": "dns", "service": "domain", "transport": "udp"}


@dataclass
class Case:
    """A filter with exchanges that it means, and such that it does not; each by what differs from the usual one."""

    text: str
    yes: list[dict[str, Any]]
    no: list[dict[str, Any]]


def facts(**named: str) -> dict[str, Any]:
    return {"facts": {name.replace("_", "-"): value for name, value in named.items()}}


CASES = [
    Case("", [{}], []),
    Case("INDEX", [{}], [{"asked": "/", "facts": {}}]),
    Case("example", [{}], [{"facts": {}}]),
    Case('"of text"', [{}], [{"answered": "of", "asked": "text"}]),
    Case("1*text", [{}], [{"answered": "text of 1"}]),
    Case('"*"', [{"asked": "a*b"}], [{}]),
    Case("ärger", [{"asked": "ÄRGER"}], [{}]),
    Case("verb:get", [{}], [{"verb": "GETS"}, {"verb": ""}]),
    Case("verb:*ET", [{}], [{"verb": "SETS"}]),
    Case("asked:dex", [{}], [{"asked": "/"}]),
    Case('answered:"1,024 octets"', [{}], [{"answered": ""}]),
    Case("outcome:200", [{}], [{"outcome": "2000"}]),
    Case("outcome:2xx", [{}, {"outcome": "226"}], [{"outcome": "2"}, {"outcome": "404"}, {"outcome": "2²²"}]),
    Case("outcome:*", [{}], [{"outcome": ""}]),
    Case("key:situation.*", [{"key": "situation.nodata"}], [{}]),
    Case("host:example.com", [{}, facts(host="EXAMPLE.com.")], [facts(host="notexample.com"), {"facts": {}}]),
    Case("host:example.com.", [{}], [facts(host="example.org")]),
    Case("host:www*", [{}], [facts(host="example.com")]),
    Case("host:*", [{}], [{"facts": {}}]),
    Case("path:/shop", [facts(path="/shop"), facts(path="/shop/cart")], [facts(path="/shopping"), {"facts": {}}]),
    Case("path:/", [facts(path="/"), facts(path="/x")], [{"facts": {}}]),
    Case("file:*.txt", [facts(file="/www/Notes.TXT")], [facts(file="/www/notes.html")]),
    Case("account:alice", [facts(account="Alice")], [facts(account="alice2"), {}]),
    Case("message:12", [facts(message="12"), facts(message="3 12 40")], [facts(message="120"), {}]),
    Case("agent:firefox", [facts(agent="Mozilla/5.0 ... Firefox/140.0")], [facts(agent="curl/8"), {}]),
    Case("message-id:abc", [facts(message_id="<ABC@example.com>")], [{}]),
    Case("session:1", [{}], [{"session": 11}]),
    Case("exchange:5..7", [{}, {"id": 5}], [{"id": 8}]),
    Case("id:7", [{}], [{"id": 8}]),
    Case("is:encrypted", [facts(encrypted="TLS 1.3")], [{}]),
    Case("is:error", [{"outcome": "404"}, {"outcome": "-ERR"}, {"outcome": "NXDOMAIN"}, facts(traceback="x")],
         [{}, {"outcome": ""}, {"outcome": "304"}, {"outcome": "TLS 1.0"}]),
    Case("is:unfinished", [{"outcome": "", "key": "end.client-reset"}], [{}, {"outcome": ""}]),
    Case("is:background", [facts(host="detectportal.firefox.com"), facts(host="eu.push.services.mozilla.com")], [{}]),
    Case("has:password", [facts(secret="password")], [facts(secret="token"), {}]),
    Case("has:traceback", [facts(traceback="")], [{}]),
    Case("longer:200ms", [{}], [{"ended": 100.1}]),
    Case("larger:1.2kB", [{}], [{"server": (0, 1100)}]),
    Case("-verb:GET", [{"verb": "PUT"}], [{}]),
    Case("verb:PUT or verb:GET outcome:200", [{}, {"verb": "PUT", "outcome": "404"}], [{"outcome": "404"}]),
    Case("(verb:PUT or verb:GET) outcome:200", [{}], [{"verb": "PUT", "outcome": "404"}]),
    Case("-(verb:GET or outcome:404)", [{"verb": "PUT"}], [{}, {"verb": "PUT", "outcome": "404"}]),
    Case("since:10m", [{"ended": NOW - 600}], [{"ended": NOW - 601}]),
    Case("until:1970-01-01T00:01:40+00:00", [{"ended": 100.0}], [{}]),
]


@pytest.mark.parametrize("case", CASES, ids=[case.text for case in CASES])
def test_a_term_means(case: Case) -> None:
    found = parse(case.text, now=NOW)
    for fields in case.yes:
        assert found.matches(session(), exchange(**fields)), fields
        assert not found.failing(session(), exchange(**fields))
    for fields in case.no:
        assert not found.matches(session(), exchange(**fields)), fields
        assert found.failing(session(), exchange(**fields))


@pytest.mark.parametrize(("text", "yes", "no"), [
    ("protocol:http", {}, DNS), ("protocol:HTTP", {}, DNS), ("service:h*", {}, DNS), ("transport:udp", DNS, {}),
    ("space:main", {}, None), ("space:other", None, {}),
    ("client:127.0.0.1", {}, {"client": Address("127.0.0.11", 1)}),
    ("client:127.0.0.1", {"client": Address("::ffff:127.0.0.1", 1)}, {"client": Address("::1", 1)}),
    ("client:10.0.0.0/8", {"client": Address("10.200.0.1", 1)}, {"client": Address("no address", 1)}),
    ("client:[::1]", {"client": Address("::1", 1)}, {}), ("client:localhost", {}, {"client": Address("10.0.0.1", 1)}),
    ("client:127.0.*", {}, {"client": Address("10.127.0.0", 1)}),
])
def test_a_term_about_the_session_means(text: str, yes: dict[str, Any] | None, no: dict[str, Any] | None) -> None:
    found = parse(text)
    assert yes is None or found.matches(session(**yes), exchange())
    assert no is None or not found.matches(session(**no), exchange())


def test_the_name_of_a_dns_question_is_what_it_asked() -> None:
    question = exchange(verb="A", asked="www.Example.org", facts={})
    assert parse("name:example.org").matches(session(**DNS), question)
    assert not parse("name:example.org").matches(session(), question)
    assert parse("name:example.org").matches(session(), exchange(facts={"name": "example.org"}))
    assert parse("is:background").matches(session(**DNS), exchange(asked="detectportal.firefox.com", facts={}))


def test_near_misses_say_which_terms_failed() -> None:
    found = parse('verb:GET (outcome:404 or outcome:5xx) -host:example.com "nowhere else"')
    assert found.failing(session(), exchange(outcome="404")) == ["-host:example.com", '"nowhere else"']
    assert parse("a or b").failing(session(), exchange(asked="x", answered="", facts={})) == ["a or b"]


# -- what a reader may look for first -----------------------------------------------------------------------------


@given(filters, sessions, exchanges)
def test_narrowing_never_leaves_out_what_matches(text: str, one: Session, asked: Exchange) -> None:
    found = parse(text, now=NOW)
    if found.matches(one, asked):
        assert allows(found.narrowing(), one, asked)
        assert found.failing(one, asked) == []
    else:
        assert found.failing(one, asked)


def allows(narrowing: Narrowing, one: Session, asked: Exchange) -> bool:
    """As a reader does it that knows nothing but octets: ASCII letters in either case, no others."""
    texts = [text.encode().lower() for text in texts_of(asked)]
    columns = {"protocol": one.protocol, "service": one.service, "transport": one.transport, "space": "main",
               "client": one.client.host}
    return (all(any(literal.encode("ascii").lower() in text for text in texts) for literal in narrowing.literals)
            and all(columns[name] in values for name, values in narrowing.columns.items())
            and (narrowing.sessions is None or asked.session in narrowing.sessions)
            and narrowing.since <= asked.ended <= narrowing.until)


def texts_of(asked: Exchange) -> Iterator[str]:
    yield from (asked.verb, asked.asked, asked.outcome, asked.answered, asked.key)
    yield from asked.facts.values()


@pytest.mark.parametrize(("text", "expected"), [
    ("", Narrowing()),
    ("Login protocol:http", Narrowing(("login",), {"protocol": frozenset({"http"})})),
    ("protocol:http or protocol:dns", Narrowing((), {"protocol": frozenset({"http", "dns"})})),
    ("(a protocol:http) or (a b session:3)", Narrowing(("a",))),
    ("session:3 session:4", Narrowing(sessions=frozenset())),
    ("-login", Narrowing()),
    ("host:www.*.Com", Narrowing(("www.", ".com"))),
    ("since:1970-01-01T00:00:10Z until:1970-01-01T00:00:20Z", Narrowing(since=10.0, until=20.0)),
])
def test_narrowing_is_worth_something(text: str, expected: Narrowing) -> None:
    assert parse(text).narrowing() == expected
