"""URLs of messages and their parts: what is written is read back, and garbage raises one error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.protocols.imap.grammar.cursor import GrammarError
from sandbox.protocols.imap.grammar.fetching import Section
from sandbox.protocols.imap.grammar.urls import Url, read_url

NUMBERS = st.integers(1, 0xFFFF_FFFF)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/;"), min_size=1, max_size=12).filter(
    lambda name: name.upper() != "INBOX")
SECTIONS = st.builds(
    lambda part, text: Section(tuple(part), text), st.lists(st.integers(1, 99), max_size=3),
    st.sampled_from(["", "HEADER", "TEXT"])) | st.builds(
    lambda fields: Section((), "HEADER.FIELDS", tuple(fields)),
    st.lists(st.sampled_from([b"To", b"From"]), min_size=1))
PARTIALS = st.none() | st.tuples(st.integers(0, 10**9), st.integers(0, 10**9))
URLS = st.builds(
    lambda uid, name, validity, section, partial, user: Url(
        uid, name, validity if name else 0, section, partial, user if name else "",
        "localhost" if name and user else ""),
    NUMBERS, NAMES | st.just(""), st.integers(0, 99), SECTIONS, PARTIALS, NAMES | st.just(""))


@given(URLS)
def test_urls(url: Url) -> None:
    assert read_url(url.write()) == url


@pytest.mark.parametrize(("text", "expected"), [
    ("/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER",
     Url(20, "Drafts", 385759045, Section((), "HEADER"))),                                        # RFC 4469 §3
    ("/inbox/Sub;UIDVALIDITY=7/;UID=113330/;section=1.5.9", Url(113330, "INBOX/Sub", 7, Section((1, 5, 9)))),
    (";UID=4", Url(4)), ("/;UID=4/;SECTION=2/;PARTIAL=10.5", Url(4, "", 0, Section((2,)), (10, 5))),
    ("imap://alice;AUTH=*@localhost:8143/Sent%20Mail/;UID=9",
     Url(9, "Sent Mail", 0, Section(), None, "alice", "localhost:8143")),
    ("/Entw%C3%BCrfe/;UID=1/;SECTION=HEADER.FIELDS%20(TO)",
     Url(1, "Entwürfe", 0, Section((), "HEADER.FIELDS", (b"TO",)))),
])
def test_urls_by_example(text: str, expected: Url) -> None:
    assert read_url(text) == expected


@pytest.mark.parametrize("text", ["", "/INBOX", "/INBOX/;UID=0", "http://localhost/INBOX/;UID=1", "/INBOX/;UID=1/",
                                  "/INBOX/;UID=1/;SECTION=", "/INBOX/;UID=1/;SECTION=1.MIMED", "/%ff/;UID=1",
                                  "/INBOX/;UID=1;URLAUTH=anonymous", "/" + "a" * 3000 + "/;UID=1"])
def test_what_is_no_url(text: str) -> None:
    with pytest.raises(GrammarError):
        read_url(text)


@given(st.text(max_size=60) | st.text("/;:=@%.UIDVALIDITYSECTIONimap1-", max_size=60))
def test_garbage_raises_one_error(text: str) -> None:
    sentence = "none"
    try:
        read_url(text)
    except GrammarError as error:
        sentence = error.sentence
    assert sentence.isprintable()
