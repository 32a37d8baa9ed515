"""`sandbox log`, over a store that a real service has written."""

from __future__ import annotations

import argparse
import io
import json
import signal
import ssl
import subprocess
import sys
import time
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
import trio

from sandbox.cli import main
from sandbox.cli.log import Progress, since
from sandbox.journal.reader import Found
from tests.support.service import serving

BINARY = b"GET me\r\n\x00\x01\x02\xff\xfe binary"


async def say(role: str, data: Path, *words: bytes) -> None:
    async with serving(role, data) as address:
        for word in words:
            async with await trio.open_tcp_stream(*address) as stream:
                await stream.send_all(word)
                await stream.send_eof()
                async for _ in stream:
                    pass


@pytest.fixture
def data(tmp_path: Path) -> Path:
    trio.run(say, "echo", tmp_path, b"hello \x1b[2J\r\n", BINARY)
    trio.run(say, "discard", tmp_path, b"nobody hears\n")
    return tmp_path


def log(data: Path, *options: str) -> int:
    return main(["log", "--data", str(data), *options])


def asked(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [json.loads(text)["asked"] for text in capsys.readouterr().out.splitlines()]


def test_lines(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert log(data) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert "echo    12 octets → done 12 octets" in first
    assert "Echo sends back every octet it gets (RFC 862)." in first
    assert "discard nobody hears → done 13 octets thrown away" in last


@pytest.mark.parametrize(("options", "expected"), [
    ([], ["12 octets", "20 octets", "nobody hears"]),
    (["--protocol", "tcp"], ["12 octets", "20 octets", "nobody hears"]),
    (["--protocol", "discard"], ["nobody hears"]),
    (["--protocol", "dns"], []),
    (["--client", "127.0.0.1"], ["12 octets", "20 octets", "nobody hears"]),
    (["--client", "192.0.2.1"], []),
    (["--limit", "1"], ["nobody hears"]),
    (["--limit", "2"], ["20 octets", "nobody hears"]),
    (["--since", "1h"], ["12 octets", "20 octets", "nobody hears"]),
    (["--since", "2999-01-01"], []),
])
def test_filters(options: list[str], expected: list[str], data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert log(data, "--json", *options) == 0
    assert asked(capsys) == expected


@pytest.mark.parametrize(("words", "expected"), [
    (["20"], ["20 octets"]),
    (["octets", "service:echo"], ["12 octets", "20 octets"]),
    (["octets -20"], ["12 octets", "nobody hears"]),
    (["--limit", "1", "nobody or 12"], ["nobody hears"]),
    (["--limit", "1", "--protocol", "echo", "nobody or 12"], ["12 octets"]),
    (["--since", "2999-01-01", "nobody or 12"], []),
    (["--", "-service:echo"], ["nobody hears"]),
])
def test_a_filter(words: list[str], expected: list[str], data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert log(data, "--json", *words) == 0
    assert asked(capsys) == expected


@pytest.mark.parametrize(("words", "count"), [([], "3"), (["octets"], "3"), (["--limit", "2", "octets"], "2"),
                                              (["nowhere"], "0")])
def test_count(words: list[str], count: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert log(data, "--count", *words) == 0
    assert capsys.readouterr().out == f"{count}\n"


def test_no_explanation(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert log(data, "--no-explain", "--limit", "1") == 0
    assert "RFC" not in capsys.readouterr().out
    assert log(data, "--no-explain", "--explain", "--limit", "1") == 0
    assert "RFC" in capsys.readouterr().out


def test_a_filter_that_is_none_says_where(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert log(data, "--protocol", "echo", "20", "outcom:404") == 2
    said = capsys.readouterr().err
    assert "  20 outcom:404\n     ^" in said
    assert "outcome" in said


def test_a_long_search_says_how_far_it_is() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sandbox.cli.log.PATIENCE", 0.0)
        pieces = [Found((), share, 1, 0) for share in (0.25, 0.5, 1.0)]
        assert list(Progress(terminal).over(iter(pieces))) == pieces
    said = [text.strip() for text in terminal.getvalue().split("\r")]
    assert said == ["", "searched 25%", "", "searched 50%", "", "", ""]


def test_raw(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert log(data, "--raw", "2") == 0
    title, *lines = capsys.readouterr().out.splitlines()
    assert title.startswith("# session 2: echo over tcp, 127.0.0.1:")
    assert lines == [
        "> GET me",
        "> 00000008  00 01 02 ff fe 20 62 69 6e 61 72 79              |..... binary|",
        "< GET me",
        "< 00000008  00 01 02 ff fe 20 62 69 6e 61 72 79              |..... binary|",
    ]


@pytest.mark.parametrize("side", ["client", "server"])
def test_raw_bytes_of_one_side(side: str, data: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert log(data, "--raw", "2", "--side", side) == 0
    assert capfdbinary.readouterr().out == BINARY


@pytest.mark.parametrize(("options", "says"), [
    (["--raw", "99"], "there is no session 99"),
    (["--side", "client"], "name it with --raw SESSION"),
    (["--raw", "1", "--follow"], "leave --follow away"),
    (["--raw", "1", "protocol:http"], "leave the filter away"),
    (["--count", "--follow"], "leave --follow away"),
    (["--client", 'no"body'], "an address such as 127.0.0.1"),
])
def test_what_cannot_be_shown(options: list[str], says: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert log(data, *options) == 2
    assert says in capsys.readouterr().err


def test_no_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert log(tmp_path) == 2
    assert "no journal there" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--protocol", "gopher"], ["--limit", "0"], ["--limit", "x"], ["--raw", "-1"],
                                     ["--since", "yesterday"], ["--since", "99999-01-01"], ["--json", "--raw", "1"]])
def test_misused(options: list[str], data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        log(data, *options)
    assert caught.value.code == 2
    assert "usage: sandbox log" in capsys.readouterr().err


def test_a_protocol_that_is_none(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        log(data, "--protocol", "gopher")
    assert "(choose from 'http'," in capsys.readouterr().err


@pytest.mark.parametrize(("text", "ago"), [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86_400)])
def test_since_ago(text: str, ago: int) -> None:
    assert abs(time.time() - ago - since(text)) < 5


def test_since_a_moment() -> None:
    assert since("2026-01-31T10:00") == datetime(2026, 1, 31, 10).astimezone().timestamp()
    assert since("2026-01-31T10:00Z") == 1_769_853_600.0
    with pytest.raises(argparse.ArgumentTypeError, match=r"'soon' is no time; write 30s, 10m"):
        since("soon")


async def test_follow_a_living_sandbox(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox", "log", "--follow", "--json", "--data", str(tmp_path)]
    async with serving("echo", tmp_path) as address, trio.open_nursery() as nursery:
        follower: trio.Process = await nursery.start(partial(
            trio.run_process, command, stdout=subprocess.PIPE, check=False))
        assert follower.stdout is not None
        async with follower.stdout, await trio.open_tcp_stream(*address) as stream:
            with trio.fail_after(20):
                for word in (b"one", b"two"):
                    await stream.send_all(word)
                    assert await stream.receive_some() == word
                    line = b""
                    while not line.endswith(b"\n"):
                        line += await follower.stdout.receive_some()
                    assert json.loads(line)["asked"] == word.decode()
                follower.send_signal(signal.SIGINT)
                assert await follower.wait() == 0


async def shake_hands(data: Path) -> None:
    from sandbox.app import running
    from sandbox.config import Config

    async with running(Config(ports="ephemeral", services={"http": False}), data) as sandbox:
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        trusting.set_alpn_protocols(["http/1.1"])
        stream = trio.SSLStream(await trio.open_tcp_stream(*sandbox.endpoints["https"]), trusting,
                                server_hostname="www.example.com")
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        while await stream.receive_some():
            pass
        await stream.aclose()
        plain = await trio.open_tcp_stream(*sandbox.endpoints["https"])
        await plain.send_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        while await plain.receive_some():
            pass
        await plain.aclose()


def test_a_handshake_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trio.run(shake_hands, tmp_path)
    assert log(tmp_path, "--handshake", "1") == 0
    told = " ".join(capsys.readouterr().out.split())
    for words in ("The client offers", "server name www.example.com", "JA4", "x25519: ", "there and back",
                  "The server chooses", "its cipher", "AES with a 256-bit key", "not to be seen: TLS 1.3 encrypts",
                  "option mss", "openssl s_client -connect 127.0.0.1:"):
        assert words in told
    assert told.index("In short") < told.index("version TLS 1.3: ") < told.index("The client offers")
    assert log(tmp_path, "--handshake", "2") == 0
    told = capsys.readouterr().out
    assert "no TLS handshake" in told
    assert "plain http" in told


def test_a_session_without_tls_has_that_of_tcp(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert log(data, "--handshake", "1") == 0
    told = capsys.readouterr().out
    assert "the client's SYN" in told
    assert "option window scaling" in told
    assert told.endswith("No TLS: all that follows was readable by anyone on the way.\n")


async def shake_hands_of_old(data: Path) -> None:
    from sandbox.app import running
    from sandbox.config import Config

    async with running(Config(ports="ephemeral"), data) as sandbox:
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        trusting.maximum_version = ssl.TLSVersion.TLSv1_2
        stream = trio.SSLStream(await trio.open_tcp_stream(*sandbox.endpoints["https"]), trusting,
                                server_hostname="www.example.com")
        await stream.do_handshake()
        await stream.aclose()


@pytest.mark.parametrize("columns", [80, 120])
def test_the_certificate_is_told_where_it_was_sent_in_clear(
        columns: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    trio.run(shake_hands_of_old, tmp_path)
    assert log(tmp_path, "--handshake", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    told = " ".join(" ".join(lines).split())
    assert "its names www.example.com" in told
    assert "signed by CN=" in told
    assert "valid from 20" in told
    # The JA3 of a client, and names of suites, are words that no terminal's width can break.
    assert max(len(text) for text in lines if len(text.split()) > 2) <= columns


class Tty(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("options", "obeyed"), [([], False), (["--as-is"], True)])
def test_a_terminal_does_not_obey_what_a_client_sent(options: list[str], obeyed: bool, data: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Tty(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", terminal)
    assert log(data, "--raw", "1", "--side", "client", *options) == 0
    terminal.flush()
    shown = terminal.buffer
    assert isinstance(shown, io.BytesIO)
    assert (b"\x1b[2J" in shown.getvalue()) is obeyed
    assert b"hello" in shown.getvalue()


async def ask_for_a_page(data: Path) -> None:
    async with serving("http", data) as address, await trio.open_tcp_stream(*address) as stream:
        await stream.send_all(b"GET /tea?sort=\x1b HTTP/1.1\r\nHost: a.example\r\nX-One: \x1b[2J\xff\r\n"
                              b"Connection: close\r\n\r\n")
        async for _ in stream:
            pass
        await stream.aclose()


@pytest.mark.parametrize("columns", [80, 120])
def test_the_octets_of_a_session_are_explained(columns: int, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    trio.run(ask_for_a_page, tmp_path)
    assert log(tmp_path, "--raw", "1", "--explain") == 0
    _, *lines = capsys.readouterr().out.splitlines()
    assert "> request line  GET /tea?sort=\\x1b HTTP/1.1\\r\\n" in lines
    assert ">   method  GET" in lines
    assert any("changes nothing. (RFC 9110 §9.3.1)" in text for text in lines)
    assert any(text.startswith("< status line  HTTP/1.1 4") for text in lines)
    assert max(map(len, lines)) <= columns
    assert all(text.isprintable() for text in lines)
    assert sum("A colon ends the name" in text for text in lines) == 1
