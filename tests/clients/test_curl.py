"""curl does its job, in every way that learners and scripts use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.app import Sandbox
from tests.support.network import reader, watching
from tests.support.programs import Finished, run, told

pytestmark = pytest.mark.program("curl", "curl")

WWW = "http://www.example.com"
BIN = f"{WWW}/httpbin"


async def curl(sandbox: Sandbox, *words: str | Path, status: int = 0) -> Finished:
    """Every name leads to the sandbox, as it does where the sandbox is the resolver."""
    host, port = sandbox.endpoints["http"]
    return await run("curl", "--silent", "--show-error", "--max-time", "15", "--connect-to", f"::{host}:{port}",
                     *words, status=status)


async def proxied(sandbox: Sandbox, *words: str) -> Finished:
    """The sandbox as the proxy."""
    return await run("curl", "--silent", "--show-error", "--max-time", "15",
                     "--proxy", f"http://{sandbox.endpoints['http']}", *words)


async def answer(sandbox: Sandbox, *words: str | Path) -> Any:
    return json.loads((await curl(sandbox, "--fail", *words)).output)


async def test_two_pages_over_one_connection(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        said = await curl(sandbox, "--verbose", f"{WWW}/", f"{BIN}/ip")
        found = await told(watcher, ("GET", "www.example.com/", "200"), ("GET", "www.example.com/httpbin/ip", "200"))
    assert "Re-using existing connection" in said.errors
    assert "<title>www.example.com" in said.text
    assert found[0].session == found[1].session


async def test_what_the_journal_has_is_what_curl_got(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        said = await curl(sandbox, "--include", f"{BIN}/bytes/5000?seed=4")
        session = await watcher.wait_closed()
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        chunks = list(journal.chunks(session.id))
    asked, answered = (b"".join(chunk.data for chunk in chunks if chunk.stream == stream) for stream in (0, 1))
    assert asked.startswith(b"GET /httpbin/bytes/5000?seed=4 HTTP/1.1\r\nHost: www.example.com\r\n")
    assert answered == said.output


async def test_head(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        said = await curl(sandbox, "--head", f"{WWW}/")
        await told(watcher, ("HEAD", "www.example.com/", "200"))
    assert said.text.startswith("HTTP/1.1 200 OK\r\n")
    assert said.text.endswith("\r\n\r\n")
    assert "\r\nContent-Length: " in said.text


async def test_upload(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_bytes(b"Dear Ada,\n" * 200_000)
    with watching(sandbox.journal) as watcher:
        said = await answer(sandbox, "--upload-file", file, f"{BIN}/put")
        await told(watcher, ("PUT", "www.example.com/httpbin/put", "200"))
    assert said["data"] == file.read_text()


async def test_upload_in_chunks_of_unknown_length(sandbox: Sandbox) -> None:
    said = await answer(sandbox, "--header", "Transfer-Encoding: chunked", "--header", "Content-Type: text/plain",
                        "--data-binary", "abc" * 30_000, f"{BIN}/post")
    assert said["data"] == "abc" * 30_000
    assert "Content-Length" not in said["headers"]


async def test_it_waits_for_100_continue(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        said = await curl(sandbox, "--verbose", "--header", "Expect: 100-continue", "--data", "a=1", f"{BIN}/post")
        await told(watcher, ("POST", "www.example.com/httpbin/post", "200"))
    assert "< HTTP/1.1 100 Continue" in said.errors
    assert json.loads(said.output)["form"] == {"a": "1"}


async def test_a_form_with_a_file(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("a line\n")
    said = await answer(sandbox, "--form", "title=Notes", "--form", f"file=@{tmp_path / 'notes.txt'}", f"{BIN}/post")
    assert said["form"] == {"title": "Notes"}
    assert said["files"] == {"file": "a line\n"}


@pytest.mark.parametrize(("given", "expected"), [("0-9", b"abcdefghij"), ("-3", b"tuv"), ("97-", b"tuv")])
async def test_a_range(sandbox: Sandbox, given: str, expected: bytes) -> None:
    with watching(sandbox.journal) as watcher:
        said = await curl(sandbox, "--range", given, f"{BIN}/range/100")
        await told(watcher, ("GET", "www.example.com/httpbin/range/100", "206"))
    assert said.output == expected


async def test_two_ranges_come_as_parts(sandbox: Sandbox) -> None:
    said = await curl(sandbox, "--include", "--range", "0-1,26-27", f"{BIN}/range/100")
    assert "multipart/byteranges" in said.text
    assert said.text.count("\r\n\r\nab\r\n") == 2


async def test_it_resumes_a_download(sandbox: Sandbox, tmp_path: Path) -> None:
    whole = (await curl(sandbox, f"{BIN}/range/4000")).output
    file = tmp_path / "part"
    file.write_bytes(whole[:1500])
    with watching(sandbox.journal) as watcher:
        await curl(sandbox, "--continue-at", "-", "--output", file, f"{BIN}/range/4000")
        await told(watcher, ("GET", "www.example.com/httpbin/range/4000", "206"))
    assert file.read_bytes() == whole


@pytest.mark.parametrize("scheme", ["basic", "digest"])
async def test_it_says_who_it_is(sandbox: Sandbox, scheme: str) -> None:
    page = f"www.example.com/protected/{scheme}"
    with watching(sandbox.journal) as watcher:
        # --anyauth asks first and then uses what the challenge offers.
        said = await curl(sandbox, "--anyauth", "--user", "alice:wonderland", f"http://{page}")
        found = await told(watcher, ("GET", page, "401"), ("GET", page, "200"))
    assert "<title>You are in" in said.text
    assert found[1].facts["account"] == "alice"


@pytest.mark.parametrize("scheme", ["basic", "digest"])
async def test_a_wrong_password_stays_outside(sandbox: Sandbox, scheme: str) -> None:
    said = await curl(sandbox, f"--{scheme}", "--user", "alice:jabberwock", "--output", "/dev/null",
                      "--write-out", "%{http_code}", f"{WWW}/protected/{scheme}")
    assert said.text == "401"


async def test_it_shows_a_token(sandbox: Sandbox) -> None:
    token = await answer(sandbox, "--data", "grant_type=password&username=bob&password=builder", f"{WWW}/token")
    said = await curl(sandbox, "--fail", "--oauth2-bearer", token["access_token"], f"{WWW}/protected/bearer")
    assert "bob" in said.text


async def test_it_logs_in_with_a_form_and_a_cookie(sandbox: Sandbox, tmp_path: Path) -> None:
    jar = tmp_path / "jar"
    with watching(sandbox.journal) as watcher:
        said = await curl(sandbox, "--location", "--cookie-jar", jar, "--cookie", jar,
                          "--data", "name=carol&password=melody", f"{WWW}/login")
        await told(watcher, ("POST", "www.example.com/login", "303"), ("GET", "www.example.com/account", "200"))
    assert "carol" in said.text
    assert "www.example.com" in jar.read_text()


async def test_it_keeps_cookies(sandbox: Sandbox, tmp_path: Path) -> None:
    said = await answer(sandbox, "--location", "--cookie-jar", tmp_path / "jar", f"{BIN}/cookies/set?flavour=oatmeal")
    assert said == {"cookies": {"flavour": "oatmeal"}}


@pytest.mark.parametrize(("code", "method"), [("301", "GET"), ("302", "GET"), ("303", "GET"), ("307", "POST"),
                                              ("308", "POST")])
async def test_it_follows_a_redirect(sandbox: Sandbox, code: str, method: str) -> None:
    with watching(sandbox.journal) as watcher:
        said = await answer(sandbox, "--location", "--data", "a=1", f"{WWW}/redirect/{code}")
        await told(watcher, ("POST", f"www.example.com/redirect/{code}", code),
                   (method, "www.example.com/httpbin/anything", "200"))
    assert said["method"] == method


async def test_a_page_comes_compressed(sandbox: Sandbox, tmp_path: Path) -> None:
    plain = await curl(sandbox, f"{WWW}/")
    said = await curl(sandbox, "--compressed", "--dump-header", tmp_path / "head", f"{WWW}/")
    assert said.output == plain.output
    assert "Content-Encoding: gzip" in (tmp_path / "head").read_text()


async def test_json_resources(sandbox: Sandbox) -> None:
    made = await curl(sandbox, "--include", "--json", '{"title": "Tea"}', "http://api.example.com/notes")
    assert made.text.startswith("HTTP/1.1 201 Created\r\n")
    place = next(line.split(": ")[1] for line in made.text.splitlines() if line.startswith("Location: "))
    address = place if place.startswith("http") else f"http://api.example.com{place}"
    assert (await answer(sandbox, address))["title"] == "Tea"
    await curl(sandbox, "--fail", "--request", "DELETE", address)
    assert (await curl(sandbox, "--fail", address, status=22)).status == 22


async def test_through_the_proxy(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        said = await proxied(sandbox, f"{BIN}/get")
        await told(watcher, ("GET", "www.example.com/httpbin/get", "200"))
    assert json.loads(said.output)["url"] == f"{BIN}/get"


async def test_through_a_tunnel(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        said = await proxied(sandbox, "--proxytunnel", f"{BIN}/get")
        await told(watcher, ("CONNECT", "www.example.com:80", "200"), ("GET", "www.example.com/httpbin/get", "200"))
    assert json.loads(said.output)["url"] == f"{BIN}/get"


async def test_a_name_nobody_has_gets_a_friendly_page(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        said = await curl(sandbox, "http://www.search-engine.dev/")
        await told(watcher, ("GET", "www.search-engine.dev/", "404"))
    assert "www.search-engine.dev" in said.text


async def test_it_is_never_answered_in_http_0_9(sandbox: Sandbox) -> None:
    """curl refuses an answer without a status line: a garbled request must not get one."""
    with watching(sandbox.journal) as watcher:
        said = await curl(sandbox, "--include", "--request", "GET / HTTP/0.9\r\nX-Rest:", f"{WWW}/")
        await watcher.wait_exchanges(1)
    assert said.text.startswith(("HTTP/1.1 400 ", "HTTP/1.1 505 "))


async def test_over_ipv6(sandbox: Sandbox) -> None:
    said = await run("curl", "-sS", "--globoff", f"http://[::1]:{sandbox.endpoints['http'].port}/httpbin/ip")
    assert json.loads(said.output)["origin"] == "::1"
