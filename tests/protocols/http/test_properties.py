"""Whatever arrives, however it is cut: the same answers, no exception out of the session, and an end."""

from __future__ import annotations

import re
from itertools import pairwise

import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.http import converse

GOOD = st.sampled_from([
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b"\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: u\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"BREW / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    b"GET http://y/ HTTP/1.1\r\nHost: x\r\nRange: bytes=0-3,5-6\r\nAccept-Encoding: gzip\r\n\r\n",
    b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
])
PIECE = st.one_of(GOOD, st.binary(max_size=20), st.sampled_from([
    b"\n", b"\r", b" ", b":", b"\0", b"\xff", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 1\r\n",
    b"0\r\n\r\n", b"GET ", b" HTTP/1.1\r\n", b"\x16\x03\x01", b"Host: x\r\n\r\n", b"SSH-2.0-x\r\n",
]))


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    stream = b"".join(draw(st.lists(PIECE, max_size=6)))
    for _ in range(draw(st.integers(0, 2))):                 # some damage
        at = draw(st.integers(0, len(stream)))
        stream = stream[:at] + draw(st.binary(max_size=2)) + stream[at + draw(st.integers(0, 2)):]
    return stream


def answers(segments: list[bytes], ending: str) -> tuple[bytes, list[tuple[str, str, str, str, bytes]]]:
    async def run() -> tuple[bytes, list[tuple[str, str, str, str, bytes]]]:
        with trio.fail_after(10):
            talk = await converse(segments, ending=ending)
        sent = re.sub(rb"Date: [^\r]*|[0-9a-f]{32}", b"", talk.sent)
        return sent, [(e.verb, e.asked, e.outcome, e.key, b"" if e.key else e.client)
                      for e in talk.exchanges]

    return trio.run(run)


@settings(max_examples=150, deadline=None)
@given(stream=requests(), cuts=st.lists(st.integers(0, 400), max_size=12),
       ending=st.sampled_from(["close", "silence"]))
def test_any_chunking_gives_the_same_answers(stream: bytes, cuts: list[int], ending: str) -> None:
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    whole = answers([stream], ending)
    assert answers([stream[a:b] for a, b in pairwise(edges)], ending) == whole
    assert answers([stream[at:at + 1] for at in range(len(stream))], ending) == whole


@settings(max_examples=150, deadline=None)
@given(stream=st.binary(max_size=300))
def test_garbage_is_answered_or_closed(stream: bytes) -> None:
    sent, exchanges = answers([stream], "silence")
    assert sent == b"" or sent.startswith(b"HTTP/1.1 ")
    assert len(exchanges) <= 1 or b"HTTP/1" in stream
