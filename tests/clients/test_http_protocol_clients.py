"""curl, wget and nc speak HTTP with a running sandbox: framing, ranges, codings, the proxy, and mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from sandbox.app import Sandbox
from tests.support.network import watching

curl_needed = pytest.mark.program("curl", "curl")
wget_needed = pytest.mark.program("wget", "wget")
nc_needed = pytest.mark.program("nc", "netcat-openbsd")

HOME = "http://www.example.com/"


async def run(*words: str, say: bytes = b"") -> bytes:
    with trio.fail_after(20):
        done = await trio.run_process(words, capture_stdout=True, capture_stderr=True, stdin=say, check=False)
    return done.stdout


async def curl(sandbox: Sandbox, *words: str) -> str:
    host, port = sandbox.endpoints["http"]
    return (await run("curl", "-sS", "--connect-to", f"::{host}:{port}", *words)).decode()


@curl_needed
@pytest.mark.parametrize(("words", "printed"), [
    (["-o/dev/null", "-w%{http_code} %{content_type}", HOME], "200 text/html; charset=utf-8"),
    (["-o/dev/null", "-w%{http_code} %{http_version}", "--http1.0", HOME], "200 1.1"),
    (["-o/dev/null", "-w%{http_code}", "--head", HOME], "200"),
    (["-r0-14", HOME], "<!DOCTYPE html>"),
    (["--compressed", "-r0-14", HOME], "<!DOCTYPE html>"),
    (["-o/dev/null", "-w%{http_code}", "-X", "BREW", HOME], "501"),
    (["-o/dev/null", "-w%{http_code}", "-X", "TRACE", HOME], "405"),
    (["-o/dev/null", "-w%{http_code}", "-H", "Expect: wonders", HOME], "417"),
    (["-o/dev/null", "-w%{http_code}", "-X", "OPTIONS", "--request-target", "*", HOME], "204"),
    (["-o/dev/null", "-w%{http_code}", "-H", "Host:", HOME], "400"),
    (["-o/dev/null", "-w%{num_connects}", HOME, HOME], "10"),
])
async def test_curl(sandbox: Sandbox, words: list[str], printed: str) -> None:
    assert await curl(sandbox, *words, *(["-o/dev/null"] if words.count(HOME) > 1 else [])) == printed


@curl_needed
async def test_curl_undoes_gzip(sandbox: Sandbox) -> None:
    assert await curl(sandbox, "--compressed", HOME) == await curl(sandbox, HOME)


@curl_needed
async def test_curl_revalidates(sandbox: Sandbox, tmp_path: Path) -> None:
    tag = str(tmp_path / "tag")
    first = await curl(sandbox, "--etag-save", tag, "-o/dev/null", "-w%{http_code}", HOME)
    second = await curl(sandbox, "--etag-compare", tag, "-o/dev/null", "-w%{http_code}", HOME)
    assert (first, second) == ("200", "304")


@curl_needed
@pytest.mark.parametrize("words", [[], ["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"]])
async def test_curl_uploads(sandbox: Sandbox, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "body").write_bytes(b"0123456789" * 30_000)
    url = "http://httpbin.example.com/post"
    answer = await curl(sandbox, *words, "--data-binary", f"@{tmp_path / 'body'}", url)
    assert "0123456789" * 30_000 in answer


@curl_needed
@pytest.mark.parametrize(("words", "printed"), [
    ([HOME], "200 000"), (["--proxytunnel", HOME], "200 200"),
    (["--proxytunnel", "http://www.example.com:5432/"], "000 403"),
])
async def test_curl_through_the_proxy(sandbox: Sandbox, words: list[str], printed: str) -> None:
    host, port = sandbox.endpoints["http"]
    assert (await run("curl", "-s", "-o/dev/null", "-w%{http_code} %{http_connect}", "-x", f"http://{host}:{port}",
                      *words)).decode() == printed


@nc_needed
async def test_nc_through_the_proxy_to_another_service(sandbox: Sandbox) -> None:
    host, port = sandbox.endpoints["http"]
    said = await run("nc", "-N", "-X", "connect", "-x", f"{host}:{port}", "www.example.com", "7", say=b"hello there")
    assert said == b"hello there"


@curl_needed
async def test_curl_with_tls_on_the_plain_port(sandbox: Sandbox) -> None:
    host, port = sandbox.endpoints["http"]
    with watching(sandbox.journal) as watcher:
        await run("curl", "-sk", f"https://{host}:{port}/")
        exchange, = await watcher.wait_exchanges(1)
    assert (exchange.outcome, exchange.key) == ("400", "situation.tls-on-plain")


@wget_needed
async def test_wget_goes_on_where_it_stopped(sandbox: Sandbox, tmp_path: Path) -> None:
    host, port = sandbox.endpoints["http"]
    words = ["wget", "-q", "--header", "Host: www.example.com", f"http://{host}:{port}/", "-O"]
    await run(*words, str(tmp_path / "whole"))
    whole = (tmp_path / "whole").read_bytes()
    (tmp_path / "part").write_bytes(whole[:1000])
    await run(*words, str(tmp_path / "part"), "-c")
    assert (tmp_path / "part").read_bytes() == whole


@nc_needed
@pytest.mark.parametrize(("says", "answers"), [
    (b"GET / HTTP/1.0\n\n", b"nc use the option -C"), (b"GET /\r\n", b"the version is missing"),
    (b"EHLO me\r\n", b"SMTP"), (b"SSH-2.0-x\r\n", b"SSH"), (b"GET / HTTP/1.1\r\n\r\n", b"Host"),
    (b"HEAD / HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK"),
])
async def test_nc(sandbox: Sandbox, says: bytes, answers: bytes) -> None:
    host, port = sandbox.endpoints["http"]
    assert answers in await run("nc", host, str(port), say=says)
