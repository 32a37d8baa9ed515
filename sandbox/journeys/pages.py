"""A page view: the document, what it embeds, redirects before it, and the handshake and questions that came first."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from sandbox.journeys.ties import Record, Records, Tie, client_of
from sandbox.journeys.walks import KEEPERS

__all__ = ["is_document", "ties"]

REMEMBERED = 60.0
"""Seconds a browser may hold an answer of DNS before it connects."""
VIEWED = 300.0
"""Seconds after which what names a page as its referrer is no part of the view any more."""
REDIRECTED = 5.0
"""Seconds in which a client follows a redirect by itself."""
FRAMED = 1.0
"""Seconds after a page in which a frame in it is asked for; a person takes longer to click."""
QUESTIONS = frozenset({"A", "AAAA", "HTTPS"})
REDIRECTS = frozenset({"301", "302", "303", "307", "308"})

Url = tuple[str, str, str]
"""Host, path and query: ports are left out, since a proxy hides them."""


def ties(records: Records) -> Iterator[Tie]:
    """records: oldest first."""
    browsers: dict[tuple[str, str], Browser] = {}
    first: dict[int, Record] = {}
    handshakes: list[Record] = []
    questions: list[Record] = []
    for record in records:
        session, exchange = record
        if exchange.verb == "TLS":
            handshakes.append(record)
        elif (session.protocol == "dns" and exchange.verb in QUESTIONS and not session.cause
              and session.service not in KEEPERS):
            questions.append(record)
        elif session.protocol == "http" and "path" in record.facts:
            first.setdefault(session.id, record)
            program = client_of(record), record.facts.get("agent", "")
            browser = browsers.setdefault(program, Browser())
            yield from initiator(record, browser)
            browser.saw(record)
    for handshake in handshakes:
        if (request := first.get(handshake.session.id)) and not handshake.session.cause:
            yield Tie(handshake.exchange.id, request.exchange.id, "secured this connection", True, 1)
    yield from looked_up(questions, [*first.values(), *handshakes])


def is_document(record: Record) -> bool:
    """Whether it is a page, as far as the browser says. Over plain HTTP it says the same of a frame in one."""
    return record.facts.get("fetch", "").split(" ")[:1] == ["document"]


def is_click(record: Record, page: Record | None) -> bool:
    """Whether it is the beginning of something new. page: what it names as its referrer."""
    says = record.facts.get("fetch", "").split(" ")
    if says[:1] != ["document"]:
        return False
    return len(says) > 1 or page is None or record.exchange.started - page.exchange.ended > FRAMED


class Browser:
    """What one program on one machine has been given: everything by its URL, the latest document of each host, the
    latest redirect."""

    def __init__(self) -> None:
        self.seen: dict[Url, Record] = {}
        self.documents: dict[str, Record] = {}
        self.redirect: Record | None = None

    def saw(self, record: Record) -> None:
        url = url_of(record)
        self.seen[url] = record
        if is_document(record):
            self.documents[url[0]] = record
        if record.exchange.outcome in REDIRECTS:
            self.redirect = record


def initiator(record: Record, browser: Browser) -> Iterator[Tie]:
    """What made a client ask: a redirect it follows, else the page that it names as its referrer."""
    exchange, redirect = record.exchange, browser.redirect
    # Location is no fact; what follows at once, from the same program, with the same referrer, follows it.
    if (redirect is not None and 0 <= exchange.started - redirect.exchange.ended <= REDIRECTED
            and record.facts.get("referer", "") == redirect.facts.get("referer", "")):
        yield Tie(exchange.id, redirect.exchange.id, "follows the redirect", False, 3)
    referer = record.facts.get("referer", "")
    named = referred(referer)
    page = browser.seen.get(named)
    if not referer or is_click(record, page):
        return
    if page is not None and is_document(record):
        yield Tie(exchange.id, page.exchange.id, "asked for right after the page it names", False, 4)
        return
    if page is not None and page.exchange.started >= exchange.started - VIEWED:
        yield Tie(exchange.id, page.exchange.id, "names it as its referrer", True, 2)
        return
    # Across origins browsers name the origin alone (Referrer-Policy).
    latest = browser.documents.get(named[0])
    if latest is not None and latest.exchange.started >= exchange.started - VIEWED:
        yield Tie(exchange.id, latest.exchange.id, "names its host as the referrer", False, 4)


def looked_up(questions: list[Record], users: list[Record]) -> Iterator[Tie]:
    """The questions before a connection: the same client, the same name, shortly before."""
    asked: dict[tuple[str, str], list[Record]] = {}
    for question in questions:
        asked.setdefault((client_of(question), question.exchange.asked.lower().rstrip(".")), []).append(question)
    taken: set[int] = set()
    for user in sorted(users, key=lambda one: (one.session.opened, one.exchange.id)):
        for question in asked.get((client_of(user), user.facts.get("host", "").lower()), []):
            age = user.session.opened - question.exchange.ended
            if question.exchange.id not in taken and -0.05 <= age <= REMEMBERED:
                taken.add(question.exchange.id)
                yield Tie(question.exchange.id, user.exchange.id, "the same name, asked shortly before", False, 5)


def referred(referer: str) -> Url:
    """What a Referer names; a client can write anything there."""
    try:
        parts = urlsplit(referer)
        return (parts.hostname or "").lower(), parts.path or "/", parts.query
    except ValueError:
        return "", "", ""


def url_of(record: Record) -> Url:
    facts = record.facts
    return facts.get("host", "").lower(), facts.get("path", "/"), facts.get("query", "")
