"""The explaining sentence of a live line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.address import Address
from sandbox.explain import Entry, lookup, sentence, session_sentence
from sandbox.explain.sentences import LONGEST, _fit, _said
from sandbox.journal.records import Exchange, Session


def session(protocol: str = "tcp", end: str = "") -> Session:
    return Session(id=1, service="echo", protocol=protocol, transport="tcp", client=Address("127.0.0.1", 50000),
                   server=Address("127.0.0.1", 8007), opened=0.0, end=end)


def exchange(verb: str = "", outcome: str = "", key: str = "", asked: str = "") -> Exchange:
    return Exchange(1, 1, 0.0, 0.0, verb, asked, outcome, "", key, (0, 0), (0, 0))


@pytest.mark.parametrize(("verb", "outcome", "key", "expected"), [
    ("echo", "done", "",
     "Echo sends back every octet it gets (RFC 862); done: the answer is complete (RFC 9293 §3.9.1.2)."),
    ("echo", "", "", "Echo sends back every octet it gets (RFC 862)."),
    ("", "done", "", "done: the answer is complete (RFC 9293 §3.9.1.2)."),
    ("qotd", "", "", "Quote of the day says one short thing and closes (RFC 865)."),
    ("", "", "end.idle-timeout",
     "Nothing passed for so long that the server closed the connection (RFC 1122 §4.2.3.6)."),
    ("echo", "done", "verb.time",
     "Time gives the seconds since 1900 as four octets, most significant first (RFC 868)."),
    ("chargen", "done", "", "Chargen sends a moving pattern of characters to whoever connects (RFC 864)."),
    ("nonsense", "done", "", "done: the answer is complete (RFC 9293 §3.9.1.2)."),
    ("nonsense", "", "", ""),
    ("echo", "", "no.such", "Echo sends back every octet it gets (RFC 862)."),
])
def test_sentence(verb: str, outcome: str, key: str, expected: str) -> None:
    assert sentence(session(), exchange(verb, outcome, key)) == expected


def test_what_went_wrong_is_said_when_both_do_not_fit() -> None:
    said = sentence(session(), exchange("chargen", "ignored"))
    assert "two services answering each other" in said
    assert len(said) <= LONGEST


def test_another_protocol_can_point_at_how_tcp_ended() -> None:
    assert sentence(session("no-such-protocol"), exchange(key="end.client-closed")).startswith("The client said")


def test_session_sentence() -> None:
    assert session_sentence(session(end="client-reset")).startswith("The client broke off the connection at once")
    assert session_sentence(session()) == ""
    assert session_sentence(session(end="no-such-end")) == ""


@given(verb=st.text(max_size=300), outcome=st.text(max_size=300), key=st.text(max_size=300))
def test_a_client_cannot_put_words_into_a_sentence(verb: str, outcome: str, key: str) -> None:
    assert sentence(session(), exchange("#" + verb, "#" + outcome, "#" + key)) == ""


@pytest.mark.parametrize(("term", "text", "said"), [
    ("NO", "Nothing is done.", "NO: nothing is done (RFC 1)"),
    ("NO", "NO, nothing is done.", "NO, nothing is done (RFC 1)"),
    ("404", "There is nothing at this address. Really.", "404: there is nothing at this address (RFC 1)"),
    ("A", "AAAA is younger.", "A: AAAA is younger (RFC 1)"),
    ("+OK", "Well done.", "+OK: Well done (RFC 1)"),
    ("+OK", "+OK says it worked.", "+OK says it worked (RFC 1)"),
    ("418", "A teapot: RFC 2324 is a joke.", "A teapot: RFC 2324 is a joke (RFC 1)"),
])
def test_a_term_is_said_in_front_unless_the_text_says_it(term: str, text: str, said: str) -> None:
    name = "a teapot" if term == "418" else ""
    assert _said(Entry("x", "outcome", term, name, text, "", "RFC 1"), term) == said


def test_a_long_sentence_is_cut_at_a_word() -> None:
    text = _fit(["word " * 50])
    assert len(text) <= LONGEST
    assert text.endswith("word…")


@pytest.mark.parametrize(("protocol", "rfc"), [("ftp", "RFC 2577 §6"), ("pop3", "RFC 8314 §3")])
def test_a_readable_password_cites_what_is_about_that_protocol(protocol: str, rfc: str) -> None:
    talk = Session(id=1, service=protocol, protocol=protocol, transport="tcp", client=Address("127.0.0.1", 50000),
                   server=Address("127.0.0.1", 8021), opened=1.0)
    said = Exchange(1, 1, 0.0, 1.0, "PASS", "x", "230", "", "", (0, 1), (0, 1),
                    {"warning": "password seen in clear text"})
    assert sentence(talk, said).endswith(f"({rfc}).")


@pytest.mark.parametrize(("entry", "rfc", "says"), [
    (("dns", "outcome", "NXDOMAIN"), "RFC 8020 §2", "nor any name below"),
    (("http", "outcome", "closed"), "RFC 9110 §9.3.6", "either side"),
])
def test_what_an_entry_cites_says_so(entry: tuple[str, str, str], rfc: str, says: str) -> None:
    found = lookup(*entry)
    assert found is not None
    assert found.rfc == rfc
    assert says in found.text
