"""The readable bytes of a session."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.address import Address
from sandbox.console.raw import LONGEST_LINE, transcript
from sandbox.journal.records import Chunk, Session


def session(transport: str = "tcp") -> Session:
    return Session(id=1, service="echo", protocol="tcp", transport=transport, client=Address("127.0.0.1", 50000),
                   server=Address("127.0.0.1", 8007), opened=0.0)


def chunks(*sides: tuple[int, bytes]) -> list[Chunk]:
    passed = [0, 0, 0, 0]
    found = []
    for stream, data in sides:
        found.append(Chunk(0.0, stream, passed[stream], len(data), data))
        passed[stream] += len(data)
    return found


@pytest.mark.parametrize(("sides", "expected"), [
    ([(0, b"a\r\nb\n"), (1, b"c")], ["> a", "> b", "< c"]),
    ([(0, b"a"), (0, b"b\n")], ["> ab"]),
    ([(0, b"\r\n")], [">"]),
    ([(0, b"caf\xc3"), (0, b"\xa9\n")], ["> café"]),
    ([(0, b"a\rb\\\x1b\n")], ["> 00000000  61 0d 62 5c 1b 0a                                |a.b\\..|"]),
    ([(0, b"a\rb\tc\\\n")], ["> a\\rb\tc\\\\"]),
    ([(0, "\u202e\n".encode())], ["> \\u202e"]),
    ([(1, b"ok\n\xff" + bytes(16))], [
        "< ok",
        "< 00000003  ff 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  |................|",
        "< 00000013  00                                               |.|"]),
    ([(2, b"wire"), (0, b"plain\n"), (3, b"wire")], ["> plain"]),
    ([], []),
])
def test_transcript(sides: list[tuple[int, bytes]], expected: list[str]) -> None:
    assert list(transcript(session(), chunks(*sides))) == expected


def test_datagrams_stand_apart() -> None:
    assert list(transcript(session("udp"), chunks((0, b"one"), (0, b"two"), (0, b""), (1, b"x")))) == [
        "> one", "> two", "> (an empty datagram)", "< x"]


def test_what_was_cut_is_said() -> None:
    cut = [Chunk(0.0, 0, 0, 5, b"hello"), Chunk(0.0, 0, 5, 1000, b""), Chunk(0.0, 0, 1005, 1, b"\xff")]
    assert list(transcript(session(), cut)) == [
        "> hello", "> (1,000 octets were not kept)",
        "> 000003ed  ff                                               |.|"]


@given(st.lists(st.tuples(st.sampled_from([0, 1]), st.binary(min_size=1, max_size=40)), max_size=8))
def test_chunking_does_not_matter_and_nothing_is_written_raw(sides: list[tuple[int, bytes]]) -> None:
    whole = list(transcript(session(), chunks(*sides)))
    split = list(transcript(session(), chunks(*((side, data[at:at + 1]) for side, data in sides
                                                for at in range(len(data))))))
    assert split == whole
    assert all(text.replace("\t", "").isprintable() and re.match("[<>]( |$)", text) for text in whole)


def test_a_line_without_end_takes_no_memory() -> None:
    endless = chunks(*[(0, b"x" * 1000)] * 50)
    assert [len(text) for text in transcript(session(), endless)] == [LONGEST_LINE + 2] * 12 + [
        50_000 % LONGEST_LINE + 2]
