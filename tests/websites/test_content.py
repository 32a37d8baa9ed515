from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.protocols.http.messages import HttpError
from sandbox.websites import content
from sandbox.websites.content import Part, grouped, media_type, parse_json, parse_multipart, parse_query


def status_of(parse: Callable[[], object]) -> int:
    try:
        parse()
    except HttpError as error:
        return error.status
    return 200


@pytest.mark.parametrize(("value", "expected"), [
    ("text/HTML", ("text/html", {})),
    ("text/html; Charset=utf-8", ("text/html", {"charset": "utf-8"})),
    ('multipart/form-data; boundary="a b;c"; x=1', ("multipart/form-data", {"boundary": "a b;c", "x": "1"})),
    (r'form-data; name="a\"b"', ("form-data", {"name": 'a"b'})),
    ("", ("", {})),
    (";;;=", ("", {})),
])
def test_media_types(value: str, expected: tuple[str, dict[str, str]]) -> None:
    assert media_type(value) == expected


def test_fields_that_come_more_than_once_are_a_list() -> None:
    assert grouped(parse_query("a=1&b=&a=2&c=%C3%A9+x")) == {"a": ["1", "2"], "b": "", "c": "é x"}


def test_a_form_with_a_file() -> None:
    data = (b"preamble\r\n--X\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nHoliday\r\n"
            b"--X  \r\ncontent-disposition: form-data; name=\"file\"; filename=\"a%22b.txt\"\r\n"
            b"Content-Type: image/png\r\n\r\n\x00--X\r\n\xff\r\n--X--\r\nepilogue")
    assert parse_multipart(data, "X") == [
        Part("title", b"Holiday"), Part("file", b"\x00--X\r\n\xff", 'a"b.txt', "image/png")]


@pytest.mark.parametrize("data", [
    b"", b"--X", b"--X\r\n", b"--X\r\n\r\nno name\r\n--X--", b"--Xjunk\r\n\r\n\r\n--X--",
    b"--X\r\nContent-Disposition: form-data; name=a\r\n\r\nnever closed",
    b"--X\r\nContent-Disposition: form-data\r\n\r\n\r\n--X--", b"--X\r\nno colon\r\n\r\n\r\n--X--",
    b"--X\r\nContent-Disposition: form-data; name=a\r\n" + b"x: y\r\n" * 5_000 + b"\r\n\r\n--X--",
])
def test_broken_forms_are_refused(data: bytes) -> None:
    with pytest.raises(HttpError) as caught:
        parse_multipart(data, "X")
    assert caught.value.status == 400


def test_a_form_of_too_many_parts_is_refused() -> None:
    part = b"--X\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n"
    with pytest.raises(HttpError):
        parse_multipart(part * (content.MAX_FIELDS + 1) + b"--X--", "X")
    assert len(parse_multipart(part * content.MAX_FIELDS + b"--X--", "X")) == content.MAX_FIELDS


@given(st.binary(max_size=200) | st.text("-X\r\n:;=\"abc ", max_size=200).map(str.encode), st.text(max_size=4))
@settings(max_examples=150)
def test_any_bytes_are_a_form_or_a_400(data: bytes, boundary: str) -> None:
    assert status_of(lambda: parse_multipart(data, boundary)) in (200, 400)


NAMES = st.text(st.characters(codec="utf-8", exclude_characters='\r\n"\\%'), min_size=1,
                max_size=8).filter(str.strip)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=50).filter(lambda data: b"--frontier" not in data)), max_size=5))
@settings(max_examples=80)
def test_what_goes_into_a_form_comes_out(parts: list[tuple[str, bytes]]) -> None:
    data = b"".join(b'--frontier\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), value)
                    for name, value in parts) + b"--frontier--\r\n"
    assert [(part.name, part.content) for part in parse_multipart(data, "frontier")] == parts


@pytest.mark.parametrize("data", [b"", b"{", b"[NaN]", b"\xff", b"[" * 100_000, b"1" * 5_000, b"{'a': 1}"])
def test_what_is_no_json_is_a_400(data: bytes) -> None:
    with pytest.raises(HttpError) as caught:
        parse_json(data)
    assert caught.value.status == 400


@given(st.binary(max_size=60))
@settings(max_examples=80)
def test_any_bytes_are_json_or_a_400(data: bytes) -> None:
    assert status_of(lambda: parse_json(data)) in (200, 400)
