"""Real programs at the websites of a running sandbox."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
import trio

from sandbox.app import running
from sandbox.config import Config

Curl = Callable[..., Awaitable[str]]


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """Where a running sandbox speaks HTTP."""
    others = ("dns", "echo", "discard", "daytime", "qotd", "chargen", "time")
    config = Config(ports="ephemeral", services=dict.fromkeys(others, False))
    async with running(config, tmp_path) as sandbox:
        yield str(sandbox.endpoints["http"])


async def output(*command: str) -> str:
    done = await trio.run_process(command, capture_stdout=True, stderr=subprocess.DEVNULL)
    text: str = done.stdout.decode()
    return text


@pytest.fixture
def curl(address: str) -> Curl:
    """Runs curl with the sandbox as its proxy; gives what it printed."""
    return partial(output, "curl", "-q", "-sS", "--max-time", "20", "-x", f"http://{address}")


@pytest.mark.program("curl", "curl")
async def test_curl_reads_every_content_coding(curl: Curl) -> None:
    for path, mark in (("gzip", "gzipped"), ("deflate", "deflated"), ("brotli", "brotli")):
        assert json.loads(await curl("--compressed", f"http://httpbin.example.com/{path}"))[mark] is True


@pytest.mark.program("curl", "curl")
async def test_curl_proves_who_it_is(curl: Curl) -> None:
    page = "http://www.example.com/protected"
    for scheme in ("basic", "digest"):
        assert "You are in, alice" in await curl(f"--{scheme}", "-u", "alice:wonderland", f"{page}/{scheme}")
        assert "You are in" not in await curl(f"--{scheme}", "-u", "alice:wrong", f"{page}/{scheme}")
    known = "http://httpbin.example.com/digest-auth"
    for ending in ("auth/me/pass", "auth/me/pass/SHA-256", "auth-int/me/pass/MD5", "auth/me/pass/SHA-256/1"):
        found = await curl("--digest", "-u", "me:pass", f"{known}/{ending}")
        assert json.loads(found) == {"authenticated": True, "user": "me"}, ending


@pytest.mark.program("curl", "curl")
async def test_curl_sends_forms_and_keeps_cookies(curl: Curl, tmp_path: Path) -> None:
    file = tmp_path / "päge.txt"
    file.write_text("hello")
    found = json.loads(await curl("-F", "a=1", "-F", f"f=@{file}", "http://httpbin.example.com/post"))
    assert (found["form"], found["files"], found["url"]) == (
        {"a": "1"}, {"f": "hello"}, "http://httpbin.example.com/post")
    jar = str(tmp_path / "jar")
    login = await curl("-L", "-c", jar, "-b", jar, "-d", "name=bob&password=builder", "http://example.org/login")
    assert "Hello, bob" in login
    assert "Hello, bob" in await curl("-b", jar, "http://example.org/account")


@pytest.mark.program("curl", "curl")
async def test_curl_follows_redirects_and_resumes(curl: Curl, tmp_path: Path) -> None:
    landed = json.loads(await curl("-L", "-d", "a=1", "http://www.example.com/redirect/307"))
    assert (landed["method"], landed["form"]) == ("POST", {"a": "1"})
    assert json.loads(await curl("-L", "-d", "a=1", "http://www.example.com/redirect/303"))["method"] == "GET"
    file = tmp_path / "half"
    file.write_bytes((bytes(range(256)) * 300)[:70_000])
    await curl("-C", "-", "-o", str(file), "http://www.example.com/download/150000")
    assert file.read_bytes() == (bytes(range(256)) * 600)[:150_000]


@pytest.mark.program("curl", "curl")
async def test_curl_makes_and_changes_resources(curl: Curl) -> None:
    api = "http://api.example.net/people"
    made = await curl("-i", "--json", '{"name": "Ada"}', api)
    assert "201 Created" in made
    assert f"Location: {api}/1" in made
    await curl("-X", "PATCH", "--json", '{"born": 1815}', f"{api}/1")
    assert json.loads(await curl(f"{api}/1")) == {"id": "1", "name": "Ada", "born": 1815}
    assert await curl("-o", "/dev/null", "-w", "%{http_code}", "-X", "DELETE", f"{api}/1") == "204"
    assert await curl("-o", "/dev/null", "-w", "%{http_code}", f"{api}/1") == "404"


@pytest.mark.program("chromium", "chromium")
@pytest.mark.parametrize(("url", "words"), [
    ("http://www.example.com/", "Not the real www.example.com"),
    ("http://bank.com/", "You asked for"),
    ("http://httpbin.example.org/anything/here", '"url": "http://httpbin.example.org/anything/here"'),
])
async def test_chromium_finds_its_way_by_proxy_pac(address: str, tmp_path: Path, url: str, words: str) -> None:
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    page = await output("chromium", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", *root,
                        "--disable-background-networking", f"--user-data-dir={tmp_path / 'browser'}",
                        f"--proxy-pac-url=http://{address}/proxy.pac", "--dump-dom", url)
    assert words in page
