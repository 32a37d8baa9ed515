"""mutt as Debian builds it, over every port that mail has: it logs in by what the server offers, sends, and fetches.

Its SASL is GNU's, which takes SCRAM-SHA-256-PLUS where that is offered and then has no channel binding to give.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import trio

from sandbox.app import Sandbox
from sandbox.pki import ca_folder, ca_path
from sandbox.pki.authority import Authority
from tests.support.mail import wait_for_mail
from tests.support.network import watching

pytestmark = pytest.mark.program("mutt", "mutt")

SETTINGS = """
set from = "alice@example.com"
set smtp_pass = "wonderland"
set pop_user = "alice"
set pop_pass = "wonderland"
set imap_user = "alice"
set imap_pass = "wonderland"
set ssl_starttls = {upgrade}
set ssl_force_tls = yes
set ssl_verify_host = no
set ssl_ca_certificates_file = "{authority}"
set certificate_file = "/dev/null"
set folder = "~"
set copy = no
set move = no
set sleep_time = 0
set confirmappend = no
set confirmcreate = no
set quit = yes
"""


async def mutt(sandbox: Sandbox, home: Path, more: str, *arguments: str, upgrade: bool, stdin: bytes = b"") -> None:
    """Run it until it ends by itself."""
    await trio.to_thread.run_sync(Authority.open, ca_folder(sandbox.data))
    settings = SETTINGS.format(authority=ca_path(sandbox.data), upgrade="yes" if upgrade else "no")
    (home / "rc").write_text(settings + more)
    command = ["mutt", "-n", "-F", str(home / "rc"), *arguments]
    if not stdin:
        command = ["script", "-qec", " ".join(command), "/dev/null"]
    with trio.fail_after(40):
        done = await trio.run_process(
            command, stdin=stdin, capture_stdout=True, stderr=subprocess.STDOUT, check=False,
            env={"HOME": str(home), "PATH": "/usr/bin:/bin", "TERM": "xterm"})
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")


@pytest.mark.parametrize(("service", "upgrade"), [("submissions", False), ("submission", True)])
async def test_sending(sandbox: Sandbox, tmp_path: Path, service: str, *, upgrade: bool) -> None:
    scheme = "smtp" if upgrade else "smtps"
    with watching(sandbox.journal) as watcher:
        await mutt(sandbox, tmp_path, f'set smtp_url = "{scheme}://alice@{sandbox.endpoints[service]}"\n',
                   "-s", "by-mutt", "--", "bob@example.com", upgrade=upgrade, stdin=b"A letter by mutt.\n")
        await wait_for_mail(sandbox.world.open_mail(), "bob", b"A letter by mutt.")
        await watcher.wait_for(lambda session, exchange: (session.service, exchange.verb) == (service, "QUIT"))
    assert logins(watcher.exchanges, service) == [("AUTH", "235", True)]


@pytest.mark.parametrize(("service", "upgrade"), [("pop3s", False), ("pop3", True), ("imaps", False), ("imap", True)])
async def test_fetching(sandbox: Sandbox, tmp_path: Path, service: str, *, upgrade: bool) -> None:
    """All letters are copied into a file; the login is tried once and holds."""
    scheme = {"pop3": "pop", "pop3s": "pops"}.get(service, service)
    keys = "<tag-pattern>.<enter><tag-prefix><copy-message><kill-line>" + f"{tmp_path}/got" + "<enter><exit>"
    with watching(sandbox.journal) as watcher:
        await mutt(sandbox, tmp_path, f'push "{keys}"\n', "-f", f"{scheme}://{sandbox.endpoints[service]}/",
                   upgrade=upgrade)
        await watcher.wait_for(lambda session, exchange: exchange.verb in ("QUIT", "LOGOUT"))
    assert "the new place by the bridge" in (tmp_path / "got").read_text()
    login = "AUTH" if service.startswith("pop3") else "AUTHENTICATE"
    assert logins(watcher.exchanges, service) == [(login, "+OK" if login == "AUTH" else "OK", True)]


def logins(exchanges: object, service: str) -> list[tuple[str, str, bool]]:
    """(verb, outcome, whether it was by SCRAM) of each attempt to log in to a service."""
    assert isinstance(exchanges, list)
    return [(exchange.verb, exchange.outcome, exchange.asked.startswith("SCRAM-SHA-256"))
            for session, exchange in exchanges
            if session.service == service and exchange.verb in ("AUTH", "AUTHENTICATE", "LOGIN", "USER", "PASS")]
