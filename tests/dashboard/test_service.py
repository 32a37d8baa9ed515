"""The dashboard as a service: on its own port, in nobody's journal, and no way to anywhere else."""

from __future__ import annotations

import stat
from pathlib import Path

import trio

from sandbox.app import running
from sandbox.config import Config
from sandbox.config.load import load
from sandbox.dashboard.service import TOKEN_FILE, dashboard
from sandbox.journal.reader import Reader
from sandbox.journal.store import FILE
from sandbox.net.binding import bind
from sandbox.protocols.contract.registry import PROTOCOLS
from tests.support.dashboard import live_page

ROOT = Path(__file__).parents[2]


async def test_nothing_of_it_is_in_the_journal(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        await page.get("exchanges")
        await page.ask("GET", "/")
        await page.ask("GET", "/nowhere.js")
        async with page.stream() as stream:
            assert (await stream.next("hello")).data == {"last": 0, "sessions_open": 0}
        await page.sandbox.journal.settle()
        assert (await page.get("count"))["count"] == 0
    with Reader(tmp_path / FILE) as reader:
        assert list(reader.sessions()) == []


async def test_it_leads_nowhere_else(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        http = page.sandbox.endpoints["http"]
        for head in (f"CONNECT {http} HTTP/1.1\r\nHost: {http}\r\n",
                     f"GET http://{http}/ HTTP/1.1\r\nHost: {http}\r\n",
                     "GET http://www.example.com/ HTTP/1.1\r\nHost: www.example.com\r\n"):
            async with await trio.open_tcp_stream(page.host, page.port) as stream:
                await stream.send_all(f"{head}Connection: close\r\n\r\n".encode())
                answer = b"".join([piece async for piece in stream])
            status = int(answer.split()[1])
            assert status >= 400 or b'<html lang="en"' in answer, answer[:300]
            assert b"Welcome" not in answer
        await page.sandbox.journal.settle()
        assert (await page.get("count"))["count"] == 0


async def test_the_token_is_its_owners_and_stays(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        token = page.token
    async with live_page(tmp_path, "http") as page:
        assert page.token == token
    file = trio.Path(tmp_path / TOKEN_FILE)
    assert stat.S_IMODE((await file.stat()).st_mode) == 0o600
    assert len(token) >= 32


async def test_a_port_that_is_taken_is_said_among_the_failures(tmp_path: Path) -> None:
    taken = bind(["127.0.0.1"], 0, ("tcp",))
    try:
        config = Config(ports="ephemeral", bind=("127.0.0.1",), services={"dashboard": taken.address.port})
        async with running(config, tmp_path) as sandbox, dashboard(sandbox) as page:
            assert page is None
            assert "dashboard" in sandbox.failures
    finally:
        taken.close()


async def test_it_can_be_off(tmp_path: Path) -> None:
    config = Config(ports="ephemeral", bind=("127.0.0.1",), services={"dashboard": False})
    async with running(config, tmp_path) as sandbox, dashboard(sandbox) as page:
        assert page is None
        assert not sandbox.failures


async def test_a_classroom_is_told_where_learners_and_the_teacher_go(tmp_path: Path) -> None:
    services = {role.name: False for protocol in PROTOCOLS for role in protocol.roles if role.name != "qotd"}
    config = load(ROOT / "configs" / "classroom.toml", {}, {"ports": "ephemeral", "services": services,
                                                            "advertise": ["192.168.1.10"]})
    async with running(config, tmp_path) as sandbox, dashboard(sandbox) as page:
        assert page is not None
        port = page.url.rstrip("/").rpartition(":")[2]
        assert page.url == f"http://127.0.0.1:{port}/"
        assert page.elsewhere == f"http://192.168.1.10:{port}/"
        assert page.teacher == f"http://192.168.1.10:{port}/#token={page.token}"


async def test_on_loopback_there_is_no_address_for_others(tmp_path: Path) -> None:
    services = {role.name: False for protocol in PROTOCOLS for role in protocol.roles if role.name != "qotd"}
    config = Config(ports="ephemeral", bind=("127.0.0.1", "::1"), services=dict(services))
    async with running(config, tmp_path) as sandbox, dashboard(sandbox) as page:
        assert page is not None
        assert (page.elsewhere, page.teacher) == ("", "")
