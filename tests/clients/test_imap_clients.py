"""Real mail programs read, file and synchronise mail over IMAP."""

from __future__ import annotations

import imaplib
import os
import smtplib
import ssl
import subprocess
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from sandbox.app import Sandbox
from sandbox.world.mail import Delivery, MailStore

LETTER = (b"From: Bob <bob@example.org>\r\nTo: alice@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= %d\r\n"
          b"Message-ID: <%d@example.org>\r\nDate: Mon, 2 Mar 2026 10:00:0%d +0000\r\nMIME-Version: 1.0\r\n"
          b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
          b"letter number %d, sch\xc3\xb6n\r\n")


@pytest.fixture
def store(sandbox: Sandbox) -> MailStore:
    """Alice has three letters in INBOX beside those she began with, one in Archive, and a mailbox of hard name."""
    store = sandbox.world.open_mail(sandbox.config.mail.durability, sandbox.config.mail.quota)
    for number in range(1, 4):
        store.put(LETTER % (number, number, number, number), Delivery("alice"))
    store.create_folder("alice", "Work/Größe & Co").result()
    store.set_subscribed("alice", "Work/Größe & Co", True).result()
    store.put(LETTER % (9, 9, 9, 9), Delivery("alice", folder="Archive", flags="\\Seen")).result()
    return store


async def run(*command: str, folder: Path | None = None, stdin: bytes = b"", status: int = 0) -> str:
    """What a program prints; it must end with this status."""
    home = {"HOME": str(folder)} if folder is not None else {}
    with trio.fail_after(40):
        done = await trio.run_process(list(command), stdin=stdin, capture_stdout=True, stderr=subprocess.STDOUT,
                                      check=False, env={**os.environ, **home})
    text = done.stdout.decode("utf-8", "replace")
    assert done.returncode == status, text
    return text


async def in_thread(work: Callable[[], None]) -> None:
    with trio.fail_after(30):
        await trio.to_thread.run_sync(work)


async def test_imaplib(sandbox: Sandbox, store: MailStore) -> None:
    host, port = sandbox.endpoints["imap"]

    def talk() -> None:
        with imaplib.IMAP4(host, port) as client:
            client.login_cram_md5("alice", "wonderland")
            client.enable("UTF8=ACCEPT")
            assert client.select()[0] == "OK"
            _, found = client.uid("SEARCH", "SUBJECT", "2")
            _, data = client.uid("FETCH", found[0].split()[-1].decode(), "(BODY.PEEK[TEXT])")
            assert data[0][1] == b"letter number 2, sch\xc3\xb6n\r\n"
            assert client.append("Drafts", "\\Draft", None, b"Subject: d\r\n\r\nd\r\n")[0] == "OK"
            assert client.status("Drafts", "(MESSAGES)")[1] == [b"Drafts (MESSAGES 1)"]

    await in_thread(talk)


async def test_what_notify_asks_for_comes_by_itself_over_tls(sandbox: Sandbox, store: MailStore) -> None:
    """RFC 5465 on a real wire: the session reads under TLS while another of its tasks writes, again and again."""
    host, port = sandbox.endpoints["imaps"]

    def talk() -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=20) as client:
            client.login("alice", "wonderland")
            client.select("Drafts")
            imaplib.Commands["NOTIFY"] = ("SELECTED", )
            assert client._simple_command("NOTIFY", "SET (inboxes (MessageNew MessageExpunge))")[0] == "OK"
            before = len(store.items(store.find_folder("alice").id))
            for number in range(1, 21):
                store.put(b"Subject: news\r\n\r\n", Delivery("alice")).result()
                assert client.readline().startswith(b"* STATUS INBOX (MESSAGES %d " % (before + number))
                if number % 5 == 0:
                    assert client.noop()[0] == "OK"

    await in_thread(talk)


async def test_compression(sandbox: Sandbox, store: MailStore) -> None:
    host, port = sandbox.endpoints["imap"]

    def talk() -> None:
        with Packing(host, port) as client:
            assert "COMPRESS=DEFLATE" in client.capabilities
            client.login("alice", "wonderland")
            client.pack()
            assert client.select()[0] == "OK"
            for number in range(1, 4):
                _, found = client.uid("SEARCH", "SUBJECT", str(number))
                _, data = client.uid("FETCH", found[0].split()[-1].decode(), "(BODY.PEEK[TEXT])")
                assert data[0][1] == b"letter number %d, sch\xc3\xb6n\r\n" % number
            letter = b"Subject: long\r\n\r\n" + b"the same again\r\n" * 20_000
            assert client.append("Drafts", "", None, letter)[0] == "OK"
            client.select("Drafts")
            _, data = client.uid("FETCH", "1:*", "(BODY[])")
            assert data[0][1] == letter

    await in_thread(talk)


class Packing(imaplib.IMAP4):
    """imaplib's client, able to compress both directions as RFC 4978 §3 has it."""

    packer: Any = None

    def pack(self) -> None:
        imaplib.Commands["COMPRESS"] = ("AUTH", )
        assert self.xatom("COMPRESS", "DEFLATE")[0] == "OK"
        self.packer, self.unpacker = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
        self.arrived = bytearray()

    def send(self, data: Any) -> None:
        super().send(self.packer.compress(data) + self.packer.flush(zlib.Z_SYNC_FLUSH) if self.packer else data)

    def readline(self) -> bytes:
        return self.until(lambda: self.arrived.find(b"\n") + 1) if self.packer else super().readline()

    def read(self, size: int) -> bytes:
        return self.until(lambda: size if len(self.arrived) >= size else 0) if self.packer else super().read(size)

    def until(self, enough: Callable[[], int]) -> bytes:
        while not enough():
            data = self.socket().recv(65536)
            assert data, "the server went"
            self.arrived += self.unpacker.decompress(data)
        found = bytes(self.arrived[:enough()])
        del self.arrived[:len(found)]
        return found


async def test_imapclient(sandbox: Sandbox, store: MailStore) -> None:
    imapclient = pytest.importorskip("imapclient")
    host, port = sandbox.endpoints["imap"]

    def talk() -> None:
        with imapclient.IMAPClient(host, port, ssl=False) as client:
            client.login("alice", "wonderland")
            assert (b"\\Sent", ) in [flags[1:] for flags, _, name in client.list_folders() if name == "Sent"]
            assert "Work/Größe & Co" in [name for _, _, name in client.list_folders()]
            assert client.find_special_folder(b"\\Drafts") == "Drafts"
            client.select_folder("INBOX")
            uids = client.search(["FROM", "bob@example.org", "SUBJECT", "Grüße"], charset="UTF-8")
            assert len(uids) == 3
            fetched = client.fetch(uids, ["ENVELOPE", "BODYSTRUCTURE", "FLAGS", "INTERNALDATE"])
            envelope = fetched[uids[0]][b"ENVELOPE"]
            assert (envelope.from_[0].mailbox, envelope.message_id) == (b"bob", b"<1@example.org>")
            assert fetched[uids[0]][b"BODYSTRUCTURE"][:2] == (b"text", b"plain")
            assert client.thread("REFERENCES")
            assert client.sort("SUBJECT")[:3] == uids
            client.move(uids[:1], "Work/Größe & Co")
            client.add_flags(uids[1:2], ["$Label1", b"\\Flagged"])
            assert b"$Label1" in client.get_flags(uids[1:2])[uids[1]]
            client.idle()
            store.put(LETTER % (4, 4, 4, 4), Delivery("alice")).result()
            assert any(word == b"EXISTS" for _, word in client.idle_check(timeout=10))
            client.idle_done()
            assert client.get_quota_root("INBOX")[1][0].resource == "STORAGE"
        assert len(store.items(store.find_folder("alice", "Work/Größe & Co").id)) == 1

    await in_thread(talk)


async def test_idle_over_tls_hears_within_milliseconds(sandbox: Sandbox, store: MailStore) -> None:
    """A letter that comes by SMTP is told to a client that idles, over TLS, several times in one connection."""
    host, port = sandbox.endpoints["imaps"]
    waits = []

    def talk() -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with imaplib.IMAP4_SSL(host, port, ssl_context=context) as client:
            client.login("alice", "wonderland")
            client.select()
            for number in range(5):
                client.send(b"i%d IDLE\r\n" % number)
                assert client.readline().startswith(b"+")
                with smtplib.SMTP(*sandbox.endpoints["smtp"]) as other:
                    other.sendmail("bob@example.org", ["alice@example.com"], b"Subject: quick\r\n\r\nx\r\n")
                    started = time.perf_counter()
                    assert b"EXISTS" in client.readline()
                    waits.append(time.perf_counter() - started)
                    assert b"RECENT" in client.readline()
                client.send(b"DONE\r\n")
                assert client.readline().startswith(b"i%d OK" % number)

    await in_thread(talk)
    assert sorted(waits)[2] < 0.2, "the middle one: a busy machine may be slow once"


def maildir(folder: Path) -> dict[str, bytes]:
    """All files with mail below a folder, whose names tell the flags."""
    return {str(file.relative_to(folder)): file.read_bytes()
            for file in folder.rglob("*") if file.parent.name in ("cur", "new")}


def everything(store: MailStore) -> list[tuple[str, int, str]]:
    return [(folder.name, item.uid, item.flags)
            for folder in store.folders("alice") for item in store.items(folder.id)]


@pytest.mark.program("mbsync", "isync")
async def test_mbsync_keeps_both_sides_alike(sandbox: Sandbox, store: MailStore, tmp_path: Path) -> None:
    host, port = sandbox.endpoints["imap"]
    mail = tmp_path / "near"
    mail.mkdir()
    (tmp_path / "rc").write_text(f"""
IMAPStore far
Host {host}
Port {port}
User alice
Pass wonderland
SSLType None
AuthMechs *

MaildirStore near
Path {mail}/
Inbox {mail}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
""")
    sync = ["mbsync", "-c", str(tmp_path / "rc"), "-a", "-V"]
    await run(*sync, folder=tmp_path)
    files = maildir(mail)
    assert sum("INBOX/" in name for name in files) == len(store.items(store.find_folder("alice").id))
    assert any(b"letter number 9" in text for name, text in files.items() if name.startswith("Archive"))
    # Both sides change: a letter of ours appears there, one of theirs is flagged, one is removed here.
    (mail / "Drafts" / "new").mkdir(parents=True, exist_ok=True)
    (mail / "Drafts" / "new" / "1.mine").write_bytes(b"From: me@example.com\nSubject: mine\n\nfrom the other side\n")
    inbox = store.find_folder("alice")
    last = store.items(inbox.id)[-1]
    store.set_flags(inbox.id, [last.uid], lambda flags: flags | {"\\Flagged"}).result()
    gone = next(name for name, text in files.items() if b"letter number 2" in text)
    (mail / gone).unlink()
    await run(*sync, folder=tmp_path)
    drafts = store.find_folder("alice", "Drafts")
    assert len(store.items(drafts.id)) == 1
    assert b"from the other side" in b"".join(store.read(store.items(drafts.id)[0].content))
    assert not any(b"letter number 2" in b"".join(store.read(item.content)) for item in store.items(inbox.id))
    assert any(name.endswith("F") for name in maildir(mail))
    # And again: nothing to do.
    before, files = everything(store), maildir(mail)
    await run(*sync, folder=tmp_path)
    assert (everything(store), maildir(mail)) == (before, files)


@pytest.mark.program("offlineimap", "offlineimap3")
async def test_offlineimap_keeps_both_sides_alike(sandbox: Sandbox, store: MailStore, tmp_path: Path) -> None:
    host, port = sandbox.endpoints["imap"]
    (tmp_path / "rc").write_text(f"""
[general]
accounts = alice
metadata = {tmp_path}/meta
[Account alice]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {tmp_path}/near
[Repository far]
type = IMAP
remotehost = {host}
remoteport = {port}
remoteuser = alice
remotepass = wonderland
ssl = no
starttls = no
""")
    sync = ["offlineimap", "-o", "-c", str(tmp_path / "rc"), "-u", "basic"]
    await run(*sync, folder=tmp_path)
    files = maildir(tmp_path / "near")
    assert sum("letter number" in text.decode() for text in files.values()) == 4
    new = tmp_path / "near" / "INBOX" / "cur" / "1.mine:2,S"
    new.write_bytes(b"From: me@example.com\nSubject: mine\n\nfrom the other side\n")
    await run(*sync, folder=tmp_path)
    inbox = store.find_folder("alice")
    assert "\\Seen" in store.items(inbox.id)[-1].flags
    assert b"from the other side" in b"".join(store.read(store.items(inbox.id)[-1].content))
    before, files = everything(store), maildir(tmp_path / "near")
    await run(*sync, folder=tmp_path)
    assert (everything(store), maildir(tmp_path / "near")) == (before, files)


MUTT = """
set folder = "imap://{address}/"
set spoolfile = "+INBOX"
set imap_user = "alice"
set imap_pass = "wonderland"
set ssl_starttls = no
set ssl_force_tls = no
set header_cache = ""
set record = ""
set sleep_time = 0
set delete = yes
set move = no
set confirmappend = no
"""


@pytest.mark.parametrize("program", [pytest.param("mutt", marks=pytest.mark.program("mutt", "mutt")),
                                     pytest.param("neomutt", marks=pytest.mark.program("neomutt", "neomutt"))])
async def test_mutt_saves_into_another_mailbox(sandbox: Sandbox, store: MailStore, tmp_path: Path,
                                               program: str) -> None:
    """It looks for a letter by its subject, and saves it to Archive."""
    (tmp_path / "rc").write_text(MUTT.format(address=sandbox.endpoints["imap"]) + (
        'push "<search>~s 3<enter><save-message><kill-line>=Archive<enter><sync-mailbox><exit>"\n'))
    await run("script", "-qec", f"env TERM=xterm {program} -n -F {tmp_path}/rc", "/dev/null", folder=tmp_path)
    archive = store.find_folder("alice", "Archive")
    assert any(b"letter number 3" in b"".join(store.read(item.content)) for item in store.items(archive.id))
    inbox = store.items(store.find_folder("alice").id)
    assert not any(b"letter number 3" in b"".join(store.read(item.content)) for item in inbox)


@pytest.mark.program("fetchmail", "fetchmail")
async def test_fetchmail_takes_all_mail(sandbox: Sandbox, store: MailStore, tmp_path: Path) -> None:
    host, port = sandbox.endpoints["imap"]
    rc = tmp_path / "rc"
    rc.write_text(f'poll {host} service {port} protocol IMAP user alice password wonderland fetchall no keep '
                  f'sslproto "" mda "cat >> {tmp_path}/got"\n')
    rc.chmod(0o600)
    await run("fetchmail", "-f", str(rc), "--pidfile", str(tmp_path / "pid"), "-i", str(tmp_path / "ids"),
              folder=tmp_path)
    assert (tmp_path / "got").read_bytes().count(b"letter number") == 3
    assert store.items(store.find_folder("alice").id) == []


@pytest.mark.program("curl", "curl")
@pytest.mark.parametrize(("service", "options"), [
    ("imap", []), ("imap", ["--ssl-reqd", "--insecure"]), ("imaps", ["--insecure"]),
    ("imap", ["--login-options", "AUTH=CRAM-MD5"]), ("imap", ["--login-options", "AUTH=LOGIN"]),
])
async def test_curl(sandbox: Sandbox, store: MailStore, tmp_path: Path, service: str, options: list[str]) -> None:
    url = f"{service}://{sandbox.endpoints[service]}"
    common = ["curl", "--silent", "--show-error", *options, "--user", "alice:wonderland"]
    assert '"/" INBOX' in await run(*common, url)
    uid = store.items(store.find_folder("alice").id)[-1].uid
    assert "letter number 3" in await run(*common, f"{url}/INBOX;UID={uid}")
    assert "letter number 3" in await run(*common, f"{url}/INBOX;UID={uid};SECTION=TEXT")
    assert f"* SEARCH {uid}" in await run(*common, f"{url}/INBOX?SUBJECT%203%20UID%20{uid}")
    (tmp_path / "letter").write_bytes(b"Subject: up\r\n\r\nloaded\r\n")
    await run(*common, "--upload-file", str(tmp_path / "letter"), f"{url}/Drafts")
    assert len(store.items(store.find_folder("alice", "Drafts").id)) == 1
