"""Mail through the API: folders, letters, their parts and their way, and one that is sent."""

from __future__ import annotations

import re
import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trio

from tests.support.dashboard import VISITOR, Page, live_page
from tests.support.mail import wait_for_mail

SERVICES = ("dns", "smtp", "submission", "pop3")
HTML = '<p>Hello <img src="cid:logo"><img src="https://tracker.test/x"><script>alert(1)</script></p>'
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def rich() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "Zoë <zoe@example.org>", "bob@example.com"
    message["Subject"] = "Your code: 482913"
    message["Message-ID"] = "<one@example.org>"
    message.set_content("Your code is 482913. See https://www.example.com/confirm?x=1\n")
    message.add_alternative(HTML, subtype="html")
    part = message.get_payload()[1]      # type: ignore[index]
    part.add_related(PICTURE, "image", "png", cid="<logo>")     # type: ignore[union-attr]
    message.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="täble.csv")
    return message


async def deliver(page: Page, message: EmailMessage, to: str = "bob@example.com") -> None:
    """Over real SMTP, as from a server elsewhere."""
    address = page.sandbox.endpoints["smtp"]

    def work() -> None:
        with smtplib.SMTP(address.host, address.port, timeout=20) as client:
            client.send_message(message, "zoe@example.org", [to], mail_options=["SMTPUTF8"])

    await trio.to_thread.run_sync(work)
    await page.sandbox.journal.settle()


async def newest(page: Page, person: str) -> tuple[str, Any]:
    listed = await page.get(f"mail/{person}/INBOX")
    path = f"mail/{person}/INBOX/{listed['letters'][0]['uid']}"
    return path, await page.get(path)


async def test_people_and_folders_are_counted(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        before = {one["login"]: one["folders"] for one in (await page.get("mail"))["people"]}
        await deliver(page, rich())
        people = {one["login"]: one for one in (await page.get("mail"))["people"]}
        [inbox] = [one for one in people["bob"]["folders"] if one["name"] == "INBOX"]
        [was] = [one for one in before["bob"] if one["name"] == "INBOX"] if "bob" in before else [{"count": 0}]
        assert inbox["count"] == was["count"] + 1
        assert inbox["unseen"] >= 1
        assert people["bob"]["address"] == "bob@example.com"


async def test_a_list_goes_backwards_in_pages(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        for number in range(3):
            message = rich()
            message.replace_header("Subject", f"number {number}")
            await deliver(page, message)
        first = await page.get("mail/bob/INBOX", limit=2)
        assert [one["subject"] for one in first["letters"]] == ["number 2", "number 1"]
        assert first["letters"][0]["from"] == "Zoë <zoe@example.org>"
        second = await page.get("mail/bob/INBOX", limit=2, before=first["next"])
        assert second["letters"][0]["subject"] == "number 0"
        assert first["count"] == second["count"] >= 3


async def test_a_letter_is_read_in_all_its_forms(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        await deliver(page, rich())
        path, found = await newest(page, "bob")
        assert found["subject"] == "Your code: 482913"
        assert found["codes"] == ["482913"]
        assert found["links"][0] == "https://www.example.com/confirm?x=1"
        assert found["envelope"] == {"sender": "zoe@example.org", "recipients": ["bob@example.com"]}
        assert found["to"] == ["bob@example.com"]
        fields = {one["name"]: one for one in found["headers"]}
        assert fields["Received"]["key"] == "smtp:field.Received"
        assert fields["Received"]["text"]
        assert [(one["number"], one["type"], one["filename"], one["depth"]) for one in found["parts"]] == [
            ("", "multipart/mixed", "", 0), ("1", "multipart/alternative", "", 1), ("1.1", "text/plain", "", 2),
            ("1.2", "multipart/related", "", 2), ("1.2.1", "text/html", "", 3), ("1.2.2", "image/png", "", 3),
            ("2", "text/csv", "täble.csv", 1)]
        assert [one["filename"] for one in found["attachments"] if one["filename"]] == ["täble.csv"]
        source = await page.ask("GET", f"{path}/source")
        assert source.headers["content-type"] == "text/plain; charset=utf-8"
        assert len(source.body) == found["size"]
        part = await page.ask("GET", f"{path}/parts/2")
        assert part.body.replace(b"\r\n", b"\n") == b"a,b\n1,2\n"
        assert part.headers["content-disposition"].startswith("attachment")
        assert (await page.ask("GET", f"{path}/parts/1.2.2")).body == PICTURE
        assert (await page.ask("GET", f"{path}/parts/9")).status == 404


async def test_html_stands_in_a_frame_without_network_or_scripts(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        await deliver(page, rich())
        path, _ = await newest(page, "bob")
        reply = await page.ask("GET", f"{path}/html")
        policy = reply.headers["content-security-policy"]
        assert policy.startswith("sandbox; default-src 'none';")
        assert "script-src" not in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert b'src="data:image/png;base64,' in reply.body
        assert b"cid:logo" not in reply.body


async def test_a_letter_that_is_sent_goes_over_real_smtp_and_tells_its_way(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        reply = await page.ask("POST", "mail", {"from": "alice@example.com", "to": ["bob@example.com"],
                                                "subject": "Hello", "text": "over real SMTP\n"})
        assert reply.status == 200, reply.body
        sent = reply.json
        assert sent["said"].startswith("250 ")
        assert sent["service"] == "submission"
        session = await page.get(f"sessions/{sent['session']}")
        assert session["session"]["service"] == "submission"
        store = page.sandbox.world.open_mail()
        await wait_for_mail(store, "bob", b"over real SMTP")
        await page.sandbox.journal.settle()
        _, found = await newest(page, "bob")
        assert found["text"].strip() == "over real SMTP"
        way = found["way"]
        assert way[0]["session"] == sent["session"]
        assert way[0]["title"].startswith("alice handed it to submission")
        assert all(one["exchange"] for one in way)


async def test_what_smtp_refuses_is_a_problem_in_its_words(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        reply = await page.ask("POST", "mail", {"from": "alice@example.com", "to": ["nobody here"], "text": "x"})
        assert reply.status == 422
        assert re.search(r"\b5\d\d ", reply.json["detail"]), reply.json
        for body in ({"from": "alice@example.com", "to": []}, {"from": "a", "to": "b"}, {"to": ["b"]},
                     {"from": "alice@example.com", "to": ["b@example.com"], "subject": "a\nBcc: c"},
                     {"from": "alice@example.com", "to": ["b@example.com"], "cc": []}):
            reply = await page.ask("POST", "mail", body)
            assert (reply.status, reply.headers["content-type"]) == (422, "application/problem+json"), body


async def test_mail_of_others_is_not_a_visitors_to_read_or_send(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        await deliver(page, rich())
        path, _ = await newest(page, "bob")
        assert (await page.get("mail", source=VISITOR))["people"] == []
        for there in ("mail/bob/INBOX", path, f"{path}/source", f"{path}/html", f"{path}/parts/2"):
            assert (await page.ask("GET", there, source=VISITOR)).status == 404, there
        reply = await page.ask("POST", "mail", {"from": "alice@example.com", "to": ["bob@example.com"]},
                               source=VISITOR)
        assert reply.status == 403
