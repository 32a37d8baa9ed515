"""What a client sends is anything: every answer about it is still valid, complete, and text."""

from __future__ import annotations

import base64
import json
import socket
from pathlib import Path
from typing import Any

import trio

from sandbox.address import Address
from tests.dashboard.test_openapi import CALLS, description, fits
from tests.support.dashboard import Page, Reply, live_page

SERVICES = ("http", "https", "dns", "smtp", "submission", "pop3", "imap", "ftp", "sftp", "echo", "discard")

ANYTHING = bytes(byte for byte in range(256) if byte not in b"\r\n\0")
EVIL = (b'"><script>alert(1)</script>', b"\x1b[2J\x1b]0;owned\x07", b"\xff\xfe\x80", b"\xed\xa0\x80", b"\xc0\xaf",
        "\u202e\u2028\u2029\ufeff\u0000".replace("\0", "").encode(), b"</textarea>'`${7*7}{{7*7}}", b"%00%0d%0a%ff",
        "\U0001d54a\U0001f469\u200d\U0001f469".encode(), b"\\u0000\\\"", b"\x7f\x01\x02")
"""Ends of markup, orders to a terminal, and octets that are no UTF-8."""


def name(octets: bytes) -> bytes:
    """A DNS question for labels of these octets (RFC 1035 §4.1.2, RFC 2181 §11: any octet may be in a label)."""
    labels = [octets[start:start + 63] for start in range(0, min(len(octets), 240), 63)]
    return (b"\x12\x34\x01\x00\x00\x01\0\0\0\0\0\0" + b"".join(bytes([len(one)]) + one for one in labels)
            + b"\0\x00\x10\x00\x01")


def lines(*texts: bytes) -> bytes:
    return b"".join(text + b"\r\n" for text in texts)


def attacks(evil: bytes) -> list[tuple[str, bytes]]:
    """By service, what is said in one connection: these octets in every field there is."""
    path = evil.replace(b" ", b"")
    return [
        ("http", lines(b"GET /" + path + b"?q=" + path + b" HTTP/1.1", b"Host: www.example.com", b"Referer: " + evil,
                       b"User-Agent: " + evil, b"Cookie: " + evil, b"Connection: close", b"")),
        ("http", lines(b"GET / HTTP/1.1", b"Host: " + evil, b"Connection: close", b"")),
        ("http", lines(path[:20] + b" / HTTP/1.1", b"Host: a.test", b"")),
        ("http", lines(b"POST /login HTTP/1.1", b"Host: www.example.com", b"Content-Length: %d" % len(evil),
                       b"Content-Type: " + evil, b"Connection: close", b"") + evil),
        ("http", lines(b"GET / HTTP/1.1", b"Host: www.example.com", b"Authorization: Basic "
                       + base64.b64encode(evil + b":" + evil), b"Connection: close", b"")),
        ("https", evil), ("sftp", b"SSH-2.0-" + evil + b"\r\n"), ("echo", evil), ("discard", evil),
        ("smtp", lines(b"EHLO " + evil, b"MAIL FROM:<" + evil + b">", b"MAIL FROM:<a@example.org>",
                       b"RCPT TO:<" + evil + b">", b"RCPT TO:<bob@example.com>", b"DATA", b"Subject: " + evil,
                       b"From: " + evil, evil + b": " + evil, b"Content-Type: " + evil, b"", evil, b".",
                       b"VRFY " + evil, evil, b"QUIT")),
        ("submission", lines(b"EHLO a", b"AUTH PLAIN " + base64.b64encode(b"\0" + evil + b"\0" + evil), b"QUIT")),
        ("pop3", lines(b"USER " + evil, b"PASS " + evil, b"APOP " + evil, evil, b"QUIT")),
        ("imap", lines(b"a LOGIN {%d+}" % len(evil), evil + b" {%d+}" % len(evil), evil, b'b SELECT "' + evil + b'"',
                       evil, b"c LOGOUT")),
        ("ftp", lines(b"USER " + evil, b"PASS " + evil, b"USER alice", b"PASS wonderland", b"MKD " + evil,
                      b"STOR " + evil, b"SITE " + evil, evil, b"QUIT")),
        ("dns", name(evil)),
    ]


def attack(service: str, address: Address, data: bytes) -> None:
    if service == "dns":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(20)
            client.sendto(data, tuple(address))
            client.recv(65536)
        return
    with socket.create_connection((address.host, address.port), 20) as client:
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except OSError:      # it was put out
            return


async def attacked(page: Page) -> None:
    endpoints = page.sandbox.endpoints

    def work() -> None:
        for evil in (*EVIL, ANYTHING):
            for service, data in attacks(evil):
                attack(service, endpoints[service], data)

    await trio.to_thread.run_sync(work)
    await page.sandbox.journal.settle()


def strict(reply: Reply) -> Any:
    """Its JSON, which is UTF-8 and has neither raw control characters nor lone surrogates."""
    text = reply.body.decode("utf-8", "strict")
    value = json.loads(text, strict=True)
    json.dumps(value, ensure_ascii=False).encode("utf-8", "strict")
    return value


async def test_every_answer_about_hostile_octets_is_valid_and_complete(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        whole = await description(page)
        async with page.stream() as stream:
            await stream.next("hello")
            await attacked(page)
            last = page.sandbox.journal.last
            streamed: list[int] = []
            with trio.fail_after(60):
                while not streamed or streamed[-1] < last:
                    streamed += [row["id"] for row in (await stream.next("exchanges")).data]
        rows = []
        before = 0
        while True:
            reply = await page.ask("GET", "exchanges", limit=200, before=before)
            assert reply.status == 200
            fits(whole, "GET", "exchanges", reply)
            answer = strict(reply)
            rows += answer["exchanges"]
            if answer["next"] is None:
                break
            before = answer["next"]
        assert [row["id"] for row in rows] == list(range(last, 0, -1))
        assert streamed == sorted(row["id"] for row in rows)
        assert {row["protocol"] for row in rows} == {"http", "dns", "smtp", "pop3", "imap", "ftp", "sftp", "tcp"}
        for row in rows:
            reply = await page.ask("GET", f"exchanges/{row['id']}")
            assert reply.status == 200, (row, reply.body)
            found = strict(reply)
            for side in ("client", "server"):
                part = found[side]
                assert len(base64.b64decode(part["octets"])) + part["missing"] == part["end"] - part["start"]
                covered(part["spans"], len(base64.b64decode(part["octets"])))
        for session in {row["session"] for row in rows}:
            reply = await page.ask("GET", f"sessions/{session}")
            assert reply.status == 200
            fits(whole, "GET", f"sessions/{session}", reply)
            strict(reply)


def covered(spans: list[dict[str, Any]], length: int) -> None:
    """The parts follow one another, from the first octet to the last."""
    at = 0
    for span in spans:
        assert span["start"] == at
        assert span["end"] >= at
        at = span["end"]
    assert at == length or not spans


async def test_every_operation_answers_when_all_its_records_are_hostile(tmp_path: Path) -> None:
    async with live_page(tmp_path, *SERVICES) as page:
        await attacked(page)
        whole = await description(page)
        letters = (await page.get("mail/bob/INBOX", limit=200))["letters"]
        assert len(letters) >= 5      # some are refused
        for letter in letters:
            path = f"mail/bob/INBOX/{letter['uid']}"
            reply = await page.ask("GET", path)
            assert reply.status == 200, reply.body
            fits(whole, "GET", path, reply)
            strict(reply)
            assert len((await page.ask("GET", f"{path}/source")).body) == letter["size"]
            for part in reply.json["parts"]:
                if part["number"]:
                    assert (await page.ask("GET", f"{path}/parts/{part['number']}")).status == 200
        for call, query, _ in CALLS:
            method, _, path = call.partition(" ")
            if method == "GET" and path.isascii() and "LETTER" not in path and "JOURNEY" not in path:
                reply = await page.ask("GET", path, source="127.0.0.1", headers={}, **query)
                assert reply.status in (200, 404), (call, reply.body)
                if "json" in reply.headers["content-type"]:
                    strict(reply)
        for by in ("protocol", "service", "outcome", "client", "host", "verb", "minute"):
            strict(await page.ask("GET", "groups", by=by))
        strict(await page.ask("GET", "files", place="homes/alice"))
        assert (await page.ask("GET", "/metrics")).status == 200


async def test_hostile_parameters_are_answered_or_refused(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http", "dns", "smtp", "ftp") as page:
        for evil in EVIL:
            text = evil.decode("utf-8", "surrogateescape")
            quoted = "".join(f"%{byte:02X}" for byte in evil)
            for path in (f"filter?text={quoted}", f"exchanges?filter={quoted}", f"events?filter=path:{quoted}(",
                         f"explain?word={quoted}", f"lookup?name={quoted}", f"files?place={quoted}",
                         f"files?place=homes/alice&path={quoted}", f"mail/{quoted}/{quoted}",
                         f"knowledge/{quoted}/{quoted}/{quoted}", f"concepts/{quoted}", f"sessions/{quoted}",
                         f"exchanges/{quoted}", f"{quoted}", f"me?{quoted}={quoted}"):
                reply = await page.ask("GET", path)
                assert reply.status < 500, (path, reply.body)
                strict(reply)
            for body in ({"token": text}, {"filter": text}, {"from": text, "to": [text], "subject": text}):
                for path in ("login", "wait", "mail"):
                    data = json.dumps({**body, **({"timeout": 0} if "filter" in body else {})}).encode()
                    reply = await page.ask("POST", path, data)
                    assert reply.status < 500, (path, body, reply.body)
                    strict(reply)
