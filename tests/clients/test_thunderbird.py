"""Thunderbird, the real program with its windows: it finds an account by its address, reads its mail, and sends."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio

from sandbox.app import Sandbox
from sandbox.pki import ca_folder, ca_path
from sandbox.pki.authority import Authority
from sandbox.world.mail import Delivery
from tests.support.mail import wait_for_mail
from tests.support.marionette import Marionette, x_server
from tests.support.network import Watcher, watching
from tests.support.programs import run

pytestmark = [pytest.mark.program("thunderbird", "thunderbird"), pytest.mark.program("Xvfb", "xvfb"),
              pytest.mark.program("certutil", "libnss3-tools")]

LETTER = (b"From: Bob <bob@example.org>\r\nTo: alice@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
          b"Message-ID: <1@example.org>\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
          b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
          b"by the bridge it is sch\xc3\xb6n\r\n")

MAIL = {"imap", "imaps", "pop3", "pop3s", "submission", "submissions"}

GUIDE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "use-a-mail-program.md"

PREFERENCES = {
    "marionette.port": 0,                                # any free one
    "mailnews.start_page.enabled": False,
    "mail.shell.checkDefaultClient": False,              # a question that nobody would answer
    "datareporting.policy.dataSubmissionEnabled": False,
}
"""Beside what the guide tells people to set: what keeps windows away that have nothing to do with it. What else would
make a program under test unpredictable, Marionette turns off."""

NO_LOOKUPS = """
ChromeUtils.importESModule("resource:///modules/DNS.sys.mjs").DNS.lookup = async () => [];
arguments[0]();
"""
"""MX and SRV records it asks the machine's own resolver for, past every proxy and setting: a test must not. Without
them it has what the web says about the domain."""

IN_SETUP = """
const [selector, done] = arguments;
const root = document.querySelector("account-hub-container").shadowRoot;
const observer = new MutationObserver(look);
observer.observe(root, {subtree: true, childList: true, attributes: true});
look();
function look() {
  const found = root.querySelector(selector);
  if (found) {
    observer.disconnect();
    done(found);
  }
}
"""
"""An element of the window that sets up an account, once it is there: WebDriver finds none in a shadow tree."""

NEXT = "account-hub-footer #forward:not([disabled])"

READ = """
const [subject, done] = arguments;
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const inbox = MailServices.accounts.defaultAccount.incomingServer.rootFolder.getFolderWithFlags(
  Ci.nsMsgFolderFlags.Inbox);
const listener = {msgAdded: look};
window.addEventListener("MsgLoaded", ({target}) => {
  done(target.getMessagePaneBrowser().contentDocument.body.textContent);
}, {once: true});
MailServices.mfn.addListener(listener, MailServices.mfn.msgAdded);
look();
function look() {
  const found = [...inbox.messages].find(header => header.mime2DecodedSubject == subject);
  if (found) {
    MailServices.mfn.removeListener(listener);
    const tab = {messageURI: inbox.getUriForMsg(found)};
    document.getElementById("tabmail").openTab("mailMessageTab", tab);
  }
}
"""
"""Open a letter in a tab of its own, once it is in the inbox; what is then shown of it."""

WRITE = """
const [address, done] = arguments;
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
Services.obs.addObserver(function opened(window) {
  window.addEventListener("compose-editor-ready", () => done(), {once: true});
  Services.obs.removeObserver(opened, "domwindowopened");
}, "domwindowopened");
MailServices.compose.OpenComposeWindowWithURI(null, Services.io.newURI(address));
"""
"""Open the window that a mailto: link opens, until one can write in it."""


def preferences(sandbox: Sandbox) -> str:
    guided = re.findall(r"^user_pref\(.*\);$", GUIDE.read_text(), re.MULTILINE)
    assert len(guided) == 3
    ours = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    return "\n".join([*guided, *ours]).replace("127.0.0.1:8080", str(sandbox.endpoints["http"])) + "\n"


@asynccontextmanager
async def thunderbird(sandbox: Sandbox, folder: Path) -> AsyncIterator[Marionette]:
    """A first start, with a profile that trusts the sandbox's authority."""
    profile = folder / "profile"
    profile.mkdir()
    await trio.to_thread.run_sync(Authority.open, ca_folder(sandbox.data))
    await run("certutil", "-d", f"sql:{profile}", "-N", "--empty-password")
    await run("certutil", "-d", f"sql:{profile}", "-A", "-t", "C,,", "-n", "Sandbox", "-i", ca_path(sandbox.data))
    (profile / "user.js").write_text(preferences(sandbox))
    async with x_server() as display, trio.open_nursery() as nursery:
        with (folder / "errors").open("wb") as errors:
            process: trio.Process = await nursery.start(partial(
                trio.run_process, ["thunderbird", "--profile", str(profile), "--no-remote", "--marionette",
                                   "--remote-allow-system-access"],
                env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "DISPLAY": display},
                stdout=subprocess.PIPE, stderr=errors, check=False))
        assert process.stdout is not None
        async with aclosing(await Marionette.connect(await listening(process.stdout))) as program:
            await program.run(NO_LOOKUPS)
            yield program
        # Not Marionette:Quit: it is not always answered while the window of a letter just sent is closing.
        nursery.cancel_scope.cancel()


async def listening(output: trio.abc.ReceiveStream) -> int:
    """The port that it says it listens on."""
    said = b""
    with trio.fail_after(60):
        async for data in output:
            said += data
            _, found, port = said.partition(b"Listening on port ")
            if found and b"\n" in port:
                return int(port.split()[0])
    raise AssertionError(f"it ended, and had said {said!r}")


async def set_up(program: Marionette) -> None:
    """What a person does in the window that is open at the first start."""
    async def wait(selector: str) -> dict[str, str]:
        found: dict[str, str] = await program.run(IN_SETUP, selector)
        return found

    await program.fill(await wait("email-auto-form #realName"), "Alice Liddell")
    await program.fill(await wait("email-auto-form #email"), "alice@example.com")
    await program.click(await wait(NEXT))
    await wait("email-config-found:not([hidden])")
    await program.click(await wait(NEXT))
    await program.fill(await wait("email-password-form:not([hidden]) #password"), "wonderland")
    await program.click(await wait(NEXT))
    await wait("email-added-success:not([hidden])")
    await program.click(await wait(NEXT))


def fetched(watcher: Watcher, url: str) -> bool:
    """Whether somebody got what is at an address, over TLS."""
    return any((session.service, exchange.verb, exchange.outcome) == ("https", "GET", "200")
               and exchange.asked.partition("?")[0] == url for session, exchange in watcher.exchanges)


async def test_an_address_is_all_it_needs(sandbox: Sandbox, tmp_path: Path) -> None:
    """It asks autoconfig.example.com, fetches a letter over IMAP, shows it, answers, and files a copy."""
    store = sandbox.world.open_mail()
    with watching(sandbox.journal) as watcher:
        async with thunderbird(sandbox, tmp_path) as program:
            await set_up(program)
            store.put(LETTER, Delivery("alice")).result()
            assert "by the bridge it is schön" in await program.run(READ, "Grüße")
            await watcher.wait_for(lambda _, exchange: (exchange.verb, exchange.outcome) == ("UID STORE", "OK"))
            assert "\\Seen" in store.items(store.find_folder("alice").id)[-1].flags
            await program.run(WRITE, "mailto:bob@example.org?subject=Yes&body=I%20am%20on%20my%20way")
            await program.switch_window()
            await program.click(await program.find("#button-send"))
            await wait_for_mail(store, "bob", b"I am on my way")
            await watcher.wait_for(lambda _, exchange: (exchange.verb, exchange.outcome) == ("APPEND", "OK"))
        await sandbox.journal.settle()
    assert fetched(watcher, "autoconfig.example.com/mail/config-v1.1.xml")
    assert {"imaps", "submissions"} == {session.service for session, _ in watcher.exchanges} & MAIL
    (sent,) = store.items(store.find_folder("alice", "Sent").id)
    assert b"I am on my way" in b"".join(store.read(sent.content))
