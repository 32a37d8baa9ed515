"""Who is who: what one does never counts for another, and nobody from elsewhere sees or answers for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from sandbox.labs.learners import Roll, RollError, word_of
from tests.support.dashboard import VISITOR, Page, live_page

OTHER = "127.0.0.3"


async def fetch(page: Page, path: str, source: str, agent: str = "test") -> None:
    """A request from an address."""
    address = page.sandbox.endpoints["http"]
    sock = trio.socket.socket()
    await sock.bind((source, 0))
    await sock.connect((address.host, address.port))
    async with trio.SocketStream(sock) as wire:
        await wire.send_all(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: {agent}\r\n"
                            "Connection: close\r\n\r\n".encode())
        with trio.fail_after(10):
            while await wire.receive_some():
                pass
    await page.sandbox.journal.settle()


async def start(page: Page, learner: str, source: str, **more: Any) -> Any:
    reply = await page.ask("POST", "labs/first-request/start", {"learner": learner, **more}, source=source)
    return reply.json if reply.status == 200 else reply.status


async def statuses(page: Page, source: str, learner: str = "") -> list[str]:
    found = await page.get("labs/first-request", source=source, learner=learner)
    return [check["status"] for step in found["steps"] for check in step["checks"]]


async def test_what_one_does_counts_for_nobody_else(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        for name, source in (("Ada", VISITOR), ("Grace", OTHER)):
            assert (await start(page, name, source))["learner"]["name"] == name
        await fetch(page, "/", VISITOR, word_of("Ada"))
        assert await statuses(page, VISITOR) == ["passed", "passed"]
        assert await statuses(page, OTHER) == ["not yet", "not yet"]
        await fetch(page, "/", "127.0.0.1")
        assert await statuses(page, OTHER) == ["not yet", "not yet"]
        await fetch(page, "/", OTHER, word_of("Ada"))
        assert await statuses(page, OTHER) == ["passed", "not yet"], "another's word was taken"


async def test_nobody_from_elsewhere_sees_or_answers_for_another(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        await start(page, "Ada", VISITOR)
        answer = {"step": "page", "question": "sender", "answer": "server", "learner": "Ada"}
        assert (await page.ask("GET", "labs?learner=Ada", source=OTHER)).status == 404
        assert (await page.ask("GET", "labs/first-request?learner=Ada", source=OTHER)).status == 404
        assert (await page.ask("POST", "labs/first-request/answers", answer, source=OTHER)).status == 404
        assert (await page.ask("POST", "labs/first-request/hints", {"step": "page", "learner": "Ada"},
                               source=OTHER)).status == 404
        assert await start(page, "Ada", OTHER) == 422
        assert await start(page, "Bob", OTHER, account="alice") == 403
        assert (await page.get("labs", source=OTHER))["learner"] is None
        assert (await page.get("labs", learner="Ada"))["learner"]["name"] == "Ada", "the owner may look"


async def test_what_was_before_the_start_does_not_count(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        await fetch(page, "/", "127.0.0.1")
        await start(page, "Ada", "127.0.0.1")
        assert (await statuses(page, "127.0.0.1"))[0] == "not yet"
        await fetch(page, "/", "127.0.0.1")
        assert (await statuses(page, "127.0.0.1"))[0] == "passed"
        await start(page, "Ada", "127.0.0.1")
        assert (await statuses(page, "127.0.0.1"))[0] == "passed", "beginning twice forgets nothing"
        await start(page, "Ada", "127.0.0.1", again=True)
        assert (await statuses(page, "127.0.0.1"))[0] == "not yet"


async def test_two_at_one_address_are_told_apart_or_nothing_counts(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        await start(page, "Ada", "127.0.0.1")
        await start(page, "Grace", "127.0.0.1")
        await fetch(page, "/", "127.0.0.1")
        for name in ("Ada", "Grace"):
            assert (await statuses(page, "127.0.0.1", name))[0] == "not yet"


async def test_what_browsers_do_by_themselves_passes_no_step(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        await start(page, "Ada", "127.0.0.1")
        await fetch(page, "http://detectportal.firefox.com/", "127.0.0.1", word_of("Ada"))
        rows = (await page.get("exchanges"))["exchanges"]
        assert rows[0]["background"]
        assert await statuses(page, "127.0.0.1") == ["not yet", "not yet"]


async def test_learners_are_kept_from_run_to_run(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        await start(page, "Ada", "127.0.0.1")
        await fetch(page, "/", "127.0.0.1")
    async with live_page(tmp_path, "http") as page:
        assert (await statuses(page, "127.0.0.1"))[0] == "passed"


async def test_hints_come_one_at_a_time(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        step = (await start(page, "Ada", "127.0.0.1"))["steps"][0]
        assert (step["hints"], step["more_hints"]) == ([], 2)
        for taken in (1, 2, 2):
            reply = await page.ask("POST", "labs/first-request/hints", {"step": "page"})
            assert len(reply.json["steps"][0]["hints"]) == taken


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\x1bb", "a\u202eb"])
def test_a_name_is_a_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(RollError):
        Roll(tmp_path / "labs.json").enter(name, "10.0.0.1")


def test_everybodys_word_is_the_same_each_time_and_mostly_ones_own() -> None:
    assert word_of("Ada") == word_of("ada")
    assert len({word_of(f"learner {number}") for number in range(30)}) >= 28


def test_a_damaged_list_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "labs.json").write_text("{")
    with pytest.raises(RollError, match="move it away"):
        Roll(tmp_path / "labs.json")
