"""HTTP-dates (RFC 9110 §5.6.7)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.protocols.http.dates import http_date, now, parse_date


@pytest.mark.parametrize("text", [
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
])
def test_all_three_forms_are_read(text: str) -> None:
    assert parse_date(text) == 784111777


@pytest.mark.parametrize("text", [
    "", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
    "Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov \u0661994 08:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT",
    "784111777",
])
def test_others_are_not(text: str) -> None:
    assert parse_date(text) is None


@given(st.integers(0, 2**35))
def test_what_is_written_is_read(seconds: int) -> None:
    assert parse_date(http_date(seconds)) == seconds


@given(st.text(max_size=40))
def test_nothing_raises(text: str) -> None:
    parse_date(text)


def test_a_year_far_ahead_is_past() -> None:
    year = time.gmtime().tm_year
    stamp = parse_date(f"Sunday, 06-Nov-{(year + 60) % 100:02} 08:49:37 GMT")
    assert stamp is not None
    assert time.gmtime(stamp).tm_year < year


def test_the_current_date() -> None:
    stamp = parse_date(now().decode())
    assert stamp is not None
    assert abs(stamp - time.time()) < 3
