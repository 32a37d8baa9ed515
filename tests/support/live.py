"""`sandbox up` as a program, a browser on its live page, and traffic of every protocol from the standard library."""

from __future__ import annotations

import ftplib
import http.client
import imaplib
import importlib.util
import json
import poplib
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import dns.message
import dns.query
from playwright.sync_api import ConsoleMessage, Dialog, Error, Page

__all__ = ["AXE", "PATIENCE", "Up", "Watched", "traffic", "up", "visit"]

PATIENCE = 10_000
"""Milliseconds that something on the page may take on a busy machine."""


def axe_source() -> str:
    found = importlib.util.find_spec("axe_core_python")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8")


AXE = axe_source()


@dataclass
class Up:
    """A running sandbox. url: of its live page, without a slash at the end."""

    process: subprocess.Popen[bytes]
    data: Path
    url: str
    token: str
    ports: dict[str, int]
    ca: str

    def ask(self, path: str) -> Any:
        with urlopen(f"{self.url}/api/v1/{path}", timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, body: object) -> Any:
        asked = Request(f"{self.url}/api/v1/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(asked, timeout=20) as answer:
            return json.load(answer)

    def rows(self, text: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """The newest exchanges under a filter."""
        found: list[dict[str, Any]] = self.ask(f"exchanges?limit={limit}&filter={quote(text)}")["exchanges"]
        return found

    def get(self, path: str = "/", host: str = "www.example.com", method: str = "GET", body: bytes | None = None,
            **fields: str) -> int:
        """Ask a website for something; the status code."""
        client = http.client.HTTPConnection("127.0.0.1", self.ports["http"], timeout=10)
        with closing(client):
            client.request(method, path, body, {"Host": host, **{name.replace("_", "-"): value
                                                                 for name, value in fields.items()}})
            answer = client.getresponse()
            answer.read()
            return answer.status

    def look_up(self, name: str, kind: str = "A") -> None:
        dns.query.udp(dns.message.make_query(name, kind), "127.0.0.1", timeout=10, port=self.ports["dns"])

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(20) == 0


@contextmanager
def up(data: Path, port: int = 0) -> Iterator[Up]:
    """port: of the live page, 0 for any free one."""
    ready = data / "ready.json"
    ready.unlink(missing_ok=True)
    command = [str(Path(sys.executable).with_name("sandbox")), "up", "--ports", "ephemeral", "--data", str(data),
               "--ready-file", str(ready), "--quiet", "--set", f"services.dashboard={port or 'true'}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while not ready.exists():
            assert process.poll() is None, "the sandbox ended at once"
            assert time.monotonic() < until, "the sandbox is not ready"
            time.sleep(0.01)
        said = json.loads(ready.read_text())
        yield Up(process, data, said["dashboard"]["url"].rstrip("/"), said["dashboard"]["token"],
                 {name: one["port"] for name, one in said["services"].items()}, said["ca"])
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def traffic(sandbox: Up) -> None:
    """Something of every protocol, in clear and encrypted."""
    sandbox.get("/")
    sandbox.get("/missing")
    sandbox.get("/login", method="POST", body=b"user=alice&password=wonderland",
                Content_Type="application/x-www-form-urlencoded")
    sandbox.get("/json", "httpbin.org", Authorization="Basic YWxpY2U6d29uZGVybGFuZA==")
    sandbox.get("/image/png", "httpbin.org")
    trust = ssl.create_default_context(cafile=sandbox.ca)
    with socket.create_connection(("127.0.0.1", sandbox.ports["https"]), 10) as wire, \
            trust.wrap_socket(wire, server_hostname="www.example.com") as inner:
        inner.sendall(b"GET / HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n")
        while inner.recv(65_536):
            pass
    for name, kind in (("www.example.com", "A"), ("example.com", "MX"), ("nowhere.example.com", "AAAA")):
        sandbox.look_up(name, kind)
    with smtplib.SMTP("127.0.0.1", sandbox.ports["smtp"], timeout=10) as smtp:
        smtp.sendmail("ada@example.org", ["alice@example.com"], LETTER)
    with smtplib.SMTP("127.0.0.1", sandbox.ports["submission"], timeout=10) as smtp:
        smtp.starttls(context=trust_nobody())
        smtp.login("alice", "wonderland")
    with imaplib.IMAP4("127.0.0.1", sandbox.ports["imap"], timeout=10) as imap:
        imap.login("alice", "wonderland")
        imap.select("INBOX")
        imap.fetch("1", "(BODY[])")
    pop = poplib.POP3("127.0.0.1", sandbox.ports["pop3"], timeout=10)
    pop.user("alice")
    pop.pass_("wonderland")
    pop.quit()
    with ftplib.FTP(timeout=10) as ftp:
        ftp.connect("127.0.0.1", sandbox.ports["ftp"])
        ftp.login("alice", "wonderland")
        ftp.nlst()
    with socket.create_connection(("127.0.0.1", sandbox.ports["echo"]), 10) as wire:
        wire.sendall(b"hello")
        wire.recv(100)


def trust_nobody() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


LETTER = (b"From: ada@example.org\r\nTo: alice@example.com\r\nSubject: Tea at four\r\nMIME-Version: 1.0\r\n"
          b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
          b"Your code is 482913.\r\n--b\r\nContent-Type: text/html\r\n\r\n<h1>Tea</h1><p>at four</p>\r\n--b--\r\n")


def visit(page: Page, path: str) -> None:
    """Another view of the page that is open, as a link in it would lead there."""
    page.evaluate("(path) => { history.pushState({}, '', path);"
                  " dispatchEvent(new PopStateEvent('popstate')); }", path)


@dataclass
class Watched:
    """A page in the browser, and what it complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", self._error)
        self.page.on("dialog", self._dialog)

    def _error(self, error: Error) -> None:
        self.complaints.append(f"error: {error}")

    def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")
