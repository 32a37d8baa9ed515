"""Malformed heads: each is refused at once, with the status, the situation and the sentence that help."""

from __future__ import annotations

import pytest

from sandbox.config import Config, Limits
from sandbox.protocols.http.errors import Refused
from sandbox.protocols.http.heads import parse_head
from sandbox.protocols.http.scanner import FIELDS, Scanner
from tests.support.http import converse, read_replies

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"

MALFORMED = [
    # octets, status, key, what the answer says
    (b"GET / HTTP/1.0\n\n", 400, "situation.bare-lf", "nc use the option -C"),
    (b"GET / HTTP/1.1\r\nHost: x\n\r\n", 400, "situation.bare-lf", "Line 2"),
    (b"GET / HTTP/1.1\r\nHost: x\r\n\n", 400, "situation.bare-lf", "Line 3"),
    (b"\nGET / HTTP/1.1\r\n", 400, "situation.bare-lf", "CR LF"),
    (b"GET / HTTP/1.1\rHost: x\r\n\r\n", 400, "situation.bare-cr", "CR that no LF follows"),
    (GET + b"A: b\rc\r\n\r\n", 400, "situation.bare-cr", "Line 3"),
    (GET + b"A: b\r\n c\r\n\r\n", 400, "situation.folded-field", "folding"),
    (GET + b"A : b\r\n\r\n", 400, "situation.smuggling", "colon"),
    (GET + b"A\t: b\r\n\r\n", 400, "situation.smuggling", "colon"),
    (b"GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400, "situation.smuggling", "before the first header field"),
    (GET + b"A: b\0c\r\n\r\n", 400, "situation.field", "0x00"),
    (GET + b"A: b\x0bc\r\n\r\n", 400, "situation.field", "0x0B"),
    (GET + b"A: b\x7fc\r\n\r\n", 400, "situation.field", "0x7F"),
    (GET + b"A(b): c\r\n\r\n", 400, "situation.field", "0x28"),
    (GET + b"\xc3\xa9: c\r\n\r\n", 400, "situation.field", "0xC3"),
    (GET + b": c\r\n\r\n", 400, "situation.field", "is empty"),
    (GET + b"no colon\r\n\r\n", 400, "situation.field", "Name: value"),
    (b"GET /\r\n", 400, "situation.request-line", "HTTP/0.9"),
    (b"GET /a b HTTP/1.1\r\n", 400, "situation.request-line", "%20"),
    (b"GET  / HTTP/1.1\r\n", 400, "situation.request-line", "one space"),
    (b"GET\t/\tHTTP/1.1\r\n", 400, "situation.request-line", "one space"),
    (b"GET / HTTP/1.1 \r\n", 400, "situation.request-line", "one space"),
    (b"GET / http/1.1\r\n", 400, "situation.request-line", "capital"),
    (b"GET / HTTP/1\r\n", 400, "situation.request-line", "HTTP/1.1"),
    (b"GET / HTTP/1.10\r\n", 400, "situation.request-line", "HTTP/1.1"),
    (b"G<T / HTTP/1.1\r\n", 400, "situation.request-line", "method"),
    (b" GET / HTTP/1.1\r\n", 400, "situation.request-line", "white space"),
    (b"\r\n\r\n\r\n\r\n\r\n", 400, "situation.request-line", "empty lines"),
    (b"GET /\xc3\xa9 HTTP/1.1\r\n", 400, "situation.target", "percent-encoded"),
    (b"GET /\x01 HTTP/1.1\r\n", 400, "situation.target", "0x01"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "situation.http2-on-http1", "HTTP/2"),
    (b"GET / HTTP/2.0\r\n", 505, "situation.version", "HTTP/1.1 and HTTP/1.0"),
    (b"GET / HTTP/0.9\r\n", 505, "situation.version", "HTTP/1.1 and HTTP/1.0"),
    (b"\x16\x03\x01\x02\x00\x01\x00", 400, "situation.tls-on-plain", "TLS"),
    (b"\x80\x2e\x01\x00\x02", 400, "situation.tls-on-plain", "TLS"),
    (b"\x00\x00\x00", 400, "situation.not-http", "0x00"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", 400, "situation.ssh", "SSH"),
    (b"EHLO me.example\r\n", 400, "situation.smtp", "SMTP"),
    (b"mail FROM:<a@b>\r\n", 400, "situation.smtp", "SMTP"),
    (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n", 414, "situation.target-too-long", "too long"),
    (b"M" * 65 + b" / HTTP/1.1\r\n", 501, "situation.method-too-long", "no method is that long"),
    (b"M" * 20_000 + b" / HTTP/1.1\r\n", 501, "situation.method-too-long", "no method is that long"),
    (b"\r\n" + b"M" * 65, 501, "situation.method-too-long", "no method is that long"),
    (b"GET /" + b"a" * 20_000, 414, "situation.target-too-long", "too long"),
    (GET + b"A: " + b"b" * 40_000 + b"\r\n\r\n", 431, "situation.head-too-large", "32768"),
    (GET + b"A: b\r\n" * (FIELDS + 1) + b"\r\n", 431, "situation.head-too-large", "header fields"),
    # Host
    (b"GET / HTTP/1.1\r\n\r\n", 400, "situation.no-host", "Host"),
    (GET + b"Host: y\r\n\r\n", 400, "situation.smuggling", "More than one Host"),
    (GET + b"host: x\r\n\r\n", 400, "situation.smuggling", "More than one Host"),
    (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "situation.host", "cannot be in a host name"),
    (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "situation.host", "cannot be in a host name"),
    (b"GET / HTTP/1.1\r\nHost: user@x\r\n\r\n", 400, "situation.host", "user name"),
    (b"GET / HTTP/1.1\r\nHost: x:port\r\n\r\n", 400, "situation.host", "not a port"),
    (b"GET / HTTP/1.1\r\nHost: x:70000\r\n\r\n", 400, "situation.host", "not a port"),
    (b"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", 400, "situation.host", "brackets"),
    (b"GET / HTTP/1.1\r\nHost: [::g]\r\n\r\n", 400, "situation.host", "not an IPv6 address"),
    (b"GET / HTTP/1.1\r\nHost: b\xc3\xbccher.example\r\n\r\n", 400, "situation.host", "Punycode"),
    # framing (RFC 9112 §6)
    (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "situation.smuggling", "Both"),
    (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400, "situation.smuggling", "Both"),
    (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400, "situation.smuggling", "More than one"),
    (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400, "situation.smuggling", "More than one"),
    (POST + b"Content-Length: 3, 3\r\n\r\n", 400, "situation.smuggling", "More than one"),
    (POST + b"Content-Length: +3\r\n\r\n", 400, "situation.smuggling", "plain number"),
    (POST + b"Content-Length: -3\r\n\r\n", 400, "situation.smuggling", "plain number"),
    (POST + b"Content-Length: 0x3\r\n\r\n", 400, "situation.smuggling", "plain number"),
    (POST + b"Content-Length: 3 3\r\n\r\n", 400, "situation.smuggling", "plain number"),
    (POST + b"Content-Length: \xb2\r\n\r\n", 400, "situation.smuggling", "plain number"),
    (POST + b"Content-Length:\r\n\r\n", 400, "situation.smuggling", "plain number"),
    (POST + b"Content-Length: " + b"9" * 21 + b"\r\n\r\n", 413, "situation.length-too-large", "21 digits"),
    (POST + b"Content-Length: " + b"9" * 9000 + b"\r\n\r\n", 413, "situation.length-too-large", "9000 digits"),
    (POST + b"Transfer-Encoding: identity\r\n\r\n", 400, "situation.smuggling", "does not end in chunked"),
    (POST + b"Transfer-Encoding: chunked, identity\r\n\r\n", 400, "situation.smuggling", "does not end"),
    (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n", 400, "situation.smuggling", "once"),
    (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "situation.smuggling", "once"),
    (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 400, "situation.smuggling", "does not end in chunked"),
    (POST + b'Transfer-Encoding: "chunked"\r\n\r\n', 400, "situation.smuggling", "spelled"),
    (POST + b"Transfer-Encoding: chunked;a=b\r\n\r\n", 400, "situation.smuggling", "spelled"),
    (POST + b"Transfer-Encoding: \r\n\r\n", 400, "situation.smuggling", "spelled"),
    (POST + b"Transfer-Encoding: chunked,\r\n\r\n", 400, "situation.smuggling", "spelled"),
    (POST + b"Transfer-Encoding: chu\xffnked\r\n\r\n", 400, "situation.smuggling", "spelled"),
    (POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n", 400, "situation.field", "0x0B"),
    (POST + b"Transfer-Encoding : chunked\r\n\r\n", 400, "situation.smuggling", "colon"),
    (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "situation.smuggling", "HTTP/1.0"),
    (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "situation.transfer-coding", "gzip"),
    (POST + b"Transfer-Encoding: cow, chunked\r\n\r\n", 501, "situation.transfer-coding", "unknown"),
    # target (RFC 9112 §3.2)
    (b"GET index.html HTTP/1.1\r\nHost: x\r\n\r\n", 400, "situation.target", "begins with a slash"),
    (b"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400, "situation.target", "OPTIONS"),
    (b"GET /#a HTTP/1.1\r\nHost: x\r\n\r\n", 400, "situation.target", "fragment"),
    (b"GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, "situation.target", "ftp"),
    (b"GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", 400, "situation.target", "no host"),
    (b"GET http://u:p@x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, "situation.target", "user name"),
    (b"CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "situation.target", "CONNECT"),
    (b"CONNECT x HTTP/1.1\r\nHost: x\r\n\r\n", 400, "situation.target", "both a host and a port"),
]


@pytest.mark.parametrize(("octets", "status", "key", "says"), MALFORMED)
async def test_malformed_heads_are_refused(octets: bytes, status: int, key: str, says: str) -> None:
    # Followed by silence, not by a close: the answer must not wait for one.
    talk = await converse([octets], ending="silence")
    reply = read_replies(talk.sent)[0]
    assert (reply.status, talk.exchanges[0].key) == (status, key)
    assert says in reply.body.decode()
    assert "RFC" in reply.body.decode()
    assert reply.headers.get("connection") == "close"
    assert len(read_replies(talk.sent)) == len(talk.exchanges) == 1
    assert talk.exchanges[0].client == octets


@pytest.mark.parametrize("octets", [case[0] for case in MALFORMED if len(case[0]) < 1000])
async def test_the_verdict_does_not_depend_on_segments(octets: bytes) -> None:
    whole = await converse([octets], ending="silence")
    apart = await converse([octets[at:at + 1] for at in range(len(octets))], ending="silence")
    assert read_replies(apart.sent)[0].body == read_replies(whole.sent)[0].body
    assert apart.exchanges[0].key == whole.exchanges[0].key


async def test_nothing_after_a_smuggling_attempt_is_a_request() -> None:
    attempt = (POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
               b"GET /admin HTTP/1.1\r\nHost: x\r\n\r\n")
    talk = await converse([attempt])
    assert [exchange.outcome for exchange in talk.exchanges] == ["400"]


async def test_empty_lines_before_a_request_are_overlooked() -> None:
    talk = await converse([b"\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n"])
    assert [(exchange.outcome, exchange.asked) for exchange in talk.exchanges] == [("200", "x/a")]


async def test_an_empty_line_after_a_body_is_overlooked() -> None:
    post = POST + b"Content-Length: 1\r\n\r\na\r\n"
    talk = await converse([post + GET + b"\r\n"])
    assert [exchange.outcome for exchange in talk.exchanges] == ["200", "200"]


async def test_the_head_limit_is_the_configured_one() -> None:
    config = Config(limits=Limits(head=100))
    fits = b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * (100 - 32) + b"\r\n\r\n"
    assert len(fits) == 100
    assert read_replies((await converse([fits], config=config)).sent)[0].status == 200
    longer = fits.replace(b"A: ", b"A: b")
    assert read_replies((await converse([longer], config=config)).sent)[0].status == 431


def test_a_scanner_finds_the_end_and_leaves_the_rest() -> None:
    buffer = bytearray(GET + b"\r\n" + GET)
    assert Scanner(1000).scan(buffer) == len(GET) + 2
    assert bytes(buffer) == GET + b"\r\n" + GET


def test_quoted_octets_are_harmless() -> None:
    with pytest.raises(Refused) as refused:
        Scanner(1000).scan(bytearray(GET + b"\x1b[31m\xff\x00<script>\r\n"))
    assert "\x1b" not in refused.value.detail
    assert "\\x1b[31m\\xff\\x00<script>" in refused.value.detail


def test_what_shape_lets_pass_and_h11_does_not_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        parse_head(b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x85c\0\r\n\r\n")
    assert refused.value.status == 400


@pytest.mark.parametrize("digits", [b"9" * 19, b"9" * 20])
async def test_a_long_number_is_a_number(digits: bytes) -> None:
    talk = await converse([POST + b"Content-Length: " + digits + b"\r\n\r\n"])
    assert [exchange.outcome for exchange in talk.exchanges] == ["413"]
    assert b"RFC 9110 \xc2\xa715.5.14" in read_replies(talk.sent)[0].body


async def test_a_number_may_begin_with_zeros() -> None:
    talk = await converse([POST + b"Content-Length: 00000000000000000005\r\n\r\nhello"])
    assert read_replies(talk.sent)[0].body.endswith(b"\nhello")
