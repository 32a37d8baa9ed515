"""The structure of messages, whole and broken."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.message.addresses import Mailbox, read_addresses, read_any
from sandbox.message.headers import Header
from sandbox.message.parameters import parameters
from sandbox.message.scan import scan
from sandbox.message.text import part_text
from sandbox.message.words import decode_header
from sandbox.protocols.imap.structure import envelope, structure

NESTED = (b"Content-Type: multipart/mixed; boundary=a\r\n\r\npreamble\r\n--a\r\n\r\none\r\n--a\r\n"
          b"Content-Type: multipart/alternative; boundary=\"ab\"\r\n\r\n--ab\r\n"
          b"Content-Type: text/html\r\n\r\n<b>two</b>\r\n--ab--\r\n--a \r\n"
          b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n"
          b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nthree\r\n--c--\r\n--a--\r\nepilogue\r\n")


def body(data: bytes, *numbers: int) -> bytes | None:
    part = scan(data).find(numbers)
    return None if part is None else data[part.body:part.end]


@pytest.mark.parametrize(("numbers", "expected"), [
    ((1,), b"one"), ((2, 1), b"<b>two</b>"), ((3, 1), b"three"), ((4,), None), ((1, 1), None), ((2, 2), None),
    ((3, 2), None), ((3, 1, 1), None),
])
def test_parts_by_their_numbers(numbers: tuple[int, ...], expected: bytes | None) -> None:
    assert body(NESTED, *numbers) == expected


def test_a_simple_message_is_its_own_part_1() -> None:
    assert body(b"Subject: x\r\n\r\ntext\r\n", 1) == b"text\r\n"
    assert body(b"Subject: x\r\n\r\ntext\r\n", 2) is None


@pytest.mark.parametrize(("data", "kind", "parts"), [
    (b"", b"text", 0),
    (b"no header at all", b"text", 0),
    (b"\r\nonly a body", b"text", 0),
    (b"Content-Type: multipart/mixed\r\n\r\nno boundary", b"text", 0),
    (b"Content-Type: multipart/mixed; boundary=x\r\n\r\nnever there", b"text", 0),
    (b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\none\n--x\n\nnot closed", b"multipart", 2),
    (b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n", b"text", 0),
    (b"Content-Type: nonsense\r\n\r\nbody", b"text", 0),
    (b"Content-Type: message/rfc822\r\n\r\n", b"message", 1),
])
def test_broken_messages_have_a_structure(data: bytes, kind: bytes, parts: int) -> None:
    root = scan(data)
    assert (root.type, len(root.children)) == (kind, parts)
    assert structure(root, extended=True).startswith(b"(")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([
    b"Content-Type: multipart/mixed; boundary=a\r\n", b"--a\r\n", b"--a--\r\n", b"\r\n", b"\n", b"\xff\x00", b"text",
    b"Content-Type: message/rfc822\r\n", b": x\r\n", b" folded\r\n", b"From: <@,;:(\"\r\n",
    b"Subject: =?utf-8?b?//?=\r\n",
]), max_size=25).map(b"".join))
def test_nothing_a_message_holds_raises(data: bytes) -> None:
    root = scan(data)
    for part in root.walk():
        assert 0 <= part.start <= part.body <= part.end <= len(data)
        part_text(data, part)
    assert structure(root, extended=True).count(b"(") >= 1
    assert envelope(root.header).startswith(b"(")


def test_bombs_take_bounded_time() -> None:
    started = time.perf_counter()
    scan(b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * 100_000)
    scan(b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (each, each)
                  for each in range(5000)))
    scan(b"Content-Type: message/rfc822\r\n\r\n" * 20_000)
    read_addresses(b"(" * 50_000 + b"<" * 10_000 + b"@," * 50_000)
    for header in (b"a" * 1_000_000 + b"\r\n" + b"b:\r\n " * 50_000, b"b:\r\n" * 200_000, b"b   x\r\n" * 100_000):
        Header(header).all()
        Header(header).values(b"b")
        Header(header).pick([b"%d" % each for each in range(10_000)])
    parameters(b";" * 100_000 + b"a=\"" * 50_000)
    assert time.perf_counter() - started < 6


@pytest.mark.parametrize(("text", "expected"), [
    (b"a@b", [(None, None, b"a", b"b")]),
    (b"Ann <a@b>, c@d (Carl)", [(b"Ann", None, b"a", b"b"), (b"Carl", None, b"c", b"d")]),
    (b'"Last, First" <x.y@z.org>', [(b"Last, First", None, b"x.y", b"z.org")]),
    (b"<@r1,@r2:a@b>", [(None, b"@r1,@r2", b"a", b"b")]),
    (b"team: a@b, c@d;, e@f", [(None, None, b"team", None), (None, None, b"a", b"b"), (None, None, b"c", b"d"),
                               (None, None, None, None), (None, None, b"e", b"f")]),
    (b"undisclosed-recipients:;", [(None, None, b"undisclosed-recipients", None), (None, None, None, None)]),
    (b"root", [(None, None, b"root", b"")]),
    (b",,", []),
    (b'"unclosed <a@b', [(None, None, b"unclosed <a@b", b"")]),
])
def test_addresses(text: bytes, expected: list[tuple[bytes | None, ...]]) -> None:
    assert read_addresses(text) == [Mailbox(*each) for each in expected]


@given(st.lists(st.sampled_from([
    b"Ann", b"von", b" ", b"\t", b'"', b'"Last"', b"<", b">", b"a@b", b"<a@b>", b"@", b",", b", ", b";", b":", b"(x)",
    b"[1]", b"\\", b"a.b", b"\xff", b"\n", b"''",
]), max_size=9).map(b"".join))
def test_plain_addresses_mean_what_they_mean_word_by_word(text: bytes) -> None:
    assert read_addresses(text) == read_any(text)


@pytest.mark.parametrize(("text", "expected"), [
    (b"=?utf-8?q?gr=C3=BCn?= tea", "grün tea"), (b"=?iso-8859-1?q?a?= =?utf-8?b?YsO8?=", "abü"),
    (b"=?unknown?q?x?=", "x"), (b"plain", "plain"), (b"=?utf-8?b?broken", "=?utf-8?b?broken"),
    (b"=?zip?b?eA==?=", "x"),
])
def test_encoded_words(text: bytes, expected: str) -> None:
    assert decode_header(text) == expected


def test_chosen_fields_are_as_they_stand() -> None:
    header = b"A: 1\r\nB: two\r\n lines\r\na: 3\r\n\r\n"
    assert Header(header).pick([b"a"]) == b"A: 1\r\na: 3\r\n\r\n"
    assert Header(header).pick([b"A"], others=True) == b"B: two\r\n lines\r\n\r\n"


@given(st.lists(st.sampled_from([
    b"a: 1\r\n", b"A :2\n", b"a\t:\r\n\t3\r\n", b"ab: 4\r\n", b" a: 5\r\n", b"junk\r\n", b"\ta: 6\n", b"a: ", b"a",
    b":7\r\n", b"a b: 8\r\n", b"\r", b"A: \xff\r\n more\r\n",
]), max_size=12).map(b"".join), st.sampled_from([b"a", b"ab", b"a b", b"", b"a:", b"junk"]))
def test_a_field_is_found_as_if_all_had_been_read(octets: bytes, name: bytes) -> None:
    header = Header(octets)
    values = [value for each, value in header.all() if each == name]
    assert header.values(name) == values
    assert header.first(name) == (values[0] if values else None)
    many = [name, *(b"x%d" % each for each in range(100))]
    assert header.pick([name]) == header.pick(many), "found one by one, or by reading all"
