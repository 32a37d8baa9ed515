"""POP3's grammar: dots, the top of a message, numbers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.protocols.lines.command import BadArgument, Reply
from sandbox.protocols.lines.dot_stuffing import Stuffer
from sandbox.protocols.pop3.grammar import message_number, multi_line, number, render, top

TEXT = st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"x", b"\r\n."]), max_size=40).map(b"".join)


def chunked(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, start = [], 0
    for size in sizes:
        pieces.append(data[start:start + size])
        start += size
    return [*pieces, data[start:]]


def stuff(pieces: list[bytes]) -> bytes:
    stuffer = Stuffer()
    return b"".join(map(stuffer.feed, pieces)) + stuffer.end()


def unstuff(wire: bytes) -> bytes:
    """What a client does (RFC 1939 §3)."""
    lines = wire.split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    assert b"." not in lines[:-2], "nothing ends the message early"
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:-2])


@given(TEXT.map(lambda data: re.sub(rb"(?<!\r)\n", b"", data)), st.lists(st.integers(0, 7), max_size=10))
def test_a_client_gets_back_what_was_stuffed_under_any_chunking(data: bytes, sizes: list[int]) -> None:
    whole = data if not data or data.endswith(b"\r\n") else data + b"\r\n"
    assert unstuff(stuff(chunked(data, sizes))) == whole


@given(TEXT, st.lists(st.integers(0, 7), max_size=10))
def test_a_client_that_ends_lines_with_lf_keeps_step(data: bytes, sizes: list[int]) -> None:
    """Python's poplib reads so."""
    lines = stuff(chunked(data, sizes)).split(b"\n")
    assert lines[-2:] == [b".\r", b""]
    assert not {b".", b".\r"} & set(lines[:-2]), "nothing ends the message early"
    got = b"".join(line.removeprefix(b".") + b"\n" for line in lines[:-2])
    assert got == (data if not data or data.endswith(b"\r\n") else data + b"\r\n")


@pytest.mark.parametrize(("data", "wire"), [
    (b"", b".\r\n"), (b"a\r\n", b"a\r\n.\r\n"), (b".\r\n", b"..\r\n.\r\n"), (b"a", b"a\r\n.\r\n"),
    (b"a\r\n..b\r\n", b"a\r\n...b\r\n.\r\n"), (b"a\n.b\r\n", b"a\n..b\r\n.\r\n"),
    (b"line\n.\nafter", b"line\n..\nafter\r\n.\r\n"),
])
def test_stuffing(data: bytes, wire: bytes) -> None:
    assert stuff([data]) == wire


MESSAGE = b"A: b\r\nC: d\r\n\r\none\r\ntwo\r\n\r\nfour\r\n"


@pytest.mark.parametrize(("lines", "expected"), [
    (0, b"A: b\r\nC: d\r\n\r\n"), (1, b"A: b\r\nC: d\r\n\r\none\r\n"), (3, b"A: b\r\nC: d\r\n\r\none\r\ntwo\r\n\r\n"),
    (4, MESSAGE), (5, MESSAGE), (10**9, MESSAGE),
])
@given(sizes=st.lists(st.integers(0, 9), max_size=8))
def test_top_under_any_chunking(lines: int, expected: bytes, sizes: list[int]) -> None:
    assert b"".join(top(chunked(MESSAGE, sizes), lines)) == expected


def test_top_of_messages_without_header_or_body() -> None:
    assert b"".join(top([b"\r\nbody\r\nmore\r\n"], 1)) == b"\r\nbody\r\n"
    assert b"".join(top([b"A: b\r\n"], 5)) == b"A: b\r\n"
    assert list(top([], 5)) == []


@pytest.mark.parametrize("bad", ["", "-1", "x", "1.0", "\u0661", "9" * 11, "0x1", " 1"])
def test_numbers_are_digits(bad: str) -> None:
    with pytest.raises(BadArgument):
        number(bad)


def test_messages_are_numbered_from_one() -> None:
    assert message_number("12") == 12
    with pytest.raises(BadArgument, match="from 1"):
        message_number("0")


def test_status_lines() -> None:
    assert render(Reply("+OK", ("hello",))) == b"+OK hello\r\n"
    assert render(Reply("-ERR", ("busy",), "IN-USE")) == b"-ERR [IN-USE] busy\r\n"
    assert multi_line(["a", "b"]) == b"a\r\nb\r\n.\r\n"
