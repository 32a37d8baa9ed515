"""Letters that were written badly: IMAP answers what `sandbox.message` reads, which is what everybody is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.message.message import Message
from sandbox.protocols.imap.dialogue import ImapDialogue
from sandbox.protocols.imap.library import Library
from sandbox.protocols.imap.session import Mailboxes
from sandbox.protocols.imap.structure import envelope, structure
from sandbox.world.mail import Delivery, MailStore
from tests.support.dialogue import Talk

LETTERS = [
    (b"Content-Type: text/plain; charset=iso-8859-8-i\r\n\r\n\xf9\xec\xe5\xed\r\n", "BODY", "שלום"),
    (b"Content-Type: text/plain; charset=nobody-knows\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n", "BODY", "Grüße"),
    (b"Content-Type: text/plain; charset=nobody-knows\r\n\r\nGr\xfc\xdfe\r\n", "BODY", "\\xfc\\xdf"),
    ("Subject: x\r\n\r\nGrüße\r\n".encode(), "BODY", "Grüße"),
    (b"From : a@b.test\r\nbroken line here\r\nSubject : after\r\n\r\nbody\r\n", "SUBJECT", "after"),
    (b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8gd29ybGQ\r\n!!!trailing garbage\r\n", "BODY", "hello world"),
    (b"Content-Transfer-Encoding: quoted-printable\r\n\r\nhello wor= \t\r\nld\r\n", "BODY", "hello world"),
    (b"Subject: =?utf-8?b?R3LD?= =?utf-8?b?vMOfZQ==?=\r\n\r\nx\r\n", "SUBJECT", "Grüße"),
    (b"Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\r\n\r\n--ab\r\n\r\nfirst\r\n--ab \r\n\r\nsecond\r\n"
     b"--ab--\r\n", "BODY", "second"),
    (b"Content-Type: text/html\r\n\r\nGr&uuml;&szlig;e, W<b>el</b>t\r\n", "BODY", "Grüße, Welt"),
]


class Person:
    login, password = "alice", "wonderland"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MailStore]:
    store = MailStore(tmp_path, durability="memory")
    for octets, _, _ in LETTERS:
        store.put(octets, Delivery("alice")).result()
    yield store
    store.close()


async def test_search_finds_what_is_shown(store: MailStore) -> None:
    talk = Talk("imap")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.serve, ImapDialogue(talk, Mailboxes(lambda _: Person(), store, Library(store))).run)
        await talk.play("S: * OK ...\nC: a LOGIN alice wonderland\nS: a OK ...")
        talk.feed(b"b EXAMINE INBOX\r\n")
        while not (await talk.hear_line()).startswith("b OK"):
            pass
        for number, (octets, key, text) in enumerate(LETTERS, 1):
            letter = Message(octets)
            assert text in (letter.subject if key == "SUBJECT" else letter.readable)
            wanted = text.encode()
            await talk.play(f"C| c SEARCH CHARSET UTF-8 {key} {{{len(wanted)}+}}\\r\\n")
            talk.feed(wanted + b"\r\n")
            assert str(number) in (await talk.hear_line()).split()[2:], text
            assert (await talk.hear_line()).startswith("c OK")
            part = letter.root.find((1,))
            assert part is not None
            await talk.play(f"C: d FETCH {number} BINARY.SIZE[1]\n"
                            f"S: * {number} FETCH (BINARY.SIZE[1] {len(letter.decoded(part))})\nS: d OK ...")
        talk.hang_up()


PIECES = [
    b"Content-Type: multipart/mixed; boundary=a\r\n", b"--a\r\n", b"--a--\r\n", b"\r\n", b"\n", b"x", b"\xff", b'"',
    b"Content-Type: message/rfc822\r\n", b"Content-Transfer-Encoding: base64\r\n", b"To: a@b@c, [;, x: y;\r\n",
    b"Content-Type: message/global; a*0*=''%\r\n", b"Content-Transfer-Encoding: 8bit\r\n",
    b"Content-Language: a, b\r\n", b"(",
    b"Content-Disposition: a; b=\"c\\\r\n", b"From: (\r\n", b"Subject: {3}\r\n",
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
def test_structures_keep_the_grammar(octets: bytes) -> None:
    """RFC 9051 §9: `body` and `envelope`, read by what it says there."""
    letter = Message(octets)
    for extended in (False, True):
        written = structure(letter.root, extended=extended)
        assert body(value(written, 0)[0], extended=extended)
    told = value(envelope(letter.root.header), 0)[0]
    assert isinstance(told, list)
    assert len(told) == 10


def value(wire: bytes, at: int) -> tuple[list[object] | bytes | None, int]:
    """A list, a string, a number or NIL."""
    if wire[at:at + 1] == b"(":
        found: list[object] = []
        at += 1
        while wire[at:at + 1] != b")":
            each, at = value(wire, at + (wire[at:at + 1] == b" "))
            found.append(each)
        return found, at + 1
    if wire[at:at + 1] == b'"':
        end = at + 1
        while wire[end:end + 1] != b'"':
            end += 1 + (wire[end:end + 1] == b"\\")
        return wire[at + 1:end], end + 1
    if wire[at:at + 1] in (b"{", b"~"):
        start = wire.index(b"\r\n", at) + 2
        size = int(wire[at:start].strip(b"~{}\r\n"))
        return wire[start:start + size], start + size
    end = at
    while wire[end:end + 1] not in (b" ", b")", b"(", b""):
        end += 1
    return None if wire[at:end] == b"NIL" else wire[at:end], end


def body(read: object, *, extended: bool) -> bool:
    """Whether it is what the grammar calls body."""
    assert isinstance(read, list)
    if isinstance(read[0], list):
        parts = [each for each in read if isinstance(each, list)]
        kind = next(place for place, each in enumerate(read) if isinstance(each, bytes))
        assert len(read) == kind + (5 if extended else 1)
        return all(body(each, extended=extended) for each in parts[:kind])
    kinds = tuple(read[:2])
    rest = read[7:]
    if kinds in ((b"message", b"rfc822"), (b"message", b"global")):
        assert isinstance(rest[0], list)
        assert len(rest[0]) == 10
        assert body(rest[1], extended=extended)
        rest = rest[3:]
    elif kinds[0] == b"text":
        rest = rest[1:]
    return len(rest) == (4 if extended else 0)
