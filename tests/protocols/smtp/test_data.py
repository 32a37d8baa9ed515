"""Where a message ends, and what may not be in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.protocols.smtp.data import DotReader, HeaderScan, LineEnds

SIZES = st.lists(st.integers(0, 6), max_size=20)


def chunked(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, start = [], 0
    for size in sizes:
        pieces.append(data[start:start + size])
        start += size
    return [*pieces, data[start:]]


def read(wire: bytes, sizes: list[int]) -> tuple[bytes, bytes]:
    """(the message, what follows it)."""
    reader, text, pieces = DotReader(), b"", chunked(wire, sizes)
    for number, piece in enumerate(pieces):
        part, used = reader.feed(piece)
        text += part
        if reader.ended:
            return text, piece[used:] + b"".join(pieces[number + 1:])
    raise AssertionError("no end")


@pytest.mark.parametrize(("wire", "text", "rest"), [
    (b".\r\n", b"", b""),
    (b"a\r\n.\r\nQUIT\r\n", b"a\r\n", b"QUIT\r\n"),
    (b"..\r\n.\r\n", b".\r\n", b""),
    (b"..a\r\n...\r\n.\r\n", b".a\r\n..\r\n", b""),
    (b".a\r\n.\r\n", b"a\r\n", b""),
    (b"\r\n\r\n.\r\n", b"\r\n\r\n", b""),
    # What only looks like the end (CVE-2023-51764, -51765, -51766): it stays inside.
    (b"a\n.\nMAIL\r\n.\r\n", b"a\n.\nMAIL\r\n", b""),
    (b"a\r\n.\nMAIL\r\n.\r\n", b"a\r\n\nMAIL\r\n", b""),
    (b"a\n.\r\nMAIL\r\n.\r\n", b"a\n.\r\nMAIL\r\n", b""),
    (b"a\r.\rMAIL\r\n.\r\n", b"a\r.\rMAIL\r\n", b""),
    (b"a\r\n.\rMAIL\r\n.\r\n", b"a\r\n\rMAIL\r\n", b""),
    (b"a\r\n\0.\r\nMAIL\r\n.\r\n", b"a\r\n\0.\r\nMAIL\r\n", b""),
])
@given(sizes=SIZES)
def test_the_end_of_a_message_under_any_chunking(wire: bytes, text: bytes, rest: bytes, sizes: list[int]) -> None:
    assert read(wire, sizes) == (text, rest)


LINES = st.lists(st.sampled_from([b"", b".", b"..", b"x", b".x", b"x."]), max_size=8)


@given(LINES, SIZES)
def test_any_message_survives_the_dots(lines: list[bytes], sizes: list[int]) -> None:
    wire = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"
    assert read(wire + b"RSET\r\n", sizes) == (b"".join(line + b"\r\n" for line in lines), b"RSET\r\n")


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"x"]), max_size=12).map(b"".join), SIZES)
def test_bare_line_ends_are_noticed_under_any_chunking(text: bytes, sizes: list[int]) -> None:
    ends = LineEnds()
    for piece in chunked(text, sizes):
        ends.feed(piece)
    rest = text.replace(b"\r\n", b"")
    assert ends.end() == (b"\r" not in rest and b"\n" not in rest)


def scan(text: bytes, sizes: list[int]) -> HeaderScan:
    found = HeaderScan()
    for piece in chunked(text, sizes):
        found.feed(piece)
    return found


@given(SIZES)
def test_the_header_under_any_chunking(sizes: list[int]) -> None:
    found = scan(b"Subject: a\r\n folded: b\r\nDATE : c\r\n\r\nMessage-ID: in the body\r\n", sizes)
    assert found.fields == ["subject", "date"]
    assert found.gap == b""
    fixes = found.fixes("mail.example.com")
    assert fixes.startswith(b"Message-ID: <")
    assert fixes.endswith(b"@mail.example.com>\r\n")
    assert fixes.count(b"\r\n") == 1


def test_fields_among_lines_that_are_none() -> None:
    """A line without a colon hides nothing: Date and Message-ID are not added a second time."""
    found = scan(b"From : a@b.test\r\nbroken line here\r\nDate: x\r\nMessage-ID:\r\n <y@z>\r\n\r\nbody\r\n", [])
    assert found.fields == ["from", "date", "message-id"]
    assert (found.fixes("h"), found.message_id) == (b"", "<y@z>")


@pytest.mark.parametrize(("text", "gap"), [
    (b"Hello, this is no header\r\n", b"\r\n"), (b"", b""), (b"\r\nHello\r\n", b""), (b"A: b\r\n", b""),
    (b" folded\r\n\r\n", b"\r\n"), (b"Subject: x\r\n\r\n", b""),
])
def test_a_message_without_a_header_gets_a_blank_line(text: bytes, gap: bytes) -> None:
    assert scan(text, []).gap == gap


def test_a_complete_message_is_left_as_it_is() -> None:
    assert scan(b"Date: x\r\nMessage-ID: <y>\r\n\r\n", []).fixes("h") == b""


def test_a_header_without_end_is_bounded() -> None:
    found = HeaderScan()
    for _ in range(100):
        found.feed(b"X: " + b"y" * 10_000 + b"\r\n")
    assert len(found._seen) < 300_000
    assert scan("Subject: ü\r\n\r\n".encode(), []).is_ascii() is False
