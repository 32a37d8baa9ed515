"""The cache of answers: bounded, and good at keeping what is asked often."""

from __future__ import annotations

from sandbox.protocols.contract.conversation import Description
from sandbox.protocols.dns.cache import AnswerCache, Kept

ABOUT = Description("A", "x", "NOERROR")


def kept(size: int = 10) -> Kept:
    return Kept(bytes(size), ABOUT)


def test_it_is_bounded_in_count() -> None:
    cache = AnswerCache(count=100)
    for number in range(1000):
        cache.put(b"%d" % number, kept())
        assert len(cache) <= 100
    assert cache.get(b"999") is not None
    assert cache.get(b"1") is None


def test_it_is_bounded_in_octets() -> None:
    cache = AnswerCache(octets=10_000)
    for number in range(1000):
        cache.put(b"%d" % number, kept(1000))
        assert len(cache) <= 10
    cache.put(bytes(513), kept())
    assert cache.get(bytes(513)) is None, "a long question is not worth keeping"


def test_what_is_asked_often_stays() -> None:
    cache = AnswerCache(count=100)
    cache.put(b"often", kept())
    for number in range(1000):
        cache.put(b"%d" % number, kept())
        assert cache.get(b"often") is not None


def test_it_can_be_emptied() -> None:
    cache = AnswerCache()
    cache.put(b"a", kept())
    cache.clear()
    assert cache.get(b"a") is None
    assert len(cache) == 0
