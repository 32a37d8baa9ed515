"""Cookies, as RFC 9018 lays them out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.protocols.dns.cookies import BadCookie, Cookies

CLIENT = b"\x01\x02\x03\x04\x05\x06\x07\x08"
START = 2 ** 32 - 10        # so that the time stamp runs over in the tests (RFC 1982)


class Clock:
    def __init__(self) -> None:
        self.now = float(START)

    def __call__(self) -> float:
        return self.now


def test_layout() -> None:
    """RFC 9018 §4: version 1, three zero octets, the time, eight octets of hash."""
    cookie, state = Cookies(b"k" * 16, Clock()).answer(CLIENT, "192.0.2.1")
    assert state == "new"
    assert cookie[:8] == CLIENT
    assert cookie[8:16] == b"\x01\0\0\0" + START.to_bytes(4, "big")
    assert len(cookie) == 24


@pytest.mark.parametrize(("seconds", "state", "renewed"), [
    (0, "valid", False), (1_799, "valid", False), (1_800, "valid", True), (3_600, "valid", True),
    (3_601, "bad", True), (-300, "valid", False), (-301, "bad", True)])
def test_ages(seconds: int, state: str, renewed: bool) -> None:
    """RFC 9018 §4.3: good for an hour, renewed after half of it, five minutes of clock error forgiven."""
    clock = Clock()
    cookies = Cookies(b"k" * 16, clock)
    first, _ = cookies.answer(CLIENT, "192.0.2.1")
    clock.now += seconds
    second, found = cookies.answer(first, "192.0.2.1")
    assert (found, second != first) == (state, renewed)


def test_a_cookie_is_good_for_its_client_only() -> None:
    """RFC 7873 §6: bound to the client's address, its cookie, and our secret."""
    cookies = Cookies(b"k" * 16, Clock())
    cookie, _ = cookies.answer(CLIENT, "192.0.2.1")
    assert cookies.answer(cookie, "192.0.2.1")[1] == "valid"
    assert cookies.answer(cookie, "192.0.2.2")[1] == "bad"
    assert cookies.answer(b"otherone" + cookie[8:], "192.0.2.1")[1] == "bad"
    assert Cookies(b"x" * 16, Clock()).answer(cookie, "192.0.2.1")[1] == "bad"


@given(st.binary(max_size=60))
def test_any_option_is_answered_or_refused(option: bytes) -> None:
    if len(option) == 8 or 16 <= len(option) <= 40:
        cookie, state = Cookies().answer(option, "::1")
        assert cookie[:8] == option[:8]
        assert state in ("new", "bad")
    else:
        with pytest.raises(BadCookie):
            Cookies().answer(option, "::1")
