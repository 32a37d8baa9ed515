"""The order of messages and their threads (RFC 5256), over a store with letters made for it."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.protocols.imap.grammar.searching import Criterion, Key
from sandbox.protocols.imap.library import Library
from sandbox.protocols.imap.matching import Found, Matcher
from sandbox.protocols.imap.sorting import base_subject, casemap, sort_messages
from sandbox.protocols.imap.threading import thread_messages, write_threads
from sandbox.protocols.imap.view import View
from sandbox.world.mail import Delivery, MailStore

Gather = Callable[..., tuple[Library, list[Found]]]


@pytest.fixture
def gather(tmp_path: Path) -> Gather:
    """A mailbox of these headers, and all that is in it."""
    def fill(*headers: str) -> tuple[Library, list[Found]]:
        store = MailStore(tmp_path, durability="memory")
        for number, header in enumerate(headers):
            store.put(header.encode() + b"\r\n\r\n", Delivery("alice"), received=1e9 + number).result()
        view = View("INBOX", read_only=False)
        view.begin(store.view(store.find_folder("alice").id))
        library = Library(store)
        return library, Matcher(library, view, Key("ALL"), b"").find()

    return fill


def test_subjects_are_in_the_order_of_title_case(gather: Gather) -> None:
    """RFC 5051: `_` and `[` stand behind the capitals, before which small letters are folded."""
    library, found = gather(*(f"Subject: {subject}" for subject in ("_", "[xyz] [", "a", "B", "~z")))
    ordered = sort_messages(library, found, [Criterion("SUBJECT")])
    assert [each.number for each in ordered] == [3, 4, 2, 1, 5]


@pytest.mark.parametrize(("text", "key"), [
    ("abC", "ABC"), ("é", "E\N{COMBINING ACUTE ACCENT}"), ("ß", "ß"), ("ǆ", "Dz\N{COMBINING CARON}"),
    ("ﬁ", "fi"), ("ы", "Ы"), ("日本", "日本"),
])
def test_casemap_by_example(text: str, key: str) -> None:
    assert casemap(text) == key


@given(st.text(max_size=20))
def test_casemap_is_unicodes_title_case_and_then_its_decomposition(text: str) -> None:
    titled = "".join(letter.title() if len(letter.title()) == 1 else letter for letter in text)
    assert casemap(text) == unicodedata.normalize("NFKD", titled)


def threads(gather: Gather, *pairs: tuple[str, str]) -> str:
    """pairs: a message's id, and what it refers to."""
    library, found = gather(*(f"Message-ID: {own}" + (f"\r\nReferences: {above}" if above else "")
                              for own, above in pairs))
    return write_threads(thread_messages(library, found, "REFERENCES"), uid=False).decode()


@pytest.mark.parametrize(("pairs", "expected"), [
    # Step 1 (B): what a message says of itself counts more than what others said of it.
    ([("<a>", ""), ("<y>", "<a> <x>"), ("<x>", "")], "(1)(3 2)"),
    ([("<a>", ""), ("<b>", ""), ("<y>", "<a> <x>"), ("<x>", "<b>")], "(1)(2 4 3)"),
    ([("<a>", ""), ("<x>", "<a>"), ("<y>", "<a> <x>")], "(1 2 3)"),
    # ... but it does not make a ring.
    ([("<a>", ""), ("<y>", "<a> <x>"), ("<x>", "<y>")], "(1 3 2)"),
    ([("<a>", "<b>"), ("<b>", "<a>")], "(2 1)"),
])
def test_threads_by_references(gather: Gather, pairs: list[tuple[str, str]], expected: str) -> None:
    assert threads(gather, *pairs) == expected


def test_broken_links_by_the_thousand_hold_up_nobody(gather: Gather) -> None:
    pairs = [pair for number in range(2000) for pair in
             ((f"<y{number}>", f"<a> <x{number}>"), (f"<x{number}>", ""))]
    assert threads(gather, *pairs).count("(") == 2000


@pytest.mark.parametrize(("text", "expected"), [
    (b"Re: Re[2]: [list] Fwd: tea (fwd)", ("tea", True)), (b"[list] tea", ("tea", False)),
    (b"[fwd: tea]", ("tea", True)), (b"[only]", ("[only]", False)), (b"", ("", False)),
])
def test_base_subjects(text: bytes, expected: tuple[str, bool]) -> None:
    assert base_subject(text) == expected


def test_a_subject_of_many_replies_takes_bounded_time() -> None:
    started = time.process_time()
    base_subject(b"re: " * 100_000)
    assert time.process_time() - started < 3
