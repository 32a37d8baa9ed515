"""The chunked transfer coding (RFC 9112 §7.1)."""

from __future__ import annotations

from itertools import pairwise

import h11
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sandbox.protocols.http.chunks import ChunkReader
from sandbox.protocols.http.errors import Refused


def read(segments: list[bytes]) -> tuple[bytes, list[tuple[str, str]], bytes, bool]:
    """Content, trailers, what is left in the buffer, and whether it was all."""
    reader, buffer, content = ChunkReader(), bytearray(), b""
    for segment in segments:
        buffer += segment
        while (step := reader.step(buffer, 5)) != (0, 0):
            framing, count = step
            del buffer[:framing]
            content += buffer[:count]
            del buffer[:count]
    return content, list(reader.trailers), bytes(buffer), reader.done


@pytest.mark.parametrize(("octets", "content", "trailers"), [
    (b"0\r\n\r\n", b"", []),
    (b"3\r\nabc\r\n0\r\n\r\n", b"abc", []),
    (b"0003\r\nabc\r\n000\r\n\r\n", b"abc", []),
    (b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", b"01234567890123456789", []),
    (b"3;name=value;other\r\nabc\r\n0;last\r\n\r\n", b"abc", []),
    (b'3;name="a;b"\r\nabc\r\n0\r\n\r\n', b"abc", []),
    (b'3 ;\ta = "\\"b\\\\\xff" ; c=d;e\r\nabc\r\n0 \t;z\r\n\r\n', b"abc", []),
    (b"2\r\n\r\n\r\n0\r\nDigest: x\r\nB:  c \r\n\r\n", b"\r\n", [("Digest", "x"), ("B", "c")]),
])
def test_good_bodies(octets: bytes, content: bytes, trailers: list[tuple[str, str]]) -> None:
    follows = b"GET / HTTP/1.1\r\n"
    assert read([octets + follows]) == (content, trailers, follows, True)
    apart = [bytes([octet]) for octet in octets + follows]
    assert read(apart) == (content, trailers, follows, True)


@pytest.mark.parametrize("octets", [
    b"\r\n", b"g\r\n", b"-1\r\n", b"+1\r\n", b"0x1\r\n", b" 1\r\n", b"1 \r\n", b"1_0\r\n", b"\xb2\r\n",
    b"F" * 16 + b"\r\n", b"1" + b"0" * 30 + b"\r\n", b"3;\r\n", b"3;a=\x00\r\n",
    b"3; \r\n", b"3;a=\r\n", b"3;=b\r\n", b"3;a b\r\n", b"3;a;\r\n", b"3;;a\r\n", b'3;a="b\r\n', b'3;a="b"c\r\n',
    b"3;a=b=c\r\n", b"3;a@\r\n", b"3;a \r\n", b'3;"a"\r\n', b"3 a\r\n", b"3;a=b,c\r\n", b'3;a="b\\"\r\n',
    b"3\nabc\r\n", b"3\r\rabc\n", b"3;a\rb\r\n", b"3;" + b"a" * 2000, b"3;" + b"a" * 2000 + b"\r\n",
    b"3\r\nabcd\r\n", b"3\r\nabc\n", b"3\r\nabc0\r\n\r\n", b"3\r\nabc\r0",
    b"0\r\n\n", b"0\n\r\n", b"0\r\nA: b\n\r\n", b"0\r\nA : b\r\n\r\n", b"0\r\n A: b\r\n\r\n",
    b"0\r\nA: b\r\n c\r\n\r\n", b"0\r\nA: b\0\r\n\r\n", b"0\r\nno colon\r\n\r\n",
    b"0\r\n" + b"A: b\r\n" * 4000 + b"\r\n",
])
def test_bad_bodies_are_refused(octets: bytes) -> None:
    with pytest.raises(Refused) as whole:
        read([octets])
    with pytest.raises(Refused) as apart:
        read([octets[at:at + 1] for at in range(len(octets))])
    assert (whole.value.status, whole.value.key, whole.value.detail) == (
        apart.value.status, apart.value.key, apart.value.detail)
    assert "RFC" in whole.value.detail


def test_endless_extensions_are_refused() -> None:
    with pytest.raises(Refused, match="400"):
        read([b"1;" + b"a" * 1000 + b"\r\nx\r\n"] * 1100)


def test_a_chunk_larger_than_memory_is_taken_piece_by_piece() -> None:
    content, _, _, done = read([b"FFFFFFFFFFFF\r\nabc", b"def"])
    assert (content, done) == (b"abcdef", False)


PIECES = st.lists(st.binary(min_size=1, max_size=12), max_size=6)
ODDITIES = st.sampled_from([b"", b";a=b", b" ;a", b"\n", b"\r", b"x", b"\r\n", b"0"])


@settings(max_examples=150, deadline=None)
@given(pieces=PIECES, odd=ODDITIES, at=st.integers(0, 200), cuts=st.lists(st.integers(0, 200), max_size=5))
def test_h11_agrees_with_whatever_is_accepted(pieces: list[bytes], odd: bytes, at: int, cuts: list[int]) -> None:
    octets = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nT: u\r\n\r\n"
    octets = octets[:at] + odd + octets[at:]
    assume(b" ;" not in octets)  # h11 does not know the white space that RFC 9112 §7.1.1 has a recipient read
    edges = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    try:
        content, trailers, left, done = read([octets[a:b] for a, b in pairwise(edges)])
    except Refused:
        return
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + octets)
    theirs = b""
    while not isinstance(event := server.next_event(), h11.EndOfMessage) and event is not h11.NEED_DATA:
        theirs += bytes(event.data) if isinstance(event, h11.Data) else b""
    assert theirs == content
    assert done is isinstance(event, h11.EndOfMessage)
    if isinstance(event, h11.EndOfMessage):
        assert server.trailing_data[0] == left
        assert [(name.decode(), value.decode()) for name, value in event.headers.raw_items()] == trailers
