"""Spaces: a second world beside the first, opened and closed while the sandbox runs, without a trace."""

from __future__ import annotations

import gc
import os
import threading
import time
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from sandbox.app import Sandbox, running
from sandbox.config import Config
from sandbox.space import Space
from sandbox.spaces import SpaceError, SpaceSpec
from sandbox.starting import StartError
from tests.support.mail import letters, wait_until_carried
from tests.support.network import read_all, reader


async def say(space: Space, service: str, *lines: bytes, host: str = "", source: str = "") -> bytes:
    """One conversation, a line at a time where the server speaks first. Whatever came."""
    at = space.endpoints[service]
    sock = trio.socket.socket(trio.socket.AF_INET)
    try:
        if source:
            await sock.bind((source, 0))
        await sock.connect((host or at.host, at.port))
    except BaseException:
        sock.close()
        raise
    received = bytearray()
    async with trio.SocketStream(sock) as stream:
        with trio.fail_after(20):
            for line in lines[:-1]:
                await stream.send_all(line)
                received += await stream.receive_some()
            with suppress(trio.BrokenResourceError):  # reset already, by a space without this service
                await stream.send_all(lines[-1])
                await stream.send_eof()
            received += await read_all(stream)
    return bytes(received)


async def ask(space: Space, name: str, *, source: str = "") -> bytes:
    """The A record that DNS gives over UDP, as octets."""
    labels = b"".join(len(label).to_bytes(1, "big") + label.encode() for label in name.split("."))
    sock = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
    with sock:
        if source:
            await sock.bind((source, 0))
        await sock.sendto(bytes.fromhex("0001 0100 0001 0000 0000 0000") + labels + b"\0\0\1\0\1",
                          tuple(space.endpoints["dns"]))
        with trio.fail_after(20):
            return (await sock.recv(512))[-4:]


async def submit(space: Space, recipient: bytes) -> None:
    login = b64encode(b"\0alice\0wonderland")
    said = await say(space, "submission", b"EHLO me\r\n", b"AUTH PLAIN %b\r\n" % login,
                     b"MAIL FROM:<alice@example.com>\r\n", b"RCPT TO:<%b>\r\n" % recipient, b"DATA\r\n",
                     b"Subject: only here\r\n\r\nx\r\n.\r\nQUIT\r\n")
    assert b"\r\n221 " in said, said


GET = b"GET / HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n"


async def test_a_second_space_has_everything_of_its_own(sandbox: Sandbox, tmp_path: Path) -> None:
    world = tmp_path / "tea.toml"
    world.write_text('[[domain]]\nname = "tea.test"\nhosts = ["www"]\nrecords = "leaf A 127.9.9.9"\n')
    space = await sandbox.spaces.open(SpaceSpec("tea", str(world)))
    main = sandbox.main
    assert space.endpoints.keys() == {name for name in main.endpoints if not name.startswith("dns-")}
    assert not set(space.endpoints.values()) & set(main.endpoints.values())

    space.world.accounts.add("greta", "knitting")
    assert main.world.accounts.get("greta") is None
    login = b"USER greta\r\n", b"PASS knitting\r\n", b"QUIT\r\n"
    assert b"-ERR" not in await say(space, "pop3", *login)
    assert b"-ERR" in await say(main, "pop3", *login)

    assert await ask(space, "leaf.tea.test") == bytes([127, 9, 9, 9])
    assert await ask(main, "leaf.tea.test") == bytes([127, 0, 0, 1]), "here it is any name"

    await submit(space, b"bob@example.org")
    store = space.world.open_mail()
    await wait_until_carried(store)
    assert [text for _, text in letters(store, "bob") if b"only here" in text]
    assert not [text for _, text in letters(main.world.open_mail(), "bob") if b"only here" in text]

    assert b"HTTP/1.1 200 " in await say(space, "http", GET)
    homes = tmp_path / "spaces" / "tea" / "homes"
    (homes / "alice" / "www" / "index.html").write_text("hers, there")
    page = b"GET / HTTP/1.1\r\nHost: alice.example.com\r\nConnection: close\r\n\r\n"
    assert b"hers, there" in await say(space, "http", page)
    assert b"hers, there" not in await say(main, "http", page)

    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        told = {(session.service, session.space) for session in journal.sessions()}
    assert {("pop3", "tea"), ("pop3", "main"), ("dns", "tea"), ("dns", "main"), ("smtp", "tea")} <= told
    assert ("smtp", "main") not in told, "a space's mail goes to the space's own server"


async def test_it_is_there_in_a_moment(sandbox: Sandbox) -> None:
    took = []
    for number in range(5):
        began = time.perf_counter()
        await sandbox.spaces.open(SpaceSpec(f"quick-{number}"))
        took.append(time.perf_counter() - began)
        await sandbox.spaces.close(f"quick-{number}")
    assert min(took) < 0.05, took


def traces(data: Path) -> tuple[int, int, list[str]]:
    """Descriptors, threads and files."""
    return (len(os.listdir("/proc/self/fd")), len([one for one in threading.enumerate() if "mail" in one.name]),
            sorted(str(path) for path in (data / "spaces").rglob("*")))


async def test_a_space_that_is_closed_leaves_nothing(sandbox: Sandbox) -> None:
    async def visit(name: str) -> None:
        space = await sandbox.spaces.open(SpaceSpec(name))
        await submit(space, b"bob@example.org")
        await wait_until_carried(space.world.open_mail())
        await ask(space, "www.example.com")
        assert b"HTTP/1.1 200 " in await say(space, "http", GET)
        await sandbox.spaces.close(name)
        with pytest.raises(OSError, match=r"refused|Connect"):
            await say(space, "http", GET)

    def count() -> tuple[int, int]:
        gc.collect()
        found = [one for one in gc.get_objects() if isinstance(one, Space)]
        return len(found), trio.lowlevel.current_statistics().tasks_living

    await visit("first")
    before, counted = traces(sandbox.data), count()
    for number in range(5):
        await visit(f"more-{number}")
    assert traces(sandbox.data)[1:] == before[1:]
    assert traces(sandbox.data)[0] <= before[0]
    assert count() == counted
    assert [space.name for space in sandbox.spaces] == ["main"]


async def test_an_address_of_its_own_on_the_same_ports(sandbox: Sandbox) -> None:
    ports = {name: address.port for name, address in sandbox.endpoints.items()}
    space = await sandbox.spaces.open(SpaceSpec("two", bind=("127.0.0.2",), ports=ports))
    assert {name: address.port for name, address in space.endpoints.items()} == {
        name: port for name, port in ports.items() if not name.startswith("dns-")}, "whose addresses are taken"
    assert await ask(space, "www.example.com") == bytes([127, 0, 0, 2])
    assert b"HTTP/1.1 200 " in await say(space, "http", GET)
    await sandbox.spaces.close("two")
    assert b"HTTP/1.1 200 " in await say(sandbox.main, "http", GET), "the main one answers on"


async def test_by_the_address_of_the_client(sandbox: Sandbox) -> None:
    """On the listeners of the main space: TCP, datagrams, and what the space itself dials."""
    main = sandbox.main
    assert (await ask(main, "www.example.com", source="127.0.0.9")) == bytes([127, 0, 0, 1])
    space = await sandbox.spaces.open(SpaceSpec("class", bind=(), clients=("127.0.0.9",), services=(
        "http", "dns", "smtp", "submission")))
    space.world.zones.add("only.example.com", "A", "127.3.3.3")
    assert await ask(main, "only.example.com", source="127.0.0.9") == bytes([127, 3, 3, 3])
    assert await ask(main, "only.example.com") != bytes([127, 3, 3, 3])

    store = space.world.open_mail()
    login = b64encode(b"\0alice\0wonderland")
    await say(main, "submission", b"EHLO me\r\n", b"AUTH PLAIN %b\r\n" % login, b"MAIL FROM:<alice@example.com>\r\n",
              b"RCPT TO:<bob@example.org>\r\n", b"DATA\r\n", b"Subject: only here\r\n\r\nx\r\n.\r\nQUIT\r\n",
              source="127.0.0.9")
    await wait_until_carried(store)
    assert [text for _, text in letters(store, "bob") if b"only here" in text], "its hop came back to itself"
    assert not [text for _, text in letters(main.world.open_mail(), "bob") if b"only here" in text]

    assert await say(main, "echo", b"x", source="127.0.0.9") == b"", "a service it has not"
    assert await say(main, "echo", b"x") == b"x"
    await sandbox.spaces.close("class")
    assert await ask(main, "only.example.com", source="127.0.0.9") != bytes([127, 3, 3, 3])
    assert await say(main, "echo", b"x", source="127.0.0.9") == b"x"


async def test_a_reset_builds_it_anew_in_the_same_place(sandbox: Sandbox) -> None:
    space = await sandbox.spaces.open(SpaceSpec("again"))
    space.world.accounts.add("greta", "knitting")
    await submit(space, b"bob@example.org")
    endpoints = dict(space.endpoints)
    anew = await sandbox.spaces.reset("again")
    assert anew.endpoints == endpoints
    assert anew.world.accounts.get("greta") is None
    assert not [text for _, text in letters(anew.world.open_mail(), "bob") if b"only here" in text]
    assert b"HTTP/1.1 200 " in await say(anew, "http", GET)


async def test_open_connections_end_when_their_space_does(sandbox: Sandbox) -> None:
    space = await sandbox.spaces.open(SpaceSpec("brief"))
    inside = await trio.open_tcp_stream(*space.endpoints["pop3"])
    outside = await trio.open_tcp_stream(*sandbox.main.endpoints["pop3"])
    async with inside, outside:
        for stream in (inside, outside):
            assert (await stream.receive_some()).startswith(b"+OK")
        await sandbox.spaces.close("brief")
        with trio.fail_after(10):
            await read_all(inside)
        await outside.send_all(b"CAPA\r\n")
        assert (await outside.receive_some()).startswith(b"+OK"), "others go on"


async def test_what_cannot_be_is_refused_with_what_to_do(sandbox: Sandbox, tmp_path: Path) -> None:
    spaces = sandbox.spaces
    await spaces.open(SpaceSpec("one", bind=(), clients=("127.0.0.9",)))
    for spec, words in ((SpaceSpec("one"), "there is a space one already"), (SpaceSpec("main"), "already"),
                        (SpaceSpec("../up"), "cannot be the name"),
                        (SpaceSpec("two", bind=()), "would answer nobody"),
                        (SpaceSpec("two", clients=("127.0.0.9",)), "in the space one already"),
                        (SpaceSpec("two", bind=("192.0.2.1",)), "cannot listen on"),
                        (SpaceSpec("two", bind=("0.0.0.0",)), "cannot listen on")):
        with pytest.raises(SpaceError, match=words):
            await spaces.open(spec)
    with pytest.raises(StartError, match="no service could start"):
        await spaces.open(SpaceSpec("two", services=("echo",), ports={"echo": sandbox.endpoints["echo"].port}))
    with pytest.raises(SpaceError, match="no space 'three'"):
        await spaces.close("three")
    with pytest.raises(SpaceError, match="as long as the sandbox"):
        await spaces.close("main")
    assert [space.name for space in spaces] == ["main", "one"]
    assert [path.name for path in (tmp_path / "spaces").iterdir()] == ["one"]


async def test_spaces_end_with_the_sandbox_and_what_a_kill_left_goes_at_the_next_start(tmp_path: Path) -> None:
    left = tmp_path / "spaces" / "left" / "mail"
    left.mkdir(parents=True)
    async with running(Config(ports="ephemeral"), tmp_path) as sandbox:
        assert not left.exists()
        space = await sandbox.spaces.open(SpaceSpec("open"))
        await submit(space, b"bob@example.org")
    assert list((tmp_path / "spaces").iterdir()) == []

    async def break_off() -> None:
        async with running(Config(ports="ephemeral"), tmp_path) as sandbox:
            space = await sandbox.spaces.open(SpaceSpec("open"))
            await submit(space, b"bob@example.org")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    assert list((tmp_path / "spaces").iterdir()) == []


async def test_a_thousand_leave_nothing(tmp_path: Path) -> None:
    """Memory stays where it is once everything has been made, and no descriptor, thread or folder is left."""
    spec = SpaceSpec("again", services=("http", "dns"))
    async with running(Config(ports="ephemeral", bind=("127.0.0.1",), ephemeral=True), tmp_path) as sandbox:
        for number in range(1_000):
            await sandbox.spaces.open(spec)
            await sandbox.spaces.close("again")
            if number in (200, 999):
                gc.collect()
                if number == 200:
                    before = resident(), len(os.listdir("/proc/self/fd")), threading.active_count()
        grown = resident() - before[0]
        assert grown < 6_000_000, f"{grown / 800:.0f} octets of each"
        assert len(os.listdir("/proc/self/fd")) <= before[1]
        assert threading.active_count() <= before[2]
    assert list((tmp_path / "spaces").iterdir()) == []


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
