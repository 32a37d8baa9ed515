"""HTTP/2 as a client sees it, and as the journal has it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import trio
import trio.testing
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.config import Config, Limits
from sandbox.journal.records import Stream
from sandbox.net.conversation import Conversation as RealConversation
from sandbox.protocols.http.http2.frames import PREFACE
from sandbox.protocols.http.messages import Headers, Request, Response
from tests.support.http import hello
from tests.support.http2 import Client, Heard, connected, in_memory, request
from tests.support.network import Bench, narrowed, pieces


def get(*paths: str) -> Callable[[H2Connection], None]:
    def say(client: H2Connection) -> None:
        for path in paths:
            client.send_headers(client.get_next_available_stream_id(), request(path), end_stream=True)
    return say


def frame(kind: int, payload: bytes = b"", flags: int = 0, stream: int = 0) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


async def test_a_request_and_its_answer_are_one_exchange_among_others() -> None:
    def say(client: H2Connection) -> None:
        client.send_headers(1, request("/a?b=c"), end_stream=True)
        client.send_headers(3, request("/x", "POST"))
        client.send_data(3, b"some body", end_stream=True)

    talk, heard = await in_memory(say)
    assert heard.answers[1].status == "200"
    assert heard.answers[1].body == b"GET https://www.example.com/a?b=c\n"
    assert heard.answers[1].headers["content-length"] == str(len(heard.answers[1].body))
    assert heard.answers[3].body == b"POST https://www.example.com/x\nsome body"
    assert heard.answers[3].ended
    assert heard.goaway == 0
    first, *between, last = talk.exchanges
    assert (first.verb, first.outcome) == ("PREFACE", "HTTP/2")
    assert (last.verb, last.outcome) == ("GOAWAY", "NO_ERROR")
    found = {(one.verb, one.asked, one.outcome): one for one in between}
    assert found.keys() == {("GET", "www.example.com/a?b=c", "200"), ("POST", "www.example.com/x", "200")}
    post = found["POST", "www.example.com/x", "200"]
    assert b"some body" in post.client
    assert post.server.endswith(b"some body")
    assert post.facts["stream"] == "3"


@pytest.mark.parametrize("seed", range(6))
async def test_any_chunking_gives_the_same_answers(seed: int) -> None:
    def say(client: H2Connection) -> None:
        for number in (1, 3, 5):
            client.send_headers(number, request(f"/{number}", "POST"))
            client.send_data(number, b"x" * number * 50, end_stream=True)

    _, heard = await in_memory(say, cut=lambda data: pieces(data, seed))
    assert [heard.answers[number].body for number in (1, 3, 5)] == [
        f"POST https://www.example.com/{number}\n".encode() + b"x" * number * 50 for number in (1, 3, 5)]


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(
    st.binary(max_size=200),
    st.lists(st.builds(frame, st.integers(0, 11), st.binary(max_size=60), st.integers(0, 255), st.integers(0, 9)),
             max_size=12).map(b"".join)))
def test_garbage_never_raises(data: bytes) -> None:
    async def main() -> None:
        talk, _ = await in_memory(lambda client: None, extra=data)
        assert talk.exchanges[-1].verb == "GOAWAY"

    trio.run(main)


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0", PREFACE[:10], PREFACE, b""])
async def test_no_http2_at_all_ends_with_a_goaway(start: bytes) -> None:
    from sandbox.protocols.http.http2.session import converse
    from sandbox.protocols.http.session import HttpService
    from tests.support.conversation import MemoryConversation
    from tests.support.http import context

    talk = MemoryConversation([start], secure=True, alpn="h2")
    await converse(HttpService(context(), hello).engine, talk)
    assert (talk.exchanges[0].verb, talk.exchanges[0].outcome) == ("PREFACE", "failed" if start else "unused")
    assert talk.exchanges[-1].verb == "GOAWAY"


@pytest.mark.parametrize(("fields", "status"), [
    (request("/", "HEAD"), "200"), (request(authority="a b"), "400"),
    (request("/", "BREW", ("expect", "100-continue,")), "200"),
    (request("/", "TRACE"), "405"), (request("*", "OPTIONS"), "204"), (request("nothing"), "400"),
    (request("/", "GET", ("x-long", "y" * 40_000)), "431"), (request("/", "GET", ("expect", "wonders")), "417"),
    ([(":method", "CONNECT"), (":authority", "www.example.com:80")], "501"),
])
async def test_requests_that_have_no_page(fields: list[tuple[str, str]], status: str) -> None:
    _, heard = await in_memory(lambda client: client.send_headers(1, fields, end_stream=True))
    assert heard.answers[1].status == status
    assert heard.answers[1].ended
    if fields == request("/", "HEAD") or status == "204":
        assert heard.answers[1].body == b""


async def test_cookies_split_for_compression_are_one_field_again() -> None:
    async def site(request: Request) -> Response:
        return Response(200, body=request.headers.get("cookie").encode())

    _, heard = await in_memory(lambda client: client.send_headers(
        1, request("/", "GET", ("cookie", "a=1"), ("cookie", "b=2")), end_stream=True), site)
    assert heard.answers[1].body == b"a=1; b=2"


async def test_blanks_around_a_value_do_no_harm() -> None:
    """Evolution's User-Agent ends with a space; it comes again from the table of the compression."""
    async def site(request: Request) -> Response:
        return Response(200, body=f"<{request.headers.get('user-agent')}>".encode())

    def say(client: H2Connection) -> None:
        for stream in (1, 3):
            client.send_headers(stream, request("/", "GET", ("user-agent", "\tEvolution/3.46.4 ")), end_stream=True)

    _, heard = await in_memory(say, site)
    assert [heard.answers[stream].body for stream in (1, 3)] == [b"<Evolution/3.46.4>"] * 2


async def test_trailers_both_ways() -> None:
    async def site(request: Request) -> Response:
        await request.body.read()
        said = request.body.trailers.get("x-sum")

        async def body() -> AsyncIterator[bytes]:
            yield b"content"

        return Response(200, body=body(), trailers=lambda: Headers([("X-Sum", said)]))

    def say(client: H2Connection) -> None:
        client.send_headers(1, request("/", "POST"))
        client.send_data(1, b"abc")
        client.send_headers(1, [("x-sum", "3")], end_stream=True)

    _, heard = await in_memory(say, site)
    assert heard.answers[1].body == b"content"
    assert heard.answers[1].trailers == {"x-sum": "3"}


async def test_a_site_cannot_send_what_belongs_to_http_1_1() -> None:
    async def site(request: Request) -> Response:
        return Response(200, Headers([("Connection", "close"), ("Upgrade", "x"), ("Transfer-Encoding", "chunked"),
                                      ("Keep-Alive", "1"), ("X-Own", " yes ")]), b"ok")

    _, heard = await in_memory(get("/"), site)
    assert heard.answers[1].headers.keys() == {":status", "date", "server", "x-own", "content-length"}
    assert heard.answers[1].headers["x-own"] == "yes"


async def test_a_site_that_fails_is_a_500_and_the_connection_goes_on() -> None:
    async def site(request: Request) -> Response:
        if request.path == "/bad":
            raise RuntimeError("oh")
        if request.path == "/header":
            return Response(200, Headers([("X-Bad", "a\r\nb: c")]))
        return await hello(request)

    talk, heard = await in_memory(get("/bad", "/header", "/good"), site)
    assert [heard.answers[number].status for number in (1, 3, 5)] == ["500", "500", "200"]
    [bad] = [one for one in talk.exchanges if one.asked.endswith("/bad")]
    assert "RuntimeError" in bad.facts["traceback"]


async def test_a_body_that_breaks_off_is_a_reset() -> None:
    async def site(request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"half"
            raise RuntimeError("oh")

        return Response(200, body=body())

    talk, heard = await in_memory(get("/"), site)
    assert heard.answers[1].body == b"half"
    assert heard.answers[1].reset == ErrorCodes.INTERNAL_ERROR
    assert talk.exchanges[1].key == "situation.cut-short"


async def test_a_body_nobody_reads_is_stopped() -> None:
    async def site(request: Request) -> Response:
        return Response(403, body=b"no")

    def say(client: H2Connection) -> None:
        client.send_headers(1, request("/", "POST"))
        client.send_data(1, bytes(1000))

    _, heard = await in_memory(say, site)
    assert heard.answers[1].status == "403"
    assert heard.answers[1].reset == ErrorCodes.NO_ERROR


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_over_the_limit_is_413(announced: bool) -> None:
    def say(client: H2Connection) -> None:
        client.send_headers(1, request("/", "POST", *([("content-length", "2000")] if announced else [])))
        client.send_data(1, bytes(2000), end_stream=True)

    _, heard = await in_memory(say, config=Config(limits=Limits(body=1000)))
    assert heard.answers[1].status == "413"


# -- floods ---------------------------------------------------------------------------------------------------


def rapid_reset(client: H2Connection) -> None:
    for number in range(1, 3001, 2):
        client.send_headers(number, request(), end_stream=True)
        client.reset_stream(number, ErrorCodes.CANCEL)


FLOODS = {
    "ping (CVE-2019-9512)": frame(6, bytes(8)) * 1100,
    "settings (CVE-2019-9515)": frame(4) * 1100,
    "unknown frames": frame(0x55, b"x") * 1100,
    "priority (CVE-2019-9513)": frame(2, b"\0\0\0\0\x10", stream=7) * 1100,
    "continuation (CVE-2024-27316)": frame(1, b"\x00\x01a\x01b", stream=1) + frame(9, b"\x00\x01a\x01b" * 1000,
                                                                                  stream=1) * 60,
}


@pytest.mark.parametrize("name", FLOODS)
async def test_floods_are_told_to_calm_down(name: str) -> None:
    talk, heard = await in_memory(lambda client: None, extra=FLOODS[name])
    assert heard.goaway == ErrorCodes.ENHANCE_YOUR_CALM
    assert (talk.exchanges[-1].verb, talk.exchanges[-1].outcome) == ("GOAWAY", "ENHANCE_YOUR_CALM")


async def test_rapid_reset_is_told_to_calm_down() -> None:
    """CVE-2023-44487. The site sees far fewer requests than were begun."""
    started = 0

    async def site(request: Request) -> Response:
        nonlocal started
        started += 1
        await trio.sleep_forever()
        raise AssertionError

    _, heard = await in_memory(rapid_reset, site)
    assert heard.goaway == ErrorCodes.ENHANCE_YOUR_CALM
    assert started <= 1100


async def test_a_header_section_that_unpacks_without_end_is_refused() -> None:
    """An HPACK bomb: a table entry of 4 kB named by one octet, over and over."""
    block = b"\x40\x01a\x7f\xe1\x1e" + b"b" * 4000 + b"\xbe" * 5000
    talk, _ = await in_memory(lambda client: None, extra=frame(1, block, flags=5, stream=1))
    assert talk.exchanges[-1].outcome in ("ENHANCE_YOUR_CALM", "COMPRESSION_ERROR", "PROTOCOL_ERROR")


# -- over a socket --------------------------------------------------------------------------------------------


async def test_100_continue_is_sent_when_the_body_is_asked_for(tmp_path: Path) -> None:
    async with connected(hello, tmp_path) as (client, _):
        client.h2.send_headers(1, request("/", "POST", ("expect", "100-continue")))
        await client.hear(lambda heard: bool(heard.answers[1].informational))
        assert client.heard.answers[1].informational == ["100"]
        client.h2.send_data(1, b"now", end_stream=True)
        await client.hear(lambda heard: heard.answers[1].ended)
        assert client.heard.answers[1].body.endswith(b"now")


async def test_a_slow_answer_holds_up_no_other(tmp_path: Path) -> None:
    go = trio.Event()

    async def site(request: Request) -> Response:
        if request.path == "/slow":
            await go.wait()
        return Response(200, body=request.path.encode())

    async with connected(site, tmp_path) as (client, bench):
        client.h2.send_headers(1, request("/slow"), end_stream=True)
        client.h2.send_headers(3, request("/fast"), end_stream=True)
        await client.hear(lambda heard: heard.answers[3].ended)
        assert not client.heard.answers[1].ended
        go.set()
        await client.hear(lambda heard: heard.answers[1].ended)
        await client.stream.aclose()
        session = await bench.watcher.wait_closed()
        with await bench.read() as journal:
            found = {exchange.asked: exchange for _, exchange in journal.exchanges()}
            slow, fast = found["www.example.com/slow"], found["www.example.com/fast"]
            assert slow.server[0] >= fast.server[1], "answered later"
            assert slow.client[1] <= fast.client[0]
            assert b"/slow" in journal.octets(session.id, Stream.SERVER, *slow.server)
            assert b"/fast" not in journal.octets(session.id, Stream.SERVER, *slow.server)


async def test_the_clients_window_is_kept(tmp_path: Path) -> None:
    body = bytes(range(256)) * 2_000

    async def site(request: Request) -> Response:
        return Response(200, body=body)

    async with connected(site, tmp_path) as (client, _):
        client.greedy = False
        client.h2.send_headers(1, request(), end_stream=True)
        await client.hear(lambda heard: len(heard.answers[1].body) >= 65_535)
        assert len(client.heard.answers[1].body) == 65_535
        with trio.move_on_after(0.1):
            await client.hear(lambda heard: len(heard.answers[1].body) > 65_535)
        assert len(client.heard.answers[1].body) == 65_535, "the window is used up"
        client.greedy = True
        client.h2.acknowledge_received_data(65_535, 1)
        await client.hear(lambda heard: heard.answers[1].ended)
        assert client.heard.answers[1].body == body


async def test_a_window_that_changes_with_the_settings(tmp_path: Path) -> None:
    async def site(request: Request) -> Response:
        return Response(200, body=b"0123456789")

    async with connected(site, tmp_path) as (client, _):
        client.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 3})
        client.h2.send_headers(1, request(), end_stream=True)
        await client.hear(lambda heard: heard.answers[1].body == b"012")
        client.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 100})
        await client.hear(lambda heard: heard.answers[1].ended)
        assert client.heard.answers[1].body == b"0123456789"


async def test_a_client_that_takes_nothing_is_given_up(tmp_path: Path) -> None:
    async def site(request: Request) -> Response:
        return Response(200, body=bytes(100_000))

    async with connected(site, tmp_path, limits=Limits(idle=0.3, grace=0.1)) as (client, bench):
        client.greedy = False
        client.h2.send_headers(1, request(), end_stream=True)
        await client.hear(lambda heard: heard.answers[1].reset >= 0 or heard.goaway >= 0)
        await client.stream.aclose()
        await bench.watcher.wait_closed()
        assert "GOAWAY" in {exchange.verb for _, exchange in bench.watcher.exchanges}


async def test_an_upload_gets_no_more_room_than_is_read(tmp_path: Path) -> None:
    read = trio.Event()
    total = 0

    async def site(request: Request) -> Response:
        nonlocal total
        await read.wait()
        async for piece in request.body:
            total += len(piece)
        return Response(200, body=b"%d" % total)

    async with connected(site, tmp_path) as (client, _):
        client.h2.send_headers(1, request("/", "POST"))
        await client.hear(lambda heard: client.h2.local_flow_control_window(1) > 65_535)
        sent = 0
        while (room := min(client.h2.local_flow_control_window(1), 16_384)) > 0:
            client.h2.send_data(1, bytes(room))
            sent += room
        assert sent == 262_144
        await client.send()
        read.set()
        await client.hear(lambda heard: client.h2.local_flow_control_window(1) > 100_000)
        client.h2.send_data(1, b"end", end_stream=True)
        await client.hear(lambda heard: heard.answers[1].ended)
        assert client.heard.answers[1].body == b"%d" % (sent + 3)


async def test_a_request_that_is_cancelled_stops_its_site(tmp_path: Path) -> None:
    closed = trio.Event()

    async def site(request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"tick\n"
                    await trio.sleep(0.01)
            finally:
                closed.set()

        return Response(200, body=body())

    async with connected(site, tmp_path) as (client, bench):
        client.h2.send_headers(1, request(), end_stream=True)
        await client.hear(lambda heard: heard.answers[1].body != b"")
        client.h2.reset_stream(1, ErrorCodes.CANCEL)
        await client.send()
        with trio.fail_after(5):
            await closed.wait()
        client.h2.send_headers(3, request(), end_stream=True)
        await client.hear(lambda heard: heard.answers[3].body != b"")
        [exchange] = [one for one in await bench.watcher.wait_exchanges(2) if one.verb == "GET"]
        assert (exchange.outcome, exchange.key) == ("200", "situation.stream-cancelled")
        assert exchange.facts["reset"] == "CANCEL"


async def test_what_is_under_way_is_answered_after_the_clients_goaway(tmp_path: Path) -> None:
    async def site(request: Request) -> Response:
        await trio.sleep(0.05)
        return Response(200, body=b"still here")

    async with connected(site, tmp_path) as (client, _):
        client.h2.send_headers(1, request(), end_stream=True)
        await client.send()
        await client.stream.send_all(frame(7, bytes(8)))
        await client.hear(lambda heard: heard.goaway >= 0)
        assert client.heard.answers[1].body == b"still here"


async def test_a_stop_says_goaway(tmp_path: Path) -> None:
    async with connected(hello, tmp_path) as (client, bench):
        client.h2.send_headers(1, request(), end_stream=True)
        await client.hear(lambda heard: heard.answers[1].ended)
        await bench.server.watch.stop(1)
        await client.hear(lambda heard: heard.goaway >= 0)
        assert client.heard.goaway == 0


async def test_a_frame_that_trickles_ends_at_its_deadline(tmp_path: Path) -> None:
    async with connected(hello, tmp_path, limits=Limits(head_seconds=0.2, grace=0.1)) as (client, _):
        await client.hear(lambda heard: True)
        await client.stream.send_all(b"\0\0\x08\x06")
        await client.hear(lambda heard: heard.goaway >= 0)
        assert client.heard.goaway == ErrorCodes.PROTOCOL_ERROR


async def test_a_hundred_streams_share_a_connection(tmp_path: Path) -> None:
    async def site(request: Request) -> Response:
        return Response(200, body=request.path.encode() * 2_000)

    def all_done(heard: Heard) -> bool:
        return sum(answer.ended for answer in heard.answers.values()) == 100

    async with connected(site, tmp_path) as (client, bench):
        for number in range(100):
            client.h2.send_headers(2 * number + 1, request(f"/{number:03}"), end_stream=True)
        await client.hear(all_done)
        assert all(client.heard.answers[2 * number + 1].body == f"/{number:03}".encode() * 2_000
                   for number in range(100))
        await client.stream.aclose()
        await bench.watcher.wait_closed()
        assert sum(exchange.verb == "GET" for _, exchange in bench.watcher.exchanges) == 100
        session = bench.watcher.closed[-1]
        with await bench.read() as journal:
            assert journal.stream(session.id, Stream.CLIENT) == client.sent
            assert journal.stream(session.id, Stream.SERVER).startswith(client.received)


@pytest.mark.parametrize(("fields", "coded"), [
    ([], True), ([("referer", "https://www.example.com/before")], True),
    ([("sec-fetch-site", "same-origin")], True), ([("sec-fetch-site", "none")], True),
    ([("sec-fetch-site", "cross-site")], False), ([("sec-fetch-site", "same-site")], False),
    ([("referer", "https://evil.example/")], False), ([("referer", "http://[")], False),
])
async def test_what_another_site_asks_for_is_not_compressed(fields: list[tuple[str, str]], coded: bool) -> None:
    """Over TLS only: the length would tell secrets (BREACH, CVE-2013-3587)."""
    async def site(request: Request) -> Response:
        return Response(200, Headers([("Content-Type", "text/plain")]), b"text " * 1000)

    _, heard = await in_memory(lambda client: client.send_headers(
        1, request("/", "GET", ("accept-encoding", "gzip"), *fields), end_stream=True), site)
    assert (heard.answers[1].headers.get("content-encoding") == "gzip") is coded


# -- clients that leave, and clients that read late ----------------------------------------------------------------


async def long_head(request: Request) -> Response:
    return Response(headers=Headers([(f"x-{number}", f"{number}" * 7000) for number in range(4)]))


@pytest.mark.parametrize("leaving", [frame(7, bytes(8)), None], ids=["GOAWAY", "FIN"])
async def test_a_client_that_asks_no_more_gets_all_answers_whenever_it_reads(
        tmp_path: Path, leaving: bytes | None) -> None:
    """RFC 9113 §6.8: what was asked before a GOAWAY is answered; and waiting for the client takes no time."""
    asked: list[int] = []
    async with connected(long_head, tmp_path) as (client, bench):
        conversation = await narrow(client, bench)
        behind = 0
        while behind < 3:                                    # the writer waits, and there is more for it to write
            behind += conversation.unsent > 0
            asked.append(client.h2.get_next_available_stream_id())
            client.h2.send_headers(asked[-1], request("/", "HEAD"), end_stream=True)
            await client.send()
            await trio.testing.wait_all_tasks_blocked(0.003)
        if leaving is not None:
            await client.stream.send_all(leaving)
        else:
            await client.stream.send_eof()
        with trio.fail_after(5):
            await trio.testing.wait_all_tasks_blocked(0.05)  # never, if something went round and round
        heard = await client.hear(lambda heard: False)
        assert [number for number, answer in heard.answers.items() if answer.ended] == asked
        assert heard.goaway == 0


async def test_a_stream_does_not_wait_for_a_window_that_cannot_come(tmp_path: Path) -> None:
    async def site(request: Request) -> Response:
        return Response(body=bytes(1_000_000))

    async with connected(site, tmp_path) as (client, bench):
        client.greedy = False
        get("/")(client.h2)
        await client.hear(lambda heard: len(heard.answers[1].body) == 65_535)
        await client.stream.send_eof()
        heard = await client.hear(lambda heard: False)
        assert (heard.answers[1].reset, heard.goaway) == (ErrorCodes.CANCEL, 0)
        await bench.watcher.wait_closed()
        [exchange] = [exchange for _, exchange in bench.watcher.exchanges if exchange.verb == "GET"]
    assert exchange.key == "situation.stream-stalled"


async def test_the_time_for_a_next_request_begins_when_the_last_answer_has_left(
        tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    async with connected(long_head, tmp_path) as (client, bench):
        conversation = await narrow(client, bench)
        count = 0
        while not conversation.unsent:
            client.h2.send_headers(client.h2.get_next_available_stream_id(), request("/", "HEAD"), end_stream=True)
            count += 1
            await client.send()
            await trio.sleep(1)
        await trio.sleep(200)                                # longer than http.keep_alive, not than limits.idle
        with trio.fail_after(100):
            while sum(answer.ended for answer in client.heard.answers.values()) < count:
                data = await client.stream.receive_some(65536)
                assert data
                client.heard.take(client.h2.receive_data(data))


async def narrow(client: Client, bench: Bench) -> RealConversation:
    """The server's side, once the connection has begun, with little room in the two kernels."""
    await client.send()
    client.heard.take(client.h2.receive_data(await client.stream.receive_some(65536)))
    return narrowed(bench, client.stream)
