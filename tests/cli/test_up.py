"""`sandbox up` and `sandbox ready` as their users know them: real processes, from the start to the exit status."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from sandbox.journal.reader import Reader
from sandbox.journal.store import FILE

SECONDS = 30
"""More than any of it takes, even on a busy machine."""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sandbox", *arguments]


@contextmanager
def started(data: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A sandbox that is ready; killed at the end if it still runs."""
    options = ("--data", str(data), "--ready-file", str(data.parent / "ready"), *options)
    process = subprocess.Popen(command("up", *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        run("ready", "--data", str(data), "--wait", str(SECONDS))
        yield process
    finally:
        process.kill()
        process.communicate()


def run(*arguments: str, status: int = 0) -> str:
    """Run a command to its end. What it printed, errors included."""
    done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def ready(data: Path) -> Any:
    """What the ready file says."""
    return json.loads((data.parent / "ready").read_text())


def fetch(data: Path, path: str = "/") -> bytes:
    http = ready(data)["services"]["http"]
    with urllib.request.urlopen(f"http://{http['host']}:{http['port']}{path}", timeout=SECONDS) as answer:
        body = answer.read()
    assert isinstance(body, bytes)
    return body


def finish(process: subprocess.Popen[str], how: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
    process.send_signal(how)
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_from_start_to_stop(tmp_path: Path, how: signal.Signals) -> None:
    data = tmp_path / "data"
    with started(data, "--ports", "ephemeral") as process:
        facts = ready(data)
        assert facts["pid"] == process.pid
        assert Path(str(facts["ca"])).parent.parent == data
        assert b"Sandbox" in fetch(data)
        status, out, err = finish(process, how)
    assert (status, err) == (0, "")
    assert f"127.0.0.1:{facts['services']['http']['port']}" in out
    assert "alice" in out
    assert "wonderland" in out
    assert re.search(r"http +GET 127\.0\.0\.1:?\d*/ → 200", out), out
    with Reader(data / FILE) as journal:
        assert [exchange.verb for _, exchange in journal.exchanges(protocol="http")] == ["GET"], "flushed at the stop"
        assert all(session.end for session in journal.sessions())
    assert "no sandbox runs" in run("ready", "--data", str(data), status=1)
    assert "GET" in run("log", "--data", str(data), "--protocol", "http")


def test_every_service_is_there_on_both_loopback_addresses(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data, "--ports", "ephemeral", "--quiet") as process:
        services = ready(data)["services"]
        for host in ("127.0.0.1", "::1"):
            for name, address in services.items():
                try:
                    socket.create_connection((host, address["port"]), SECONDS).close()
                except OSError as error:
                    if host == "::1" and not Path("/proc/net/if_inet6").exists():
                        continue
                    raise AssertionError(f"{name} on {host}") from error
        assert {"http", "https", "dns", "smtp", "pop3", "echo"} <= services.keys()
        assert finish(process) == (0, "", ""), "quiet prints nothing"


def test_json_lines(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data, "--ports", "ephemeral", "--json", "--set", "services.https=false") as process:
        fetch(data, "/robots.txt")
        _, out, _ = finish(process)
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["asked"].partition("/")[2] for line in lines if line.get("verb") == "GET"] == ["robots.txt"]


def test_what_it_knew_survives_the_stop(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for _ in range(2):
        with started(data, "--ports", "ephemeral", "--quiet") as process:
            fetch(data)
            finish(process)
    with Reader(data / FILE) as journal:
        numbers = [exchange.id for _, exchange in journal.exchanges(protocol="http")]
    assert len(numbers) == 2
    assert numbers == sorted(set(numbers))


def test_ephemeral_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "HOME": str(tmp_path / "home"), "XDG_DATA_HOME": ""}
    process = subprocess.Popen(command("up", "--ephemeral", "--ports", "ephemeral", "--ready-file",
                                       str(tmp_path / "ready")), env=environment, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert any("Stop: Ctrl-C" in line for line in process.stdout)
        assert list(tmp_path.glob("sandbox-*")), "while it runs it has a folder"
        process.terminate()
        assert process.wait(SECONDS) == 0
    assert not list(tmp_path.glob("sandbox-*"))
    assert not (tmp_path / "home").exists()


def test_a_second_sandbox_on_the_same_folder_is_told_who_has_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data, "--ports", "ephemeral", "--quiet") as process:
        said = run("up", "--data", str(data), "--ports", "ephemeral", status=2)
        assert f"in use by another sandbox, process {process.pid}" in said
        assert "--data" in said


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_busy_port_costs_one_service_and_is_explained(tmp_path: Path, taken: int) -> None:
    data = tmp_path / "data"
    ephemeral = [f"--set=services.{name}=false" for name in ("https", "domain-s")]
    with started(data, "--ports", "ephemeral", f"--set=services.echo={taken}", *ephemeral) as process:
        assert "echo" not in ready(data)["services"]
        assert fetch(data)
        _, out, _ = finish(process)
    assert f"echo: port {taken} is taken by" in out
    assert f"(pid {os.getpid()})" in out
    assert "--ports" in out


@pytest.mark.parametrize("form", ["--quiet", "--json"])
def test_a_busy_port_is_told_where_no_summary_is(tmp_path: Path, taken: int, form: str) -> None:
    with started(tmp_path / "data", "--ports", "ephemeral", f"--set=services.echo={taken}", form) as process:
        _, _, errors = finish(process)
    assert f"sandbox: echo did not start: port {taken} is taken by" in errors


def test_with_standard_ports_a_busy_one_ends_the_start(tmp_path: Path, taken: int) -> None:
    names = ["http", "https", "dns", "domain-s", "smtp", "submission", "submissions", "pop3", "pop3s", "discard",
             "daytime", "qotd", "chargen", "time"]
    off = [f"--set=services.{name}=false" for name in names]
    said = run("up", "--data", str(tmp_path / "data"), "--ports", "standard", f"--set=services.echo={taken}", *off,
               *off_others(names), status=2)
    assert f"port {taken} is taken by" in said


def off_others(names: Sequence[str]) -> list[str]:
    """Options that turn off what other protocols there are, so that this test needs no privileges."""
    from sandbox.protocols.contract.registry import PROTOCOLS
    every = {role.name for protocol in PROTOCOLS for role in protocol.roles}
    return [f"--set=services.{name}=false" for name in every - set(names) - {"echo"}]


@pytest.mark.parametrize(("options", "expected"), [
    (["--ports", "lowest"], "ports"),
    (["--bind", "example.com"], "bind"),
    (["--config", "/nowhere/at/all.toml"], "/nowhere/at/all.toml"),
    (["--set", "limits.idle=never"], "limits.idle"),
    (["--set", "servces.http=false"], "Did you mean services"),
    (["--world", "/nowhere/world.toml"], "/nowhere/world.toml"),
])
def test_a_bad_configuration_exits_with_2_and_says_where(tmp_path: Path, options: list[str], expected: str) -> None:
    assert expected in run("up", "--data", str(tmp_path / "data"), *options, status=2)


def test_a_ready_file_that_cannot_be_written(tmp_path: Path) -> None:
    said = run("up", "--data", str(tmp_path / "data"), "--ports", "ephemeral", "--ready-file",
               str(tmp_path / "no" / "such" / "folder" / "ready"), status=2)
    assert "ready file" in said


async def test_an_open_connection_gets_its_answer_before_the_stop(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data, "--ports", "ephemeral", "--quiet", "--set", "limits.grace=5") as process:
        http = ready(data)["services"]["http"]
        stream = await trio.open_tcp_stream("127.0.0.1", http["port"])
        async with stream:
            await stream.send_all(b"GET /httpbin/delay/1 HTTP/1.1\r\nHost: h\r\n\r\n")
            # The answer to a second client shows that the first one's request is under way.
            await trio.to_thread.run_sync(fetch, data)
            process.terminate()
            received = bytearray()
            while piece := await stream.receive_some():
                received += piece
        assert received.startswith(b"HTTP/1.1 200 OK")
        assert await trio.to_thread.run_sync(process.wait, SECONDS) == 0


def test_open_shows_the_live_page_in_the_browser_without_the_token(tmp_path: Path,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    browser, told = tmp_path / "browser", tmp_path / "told"
    browser.write_text(f'#!/bin/sh\necho "$1" > {told}\n')
    browser.chmod(0o755)
    os.mkfifo(told)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    with started(tmp_path / "data", "--ports", "ephemeral", "--quiet", "--open"):
        opened = subprocess.run(["cat", told], capture_output=True, text=True, timeout=SECONDS, check=True).stdout
        page = ready(tmp_path / "data")["dashboard"]
        assert opened.strip() == page["url"]
        assert page["token"] not in opened
        with urllib.request.urlopen(opened.strip(), timeout=SECONDS) as answer:
            assert b"<title>" in answer.read()
