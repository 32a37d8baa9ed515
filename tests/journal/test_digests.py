"""SHA-256 beside the loop is SHA-256."""

from __future__ import annotations

import hashlib
import threading

import pytest

from sandbox.journal.digests import BACKLOG, PIECE, Digest, Hasher


@pytest.mark.parametrize("sizes", [[], [0], [5], [PIECE - 1, 1, 1], [PIECE] * 9, [1, PIECE * 3, 2, PIECE]])
def test_a_digest_is_right_at_any_moment(sizes: list[int]) -> None:
    hasher, plain = Hasher(), hashlib.sha256()
    digest = Digest(hasher, [])
    for number, size in enumerate(sizes):
        data = bytes([number]) * size
        plain.update(data)
        digest.update(data)
        assert digest.hexdigest() == plain.hexdigest()
    hasher.close()


def test_what_came_before_it_counts() -> None:
    digest = Digest(Hasher(), [b"one", b"two"])
    digest.update(b"three")
    assert digest.hexdigest() == hashlib.sha256(b"onetwothree").hexdigest()


def test_two_streams_do_not_mix() -> None:
    hasher = Hasher()
    digests = [Digest(hasher, []), Digest(hasher, [])]
    for _ in range(20):
        for number, digest in enumerate(digests):
            digest.update(bytes([number]) * 100_000)
    for number, digest in enumerate(digests):
        assert digest.hexdigest() == hashlib.sha256(bytes([number]) * 2_000_000).hexdigest()
    hasher.close()


def test_who_waits_for_room_is_told() -> None:
    hasher, told = Hasher(), threading.Event()
    hasher.on_room = told.set
    hasher.awaited = True
    piece = bytes(BACKLOG)
    digest = Digest(hasher, [])
    for _ in range(4):
        digest.update(piece)
    assert told.wait(10)
    hasher.settle()
    assert not hasher.full
    hasher.close()
