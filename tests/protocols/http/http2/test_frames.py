"""Frames are found however they arrive, and floods are noticed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.protocols.http.http2.frames import MAX_FRAME, PREFACE, Cutter, Frame, Kind, TokenBucket, read_goaway


def frame(kind: int, payload: bytes = b"", flags: int = 0, stream: int = 0) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


FRAMES = st.builds(frame, st.integers(0, 12), st.binary(max_size=40), st.integers(0, 255), st.integers(0, 2**31 - 1))


@settings(deadline=None, max_examples=60)
@given(frames=st.lists(FRAMES, max_size=6), cuts=st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_any_chunking_gives_the_same_frames(frames: list[bytes], cuts: list[int]) -> None:
    data, cutter, buffer, found = PREFACE + b"".join(frames), Cutter(), bytearray(), []
    at = turn = 0
    while at < len(data) or buffer:
        step = cuts[turn % len(cuts)]
        buffer += data[at:at + step]
        at += step
        turn += 1
        while (size := cutter.next(buffer)[0]):
            found.append(bytes(buffer[:size]))
            del buffer[:size]
    assert b"".join(found) == data
    assert found[len(found) - len(frames):] == frames


def test_a_frame_that_is_too_long_is_given_by_its_header() -> None:
    cutter = Cutter()
    cutter.next(PREFACE)
    size, found = cutter.next((MAX_FRAME + 1).to_bytes(3) + bytes(6))
    assert (size, found.length) == (9, MAX_FRAME + 1)


def test_a_header_block_is_counted_until_it_ends() -> None:
    cutter = Cutter()
    cutter.next(PREFACE)
    cutter.next(frame(Kind.HEADERS, b"12345", flags=0, stream=1))
    assert (cutter.block, cutter.open) == (14, True)
    cutter.next(frame(Kind.CONTINUATION, b"678", flags=4, stream=1))
    assert (cutter.block, cutter.open) == (26, False)


@pytest.mark.parametrize(("found", "wasteful"), [
    (Frame(Kind.DATA, 0, 1, 10), False), (Frame(Kind.DATA, 1, 1, 0), False), (Frame(Kind.DATA, 0, 1, 0), True),
    (Frame(Kind.HEADERS, 4, 1, 10), False), (Frame(Kind.PING, 0, 0, 8), True), (Frame(0x77, 0, 0, 8), True),
    (Frame(Kind.RST_STREAM, 0, 1, 4), True), (Frame(Kind.PRIORITY, 0, 1, 5), True),
])
def test_what_only_costs_work(found: Frame, wasteful: bool) -> None:
    assert found.wasteful is wasteful


def test_the_purse_fills_up_with_time() -> None:
    tokens = TokenBucket(0.0)
    assert all(tokens.take(0.0) for _ in range(int(TokenBucket.SIZE)))
    assert not tokens.take(0.0)
    assert tokens.take(1.0)


@pytest.mark.parametrize(("payload", "code"), [(bytes(8), 0), (bytes(4) + b"\0\0\0\x0b", 11), (b"short", 1)])
def test_goaway(payload: bytes, code: int) -> None:
    assert read_goaway(payload) == code
