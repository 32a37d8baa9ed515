"""Waiting in the server: for exchanges, and for letters with what is in them."""

from __future__ import annotations

import base64
import smtplib
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

import trio

from tests.support.dashboard import VISITOR, Page, Reply, live_page

LETTER = (b"From: Shop <shop@example.com>\r\nTo: bob@example.com\r\nSubject: Confirm your order\r\n\r\n"
          b"Your code is 482913. http://shop.example.com/confirm?id=7\r\n")


def submit(page: Page, letter: bytes = LETTER, to: str = "bob@example.com", space: str = "main") -> None:
    """As a program would, with a login; `250` comes before the letter is carried."""
    address = page.sandbox.spaces.get(space).endpoints["submission"]
    with smtplib.SMTP(address.host, address.port, timeout=20) as client:
        client.login("alice", "wonderland")
        client.sendmail("alice@example.com", [to], letter)


async def wait_for_letters(page: Page, **asked: Any) -> Reply:
    return await page.ask("POST", "wait/letters", {"timeout": 10.0, **asked})


async def test_a_submitted_letter_is_waited_for_exactly(tmp_path: Path) -> None:
    async with live_page(tmp_path, "dns", "smtp", "submission") as page:
        cursor = 0
        for number in range(15):
            subject = f"Number {number}."
            await trio.to_thread.run_sync(submit, page, LETTER.replace(b"Confirm your order", subject.encode()))
            reply = await wait_for_letters(page, since=cursor, letter={"to": "bob@", "subject": subject})
            assert reply.status == 200, reply.body
            [found] = reply.json["letters"]
            assert found["letter"]["subject"] == subject
            assert found["exchange"]["service"] == "smtp", "its delivery, not its submission"
            cursor = reply.json["cursor"]


async def test_a_letter_has_its_text_links_codes_envelope_and_octets(tmp_path: Path) -> None:
    async with live_page(tmp_path, "dns", "smtp", "submission") as page:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(trio.to_thread.run_sync, submit, page))
            reply = await wait_for_letters(page, letter={"from": "SHOP"}, raw=True)
        [found] = reply.json["letters"]
        letter = found["letter"]
        assert letter["codes"] == ["482913"]
        assert letter["links"] == ["http://shop.example.com/confirm?id=7"]
        assert letter["envelope"] == {"from": "alice@example.com", "to": ["bob@example.com"]}
        assert letter["from"][0]["address"] == "shop@example.com"
        assert base64.b64decode(letter["raw"]).endswith(LETTER[-60:])
        assert (found["copy"]["account"], found["copy"]["folder"]) == ("bob", "INBOX")


async def test_a_wait_in_vain_tells_what_came_and_why_it_was_not_that(tmp_path: Path) -> None:
    async with live_page(tmp_path, "dns", "smtp", "submission") as page:
        await trio.to_thread.run_sync(submit, page)
        assert (await wait_for_letters(page, letter={"to": "bob"})).status == 200
        late = await wait_for_letters(page, letter={"to": "bob", "subject": "Invoice"}, timeout=0.3)
        assert late.status == 408
        assert [miss["failed"] for miss in late.json["near_misses"]] == [['subject:"Invoice"']]
        assert late.json["near_misses"][0]["subject"] == "Confirm your order"
        for_more = await wait_for_letters(page, letter={"to": "bob"}, count=2, timeout=0.3)
        assert for_more.status == 408
        assert len(for_more.json["letters"]) == 1


async def test_exchanges_are_waited_for_from_a_cursor_on(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        def fetch(path: str) -> None:
            url = f"http://{page.sandbox.endpoints['http']}{path}"
            with urllib.request.urlopen(url, timeout=20) as response:
                response.read()

        await trio.to_thread.run_sync(fetch, "/robots.txt")
        first = (await page.ask("POST", "wait", {"filter": "path:/robots.txt"})).json
        late = await page.ask("POST", "wait", {"filter": "path:/robots.txt", "since": first["cursor"],
                                               "timeout": 0.2})
        assert late.status == 408
        await trio.to_thread.run_sync(fetch, "/robots.txt")
        again = (await page.ask("POST", "wait", {"filter": "path:/robots.txt", "since": first["cursor"]})).json
        assert again["cursor"] > first["cursor"]


async def test_a_visitor_waits_for_nobody_elses_letters(tmp_path: Path) -> None:
    async with live_page(tmp_path, "dns", "smtp", "submission") as page:
        await trio.to_thread.run_sync(submit, page)
        assert (await wait_for_letters(page)).status == 200
        reply = await page.ask("POST", "wait/letters", {"timeout": 0.2}, source=VISITOR)
        assert reply.status == 408
        assert reply.json["near_misses"] == []
        assert (await page.ask("POST", "wait/letters", {"space": "other"}, source=VISITOR)).status == 403
