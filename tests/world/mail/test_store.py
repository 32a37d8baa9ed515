"""The mail store: what goes in comes out, once, whatever happens in between."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from sandbox.world.mail import (
    QUEUE,
    Delivery,
    FolderChange,
    FolderExists,
    MailStore,
    NoSuchFolder,
    Outbound,
    OverQuota,
    StoreError,
)
from sandbox.world.mail.spool import INLINE
from tests.support.letters import LARGE, SMALL, spooled, text_of


@pytest.mark.parametrize("text", [SMALL, LARGE, b"", b"x" * INLINE, b"x" * (INLINE + 1)])
def test_a_message_comes_back_as_it_was(store: MailStore, text: bytes) -> None:
    stored = store.store(b"Received: x\r\n", spooled(store, text), [Delivery("alice", "alice@example.com")]).result()
    assert text_of(store, stored.content) == b"Received: x\r\n" + text
    assert b"".join(store.read(stored.content, whole=False)) == text
    (item,) = store.items(store.find_folder("alice").id)
    assert (item.uid, item.size, item.content) == (1, len(text) + 13, stored.content)
    assert item.recipient == "alice@example.com"
    assert abs(item.received - time.time()) < 60


def test_what_is_recent_is_claimed_once(store: MailStore) -> None:
    for _ in range(3):
        store.put(SMALL, Delivery("alice")).result()
    folder = store.find_folder("alice").id
    store.expunge(folder, [2]).result()
    assert (store.first_recent(folder), store.counts(folder).recent) == (1, 2)
    assert [store.claim_recent(folder, 3).result() for _ in range(2)] == [1, 3]
    assert (store.first_recent(folder), store.counts(folder).recent) == (3, 1)
    assert store.claim_recent(folder, 2).result() == 3, "nothing becomes recent again"
    assert store.claim_recent(4711, 9).result() == 9


def test_recipients_share_one_copy_and_the_last_to_go_removes_it(store: MailStore) -> None:
    stored = store.store(b"", spooled(store, LARGE), [Delivery("alice"), Delivery("bob")]).result()
    files = store.folder / "files"
    assert len(list(files.iterdir())) == 1
    assert store.expunge(store.find_folder("alice").id, [1]).result() == [1]
    assert text_of(store, stored.content) == LARGE
    store.expunge(store.find_folder("bob").id, [1]).result()
    assert not list(files.iterdir())
    with pytest.raises(KeyError):
        store.read(stored.content)


def test_everybody_has_folders_with_a_use_from_the_start(store: MailStore) -> None:
    store.require_account("alice").result()
    assert {folder.name: folder.special for folder in store.folders("alice")} == {
        "INBOX": "", "Drafts": "\\Drafts", "Sent": "\\Sent", "Junk": "\\Junk", "Trash": "\\Trash",
        "Archive": "\\Archive"}
    assert len({folder.uidvalidity for folder in store.folders("alice")}) == 6
    assert store.accounts() == ["alice"]


def test_uids_rise_and_are_never_used_again(store: MailStore) -> None:
    for _ in range(3):
        store.put(SMALL, Delivery("alice")).result()
    inbox = store.find_folder("alice")
    assert inbox.uidnext == 4
    store.expunge(inbox.id, [2, 3, 99]).result()
    assert store.put(SMALL, Delivery("alice")).result().uids == (4,)
    assert [item.uid for item in store.items(inbox.id)] == [1, 4]


def test_a_folder_made_again_has_a_new_uidvalidity(store: MailStore) -> None:
    first = store.create_folder("alice", "Plans").result()
    validity = store.find_folder("alice", "Plans").uidvalidity
    with pytest.raises(FolderExists):
        store.create_folder("alice", "Plans").result()
    store.put(SMALL, Delivery("alice", folder="Plans")).result()
    store.delete_folder(first).result()
    assert store.usage("alice")[0] == 0
    store.create_folder("alice", "Plans").result()
    assert store.find_folder("alice", "Plans").uidvalidity > validity
    with pytest.raises(NoSuchFolder):
        store.find_folder("alice", "Nothing")
    with pytest.raises(NoSuchFolder):
        store.put(SMALL, Delivery("alice", folder="Nothing")).result()


def test_mod_sequences_say_what_changed_since(store: MailStore) -> None:
    for _ in range(4):
        store.put(SMALL, Delivery("alice")).result()
    inbox = store.find_folder("alice")
    assert store.set_flags(inbox.id, [1, 3], lambda flags: flags | {"\\Seen"}).result()[:2] == ([1, 3], [])
    assert [item.uid for item in store.items(inbox.id, changed_since=inbox.modseq)] == [1, 3]
    assert [item.flags for item in store.items(inbox.id)] == ["\\Seen", "", "\\Seen", ""]
    late = store.set_flags(inbox.id, [1, 2, 9], lambda flags: {"b", "a"}, unchanged_since=inbox.modseq).result()
    assert late[:2] == ([2], [1])
    assert store.items(inbox.id)[1].flags == "a b"
    store.expunge(inbox.id, [4]).result()
    assert store.vanished(inbox.id, inbox.modseq) == [4]
    assert store.vanished(inbox.id, store.find_folder("alice").modseq) == []
    assert store.set_flags(inbox.id, [1], lambda flags: flags).result()[:2] == ([], [])


def test_copy_and_move(store: MailStore) -> None:
    stored = store.put(SMALL, Delivery("alice", flags="\\Seen")).result()
    inbox, trash = store.find_folder("alice").id, store.find_folder("alice", "Trash").id
    assert store.copy(inbox, [1, 2], trash).result() == [(1, 1)]
    assert store.usage("alice")[0] == 2 * len(SMALL)
    assert store.move(inbox, [1], trash).result() == [(1, 2)]
    assert store.items(inbox) == []
    assert store.usage("alice")[0] == 2 * len(SMALL)
    assert [(item.uid, item.content, item.flags) for item in store.items(trash)] == [
        (1, stored.content, "\\Seen"), (2, stored.content, "\\Seen")]


def test_a_quota_is_all_or_nothing(store: MailStore) -> None:
    store.require_account("bob", quota=2 * len(SMALL)).result()
    store.put(SMALL, Delivery("bob")).result()
    with pytest.raises(OverQuota) as full:
        store.put(SMALL + SMALL, Delivery("alice"), Delivery("bob")).result()
    assert full.value.accounts == ("bob",)
    assert store.accounts() == ["bob"], "alice got nothing either"
    inbox = store.find_folder("bob").id
    store.copy(inbox, [1], store.find_folder("bob", "Sent").id).result()
    with pytest.raises(OverQuota):
        store.copy(inbox, [1], inbox).result()
    assert store.usage("bob") == (2 * len(SMALL), 2 * len(SMALL))


def test_one_job_that_fails_does_not_take_the_others_with_it(store: MailStore) -> None:
    futures = [store.put(SMALL, Delivery("alice", folder="INBOX" if number % 3 else "Nothing"))
               for number in range(30)]
    failed = [future for future in futures if future.exception() is not None]
    assert len(failed) == 10
    assert len(store.items(store.find_folder("alice").id)) == 20


def test_changes_are_announced_after_the_commit(store: MailStore) -> None:
    store.require_account("alice").result()
    inbox = store.find_folder("alice")
    heard: list[FolderChange] = []
    seen: list[int] = []

    def observer(change: FolderChange) -> None:
        heard.append(change)
        seen.append(len(store.items(inbox.id)))

    def broken(change: FolderChange) -> None:
        raise RuntimeError

    stop = store.watch(inbox.id, observer)
    store.watch(inbox.id, broken)
    store.put(SMALL, Delivery("alice")).result()
    store.put(SMALL, Delivery("bob")).result()
    store.set_flags(inbox.id, [1], lambda flags: {"\\Flagged"}).result()
    store.expunge(inbox.id, [1]).result()
    stop()
    store.put(SMALL, Delivery("alice")).result()
    assert heard == [FolderChange(inbox.id, 2, added=(1,)), FolderChange(inbox.id, 3, flagged=(1,)),
                     FolderChange(inbox.id, 4, vanished=(1,))]
    assert seen == [1, 1, 0]


def test_the_maildrop_lock_is_exclusive(store: MailStore) -> None:
    assert store.lock_maildrop("alice")
    assert not store.lock_maildrop("alice")
    assert store.lock_maildrop("bob")
    store.release_maildrop("alice")
    assert store.lock_maildrop("alice")


def test_the_queue_keeps_mail_under_way(store: MailStore) -> None:
    legs = [Outbound("alice@example.com", f"{name}@example.org", "{}", due=100.0) for name in ("bob", "carol")]
    stored = store.store(b"", spooled(store, SMALL), [], legs).result()
    assert store.outbound(99.0) == []
    assert store.next_due() == 100.0
    bob, carol = store.outbound(100.0)
    assert (bob.recipient, bob.content, bob.size, bob.attempts) == (
        "bob@example.org", stored.content, len(SMALL), 0)
    store.retry_outbound([bob.id], 200.0).result()
    store.delete_outbound([carol.id]).result()
    assert [(leg.recipient, leg.attempts) for leg in store.outbound(200.0)] == [("bob@example.org", 1)]
    assert text_of(store, stored.content) == SMALL
    store.delete_outbound([bob.id]).result()
    assert store.next_due() is None
    with pytest.raises(KeyError):
        store.read(stored.content)


def test_an_account_that_goes_takes_its_mail_along(store: MailStore) -> None:
    stored = store.put(LARGE, Delivery("alice")).result()
    store.remove_account("alice").result()
    assert store.accounts() == []
    with pytest.raises(KeyError):
        store.read(stored.content)


def test_mail_survives_and_leftovers_go_at_the_next_start(tmp_path: Path) -> None:
    store = MailStore(tmp_path)
    stored = store.put(LARGE, Delivery("alice"), utf8=True).result()
    store.close()
    (tmp_path / "files" / "orphan").write_bytes(b"x")
    (tmp_path / "spool" / "half").write_bytes(b"x")
    store = MailStore(tmp_path)
    assert text_of(store, stored.content) == LARGE
    assert store.needs_utf8(stored.content)
    assert not (tmp_path / "files" / "orphan").exists()
    assert not list((tmp_path / "spool").iterdir())
    store.close()


def test_folders_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    MailStore(tmp_path).close()
    database = sqlite3.connect(tmp_path / "mail.db")
    database.execute("PRAGMA user_version = 999")
    database.close()
    with pytest.raises(StoreError, match="newer sandbox"):
        MailStore(tmp_path)
    for file in tmp_path.glob("mail.db*"):
        file.unlink()
    (tmp_path / "mail.db").write_bytes(b"this is not a database, " * 100)
    with pytest.raises(StoreError, match="move it away"):
        MailStore(tmp_path)


def test_a_discarded_spool_leaves_nothing(store: MailStore) -> None:
    spool = spooled(store, LARGE)
    assert spool.file is not None
    spool.discard()
    assert not list((store.folder / "spool").iterdir())


WRITER = """
import os, sys, threading
from pathlib import Path
from sandbox.world.mail import Delivery, MailStore
store = MailStore(Path(sys.argv[1]))
def work(name):
    for number in range(10**6):
        text = f"{name} {number}\\r\\n".encode() * (20_000 if number % 7 == 0 else 10)
        store.put(text, Delivery("alice", recipient=f"{name}-{number}")).result()
        os.write(1, f"{name}-{number}\\n".encode())
threads = [threading.Thread(target=work, args=(f"w{index}",)) for index in range(4)]
for thread in threads: thread.start()
"""


def test_what_was_acknowledged_is_there_once_after_a_kill(tmp_path: Path) -> None:
    """The mail server's own promise, kept five times over: more rounds are in the test of the whole server."""
    acknowledged: list[str] = []
    for round_ in range(5):
        child = subprocess.Popen([sys.executable, "-c", WRITER.replace('f"w{index}"', f'f"{round_}w{{index}}"'),
                                  str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for count, line in enumerate(child.stdout):
            if line.endswith("\n"):
                acknowledged.append(line.strip())
            if count == 40 + 7 * round_:
                os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        store = MailStore(tmp_path)
        items = store.items(store.find_folder("alice").id)
        kept = [item.recipient for item in items]
        assert len(kept) == len(set(kept)), "none is there twice"
        assert set(acknowledged) <= set(kept), "none is lost"
        for item in items:
            assert sum(map(len, store.read(item.content))) == item.size
        assert len(list((tmp_path / "files").iterdir())) == sum(item.size > INLINE for item in items)
        store.close()


def test_expunging_does_not_write_the_mail_once_more(store: MailStore) -> None:
    for stored in [store.put(b"x" * 10_000, Delivery("alice")) for _ in range(100)]:
        stored.result()
    log = store.folder / "mail.db-wal"
    before = log.stat().st_size
    store.expunge(store.find_folder("alice").id, range(1, 101)).result()
    assert log.stat().st_size - before < 200_000


def test_many_threads_write_and_read_at_once(store: MailStore) -> None:
    def work(name: str) -> None:
        for _ in range(25):
            store.put(SMALL, Delivery(name), Delivery("all")).result()
            store.items(store.find_folder(name).id)

    threads = [threading.Thread(target=work, args=(f"p{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.items(store.find_folder("all").id)) == 150


def test_a_change_of_flags_says_what_the_messages_have_become(store: MailStore) -> None:
    for _ in range(2):
        store.put(SMALL, Delivery("alice")).result()
    inbox = store.find_folder("alice")
    done = store.set_flags(inbox.id, [1, 2, 9], lambda flags: flags | {"\\Seen"}).result()
    assert done.items == store.items_of(inbox.id, [1, 2])
    assert [item.flags for item in done.items or ()] == ["\\Seen", "\\Seen"]
    with_late = store.set_flags(inbox.id, [1, 2], lambda flags: (), unchanged_since=1).result()
    assert (with_late.items, with_late.late) == ([], [1, 2])


def test_flags_of_messages_or_folders_that_are_gone(store: MailStore) -> None:
    store.put(SMALL, Delivery("alice")).result()
    inbox = store.find_folder("alice")
    assert store.set_flags(inbox.id, [7], lambda flags: {"\\Seen"}).result().changed == []
    assert store.find_folder("alice").modseq == inbox.modseq, "nothing changed"
    with pytest.raises(NoSuchFolder):
        store.set_flags(999, [1], lambda flags: {"\\Seen"}).result()


def test_mail_is_on_the_disk_when_it_is_acknowledged_and_flags_need_not_be(tmp_path: Path) -> None:
    store = MailStore(tmp_path)
    promised = []

    def look(future: Future[Any]) -> None:
        """In the writer's thread, right after the commit: how far SQLite went to make it last."""
        promised.append(store._writer._database.execute("PRAGMA synchronous").fetchone()[0])

    normal, full = 1, 2
    for _ in range(2):
        stored: Future[Any] = store.put(SMALL, Delivery("alice"))
        stored.add_done_callback(look)
        stored.result()
        flagged: Future[Any] = store.set_flags(store.find_folder("alice").id, [1], lambda flags: flags ^ {"\\Seen"})
        flagged.add_done_callback(look)
        flagged.result()
    store.close()
    assert promised == [full, normal, full, normal]


def test_who_hears_of_something_to_carry_can_ask_at_once_what_it_came_with(store: MailStore) -> None:
    heard: list[object] = []
    store.watch(QUEUE, lambda change: heard.append(store.origins.find(store.outbound(1e12)[0].content)))
    spool = store.spool()
    spool.add(b"Subject: Hi\r\n\r\nHi\r\n")
    spool.seal()
    store.store(b"", spool, [], [Outbound("alice@example.com", "bob@example.org", "{}")], origin=7).result()
    assert heard == [7]
