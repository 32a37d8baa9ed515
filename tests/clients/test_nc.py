"""nc: protocols typed by hand, as in a first lesson."""

from __future__ import annotations

import re

import pytest

from sandbox.app import Sandbox
from tests.support.network import watching
from tests.support.programs import run, told

pytestmark = pytest.mark.program("nc", "netcat-openbsd")


async def type_in(sandbox: Sandbox, service: str, text: bytes, *options: str) -> bytes:
    """What comes back before both sides have closed, or nothing more came for a second."""
    host, port = sandbox.endpoints[service]
    return (await run("nc", "-N", "-w", "1", *options, host, str(port), stdin=text)).output


async def test_http_typed_by_hand(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        said = await type_in(sandbox, "http", b"GET /httpbin/get HTTP/1.1\r\nHost: www.example.com\r\n\r\n")
        await told(watcher, ("GET", "www.example.com/httpbin/get", "200"))
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: %d\r\n" % len(body) in head + b"\r\n"


async def test_three_requests_in_one_breath(sandbox: Sandbox) -> None:
    request = b"GET /httpbin/status/%d HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
    with watching(sandbox.journal) as watcher:
        said = await type_in(sandbox, "http", b"".join(request % code for code in (204, 418, 503)))
        await told(watcher, *(("GET", f"www.example.com/httpbin/status/{code}", str(code))
                              for code in (204, 418, 503)))
    assert re.findall(rb"HTTP/1\.1 (\d+)", said) == [b"204", b"418", b"503"]


@pytest.mark.parametrize("typed", [b"GET / HTTP/1.1\r\n\r\n", b"hello\r\n\r\n", b"GET /\r\n",
                                   b"GET / HTTP/1.1\r\nHost : x\r\n\r\n"])
async def test_a_typing_error_gets_an_answer_that_helps(sandbox: Sandbox, typed: bytes) -> None:
    with watching(sandbox.journal) as watcher:
        said = await type_in(sandbox, "http", typed)
        (found,) = await watcher.wait_exchanges(1)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"RFC" in said
    assert found.outcome == "400"


async def test_echo(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        assert await type_in(sandbox, "echo", b"hello\n") == b"hello\n"
        (found,) = await told(watcher, ("echo", "hello", "done"))
    assert found.client == (0, 6)


async def test_echo_in_a_datagram(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        assert await type_in(sandbox, "echo", b"hello\n", "-u") == b"hello\n"
        (found,) = await watcher.wait_exchanges(1)
    assert found.verb == "echo"


async def test_daytime(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        assert re.search(rb"\d\d:\d\d", await type_in(sandbox, "daytime", b""))
        await watcher.wait_exchanges(1)


async def test_what_is_discarded_is_recorded(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        assert await type_in(sandbox, "discard", b"a secret\n") == b""
        (found,) = await watcher.wait_exchanges(1)
    assert found.client == (0, 9)
