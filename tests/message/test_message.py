"""Whole letters: those that went wrong elsewhere, and any octets there can be."""

from __future__ import annotations

import time
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.message.message import Message
from sandbox.message.scan import Part
from sandbox.message.text import searched_text
from sandbox.message.transfer import UnknownEncoding, decode_transfer

MIME = b"From: a@b.test\r\nMIME-Version: 1.0\r\n"


def letter(kind: bytes, body: bytes, encoding: bytes = b"8bit") -> Message:
    return Message(MIME + b"Content-Type: %b\r\nContent-Transfer-Encoding: %b\r\n\r\n%b" % (kind, encoding, body))


@pytest.mark.parametrize(("charset", "octets", "expected"), [
    (b"iso-8859-8-i", b"\xf9\xec\xe5\xed", "שלום"), (b"nobody-knows", b"\xf9\xec!", "\\xf9\\xec!"),
    (b"nobody-knows", "Grüße".encode(), "Grüße"), (b"us-ascii", "Grüße".encode(), "Grüße"),
    (b"utf-8", b"a\xffb", "a\\xffb"), (b"windows-31j", b"\x93\xfa", "日"), (b"gb2312", b"\x87\x46", "嘑"),
    (b'"UTF-8"', "ü".encode(), "ü"), (b"idna", b"abc", "abc"), (b"zlib", b"abc", "abc"),
])
def test_charsets(charset: bytes, octets: bytes, expected: str) -> None:
    assert letter(b"text/plain; charset=" + charset, octets).text == expected


def test_text_in_a_charset_that_nobody_declared() -> None:
    found = Message("From: a@b.test\r\nSubject: Grüße\r\n\r\nGrüße\r\n".encode())
    assert (found.subject, found.text) == ("Grüße", "Grüße\r\n")


def test_a_letter_that_is_only_an_attachment() -> None:
    found = letter(b'application/pdf; name="Delivery.pdf"', b"JVBERi0xLjQK\r\n", b"base64")
    [only] = found.attachments
    assert (only.number, only.type, only.name, found.text) == ("1", "application/pdf", "Delivery.pdf", "")
    assert found.decoded(only.part) == b"%PDF-1.4\n"


def test_headers_that_are_not_as_they_should_be() -> None:
    found = Message(b"From : a@b.test\r\nbroken line here\r\nSubject\t: after\r\n\r\nbody\r\n")
    assert (found.subject, found.text) == ("after", "body\r\n")
    assert [(field.name, field.text) for field in found.fields] == [("From", "a@b.test"), ("Subject", "after")]


@pytest.mark.parametrize(("encoding", "octets", "expected"), [
    (b"base64", b"aGVsbG8gd29ybGQ\r\n!!!trailing garbage not base64\r\n-- \r\nlist footer\r\n", b"hello world"),
    (b"base64", b"aGVs*bG8=\r\nafter the end", b"hello"), (b"base64", b"aGVsbG8", b"hello"), (b"base64", b"a", b""),
    (b"base64", b"aGVs\r\n*bG8h", b"hello!"), (b"base64", b"", b""),
    (b"quoted-printable", b"hello  \r\nwor= \t\r\nld", b"hello\r\nworld"),
    (b"quoted-printable", b"a=\r\nb=3d=3D=zz=\nc=", b"ab===zzc"), (b"quoted-printable", b"a==41=\rb", b"a=A=\rb"),
    (b"quoted-printable", b"end \t", b"end"), (b"quoted-printable", b"a=20 \r\n", b"a \r\n"),
    (b"8bit", b" \r\n=41", b" \r\n=41"),
])
def test_transfer_encodings(encoding: bytes, octets: bytes, expected: bytes) -> None:
    assert decode_transfer(octets, encoding) == expected
    assert letter(b"text/plain", octets, encoding).text == expected.decode()


def test_an_encoding_that_nobody_knows_is_an_attachment() -> None:
    with pytest.raises(UnknownEncoding):
        decode_transfer(b"x", b"x-uuencode")
    [only] = letter(b"text/plain", b"begin", b"x-uuencode").attachments
    assert not only.known
    assert only.type == "text/plain"


@pytest.mark.parametrize("kind", [
    b"multipart/alternative; boundary*0*=us-ascii''%3D_7ea;\r\n boundary*1*=3-b6_%3D",
    b'multipart/alternative; boundary="=_7ea3-b6_= "', b'multipart/alternative (x); boundary="=_7ea\\3-b6_="',
])
def test_boundaries(kind: bytes) -> None:
    found = letter(kind, b"--=_7ea3-b6_=\r\nContent-Type: text/plain\r\n\r\nA\r\n--=_7ea3-b6_= \t\r\n"
                         b"Content-Type: text/html\r\n\r\n<b>A</b>\r\n--=_7ea3-b6_=--\r\n")
    assert (found.text, found.html, found.attachments) == ("A", "<b>A</b>", [])


def test_an_encoded_letter_inside_is_one_attachment() -> None:
    found = letter(b"message/rfc822", b"U3ViamVjdDogaW4NCg0KaGVsbG8=", b"base64")
    [only] = found.attachments
    assert only.type == "message/rfc822"
    assert Message(found.decoded(only.part)).subject == "in"


def test_what_is_read_of_html() -> None:
    found = letter(b"text/html; charset=utf-8",
                   b"<style>p{}</style><p>Hall&ouml;<br>W<b>el</b>t</p><!-- no --> <script>")
    assert found.readable == "Hallö\nWelt"
    assert "hallö" in searched_text(found.octets, found.root).casefold()


@pytest.mark.parametrize(("text", "html", "links"), [
    ("See https://a.test/x?y=1&z=2. And (http://b.test/a_(b)).", "", ["https://a.test/x?y=1&z=2", "http://b.test/a_(b)"]),
    ("https://a.test/", '<a class=x href="https://a.test/?a=1&amp;b=2">go</a> <a href=\'javascript:x\'>no</a>',
     ["https://a.test/?a=1&b=2", "https://a.test/"]),
    ("nothing", "<a>x</a>", []),
])
def test_links(text: str, html: str, links: list[str]) -> None:
    body = (f"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--x\r\nContent-Type: text/html\r\n\r\n"
            f"{html}\r\n--x--")
    assert letter(b"multipart/alternative; boundary=x", body.encode()).links == links


@pytest.mark.parametrize(("text", "codes"), [
    ("Your verification code is 123456.", ["123456"]), ("Code: 123-456", ["123-456"]), ("Your PIN is 0042", ["0042"]),
    ("Use AB12CD as your one-time password", ["AB12CD"]), ("Order 123456 has left us", []),
    ("Your code https://a.test/?c=123456", []), ("code 12", []), ("The code costs 2024.50 EUR", []),
])
def test_codes(text: str, codes: list[str]) -> None:
    assert letter(b"text/plain", text.encode()).codes == codes


def covered(part: Part) -> None:
    """Parts lie in their parent's body, in order, and none over another."""
    at = part.body
    assert part.start <= part.body <= part.end
    for child in part.children:
        assert at <= child.start <= child.end <= part.end
        at = child.end
        covered(child)


def look_at_all(octets: bytes) -> None:
    found = Message(octets)
    assert (found.root.start, found.root.end) == (0, len(octets))
    covered(found.root)
    for value in (found.fields, found.subject, found.message_id, found.sent, found.text, found.html, found.readable,
                  found.links, found.codes, [str(box) for name in ("From", "To") for box in found.addresses(name)]):
        str(value).encode()  # nothing in it that could not be written down
    for each in found.attachments:
        found.decoded(each.part)


@given(st.binary())
def test_any_octets(octets: bytes) -> None:
    look_at_all(octets)


PIECES = [
    b"Content-Type: multipart/mixed; boundary=a\r\n", b"--a\r\n", b"--a--\r\n", b"\r\n", b"\n", b"\0", b"\xff",
    b"Content-Type: message/rfc822\r\n", b"Content-Transfer-Encoding: base64\r\n", b"<!-- <a href=",
    b"From: <@,;:(\r\n", b"Content-Type: text/html; charset=utf-7\r\n", b"+AGE", b"=",
    b"Content-Transfer-Encoding: quoted-printable\r\n", b"Subject: =?utf-8?b?//?= =?x?q?=C3?=\r\n",
    b"Date: 31 Feb 0000\r\n", b"Content-Disposition: (; filename*=''\r\n",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
def test_letters_of_broken_pieces(octets: bytes) -> None:
    look_at_all(octets)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200)


def well_formed(subject: str, text: str, html: str, name: str, file: bytes) -> EmailMessage:
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"], message["From"], message["To"] = subject, "Ann <ann@a.test>", "b@b.test, C D <c@c.test>"
    message.set_content(text + "\n")
    message.add_alternative(html + "\n", subtype="html")
    message.add_attachment(file, maintype="application", subtype="octet-stream", filename=name)
    return message


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=80), TEXT, TEXT,
       st.from_regex(r"[a-zäö世 ]{1,30}\.bin", fullmatch=True), st.binary(max_size=300), st.data())
def test_well_formed_letters_are_read_as_the_standard_library_reads_them(
        subject: str, text: str, html: str, name: str, file: bytes, data: st.DataObject) -> None:
    octets = well_formed(subject, text, html, name, file).as_bytes()
    found = Message(octets)
    [attached] = found.attachments
    assert found.subject == subject
    assert found.text.replace("\r\n", "\n").removesuffix("\n") == text
    assert found.html.replace("\r\n", "\n").removesuffix("\n") == html
    assert (attached.name, found.decoded(attached.part)) == (name, file)
    assert [box.address for box in found.addresses("To")] == ["b@b.test", "c@c.test"]
    look_at_all(octets[:data.draw(st.integers(0, len(octets)))])


@pytest.mark.parametrize("octets", [
    MIME + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 200_000 + b"--b--\r\n",
    b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (each, each) for each in range(1000)),
    b"Content-Type: message/rfc822\r\n\r\n" * 1000,
    b"Subject: " + b"x\r\n " * 250_000 + b"\r\n\r\n",
    b"To: " + b"(" * 500_000 + b"\\" * 500_000 + b"\r\n\r\n",
    b"Content-Type: x/y" + b'; a*0="' * 150_000 + b"\r\n\r\n",
    b"Content-Type: text/html\r\n\r\n" + b"<script><style><!-- <a href=" * 100_000,
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b" " * 1_000_000 + b"=" * 100_000,
    b"\r\n" + b"code ABCDEFG " * 100_000 + b"http://" + b")" * 100_000,
], ids=["parts", "multiparts", "messages", "folds", "comments", "parameters", "html", "quoted", "codes"])
def test_large_ones_take_bounded_time(octets: bytes) -> None:
    started = time.process_time()
    look_at_all(octets)
    assert time.process_time() - started < 3
