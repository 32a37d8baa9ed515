"""Whole conversations: what a client sends, what it gets, and what the journal would say."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trio.testing

from sandbox.config import Config, Http, Limits
from sandbox.protocols.contract.conversation import Closed
from sandbox.protocols.http.delivery import WHOLE
from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.protocols.http.session import PIPELINED, HttpService
from tests.support.conversation import MemoryConversation
from tests.support.http import ask, context, converse, hello, read_replies
from tests.support.network import narrowed, serving

HOST = b"Host: www.example.com\r\n"
GET = b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n"


def post(*fields: bytes) -> bytes:
    return b"POST /a HTTP/1.1\r\n" + HOST + b"".join(field + b"\r\n" for field in fields) + b"\r\n"


async def silent(request: Request) -> Response:
    """Answers without reading the body."""
    return Response(200, Headers(), b"ok")


# -- one after another (RFC 9112 §9) --------------------------------------------------------------------------------


async def test_a_request_is_an_exchange() -> None:
    talk = await converse(b"GET /index.html?a=b HTTP/1.1\r\n" + HOST + b"\r\n")
    exchange, = talk.exchanges
    assert (exchange.verb, exchange.asked, exchange.outcome, exchange.answered) == (
        "GET", "www.example.com/index.html?a=b", "200", "OK, text/plain, 42 B")
    assert exchange.server == talk.sent


async def test_http_1_1_keeps_the_connection() -> None:
    talk = await converse([GET, GET])
    replies = read_replies(talk.sent)
    assert [reply.status for reply in replies] == [200, 200]
    assert all("connection" not in reply.headers for reply in replies)


@pytest.mark.parametrize(("request_head", "connection"), [
    (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "close"),
    (b"GET / HTTP/1.0\r\n\r\n", "close"),
])
async def test_a_connection_that_ends_says_so(request_head: bytes, connection: str) -> None:
    talk = await converse([request_head + GET])
    assert [reply.headers.get("connection") for reply in read_replies(talk.sent)] == [connection]
    assert len(talk.exchanges) == 1


async def test_http_1_0_keeps_the_connection_when_asked() -> None:
    one = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    replies = read_replies((await converse([one, one])).sent)
    assert [reply.headers.get("connection") for reply in replies] == ["keep-alive", "keep-alive"]


async def test_pipelined_answers_leave_in_one_segment() -> None:
    talk = await converse([GET * 5])
    assert len(read_replies(talk.sent)) == 5
    assert len(talk.segments) == 1
    assert [exchange.client for exchange in talk.exchanges] == [GET] * 5


async def test_pipelining_is_bounded() -> None:
    talk = await converse([GET * (2 * PIPELINED + 1)])
    assert len(talk.segments) == 3
    assert len(talk.exchanges) == 2 * PIPELINED + 1


async def test_an_idle_connection_closes_without_a_word() -> None:
    talk = await converse([GET], ending="silence")
    assert len(read_replies(talk.sent)) == len(talk.exchanges) == 1


async def test_nothing_said_nothing_answered() -> None:
    for ending in ("close", "silence"):
        talk = await converse([], ending=ending)
        assert talk.sent == b""
        assert talk.exchanges == []


async def test_deadlines_are_set_while_waiting_and_lifted_after() -> None:
    config = Config(http=Http(keep_alive=7.0), limits=Limits(head_seconds=3.0))
    with trio.fail_after(5):
        start = trio.current_time()
        talk = await converse([GET[:10], GET[10:]], config=config)
    idle, head, after = talk.waited_until
    assert 6 < idle - start < 8
    assert 2 < head - start < 4
    assert 6 < after - start < 8
    assert talk.due == math.inf


async def test_a_slow_head_is_408() -> None:
    talk = await converse([GET[:-2]], ending="silence")
    reply, = read_replies(talk.sent)
    assert (reply.status, reply.headers.get("connection")) == (408, "close")
    assert talk.exchanges[0].key == "situation.slow-head"


async def test_an_incomplete_head_is_400() -> None:
    talk = await converse([GET[:-2]])
    assert read_replies(talk.sent)[0].status == 400
    assert talk.exchanges[0].key == "situation.incomplete"


# -- methods (RFC 9110 §9) ------------------------------------------------------------------------------------------


async def test_head_has_the_fields_of_get_and_no_body() -> None:
    talk = await converse([b"HEAD /a HTTP/1.1\r\n" + HOST + b"\r\n" + GET])
    head, get = read_replies(talk.sent, ["HEAD", "GET"])
    assert head.body == b""
    assert head.headers.get("content-length") == str(len(get.body) + 1)      # "HEAD" is longer than "GET"
    assert head.headers.get("content-type") == get.headers.get("content-type")


async def test_options_for_the_whole_server() -> None:
    reply = await ask(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n")
    assert reply.status == 204
    assert "GET" in reply.headers.get("allow")
    assert "content-length" not in reply.headers


async def test_trace_is_refused_and_says_why() -> None:
    reply = await ask(b"TRACE / HTTP/1.1\r\n" + HOST + b"Cookie: secret\r\n\r\n")
    assert reply.status == 405
    assert "TRACE" not in reply.headers.get("allow")
    assert b"secret" not in reply.body


@pytest.mark.parametrize("method", [b"BREW", b"PROPFIND", b"get", b"!#$%&'*+-.^_`|~", b"M" * 64])
async def test_any_token_is_a_method_and_the_site_decides(method: bytes) -> None:
    talk = await converse([method + b" / HTTP/1.1\r\n" + HOST + b"\r\n" + GET])
    replies = read_replies(talk.sent)
    assert [reply.status for reply in replies] == [200, 200]
    assert replies[0].body.startswith(method + b" ")


async def test_an_expectation_may_have_empty_elements_beside_it() -> None:
    talk = await converse([post(b"Content-Length: 5", b"Expect: , 100-continue,"), b"hello"])
    assert talk.sent.startswith(b"HTTP/1.1 100 ")
    assert read_replies(talk.sent)[0].status == 200


# -- bodies (RFC 9112 §6, §7) ---------------------------------------------------------------------------------------


async def test_a_body_of_known_length() -> None:
    talk = await converse([post(b"Content-Length: 5") + b"he", b"llo" + GET])
    replies = read_replies(talk.sent)
    assert replies[0].body.endswith(b"\nhello")
    assert replies[1].status == 200
    assert talk.exchanges[0].client.endswith(b"\r\n\r\nhello")


async def test_a_chunked_body_with_trailers() -> None:
    seen: list[tuple[bytes, list[tuple[str, str]]]] = []

    async def site(request: Request) -> Response:
        assert len(request.body.trailers) == 0
        seen.append((await request.body.read(), list(request.body.trailers)))
        return Response(200)

    body = b"3\r\nabc\r\n2\r\nde\r\n0\r\nDigest: x\r\n\r\n"
    talk = await converse([post(b"Transfer-Encoding: chunked") + body + GET], site)
    assert seen == [(b"abcde", [("Digest", "x")]), (b"", [])]
    assert talk.exchanges[0].client.endswith(body)


async def test_a_body_can_be_read_as_it_comes() -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers(), b"|".join([piece async for piece in request.body]))

    talk = await converse([post(b"Content-Length: 5") + b"he", b"llo"], site)
    assert read_replies(talk.sent)[0].body == b"he|llo"


async def test_a_bad_chunk_in_the_middle_ends_the_connection() -> None:
    talk = await converse([post(b"Transfer-Encoding: chunked") + b"3\r\nabcX\r\n" + GET])
    reply, = read_replies(talk.sent)
    assert (reply.status, reply.headers.get("connection")) == (400, "close")
    assert talk.exchanges[0].key == "situation.chunk"


@pytest.mark.parametrize(("ending", "status"), [("close", 400), ("silence", 408)])
async def test_a_body_that_stops(ending: str, status: int) -> None:
    talk = await converse([post(b"Content-Length: 5") + b"he"], ending=ending)
    assert [reply.status for reply in read_replies(talk.sent)] == [status]


async def test_a_short_body_nobody_read_is_skipped() -> None:
    talk = await converse([post(b"Content-Length: 5") + b"hello" + GET], silent)
    assert [reply.status for reply in read_replies(talk.sent)] == [200, 200]
    assert talk.exchanges[0].client.endswith(b"hello")


async def test_an_answer_does_not_wait_for_a_body_nobody_reads() -> None:
    def rest(seen: bytes) -> bytes:
        assert seen.startswith(b"HTTP/1.1 200")
        return b"hello" + GET

    talk = await converse([post(b"Content-Length: 5"), rest], silent)
    assert len(read_replies(talk.sent)) == 2


async def test_a_long_body_nobody_read_ends_the_connection() -> None:
    talk = await converse([post(b"Content-Length: 1000000"), b"x" * 1000, GET], silent)
    reply, = read_replies(talk.sent)
    assert reply.headers.get("connection") == "close"
    assert len(talk.exchanges) == 1


async def test_endless_chunks_nobody_reads_end_the_connection() -> None:
    chunks = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    talk = await converse([post(b"Transfer-Encoding: chunked"), *[chunks] * 40, GET], silent)
    assert len(read_replies(talk.sent)) == len(talk.exchanges) == 1


@pytest.mark.parametrize("fields", [[b"Content-Length: 101"], [b"Transfer-Encoding: chunked"]])
async def test_a_body_over_the_limit_is_413(fields: list[bytes]) -> None:
    body = b"65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n" if b"chunked" in fields[0] else b"x" * 101
    talk = await converse([post(*fields) + body], config=Config(limits=Limits(body=100)))
    assert read_replies(talk.sent)[0].status == 413


async def test_a_site_has_its_own_limit() -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers(), await request.body.read(limit=3))

    assert (await ask(post(b"Content-Length: 4") + b"abcd", site)).status == 413
    assert (await ask(post(b"Content-Length: 3") + b"abc", site)).body == b"abc"


@pytest.mark.parametrize("field", [b"Content-Type: text/plain", b"Expect: 100-continue"])
async def test_content_without_length_is_411(field: bytes) -> None:
    talk = await converse([post(field) + b"name=value"])
    reply, = read_replies(talk.sent)
    assert (reply.status, reply.headers.get("connection")) == (411, "close")


async def test_a_post_without_content_needs_no_length() -> None:
    assert (await ask(post())).status == 200


# -- Expect (RFC 9110 §10.1.1) --------------------------------------------------------------------------------------


async def test_100_is_sent_when_the_body_is_asked_for() -> None:
    def body(seen: bytes) -> bytes:
        assert seen == b"HTTP/1.1 100 Continue\r\n\r\n"
        return b"hello"

    talk = await converse([post(b"Content-Length: 5", b"Expect: 100-Continue"), body])
    assert read_replies(talk.sent, ["POST"])[0].body.endswith(b"hello")


async def test_no_100_when_the_body_is_not_asked_for() -> None:
    talk = await converse([post(b"Content-Length: 5", b"Expect: 100-continue")], silent)
    assert b"100 Continue" not in talk.sent
    assert read_replies(talk.sent)[0].headers.get("connection") == "close"


async def test_no_100_when_the_body_is_already_here() -> None:
    talk = await converse([post(b"Content-Length: 5", b"Expect: 100-continue") + b"hello"])
    assert b"100 Continue" not in talk.sent


async def test_no_100_for_http_1_0() -> None:
    talk = await converse([b"POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", b"hi"])
    assert b"100 Continue" not in talk.sent


async def test_other_expectations_are_417() -> None:
    assert (await ask(post(b"Content-Length: 0", b"Expect: a miracle"))).status == 417


# -- what sites answer ----------------------------------------------------------------------------------------------


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        await trio.lowlevel.checkpoint()
        yield part


async def test_a_stream_is_chunked_and_leaves_as_it_is_made() -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers(), pieces(b"one", b"", b"two"), trailers=lambda: Headers([("Digest", "x")]))

    talk = await converse([GET + GET], site)
    reply = read_replies(talk.sent)[0]
    assert reply.body == b"onetwo"
    assert list(reply.trailers) == [("digest", "x")]
    assert [b"one" in segment for segment in talk.segments[:3]] == [False, True, False]
    assert len(talk.exchanges) == 2


async def test_a_stream_to_http_1_0_ends_with_the_connection() -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers(), pieces(b"one", b"two"))

    talk = await converse([b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"], site)
    reply, = read_replies(talk.sent)
    assert (reply.body, reply.headers.get("connection")) == (b"onetwo", "close")
    assert "transfer-encoding" not in reply.headers


async def test_a_stream_of_known_length_leaves_with_its_head() -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers(), pieces(b"one", b"two"), length=6)

    talk = await converse([GET], site)
    assert talk.segments[0].endswith(b"onetwo")
    assert read_replies(talk.sent)[0].headers.get("content-length") == "6"


@pytest.mark.parametrize("length", [5, 7])
async def test_a_stream_that_lied_about_its_length_ends_the_connection(length: int) -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers(), pieces(b"one", b"two"), length=length)

    talk = await converse([GET + GET], site)
    exchange, = talk.exchanges
    assert exchange.key == "situation.cut-short"
    assert len(talk.sent.partition(b"\r\n\r\n")[2]) <= length


async def broken() -> AsyncIterator[bytes]:
    yield b"one"
    raise RuntimeError("the site's fault")


async def test_a_stream_that_fails_has_no_end() -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers(), broken())

    talk = await converse([GET + GET], site)
    assert not talk.sent.endswith(b"0\r\n\r\n")
    exchange, = talk.exchanges
    assert exchange.key == "situation.cut-short"
    assert "the site's fault" in exchange.facts["traceback"]


async def test_a_stream_that_fails_resets_where_its_end_is_the_connections() -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers(), broken())

    assert (await converse([b"GET / HTTP/1.0\r\n\r\n"], site)).was_reset


@pytest.mark.parametrize("request_head", [b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", GET])
async def test_a_stream_is_closed_in_any_case(request_head: bytes) -> None:
    closed = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
        finally:
            closed.append(True)

    async def site(request: Request) -> Response:
        stream = endless()
        await anext(stream)
        return Response(200, Headers(), stream)

    talk = await converse([request_head], site, gone_after=5000)
    assert closed == [True]
    assert len(talk.exchanges) == 1


async def test_a_client_that_leaves_is_recorded() -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers(), b"x" * (WHOLE + 1))

    talk = await converse([GET], site, gone_after=10)
    assert talk.exchanges[0].key == "situation.client-gone"


async def test_a_client_that_leaves_during_its_request_is_recorded() -> None:
    async def site(request: Request) -> Response:
        raise Closed("gone")

    assert (await converse([GET], site)).exchanges[0].key == "situation.client-gone"


@pytest.mark.parametrize("status", [204, 304])
async def test_no_body_where_there_cannot_be_one(status: int) -> None:
    async def site(request: Request) -> Response:
        return Response(status, Headers(), b"not to be seen")

    talk = await converse([GET + GET], site)
    assert [reply.status for reply in read_replies(talk.sent)] == [status, status]
    assert b"Content-Length" not in talk.sent


async def test_205_has_an_empty_body() -> None:
    async def site(request: Request) -> Response:
        return Response(205, Headers(), b"not to be seen")

    assert (await ask(GET, site)).headers.get("content-length") == "0"


async def test_a_site_cannot_frame_the_message() -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers([("Content-Length", "1"), ("Transfer-Encoding", "chunked"),
                                      ("Connection", "close")]), b"hello")

    talk = await converse([GET + GET], site)
    reply, = read_replies(talk.sent)
    assert (reply.body, reply.headers.get_all("content-length")) == (b"hello", ["5"])
    assert reply.headers.get("connection") == "close"


@pytest.mark.parametrize(("name", "value"), [
    ("X", "a\r\nSet-Cookie: b"), ("X", "a\nb"), ("X", "a\rb"), ("X", "a\0b"), ("X\r\nY", "a"), ("X Y", "a"),
    ("", "a"), ("X:", "a"), ("X", "\u20ac"), ("\u00e9", "a"),
])
async def test_a_header_cannot_be_injected(name: str, value: str) -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers([(name, value)]), b"hello")

    talk = await converse([GET + GET], site)
    assert [reply.status for reply in read_replies(talk.sent)] == [500, 500]
    assert b"Set-Cookie" not in talk.sent
    assert "ValueError" in talk.exchanges[0].facts["traceback"]


@pytest.mark.parametrize("answer", [
    None, "text", Response(99), Response(1000), Response(100), Response(200, reason="a\r\nb"),
    Response(200, body="text"),                              # type: ignore[arg-type]
])
async def test_nonsense_from_a_site_is_500(answer: object) -> None:
    async def site(request: Request) -> Response:
        return answer                                        # type: ignore[return-value]

    assert (await ask(GET, site)).status == 500


async def test_an_http_error_is_a_page_for_browsers_and_text_for_others() -> None:
    async def site(request: Request) -> Response:
        raise HttpError(404, "No <b>page</b> here.", [("X-A", "b")])

    text = await ask(GET, site)
    assert (text.status, text.body) == (404, b"404 Not Found\nNo <b>page</b> here.\n")
    assert text.headers.get("x-a") == "b"
    page = await ask(GET[:-2] + b"Accept: text/html, */*;q=0.8\r\n\r\n", site)
    assert page.headers.get("content-type") == "text/html; charset=utf-8"
    assert b"No &lt;b&gt;page&lt;/b&gt; here." in page.body


@pytest.mark.parametrize("debug", [False, True])
async def test_a_failing_site_is_500_and_the_traceback_is_recorded(debug: bool) -> None:
    async def site(request: Request) -> Response:
        raise ZeroDivisionError("inside")

    talk = await converse([GET + GET], site, config=Config(http=Http(debug=debug)))
    replies = read_replies(talk.sent)
    assert [reply.status for reply in replies] == [500, 500]
    assert (b"ZeroDivisionError" in replies[0].body) is debug
    assert "ZeroDivisionError: inside" in talk.exchanges[0].facts["traceback"]


async def test_notes_of_a_site_are_recorded() -> None:
    async def site(request: Request) -> Response:
        request.facts["site"] = "home"
        return Response(200)

    assert (await converse([GET], site)).exchanges[0].facts == {
        "host": "www.example.com", "path": "/a", "site": "home"}


async def test_what_a_site_changes_in_its_request_stays_there() -> None:
    seen: list[str] = []

    async def site(request: Request) -> Response:
        seen.append(request.headers.get("x"))
        request.headers.set("X", "changed")
        return Response(200)

    await converse([GET + GET], site)
    assert seen == ["", ""]


async def test_absolute_form_is_answered_and_its_host_counts() -> None:
    seen: list[Request] = []

    async def site(request: Request) -> Response:
        seen.append(request)
        return await hello(request)

    talk = await converse([b"GET http://www.example.org/a HTTP/1.1\r\nHost: other\r\n\r\n", GET], site)
    assert talk.exchanges[0].asked == "www.example.org/a"
    assert talk.exchanges[0].facts == {"host": "www.example.org", "path": "/a", "proxied": "absolute form"}
    assert [(request.host, request.proxied) for request in seen] == [
        ("www.example.org", True), ("www.example.com", False)]


async def test_a_date_and_a_server_field_are_sent() -> None:
    reply = await ask(GET)
    assert reply.headers.get("date").endswith(" GMT")
    assert reply.headers.get("server") == "sandbox"


async def test_a_large_body_waits_for_the_client() -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers(), b"x" * 300_000)

    talk = await converse([GET * 3], site)
    assert [len(reply.body) for reply in read_replies(talk.sent)] == [300_000] * 3
    assert len(talk.segments) >= 3


async def test_a_session_over_tls_says_https() -> None:
    talk = MemoryConversation([GET], secure=True)
    await HttpService(context(), hello).session(talk)
    await talk.finish()
    assert b"https://www.example.com" in talk.sent


@pytest.mark.parametrize(("fields", "status"), [(b'If-None-Match: "a"', 304), (b'If-Match: "b"', 412)])
async def test_a_stream_nobody_will_see_is_closed(fields: bytes, status: int) -> None:
    closed = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append(True)

    async def site(request: Request) -> Response:
        stream = endless()
        await anext(stream)
        return Response(200, Headers([("ETag", '"a"')]), stream)

    assert (await ask(GET[:-2] + fields + b"\r\n\r\n", site)).status == status
    assert closed == [True]


async def test_a_site_that_swallows_413_does_not_go_on_in_the_middle_of_the_body() -> None:
    async def site(request: Request) -> Response:
        with pytest.raises(HttpError):
            await request.body.read()
        return Response(200)

    hidden = b"0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    body = b"%x\r\n" % (200 + len(hidden)) + b"x" * 200 + hidden + b"\r\n0\r\n\r\n"
    talk = await converse([post(b"Transfer-Encoding: chunked") + body], site,
                          config=Config(limits=Limits(body=100)))
    assert [exchange.asked for exchange in talk.exchanges] == ["www.example.com/a"]


async def test_a_head_that_makes_no_sense_keeps_its_name_in_the_journal() -> None:
    exchange, = (await converse([b"GET /a HTTP/1.1\r\n\r\n"])).exchanges
    assert (exchange.verb, exchange.asked, exchange.key) == ("GET", "/a", "situation.no-host")


async def test_even_a_refusal_has_no_body_for_head() -> None:
    talk = await converse([b"HEAD /a HTTP/1.1\r\nHost : x\r\n\r\n"])
    assert (talk.exchanges[0].verb, talk.exchanges[0].outcome) == ("HEAD", "400")
    assert talk.sent.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("behind", [b"", GET * 20 + b"GET /b HTTP/1.1\r\nHo"], ids=["nothing", "half a head"])
async def test_the_time_for_a_next_request_begins_when_the_last_answer_has_left(
        tmp_path: Path, autojump_clock: trio.testing.MockClock, behind: bytes) -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers(), bytes(60_000))

    async with serving(HttpService(context(), site).session, tmp_path) as bench, await bench.connect() as stream:
        await stream.send_all(GET)
        received = len(await stream.receive_some(65_536))
        conversation = narrowed(bench, stream)
        asked = 1
        while not conversation.unsent:                       # until an answer does not leave any more
            await stream.send_all(GET + behind)
            asked += 21 if behind else 1
            await trio.sleep(1)
        await trio.sleep(200)                                # longer than http.keep_alive, not than limits.idle
        with trio.fail_after(100):
            while received < asked * 60_000:
                data = await stream.receive_some(65_536)
                assert data
                received += len(data)
        await stream.send_all(b"st: www.example.com\r\n\r\n" if behind else GET)
        assert await stream.receive_some(65_536)
