"""The whole, put together: what starts, what a client sees, and that nothing ever leaves this machine."""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from sandbox.app import Sandbox, StartError, running
from sandbox.config import Config
from sandbox.protocols.contract.registry import PROTOCOLS

connected: list[tuple[Any, ...]] = []
looked_up: list[object] = []
bound: list[int] = []
watching = False


def hook(event: str, args: tuple[Any, ...]) -> None:
    if watching and event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(args[1], tuple):
        connected.append(args[1])
    elif watching and event in ("socket.getaddrinfo", "socket.gethostbyname"):
        looked_up.append(args[0])
    elif watching and event == "socket.bind" and isinstance(args[1], tuple):
        bound.append(args[1][1])


sys.addaudithook(hook)


@contextmanager
def audited() -> Iterator[None]:
    """Python tells of every address that this process connects to or looks up (PEP 578)."""
    global watching
    connected.clear()
    looked_up.clear()
    bound.clear()
    watching = True
    try:
        yield
    finally:
        watching = False


async def say(sandbox: Sandbox, service: str, data: bytes) -> bytes:
    """One conversation: all of it at once, then whatever comes."""
    address = sandbox.endpoints[service]
    received = bytearray()
    async with await open_stream(address.host, address.port) as stream:
        await stream.send_all(data)
        await stream.send_eof()
        with trio.fail_after(20):
            async for piece in stream:
                received += piece
    return bytes(received)


async def open_stream(host: str, port: int) -> trio.SocketStream:
    """A connection by address, so that the test itself looks nothing up."""
    sock = trio.socket.socket(trio.socket.AF_INET)
    await sock.connect((host, port))
    return trio.SocketStream(sock)


async def test_whatever_clients_ask_nothing_leaves_this_machine(sandbox: Sandbox) -> None:
    """As a proxy, as a mail relay, for names and addresses of the real internet."""
    with audited():
        for target in (b"http://192.0.2.1/", b"http://bank.com/", b"http://169.254.169.254/latest/",
                       b"http://[2001:db8::1]/"):
            host = target.split(b"/")[2]
            await say(sandbox, "http", b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (target, host))
        for target in (b"192.0.2.1:80", b"bank.com:443", b"8.8.8.8:53", b"[2001:db8::1]:25", b"example.com:4444"):
            await say(sandbox, "http", b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (target, target))
        await say(sandbox, "submission",
                  b"EHLO me\r\nAUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\r\nMAIL FROM:<alice@example.com>\r\n"
                  b"RCPT TO:<someone@gmail.com>\r\nRCPT TO:<a@[192.0.2.1]>\r\n"
                  b"DATA\r\nSubject: out\r\n\r\nx\r\n.\r\nQUIT\r\n")
        # The carrier takes the mail on from here; its own exchange over SMTP shows that it did.
        with sandbox.journal.bus.listen() as news, trio.move_on_after(3):
            async for batch in news:
                if any(session.service == "smtp" for session in batch.closed):
                    break
        assert all(ipaddress.ip_address(address[0]).is_loopback for address in connected), connected
        assert {address[1] for address in connected}
        assert looked_up == []


async def test_every_role_that_is_on_by_default_starts(sandbox: Sandbox) -> None:
    expected = {role.name for protocol in PROTOCOLS for role in protocol.roles if role.default}
    assert sandbox.endpoints.keys() == expected
    assert sandbox.failures == {}


async def test_no_service_takes_the_port_that_another_was_given(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with audited():
        async with running(Config(ports="ephemeral", services={"time": port}), tmp_path) as sandbox:
            assert sandbox.endpoints["time"].port == port
            assert list(sandbox.endpoints)[:2] == ["http", "https"], "they are told in the registry's order"
    assert bound[0] == port, "a free port for another service might have been this one"


async def test_two_sandboxes_live_beside_each_other(tmp_path: Path) -> None:
    config = Config(ports="ephemeral")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with running(config, tmp_path / "a") as first, running(config, tmp_path / "b") as second:
        assert not set(first.endpoints.values()) & set(second.endpoints.values())
        for sandbox in (first, second):
            assert await say(sandbox, "echo", b"hello") == b"hello"


async def test_when_nothing_can_start_it_says_why(tmp_path: Path, sandbox: Sandbox) -> None:
    services: dict[str, bool | int] = {role.name: False for protocol in PROTOCOLS for role in protocol.roles}
    services["echo"] = sandbox.endpoints["echo"].port
    (tmp_path / "other").mkdir()
    with pytest.raises(StartError, match=r"echo: port .* is taken by") as caught:
        async with running(Config(ports="high", services=services), tmp_path / "other"):
            pass
    assert "no service could start" in str(caught.value)
