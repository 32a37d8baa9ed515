"""The sandbox connects to ports of this machine and nowhere else."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from sandbox.address import Address
from sandbox.app import Sandbox
from sandbox.net.dial import check, dial

ROOT = Path(__file__).parent.parent.parent

connected: list[object] = []
"""Every address this process connected to, while `listened` is on."""
watching = False


def hook(event: str, args: tuple[object, ...]) -> None:
    if watching and event == "socket.connect":
        connected.append(args[1])


sys.addaudithook(hook)


@contextmanager
def audited() -> Iterator[list[object]]:
    """The addresses that this process connects to in the block; Python itself tells (PEP 578)."""
    global watching
    connected.clear()
    watching = True
    try:
        yield connected
    finally:
        watching = False


@pytest.mark.parametrize("host", ["192.0.2.1", "8.8.8.8", "10.0.0.1", "2001:db8::1", "fe80::1", "0.0.0.0", "::",
                                  "169.254.169.254", "::ffff:8.8.8.8", "224.0.0.1"])
async def test_another_machine_is_refused_before_any_packet(host: str) -> None:
    with audited() as addresses, pytest.raises(PermissionError, match="not on this machine"):
        await dial(Address(host, 80))
    assert addresses == []


@pytest.mark.parametrize("host", ["example.com", "localhost", "", "127.1", "0x7f000001", "127.0.0.1.nip.example"])
async def test_a_name_is_refused_and_never_looked_up(host: str) -> None:
    with audited() as addresses, pytest.raises(PermissionError, match="a name"):
        await dial(Address(host, 80))
    assert addresses == []


def test_loopback_and_the_sandbox_itself_are_this_machine() -> None:
    check(Address("127.0.0.1", 1))
    check(Address("127.255.255.254", 1))
    check(Address("::1", 1))
    check(Address("172.28.0.2", 1), own=["172.28.0.2"])


async def test_a_dialled_connection_carries_bytes_both_ways(sandbox: Sandbox) -> None:
    async with await dial(sandbox.endpoints["echo"]) as wire:
        await wire.send(b"there and back" * 100_000)
        await wire.end_writing()
        received = bytearray()
        with trio.fail_after(10):
            while data := await wire.receive():
                received += data
    assert received == b"there and back" * 100_000


async def test_a_port_where_nothing_listens_is_an_error() -> None:
    with trio.socket.socket() as taken:
        await taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="connect"):
            await dial(Address("127.0.0.1", taken.getsockname()[1]))


def test_nothing_else_in_the_package_connects() -> None:
    """`connect` is called in dial.py alone, by the ready command, which asks a running sandbox's own ports, and by
    the shell, which asks the sandbox for listeners by a Unix socket in its data folder."""
    callers = set()
    for path in (ROOT / "sandbox").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
            values = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if name in ("connect", "connect_ex", "create_connection", "open_tcp_stream", "getaddrinfo",
                        "gethostbyname") and not values.startswith("sqlite3."):
                callers.add(path.relative_to(ROOT / "sandbox").as_posix())
    assert callers == {"net/dial.py", "cli/ready.py", "shell/listeners.py"}
