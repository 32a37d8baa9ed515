"""What a client sends is text, wherever it is shown: nothing runs, nothing is cut off, every view still loads."""

from __future__ import annotations

import ftplib
import imaplib
import poplib
import smtplib
import socket
from contextlib import suppress

import dns.exception
import dns.message
import dns.query
import pytest
from playwright.sync_api import Page, expect

from tests.support.live import Up, visit

pytestmark = pytest.mark.program("chromium", "chromium")

HOSTILE = "<img/src=x/onerror=window.hacked=1>\"'><script>window.hacked=1</script>{{7*7}}${alert(1)}"
CONTROLS = "\x1b[31m\u202egnp.exe\u2066"
LONG = "x" * 3000
HTML = (b"<script>parent.hacked=1</script><img src=x onerror='parent.hacked=1'><svg onload='parent.hacked=1'>"
        b"<form action='javascript:parent.hacked=1'></form><base href='http://evil.example/'>"
        b"<meta http-equiv=refresh content='0;url=http://evil.example/'><h1>here</h1>")


def attack(sandbox: Up) -> None:
    """Say it in every field of every protocol."""
    raw = HOSTILE.encode()
    for head in (b"GET /%b HTTP/1.1\r\nHost: %b\r\nUser-Agent: %b\r\nReferer: %b\r\nCookie: a=%b\r\n\r\n" % (
                     raw.replace(b" ", b"%20"), b"www.example.com", raw, raw, raw),
                 b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % raw, b"%b / HTTP/1.1\r\nHost: a\r\n\r\n" % raw,
                 b"POST /post HTTP/1.1\r\nHost: httpbin.org\r\nContent-Type: text/html\r\n"
                 b"Content-Length: %d\r\n\r\n%b" % (len(raw), raw),
                 b"POST /post HTTP/1.1\r\nHost: httpbin.org\r\nContent-Type: application/json\r\n"
                 b"Content-Length: %d\r\n\r\n{\"%b" % (len(raw) + 2, raw),
                 b"GET /%b HTTP/1.1\r\nHost: long.example.com\r\n\r\n" % LONG.encode()):
        say(sandbox, "http", head)
    name = "\\<script\\>window\\.hacked=1\\</script\\>.example.com"
    with suppress(dns.exception.DNSException):
        dns.query.udp(dns.message.make_query(name, "TXT"), "127.0.0.1", timeout=5, port=sandbox.ports["dns"])
    with suppress(smtplib.SMTPException), smtplib.SMTP("127.0.0.1", sandbox.ports["smtp"], timeout=10) as smtp:
        smtp.docmd("EHLO", HOSTILE[:60])
        smtp.docmd("VRFY", HOSTILE)
        smtp.sendmail("ada@example.org", ["alice@example.com"], (
            b"From: \"%b\" <ada@example.org>\r\nSubject: %b %b\r\nX-%b: %b\r\nMIME-Version: 1.0\r\n"
            b"X-Name: \"%b\"\r\nContent-Type: text/html\r\n\r\n%b\r\n") % (
                raw.replace(b"\"", b""), raw, CONTROLS.encode(), b"Odd", raw, raw, HTML))
    with suppress(imaplib.IMAP4.error), imaplib.IMAP4("127.0.0.1", sandbox.ports["imap"], timeout=10) as imap:
        with suppress(imaplib.IMAP4.error):
            imap.login("<script>window.hacked=1</script>", "x")
        imap.login("alice", "wonderland")
        imap.create('"<script>window.hacked=1</script>"')
    pop = poplib.POP3("127.0.0.1", sandbox.ports["pop3"], timeout=10)
    with suppress(poplib.error_proto):
        pop.user(HOSTILE[:39])
        pop.pass_(HOSTILE[:39])
    pop.close()
    with ftplib.FTP(timeout=10) as ftp:
        ftp.connect("127.0.0.1", sandbox.ports["ftp"])
        ftp.login("alice", "wonderland")
        with suppress(ftplib.Error):
            ftp.mkd("<img src=x onerror=window.hacked=1>")
        with suppress(ftplib.Error):
            ftp.cwd(HOSTILE)
    say(sandbox, "echo", raw + bytes(range(256)))
    say(sandbox, "sftp", raw + b"\r\n")


def say(sandbox: Up, service: str, octets: bytes) -> None:
    with suppress(OSError), socket.create_connection(("127.0.0.1", sandbox.ports[service]), 10) as wire:
        wire.sendall(octets)
        wire.shutdown(socket.SHUT_WR)
        while wire.recv(65_536):
            pass


@pytest.mark.usefixtures("forgiven")
def test_nothing_that_a_client_says_acts_and_nothing_is_lost(page: Page, own: Up) -> None:
    attack(own)
    page.goto(f"{own.url}/?own=1")
    expect(page.locator(".row").first).to_be_visible()
    rows = own.rows(limit=200)
    one_of_each = {(row["protocol"], row["verb"], row["outcome"]): row for row in rows}
    for row in one_of_each.values():
        for tab in ("", "wire"):
            visit(page, f"/?own=1&exchange={row['id']}&tab={tab}")
            expect(page.locator("#tab-body")).to_be_visible()
        heading = page.locator(".detail-head h2")
        if row["asked"].isprintable() and not row["facts"].get("host"):
            expect(heading).to_contain_text(" ".join(row["asked"].split()))
        assert page.evaluate("window.hacked") is None, row
    long = next(row for row in rows if row["facts"].get("host") == "long.example.com")
    page.goto(f"{own.url}/?exchange={long['id']}")
    expect(page.locator(".said").first).to_contain_text(LONG)
    for path in ("/mail/alice/INBOX", "/files/homes/alice", "/names", "/services", f"/session/{rows[0]['session']}"):
        page.goto(own.url + path)
        expect(page.locator("#main h1")).to_be_visible()
        assert page.evaluate("window.hacked") is None, path
    assert page.locator("#main img, #main script").count() == 0


@pytest.mark.usefixtures("forgiven")
def test_a_hostile_letter_stays_in_its_frame(page: Page, own: Up) -> None:
    attack(own)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{own.url}/mail/alice/INBOX")
    line = page.locator(".letter-line").filter(has_text="img/src").first
    expect(line).to_contain_text("\u2039202e\u203agnp.exe")      # what turns writing around is a sign
    line.click()
    expect(page.frame_locator(".mail-frame").locator("h1")).to_have_text("here")
    for tab in ("Text", "Header", "Parts", "Way", "Source"):
        page.get_by_role("tab", name=tab).click()
        expect(page.locator(".tab-pane")).not_to_be_empty()
    assert page.evaluate("window.hacked") is None
    assert [url for url in asked if not url.startswith(own.url)] == []
