"""A sandbox in which something fails on purpose, and a real program that meets it."""

from __future__ import annotations

from pathlib import Path

from sandbox.app import Sandbox
from sandbox.faults.rule import rule_of_text
from sandbox.pki import ca_path
from tests.support.programs import Finished, run

__all__ = ["Client", "strike"]

PATIENCE = "0.6"
"""Seconds that curl waits for what does not come."""


def strike(sandbox: Sandbox, *rules: str) -> None:
    """Have these rules and no others."""
    sandbox.faults.clear()
    for rule in rules:
        sandbox.faults.add(rule_of_text(rule))


class Client:
    """curl, as a client of each service. letter: what it sends by mail."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox = sandbox
        letter = folder / "letter"
        letter.write_text("Subject: one\r\n\r\nhello\r\n")
        alice = ["--user", "alice:wonderland"]
        post = ["--mail-from", "alice@example.com", "--mail-rcpt", "bob@example.com", "--upload-file", str(letter)]
        self.words = {
            "http": [*self.to("http"), "--fail", "http://www.example.com/"],
            "https": [*self.to("https"), "--fail", "https://www.example.com/"],
            "smtp": [*self.to("smtp"), *post, "smtp://mail.example.com"],
            "submissions": [*self.to("submissions"), *alice, *post, "smtps://mail.example.com"],
            "pop3": [*self.to("pop3"), *alice, "pop3://mail.example.com/1"],
            "pop3s": [*self.to("pop3s"), *alice, "pop3s://mail.example.com/1"],
            "imap": [*self.to("imap"), *alice, "imap://mail.example.com/INBOX;UID=1"],
            "imaps": [*self.to("imaps"), *alice, "imaps://mail.example.com/INBOX;UID=1"],
            "ftp": [*alice, f"ftp://{sandbox.endpoints['ftp']}/"],
            "ftps": [*self.to("ftps"), *alice, "ftps://ftp.example.com/"],
            "sftp": ["--insecure", *alice, f"sftp://{sandbox.endpoints['sftp']}/"],
        }

    def to(self, service: str) -> list[str]:
        return ["--connect-to", f"::{self._sandbox.endpoints[service]}"]

    async def meets(self, service: str, *more: str, patience: str = PATIENCE) -> Finished:
        """What curl says to the service."""
        return await run("curl", "--silent", "--show-error", "--max-time", patience, "--cacert",
                         ca_path(self._sandbox.data), *more, *self.words[service], status=None)
