"""What is exported from a real sandbox, read by the programs it is for."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import trio

from sandbox.app import Sandbox
from sandbox.cli import main
from sandbox.pki import ca_path
from tests.support.programs import run

pytestmark = [pytest.mark.program("curl", "curl"), pytest.mark.program("tshark", "tshark")]


async def traffic(sandbox: Sandbox) -> None:
    """Of every kind that is exported: clear and encrypted, by upgrade too, HTTP/2, UDP, both families."""
    at = {name: str(address) for name, address in sandbox.endpoints.items()}
    ca = str(ca_path(sandbox.data))
    http, https = at["http"], at["https"]
    await run("curl", "-s", "-x", f"http://{http}", "http://www.example.com/?q=1", "-d", "a=b&c=d", "-o", "/dev/null")
    await run("curl", "-s", "-x", f"http://{http}", "http://httpbin.org/gzip", "-o", "/dev/null")
    await run("curl", "-s", f"http://[::1]:{sandbox.endpoints['http'].port}/", "-o", "/dev/null")
    for version in ("--http1.1", "--http2"):
        await run("curl", "-s", version, "--cacert", ca, "--connect-to", f"::{https}", "https://www.example.com/tls",
                  "-o", "/dev/null")
    await run("curl", "-s", "--tls-max", "1.2", "--cacert", ca, "--connect-to", f"::{https}",
              "https://www.example.com/older", "-o", "/dev/null")
    await run("curl", "-s", "-k", "--ssl-reqd", "-u", "alice:wonderland", f"imap://{at['imap']}/", "-o", "/dev/null")
    await run("curl", "-s", "-u", "alice:wonderland", f"ftp://{at['ftp']}/", "-o", "/dev/null")
    await sandbox.journal.settle()


def tshark(file: Path, *words: str) -> str:
    checks = [word for kind in ("tcp", "ip", "udp") for word in ("-o", f"{kind}.check_checksum:TRUE")]
    return subprocess.run(["tshark", "-r", str(file), *checks, *words], capture_output=True, text=True,
                          check=True).stdout


async def export(sandbox: Sandbox, form: str, file: Path, *filters: str) -> None:
    words = ["export", "--data", str(sandbox.data), form, str(file), *filters]
    assert await trio.to_thread.run_sync(main, words) == 0


async def test_a_capture_reads_without_a_warning_and_decrypts(sandbox: Sandbox, tmp_path: Path) -> None:
    await traffic(sandbox)
    file = tmp_path / "all.pcapng"
    await export(sandbox, "pcapng", file)
    odd = await trio.to_thread.run_sync(lambda: tshark(
        file, "-Y", "_ws.malformed or tcp.analysis.flags or _ws.expert.severity >= 0x600000"))
    assert odd == ""
    seen = await trio.to_thread.run_sync(lambda: tshark(
        file, "-d", f"tcp.port=={sandbox.endpoints['imap'].port},imap", "-T", "fields", "-e", "http.request.uri",
        "-e", "http2.headers.path", "-e", "imap.request", "-e", "frame.comment"))
    for wanted in ("/older", "/tls", "LIST", "GET asks for a copy of a page"):
        assert wanted in seen, wanted


async def test_only_the_secrets_of_what_is_exported(sandbox: Sandbox, tmp_path: Path) -> None:
    await traffic(sandbox)
    await export(sandbox, "pcapng", tmp_path / "one.pcapng", "path:/older")
    await export(sandbox, "pcapng", tmp_path / "none.pcapng", "protocol:ftp")
    keys = (sandbox.data / "tls-keys.log").read_bytes()
    one, none = (tmp_path / "one.pcapng").read_bytes(), (tmp_path / "none.pcapng").read_bytes()
    lines = [line for line in keys.splitlines() if not line.startswith(b"#")]
    assert sum(line in one for line in lines) == 1, "TLS 1.2 has one line"
    assert not any(line in none for line in lines)


async def test_an_archive_of_http(sandbox: Sandbox, tmp_path: Path) -> None:
    await traffic(sandbox)
    await export(sandbox, "har", tmp_path / "a.har", "host:www.example.com or host:httpbin.org")
    entries = json.loads((tmp_path / "a.har").read_text())["log"]["entries"]
    post = entries[0]
    assert post["request"]["method"] == "POST"
    assert post["request"]["queryString"] == [{"name": "q", "value": "1"}]
    assert post["request"]["postData"]["params"] == [{"name": "a", "value": "b"}, {"name": "c", "value": "d"}]
    assert post["timings"]["connect"] == -1
    packed = next(entry for entry in entries if entry["request"]["url"].endswith("/gzip"))
    assert json.loads(packed["response"]["content"]["text"])["gzipped"] is True
    two = [entry for entry in entries if entry["request"]["httpVersion"] == "HTTP/2"]
    assert {entry["request"]["url"].rpartition("/")[2] for entry in two} == {"tls", "older"}
    assert all(any(one["name"] == ":path" for one in entry["request"]["headers"]) for entry in two)
    for entry in entries:
        assert entry["response"]["status"]
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= entry.keys()


async def test_a_dialogue_to_paste_and_lines_of_json(sandbox: Sandbox, tmp_path: Path) -> None:
    await traffic(sandbox)
    await export(sandbox, "markdown", tmp_path / "a.md", "protocol:ftp")
    text = (tmp_path / "a.md").read_text()
    assert "### USER alice → 331" in text
    assert "    USER alice" in text
    await export(sandbox, "jsonl", tmp_path / "a.jsonl", "protocol:ftp")
    assert {json.loads(line)["protocol"] for line in (tmp_path / "a.jsonl").read_text().splitlines()} == {"ftp"}


async def test_nothing_to_write_is_said(sandbox: Sandbox, tmp_path: Path) -> None:
    await sandbox.journal.settle()
    words = ["export", "--data", str(sandbox.data), "har", str(tmp_path / "x"), "host:nobody.example"]
    assert await trio.to_thread.run_sync(main, words) == 2
    assert not (tmp_path / "x").exists()
