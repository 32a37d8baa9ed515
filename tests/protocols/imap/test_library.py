"""What is known of messages, and how much of them is read for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.message.scan import scan
from sandbox.protocols.imap.library import LONG, PARTS, START, Library
from sandbox.world.mail import Delivery, MailStore
from sandbox.world.mail.spool import INLINE


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    store = MailStore(tmp_path, durability="memory")
    yield Library(store)
    store.close()


def put(library: Library, *messages: bytes) -> list[int]:
    return [library.store.put(message, Delivery("alice")).result().content for message in messages]


@pytest.mark.parametrize("size", [0, START - 30, START - 12, START, LONG, INLINE, 3 * INLINE])
def test_a_header_is_whole_however_long(library: Library, size: int) -> None:
    header = b"Filler: " + b"x" * size + b"\r\nLast: here\r\n\r\n"
    contents = put(library, header + b"Last: in the body\r\n", header[:-2], header + b"y" * INLINE)
    for known in library.several(contents).values():
        assert known.header.values(b"last") == [b"here"]


def test_several_at_once_and_each_once(library: Library) -> None:
    small, large = put(library, b"Subject: a\r\n\r\n", b"Subject: b\r\nFiller: " + b"x" * LONG + b"\r\n\r\n")
    first = library.several([small, large, 999])
    assert [(content, known.header.first(b"subject")) for content, known in first.items()] == [
        (small, b"a"), (large, b"b")], "one that nobody has is left out"
    again = library.several([large, small])
    assert again[small] is first[small]
    assert again[large] is not first[large], "a long one is not kept"


def test_parts_are_found_when_asked_for_and_once(library: Library) -> None:
    (content,) = put(library, b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\none\r\n--a--\r\n")
    known = library.several([content])[content]
    assert known.root is None
    root = library.root(content, known)
    assert len(root.children) == 1
    library.store.remove_account("alice").result()
    assert library.root(content, known) is root


def test_a_message_of_many_parts_is_taken_apart_each_time(library: Library) -> None:
    """A small one can have two thousand, and they take a hundred times its octets."""
    parts = b"--a\r\n\r\n" * (PARTS + 1)
    (content,) = put(library, b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + parts)
    known = library.several([content])[content]
    root = library.root(content, known)
    assert len(root.children) == PARTS + 1
    assert library.root(content, known) is not root
    few, many = scan(b"\r\n"), scan(b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n\r\n" * 1500)
    assert known.structure(few, extended=False) is known.structure(few, extended=False)
    assert known.structure(many, extended=True) is not known.structure(many, extended=True)
