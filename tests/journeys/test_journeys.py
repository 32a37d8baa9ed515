"""Ties between exchanges, from records made by hand: what belongs together, what does not, and how sure it is."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.address import Address
from sandbox.journal.records import Exchange, Session
from sandbox.journeys import Journey, journeys

Pair = tuple[Session, Exchange]


class Story:
    """Makes records a tenth of a second apart."""

    def __init__(self) -> None:
        self._sessions = count(1)
        self._exchanges = count(1)
        self.pairs: list[Pair] = []
        self.now = 1000.0

    def session(self, protocol: str, service: str = "", client: str = "127.0.0.1", *, cause: int = 0,
                parent: int = 0) -> Session:
        return Session(id=next(self._sessions), service=service or protocol, protocol=protocol, transport="tcp",
                       client=Address(client, 50_000), server=Address("127.0.0.1", 80), opened=self.now, cause=cause,
                       parent=parent)

    def add(self, session: Session, verb: str, asked: str = "", outcome: str = "200", **facts: str) -> int:
        number = next(self._exchanges)
        self.pairs.append((session, Exchange(number, session.id, self.now, self.now + 0.01, verb, asked, outcome, "",
                                             "", (0, 1), (0, 1), {name.replace("_", "-"): value
                                                                  for name, value in facts.items()})))
        self.now += 0.1
        return number

    def get(self, session: Session, host: str, path: str, outcome: str = "200", **facts: str) -> int:
        return self.add(session, "GET", host + path, outcome, host=host, path=path, agent="Browser", **facts)

    def told(self) -> list[Journey]:
        return journeys(self.pairs)


def shape(journey: Journey) -> list[tuple[int, int, bool]]:
    """Each step: id, id of the one above, whether that is certain."""
    return [(step.exchange.id, step.above, step.certain) for step in journey.steps]


def test_a_page_with_its_question_handshake_and_images() -> None:
    story = Story()
    question = story.add(story.session("dns"), "A", "www.example.com", "NOERROR")
    page = story.session("http", "https")
    handshake = story.add(page, "TLS", "www.example.com", "TLS 1.3", host="www.example.com")
    document = story.get(page, "www.example.com", "/", fetch="document navigate none")
    style = story.get(page, "www.example.com", "/a.css", referer="https://www.example.com/", fetch="style no-cors")
    font = story.get(page, "www.example.com", "/a.woff", referer="https://www.example.com/a.css", fetch="font cors")
    (journey,) = story.told()
    assert (journey.kind, journey.title) == ("page", "www.example.com/")
    assert shape(journey) == [(document, 0, True), (handshake, document, True), (question, handshake, False),
                              (style, document, True), (font, style, True)] or shape(journey) == [
        (document, 0, True), (question, document, False), (handshake, document, True), (style, document, True),
        (font, style, True)]


def test_a_click_is_a_journey_of_its_own_and_another_client_is_never_part_of_it() -> None:
    story = Story()
    page, other = story.session("http"), story.session("http", client="127.0.0.2")
    story.get(page, "a.test", "/", fetch="document navigate none")
    story.get(page, "a.test", "/x.png", referer="http://a.test/", fetch="image")
    story.get(page, "a.test", "/next", referer="http://a.test/", fetch="document navigate same-origin")
    story.get(other, "a.test", "/x.png", referer="http://a.test/", fetch="image")
    assert [len(journey.steps) for journey in story.told()] == [2]


def test_a_walk_down_the_tree_of_names() -> None:
    story = Story()
    steps = []
    hint = story.add(story.session("dns"), "NS", ".", "NOERROR")
    story.add(story.session("dns", "dns-tld", client="127.0.0.2"), "A", "www.example.com", "NOERROR")
    for service in ("dns-root", "dns-tld", "dns-domains"):
        steps.append(story.add(story.session("dns", service), "A", "www.example.com", "NOERROR"))
        story.add(story.session("dns", service), "A", "elsewhere.example.com" * (service == "dns-domains"), "NOERROR")
    (journey,) = (one for one in story.told() if one.title == "A www.example.com")
    assert journey.kind == "walk"
    root, tld, domain = steps
    assert shape(journey) == [(root, 0, True), (hint, root, False), (tld, root, False), (domain, tld, False)]


def test_two_walks_for_one_name_are_two_and_a_late_question_is_none() -> None:
    story = Story()
    for _ in range(2):
        for service in ("dns-root", "dns-tld"):
            story.add(story.session("dns", service), "A", "a.test", "NOERROR")
    story.now += 6
    story.add(story.session("dns", "dns-domains"), "A", "a.test", "NOERROR")
    assert [[step.exchange.id for step in one.steps] for one in story.told()] == [[3, 4], [1, 2]]


def test_a_walk_is_no_question_of_the_page_that_comes_after() -> None:
    story = Story()
    for service in ("dns-root", "dns-tld", "dns-domains"):
        story.add(story.session("dns", service), "A", "a.test", "NOERROR")
    story.get(story.session("http"), "a.test", "/")
    assert [(one.kind, len(one.steps)) for one in story.told()] == [("walk", 3)]


def test_a_referrer_can_be_anything() -> None:
    story = Story()
    story.get(story.session("http"), "a.test", "/", referer="http://[bad")
    assert story.told() == []


def test_redirects_are_followed() -> None:
    story = Story()
    page = story.session("http")
    first = story.get(page, "a.test", "/old", "302", fetch="document navigate none")
    second = story.get(page, "a.test", "/new", fetch="document navigate none")
    (journey,) = story.told()
    assert shape(journey) == [(first, 0, True), (second, first, False)]
    story.now += 60
    story.get(page, "a.test", "/much-later", fetch="document navigate none")
    assert [len(journey.steps) for journey in story.told()] == [2]


def test_a_question_long_before_or_for_another_name_is_no_part() -> None:
    story = Story()
    story.add(story.session("dns"), "A", "a.test", "NOERROR")
    story.add(story.session("dns"), "A", "b.test", "NOERROR")
    story.now += 61
    story.get(story.session("http"), "a.test", "/")
    assert story.told() == []


def test_a_letter_from_submission_to_fetch() -> None:
    story = Story()
    submission = story.session("smtp", "submission")
    story.add(submission, "EHLO")
    login = story.add(submission, "AUTH", account="alice", outcome="235")
    letter = story.add(submission, "message", "", "250", message="7", message_id="<1@a>", sender="alice@example.com",
                       recipients="bob@example.com")
    question = story.add(story.session("dns", cause=letter), "MX", "example.com", "NOERROR")
    hop = story.session("smtp", cause=letter)
    greeting = story.add(hop, "greeting", "", "220")
    delivery = story.add(hop, "message", "", "250", message="8", message_id="<1@a>")
    fetched = story.add(story.session("imap"), "FETCH", "1 BODY[]", "OK", message="8", account="bob")
    both = story.add(story.session("pop3"), "RETR", "1", "+OK", message="8", account="bob")
    (journey,) = story.told()
    assert journey.title == "A letter from alice@example.com to bob@example.com"
    assert shape(journey) == [(letter, 0, True), (login, letter, True), (question, letter, True),
                              (greeting, letter, True), (delivery, greeting, True), (fetched, delivery, True),
                              (both, delivery, True)]


def test_one_fetch_of_two_letters_is_in_both_journeys() -> None:
    story = Story()
    smtp = story.session("smtp")
    one = story.add(smtp, "message", "", "250", message="1")
    two = story.add(smtp, "message", "", "250", message="2")
    fetch = story.add(story.session("imap"), "FETCH", "1:2", "OK", message="1 2")
    assert [shape(journey) for journey in story.told()] == [[(two, 0, True), (fetch, two, True)],
                                                            [(one, 0, True), (fetch, one, True)]]


def test_an_upload_and_who_got_it() -> None:
    story = Story()
    control = story.session("ftp")
    stored = story.add(control, "STOR", "a.html", "226", file="/www/a.html", account="alice")
    data = story.add(story.session("ftp", "ftp-data", parent=control.id), "STOR", "a.html", "complete")
    got = story.get(story.session("http"), "alice.example.com", "/a.html", file="/a.html")
    story.get(story.session("http"), "bob.example.com", "/a.html", file="/a.html")
    (journey,) = story.told()
    assert journey.kind == "upload"
    assert shape(journey) == [(stored, 0, True), (data, stored, True), (got, stored, False)]


def test_one_persons_logins_and_a_failed_one() -> None:
    story = Story()
    first = story.add(story.session("imap"), "LOGIN", "alice", "OK", account="alice")
    second = story.add(story.session("ftp"), "PASS", "", "230", account="alice")
    story.add(story.session("pop3"), "PASS", "", "-ERR", account="alice")
    story.add(story.session("pop3"), "PASS", "", "+OK", account="bob")
    (journey,) = story.told()
    assert (journey.title, shape(journey)) == ("alice logs in", [(first, 0, True), (second, first, False)])


def test_a_tunnel_and_what_it_carried() -> None:
    story = Story()
    connect = story.add(story.session("http"), "CONNECT", "a.test:443", "200", host="a.test")
    inner = story.session("http", "https", cause=connect)
    handshake = story.add(inner, "TLS", "a.test", "TLS 1.3", host="a.test")
    request = story.get(inner, "a.test", "/")
    (journey,) = story.told()
    assert (journey.kind, shape(journey)) == ("tunnel", [(connect, 0, True), (handshake, connect, True),
                                                         (request, handshake, True)])


facts = st.fixed_dictionaries({}, optional={
    "host": st.sampled_from(["a.test", "b.test"]), "path": st.sampled_from(["/", "/x"]), "agent": st.just("B"),
    "referer": st.sampled_from(["http://a.test/", "http://b.test/x", "nonsense:[", "http://[bad"]),
    "message": st.sampled_from(["1", "1 2", ""]), "message_id": st.just("<1>"), "file": st.just("/www/x"),
    "account": st.just("alice"), "fetch": st.sampled_from(["document", "image"])})
verbs = st.sampled_from(["GET", "TLS", "A", "message", "FETCH", "STOR", "RETR", "PASS", "CONNECT", ""])


@given(st.lists(st.tuples(st.sampled_from(["http", "dns", "smtp", "imap", "ftp"]), verbs, facts, st.integers(0, 30),
                          st.integers(0, 30)), max_size=25))
def test_any_records_make_trees(some: list[tuple[str, str, dict[str, str], int, int]]) -> None:
    """Whatever was recorded: it ends, each step's parent stands before it, and beginnings are nobody's children."""
    story = Story()
    for protocol, verb, noted, cause, parent in some:
        story.add(story.session(protocol, cause=cause, parent=parent), verb, "a.test", "200", **noted)
    for journey in story.told():
        assert len(journey.steps) > 1
        seen = {0}
        for step in journey.steps:
            assert step.above in seen
            seen.add(step.exchange.id)


@pytest.mark.parametrize("length", [10, 200])
def test_a_long_way_is_cut_and_never_recurses_without_end(length: int) -> None:
    story = Story()
    page = story.session("http")
    for number in range(length):
        story.get(page, "a.test", f"/{number}", "302")
    assert max(step.depth for journey in story.told() for step in journey.steps) <= 31
