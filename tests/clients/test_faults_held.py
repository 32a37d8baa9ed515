"""Holding, letting go, changing what is said; and the same by `sandbox fault` and by the API."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from sandbox.app import Sandbox
from sandbox.dashboard.service import dashboard
from sandbox.faults.held import Held
from tests.support.faults import Client, strike
from tests.support.network import watching
from tests.support.programs import Finished, run

pytestmark = pytest.mark.program("curl", "curl")

LONG = "15"
"""Seconds that curl waits for somebody to let go."""


async def held(sandbox: Sandbox, count: int = 1) -> list[Held]:
    """What is held, once there is so much."""
    with trio.fail_after(10):
        while len(found := list(sandbox.faults.waiting)) < count:
            await sandbox.faults.waiting.news.wait()
    return found


@asynccontextmanager
async def meeting(client: Client, service: str) -> AsyncIterator[list[Finished]]:
    """curl meets the service while the block runs; at its end what it said is there."""
    said: list[Finished] = []

    async def meet() -> None:
        said.append(await client.meets(service, patience=LONG))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(meet)
        yield said


async def test_a_question_is_answered_when_it_is_let_go(sandbox: Sandbox, tmp_path: Path) -> None:
    strike(sandbox, "'service:smtp verb:RCPT' hold")
    async with meeting(Client(sandbox, tmp_path), "smtp") as said:
        [one] = await held(sandbox)
        assert (one.step, one.exchange.verb) == ("question", "RCPT")
        one.go_on()
    assert said[0].status == 0


async def test_something_else_is_said(sandbox: Sandbox, tmp_path: Path) -> None:
    from sandbox.protocols.contract.script import ScriptedAnswer
    strike(sandbox, "'service:smtp verb:RCPT' hold")
    with watching(sandbox.journal) as watcher:
        async with meeting(Client(sandbox, tmp_path), "smtp") as said:
            (await held(sandbox))[0].go_on(ScriptedAnswer("550", "Not you", "5.7.1"))
        assert "RCPT failed: 550" in said[0].errors
        struck = await watcher.wait_for(lambda session, exchange: exchange.verb == "RCPT")
    assert (struck.outcome, struck.facts["fault"]) == ("550", "1: hold")


async def test_what_leaves_is_changed(sandbox: Sandbox, tmp_path: Path) -> None:
    strike(sandbox, "service:http hold at=answer")
    async with meeting(Client(sandbox, tmp_path), "http") as said:
        [one] = await held(sandbox)
        assert one.octets.startswith(b"HTTP/1.1 200 OK\r\n")
        one.go_on(octets=b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nother\n")
    assert said[0].output == b"other\n"


async def test_every_step_waits(sandbox: Sandbox, tmp_path: Path) -> None:
    client = Client(sandbox, tmp_path)
    await client.meets("https", patience=LONG)
    strike(sandbox, "service:https hold at=step")
    steps = []
    async with meeting(client, "https") as said:
        for _ in range(4):
            [one] = await held(sandbox)
            steps.append(one.step)
            one.go_on()
    assert said[0].status == 0
    assert steps == ["connection", "handshake", "question", "answer"]


async def test_what_nobody_lets_go_goes_on(sandbox: Sandbox, tmp_path: Path) -> None:
    strike(sandbox, "service:http hold=200ms at=step")
    assert (await Client(sandbox, tmp_path).meets("http", patience=LONG)).status == 0
    assert list(sandbox.faults.waiting) == []


@pytest.mark.parametrize("deed", ["silence", "delay=500s", "throttle=1", "hold=500s at=answer", "hold=500s"])
async def test_a_rule_that_goes_lets_everything_in_flight_arrive(sandbox: Sandbox, tmp_path: Path, deed: str) -> None:
    client = Client(sandbox, tmp_path)
    whole = await client.meets("pop3", patience=LONG)
    strike(sandbox, f"'service:pop3 verb:RETR' {deed}")
    async with meeting(client, "pop3") as said:
        with trio.fail_after(10):
            while not sandbox.faults.rules[1].rule.which.struck:  # noqa: ASYNC110 -- nothing tells of it
                await trio.sleep(0.005)
        sandbox.faults.clear()
    assert said[0].output == whole.output


async def test_datagrams_wait_too(sandbox: Sandbox) -> None:
    strike(sandbox, "protocol:dns hold=2s")
    host, port = sandbox.endpoints["dns"]
    async with trio.open_nursery() as nursery:
        async def ask() -> None:
            said = await run("dig", f"@{host}", "-p", str(port), "+tries=1", "+time=5", "www.example.com")
            assert "status: NOERROR" in said.text

        nursery.start_soon(ask)
        (await held(sandbox))[0].go_on()


@pytest.fixture
async def page(sandbox: Sandbox) -> AsyncIterator[str]:
    async with dashboard(sandbox) as found:
        assert found is not None
        yield found.url


Command = Callable[..., Any]


@pytest.fixture
def command(page: str) -> Command:
    async def fault(*words: str, status: int = 0) -> str:
        done = await run(sys.executable, "-m", "sandbox", "fault", words[0], "--url", page, *words[1:], status=status)
        return done.text + done.errors

    return fault


async def test_the_command_line(sandbox: Sandbox, tmp_path: Path, command: Command) -> None:
    assert "'protocol:smtp verb:RCPT' reply=451 times=2  (never struck)" in await command(
        "add", "protocol:smtp verb:RCPT", "reply=451", "times=2")
    await Client(sandbox, tmp_path).meets("smtp", patience=LONG)
    assert "(struck 1 of 1)" in await command("list")
    assert json.loads(await command("list", "--json"))["faults"][0]["struck"] == 1
    assert "Did you mean reply" in await command("add", "protocol:smtp", "replay=1", status=2)
    assert "Did you mean verb" in await command("add", "vreb:RCPT", "reset", status=2)
    assert "removed" in await command("remove", "1")
    assert "There is no rule" in await command("remove", "1", status=2)
    await command("add", "service:http", "hold")
    async with meeting(Client(sandbox, tmp_path), "http") as said:
        await held(sandbox)
        assert "held 1 by rule 2: http GET" in await command("list")
        assert "let go 1" in await command("go-on", "2", "--reply", "503", "--text", "later")
    assert said[0].status == 22
    assert "removed 1" in await command("remove", "all")
    assert "stale" in await command("actions")


async def test_the_api(sandbox: Sandbox, tmp_path: Path, page: str) -> None:
    async def ask(method: str, path: str, body: object = None) -> Any:
        words = [] if body is None else ["--header", "Content-Type: application/json", "--data", json.dumps(body)]
        done = await run("curl", "--silent", "--request", method, *words, f"{page}api/v1/{path}")
        return json.loads(done.text)

    made = await ask("POST", "faults", {"filter": "service:http", "hold": "", "at": "answer"})
    assert (made["id"], made["text"]) == (1, "service:http hold at=answer")
    async with meeting(Client(sandbox, tmp_path), "http") as said:
        await held(sandbox)
        [row] = (await ask("GET", "faults"))["held"]
        assert base64.b64decode(row["octets"]).startswith(b"HTTP/1.1 200")
        octets = base64.b64encode(b"HTTP/1.1 500 Ours\r\nContent-Length: 0\r\n\r\n").decode()
        assert await ask("POST", "faults/1/go-on", {"held": row["id"], "octets": octets}) == {"count": 1}
    assert said[0].status == 22
    assert (await ask("POST", "faults", {"filter": "outcome:5xx", "reset": True}))["status"] == 422
    assert (await ask("POST", "faults", {"filter": "x:y", "reset": True}))["position"] == 0
    assert (await ask("POST", "faults/7/go-on", {}))["status"] == 404
    assert await ask("DELETE", "faults") == {"count": 1}
    assert len((await ask("GET", "faults/actions"))["actions"]) > 20
