"""What a mail store can be asked."""

from __future__ import annotations

import sqlite3
import time

import pytest

from sandbox.world.mail import Delivery, MailReader, MailStore, Outbound, StoreBusy, StoreError
from tests.support.letters import LARGE, SMALL, spooled


def test_a_folder_has_one_owner_and_many_readers(store: MailStore) -> None:
    store.put(SMALL, Delivery("alice")).result()
    with pytest.raises(StoreBusy, match="another sandbox"):
        MailStore(store.folder)
    reader = MailReader(store.folder)
    assert reader.accounts() == ["alice"]
    store.put(SMALL, Delivery("bob")).result()
    assert reader.accounts() == ["alice", "bob"], "it sees what the owner does"
    reader.close()
    with pytest.raises(StoreError, match="no mail"):
        MailReader(store.folder / "nothing")


@pytest.mark.parametrize("text", [SMALL, LARGE])
def test_legs_whose_message_has_arrived_are_known(store: MailStore, text: bytes) -> None:
    legs = [Outbound("a@b.example", f"{name}@example.org") for name in ("bob", "carol")]
    store.store(b"Received: one\r\n", spooled(store, text), [], legs).result()
    assert store.arrived() == []
    bob = store.outbound(1.0)[0]
    store.store(b"Received: two\r\n", spooled(store, b"Received: one\r\n" + text),
                [Delivery("bob", "bob@example.org")]).result()
    store.store(b"Received: two\r\n", spooled(store, b"Received: 1st\r\n" + text),
                [Delivery("carol", "carol@example.org")]).result()
    assert store.arrived() == [bob.id]


def test_listing_is_quick_with_very_many_messages(store: MailStore) -> None:
    store.put(SMALL, Delivery("alice")).result()
    inbox = store.find_folder("alice")
    database = sqlite3.connect(store.folder / "mail.db", isolation_level=None)
    database.execute("BEGIN")
    database.executemany("INSERT INTO message VALUES (?, ?, 1, 26, ?, 0, '', '')",
                         [(inbox.id, uid, uid) for uid in range(2, 100_001)])
    database.execute("COMMIT")
    plan = " ".join(row[3] for row in database.execute(
        "EXPLAIN QUERY PLAN SELECT uid FROM message WHERE folder = 1 ORDER BY uid"))
    database.close()
    start = time.perf_counter()
    assert len(store.items(inbox.id)) == 100_000
    assert time.perf_counter() - start < 2
    assert "TEMP B-TREE" not in plan, "sorted by the key as it lies"


def test_the_beginnings_of_several_messages(store: MailStore) -> None:
    small = store.put(SMALL, Delivery("alice")).result().content
    large = store.put(LARGE, Delivery("alice")).result().content
    sent = store.store(b"Received: here\r\n", spooled(store, SMALL), [Delivery("alice")]).result().content
    assert store.read_starts([small, large, sent, 999], 20) == {
        small: SMALL[:20], large: LARGE[:20], sent: b"Received: here\r\nSubj"}
    assert store.read_starts([small], 1000) == {small: SMALL}
