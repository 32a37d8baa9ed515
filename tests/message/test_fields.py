"""Values of header fields: addresses, parameters, encoded words, dates."""

from __future__ import annotations

import email.utils
from email.header import Header as Encoder

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.message.addresses import Mailbox, read_addresses
from sandbox.message.dates import read_date
from sandbox.message.message import Message
from sandbox.message.parameters import any_parameters, media, parameter_text, parameters, token
from sandbox.message.words import decode_header


@pytest.mark.parametrize(("text", "expected"), [
    (b"user (c) @ domain.org", [("c", "user@domain.org")]),
    (b'"user"@domain.org', [("", "user@domain.org")]),
    (b'"two words"@domain.org', [("", '"two words"@domain.org')]),
    (b"Ann (of (all) people) <a@b>", [("Ann", "a@b")]),
    (b"a . b @ c . d", [("", "a.b@c.d")]),
    (b'=?utf-8?q?J=C3=BCrgen?= <j@b>', [("Jürgen", "j@b")]),
    (b'me@here.test <you@there.test>', [("me@here.test", "you@there.test")]),
    (b'"a \\"b\\" c" <a@b>', [('a "b" c', "a@b")]),
    (b"x@[127.0.0.1]", [("", "x@[127.0.0.1]")]),
    (b"Ann <a@b", [("Ann", "a@b")]),
])
def test_an_address_in_any_of_its_forms(text: bytes, expected: list[tuple[str, str]]) -> None:
    found = read_addresses(text)
    assert [(box.shown_name, box.address) for box in found] == expected
    assert all(box.valid for box in found)


@pytest.mark.parametrize("text", [
    "<John Do>noreply@example.com", "a@b@c", "<<x@y>>", "[;", "Jo Hn@example.com", "@", "a b@", "<>",
])
def test_what_is_no_address_is_shown_as_it_is(text: str) -> None:
    found = read_addresses(b"ok@a.test, %b, too@a.test" % text.encode())
    assert [(box.address, box.valid) for box in found] == [
        ("ok@a.test", True), (text, False), ("too@a.test", True)]


@given(st.lists(st.sampled_from([
    b"a", b"@", b"<", b">", b",", b";", b":", b"(", b")", b'"', b"\\", b" ", b".", b"[", b"]", b"\xff", b"\0",
])).map(b"".join))
def test_any_address_field_is_read(text: bytes) -> None:
    for box in read_addresses(text):
        assert isinstance(str(box), str)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20),
       st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,5})?@[a-z]{1,8}\.test", fullmatch=True))
def test_addresses_as_the_standard_library_writes_them(name: str, address: str) -> None:
    written = email.utils.formataddr((name, address)).encode()
    [box] = read_addresses(written)
    assert (box.shown_name, box.address) == (name, address)
    assert read_addresses(str(box).encode()) == [Mailbox(name.encode(), None, box.local, box.host)]


@pytest.mark.parametrize(("value", "name", "expected"), [
    (b"x/y; boundary*0*=us-ascii''%3D_7ea;\r\n boundary*1*=3-b6_%3D", b"boundary", "=_7ea3-b6_="),
    (b"x/y; name*1=b; name*0=a", b"name", "ab"),
    (b"x/y; name*0*=utf-8'en'%C3%BC; name*1=%41", b"name", "ü%41"),
    (b"x/y; name=plain; name*=iso-8859-1''%FC", b"name", "ü"),
    (b"x/y (a; b) ; (c) charset (d) = (e) utf-8 (f)", b"charset", "utf-8"),
    (b'x/y; name="a\\"b;c"; charset=d', b"name", 'a"b;c'),
    (b'x/y; name="a(b)c"', b"name", "a(b)c"),
    (b"x/y;NAME=my file.pdf; size=3", b"name", "my file.pdf"),
    (b"x/y; charset=utf-8 name=forgotten", b"name", "forgotten"),
    (b"x/y; name = \r\n \"folded\" ", b"name", "folded"),
    (b"x/y; name=\"=?utf-8?q?gr=C3=BCn?=\"", b"name", "grün"),
    (b"x/y; name=\"unclosed", b"name", "unclosed"),
    (b"x/y; =; ; name=a", b"name", "a"),
    (b"x/y", b"name", ""), (b"", b"name", ""), (b"x/y; name", b"name", ""),
])
def test_parameters(value: bytes, name: bytes, expected: str) -> None:
    assert parameter_text(value, name) == expected


def test_imap_is_told_continued_parameters_as_one() -> None:
    """RFC 2231 §6."""
    assert parameters(b"x/y; a*1=d; b=c; a*0=a") == [(b"a", b"ad"), (b"b", b"c")]
    assert parameters(b"x/y; a*0*=utf-8''%C3; a*1*=%BC; a*2=\"%&\"") == [(b"a*", b"utf-8''%C3%BC%25&")]


@pytest.mark.parametrize(("value", "expected"), [
    (b"Text/HTML", (b"text", b"html")), (b"(c) text (c) / (c) html; x=y", (b"text", b"html")),
    (b"text", (b"a", b"b")), (b"/", (b"a", b"b")), (b"", (b"a", b"b")), (None, (b"a", b"b")), (b"(", (b"a", b"b")),
])
def test_media_types(value: bytes | None, expected: tuple[bytes, bytes]) -> None:
    assert media(value, (b"a", b"b")) == expected
    assert token(b" (c) base64 (d)") == b"base64"


@given(st.lists(st.sampled_from([
    b"x/y", b";", b"; ", b"a=b", b"a=", b'"c d"', b'""', b"A", b" ", b"=", b"=e", b"*", b"(", b"/", b"\n",
]), max_size=9).map(b"".join))
def test_plain_parameters_mean_what_they_mean_word_by_word(value: bytes) -> None:
    assert parameters(value) == any_parameters(value)


@given(st.lists(st.sampled_from([
    b"x/y", b";", b"=", b'"', b"(", b")", b"\\", b" ", b"\r\n ", b"*", b"*0", b"*1*", b"'", b"%", b"%C3", b"name",
    b"\xff", b"\0", b"a",
])).map(b"".join))
def test_any_parameters_are_read(value: bytes) -> None:
    parameters(value)
    parameter_text(value, b"name")
    media(value, (b"a", b"b"))


@pytest.mark.parametrize(("text", "expected"), [
    (b"=?utf-8?b?R3LD?= =?utf-8?b?vMOfZQ==?=", "Grüße"), (b"=?UTF-8?q?Gr=C3?=\r\n =?utf-8?q?=BC=C3=9Fe?=", "Grüße"),
    (b"a =?utf-8?q?=C3?= b =?utf-8?q?=BC?=", "a \\xc3 b \\xbc"),
    (b"=?iso-8859-8-i?q?=F9=EC?=", "של"), (b"=?x-unknown?q?=F9=EC?=", "\\xf9\\xec"),
    (b"=?iso-2022-jp?b?GyRCRnxLXBsoQg==?= =?iso-2022-jp?b?GyRCOGwbKEI=?=", "日本語"),
    ("Grüße".encode(), "Grüße"),
])
def test_encoded_words(text: bytes, expected: str) -> None:
    assert decode_header(text) == expected


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=300))
def test_subjects_as_the_standard_library_writes_them(text: str) -> None:
    written = Encoder(text, "utf-8", header_name="Subject").encode(linesep="\r\n")
    assert Message(f"Subject: {written}\r\n\r\n".encode()).subject == text


@pytest.mark.parametrize(("value", "expected"), [
    (b"Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21T09:55:06-06:00"),
    (b"21 Nov 97 09:55 GMT", "1997-11-21T09:55:00+00:00"),
    (b"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", None),
    (b"yesterday", None), (b"Mon, 99 Foo 2024", None), (b"1 Jan 99999 00:00 +0000", None),
    (b"1 Jan 2024 00:00 +9999", None),
])
def test_dates(value: bytes, expected: str | None) -> None:
    found = read_date(value)
    if expected is not None:
        assert found is not None
        assert found.isoformat() == expected
    else:
        assert found is None or found.isoformat()
