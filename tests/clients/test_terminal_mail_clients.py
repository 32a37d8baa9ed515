"""Mail programs for the terminal, with somebody at the keys: they read and send over TLS."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from sandbox.app import Sandbox
from sandbox.pki import ca_folder, ca_path
from sandbox.pki.authority import Authority
from tests.support.mail import wait_for_mail
from tests.support.network import watching
from tests.support.terminal import terminal

ALPINE = """
personal-name=Alice
user-domain=example.com
smtp-server=localhost:{submission}/tls/user=alice
inbox-path={{localhost:{imaps}/ssl/user=alice}}INBOX
default-fcc={{localhost:{imaps}/ssl/user=alice}}Sent
folder-collections=Mail {{localhost:{imaps}/ssl/user=alice}}[]
feature-list=quit-without-confirm,disable-password-file-saving
last-version-used=7.00
"""

AERC = """
[alice]
source = imap://alice:wonderland@localhost:{imap}
outgoing = smtps+plain://alice:wonderland@localhost:{submissions}
default = INBOX
from = Alice <alice@example.com>
copy-to = Sent
"""


async def written(sandbox: Sandbox, text: str) -> str:
    """A configuration with the ports in it; the authority is made too."""
    await trio.to_thread.run_sync(Authority.open, ca_folder(sandbox.data))
    return text.format(**{name: address.port for name, address in sandbox.endpoints.items()})


def sent(sandbox: Sandbox) -> list[bytes]:
    store = sandbox.world.open_mail()
    return [b"".join(store.read(item.content)) for item in store.items(store.find_folder("alice", "Sent").id)]


@pytest.mark.program("alpine", "alpine")
async def test_alpine(sandbox: Sandbox, tmp_path: Path) -> None:
    """The oldest client there is, c-client: IMAP over TLS with CRAM-MD5, STARTTLS to send."""
    (tmp_path / "rc").write_text(await written(sandbox, ALPINE))
    async with terminal(["alpine", "-p", str(tmp_path / "rc"), "-i"], tmp_path,
                        SSL_CERT_FILE=str(ca_path(sandbox.data))) as screen:
        await screen.see("ENTER PASSWORD")
        await screen.type("wonderland\r")
        await screen.see("Lunch on Friday?")
        await screen.type("\r")
        await screen.see("the new place by the bridge")
        await screen.type("c")
        await screen.see("COMPOSE MESSAGE", "Message Text")
        await screen.type("bob@example.org\r\r\rby alpine\rA letter by alpine.\x18")
        await screen.see("Send message?")
        await screen.type("y")
        await screen.see("ENTER PASSWORD")
        await screen.type("wonderland\r")
        await screen.see("Message sent")
        await screen.type("q")
    ((_, text),) = await wait_for_mail(sandbox.world.open_mail(), "bob", b"A letter by alpine.")
    assert b"Subject: by alpine" in text
    assert [b"A letter by alpine." in copy for copy in sent(sandbox)] == [True]


@pytest.mark.program("aerc", "aerc")
async def test_aerc(sandbox: Sandbox, tmp_path: Path) -> None:
    """The Go libraries: IMAP with STARTTLS, submission over TLS; hears of a new letter by IDLE."""
    folder = tmp_path / ".config" / "aerc"
    folder.mkdir(parents=True)
    (folder / "accounts.conf").write_text(await written(sandbox, AERC))
    (folder / "accounts.conf").chmod(0o600)                  # it refuses passwords that others can read
    (folder / "aerc.conf").write_text(f"[compose]\neditor={tmp_path}/editor\n")
    (tmp_path / "editor").write_text('#!/bin/sh\necho "A letter by aerc." >> "$1"\n')
    (tmp_path / "editor").chmod(0o700)
    with watching(sandbox.journal) as watcher:
        async with terminal(["aerc"], tmp_path, SSL_CERT_FILE=str(ca_path(sandbox.data))) as screen:
            await screen.see("Lunch on Friday?")
            await screen.type(":compose -H 'To: alice@example.com' -H 'Subject: by aerc'\r")
            await screen.see("Send this email?")
            await screen.type("y")
            await watcher.wait_for(lambda _, exchange: (exchange.verb, exchange.outcome) == ("APPEND", "OK"))
            await wait_for_mail(sandbox.world.open_mail(), "alice", b"A letter by aerc.")
            await screen.see("by aerc")
            await screen.type(":quit\r")
    assert [b"A letter by aerc." in copy for copy in sent(sandbox)] == [True]
    assert {session.service for session, exchange in watcher.exchanges if exchange.verb == "STARTTLS"} >= {"imap"}
