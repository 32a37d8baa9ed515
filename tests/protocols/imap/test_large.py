"""A mailbox of 100,000 messages."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from sandbox.protocols.imap.dialogue import ImapDialogue
from sandbox.protocols.imap.library import Library
from sandbox.protocols.imap.session import Mailboxes
from sandbox.world.mail import Delivery, MailStore
from sandbox.world.mail.schema import connect
from tests.support.dialogue import Talk

COUNT = 100_000


class Person:
    login, password = "alice", "wonderland"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MailStore]:
    store = MailStore(tmp_path, durability="memory")
    store.put(b"Subject: x\r\n\r\ny\r\n", Delivery("alice")).result()
    folder = store.find_folder("alice").id
    database = connect(tmp_path / "mail.db", "memory")
    database.execute("BEGIN")
    database.executemany(
        "INSERT INTO message VALUES (?, ?, 1, 17, ?, ?, ?, '')",
        ((folder, uid, uid, 1.7e9 + uid * 60, "\\Seen" if uid % 3 else "\\Flagged") for uid in range(2, COUNT + 1)))
    database.execute("UPDATE folder SET uidnext = ?, modseq = ? WHERE id = ?", (COUNT + 1, COUNT, folder))
    database.execute("COMMIT")
    database.close()
    yield store
    store.close()


@asynccontextmanager
async def connected(store: MailStore) -> AsyncIterator[Talk]:
    talk = Talk("imap")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.serve, ImapDialogue(talk, Mailboxes(lambda _: Person(), store, Library(store))).run)
        await talk.hear_line()
        await ask(talk, "LOGIN alice wonderland")
        yield talk
        talk.hang_up()


async def ask(talk: Talk, command: str) -> tuple[list[str], float]:
    """The lines up to the tagged one, and the seconds until then."""
    started = time.perf_counter()
    talk.feed(f"t {command}\r\n".encode())
    lines = []
    while not (line := await talk.hear_line()).startswith("t "):
        lines.append(line)
    assert line.startswith("t OK"), line
    return lines, time.perf_counter() - started


async def test_common_questions_are_answered_quickly(store: MailStore) -> None:
    """The bounds are ten times what a quiet machine needs, so that a busy one passes."""
    async with connected(store) as talk:
        lines, seconds = await ask(talk, "SELECT INBOX")
        assert lines[0] == f"* {COUNT} EXISTS"
        assert seconds < 1
        lines, seconds = await ask(talk, "UID SEARCH RETURN (COUNT) FLAGGED SINCE 1-Jan-2000")
        assert lines == [f'* ESEARCH (TAG "t") UID COUNT {COUNT // 3}']
        assert seconds < 3
        lines, seconds = await ask(talk, "UID FETCH 99990:* (FLAGS)")
        assert len(lines) == 11
        assert seconds < 1


async def test_fetching_all_flags_is_streamed(store: MailStore) -> None:
    """A client that does not read holds the server up, and does not fill its memory."""
    async with connected(store) as talk:
        await ask(talk, "SELECT INBOX")
        largest = 0
        flush = talk.flush

        async def measured() -> None:
            nonlocal largest
            largest = max(largest, len(talk.queue))
            await flush()

        talk.flush = measured  # type: ignore[method-assign]
        talk.feed(b"t FETCH 1:* FLAGS\r\n")
        count = 0
        while not (await talk.hear_line()).startswith("t OK"):
            count += 1
        assert count == COUNT
        assert largest < 200_000


async def test_storing_a_flag_of_many_answers_for_each(store: MailStore) -> None:
    """More of them than the store returns with a change of flags."""
    async with connected(store) as talk:
        await ask(talk, "SELECT INBOX")
        for count in (1000, 1001, 2500):
            lines, _ = await ask(talk, f"STORE 1:{count} +FLAGS (seen{count})")
            answers = [line for line in lines if " FETCH " in line]
            assert len(answers) == count
            assert all(f"seen{count}" in line for line in answers)
