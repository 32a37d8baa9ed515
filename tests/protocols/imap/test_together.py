"""Two sessions hammer one mailbox with random commands: each sees what a model says, and what the store holds."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.protocols.imap.dialogue import ImapDialogue
from sandbox.protocols.imap.library import Library
from sandbox.protocols.imap.session import Mailboxes
from sandbox.world.mail import Delivery, MailStore
from tests.support.dialogue import Talk

FLAGS = ("\\Seen", "\\Deleted", "\\Flagged", "Blue")
EVENT = re.compile(r"\* (\d+) (EXISTS|EXPUNGE|FETCH)(.*)")


class Person:
    login, password = "alice", "wonderland"


class Client:
    """A client that believes what it is told, and nothing else: the UIDs and flags of its messages by number."""

    def __init__(self, mailboxes: Mailboxes) -> None:
        self.talk = Talk("imap")
        self.session = ImapDialogue(self.talk, mailboxes)
        self.messages: list[tuple[int, frozenset[str]] | None] = []
        self.count = 0

    async def command(self, text: str, *, expunges: bool = True) -> str:
        self.count += 1
        tag = f"t{self.count}"
        self.talk.feed(f"{tag} {text}\r\n".encode())
        while True:
            with trio.fail_after(10):
                line = await self.talk.hear_line()
            if line.startswith(tag):
                assert not line.startswith(f"{tag} BAD"), line
                return line
            if match := EVENT.match(line):
                self.believe(int(match[1]), match[2], match[3], expunges)

    def believe(self, number: int, what: str, rest: str, expunges: bool) -> None:
        if what == "EXISTS":
            assert number >= len(self.messages), "EXISTS never takes messages away"
            self.messages += [None] * (number - len(self.messages))
        elif what == "EXPUNGE":
            assert expunges, "numbers may not change now"
            assert 1 <= number <= len(self.messages)
            del self.messages[number - 1]
        else:
            uid, flags = re.search(r"UID (\d+)", rest), re.search(r"FLAGS \(([^)]*)\)", rest)
            assert number <= len(self.messages)
            known = self.messages[number - 1]
            if uid:
                assert known is None or known[0] == int(uid[1]), "a number keeps its message"
                if flags:
                    self.messages[number - 1] = int(uid[1]), frozenset(flags[1].split()) - {"\\Recent"}


STEPS = st.tuples(st.integers(0, 1), st.sampled_from([
    "NOOP", "APPEND", "+", "-", "SILENT", "EXPUNGE", "SEARCH", "MOVE", "COPY", "FETCH", "DELIVER",
]), st.integers(1, 8), st.sampled_from(FLAGS))


@settings(max_examples=25, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_two_clients_and_the_store_agree(steps: list[tuple[int, str, int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = MailStore(Path(folder), durability="memory")
        try:
            trio.run(hammer, store, steps)
        finally:
            store.close()


async def hammer(store: MailStore, steps: list[tuple[int, str, int, str]]) -> None:
    for _ in range(3):
        store.put(b"Subject: x\r\n\r\ny\r\n", Delivery("alice")).result()
    mailboxes = Mailboxes(lambda _: Person(), store, Library(store))
    clients = [Client(mailboxes), Client(mailboxes)]
    async with trio.open_nursery() as nursery:
        for client in clients:
            nursery.start_soon(client.talk.serve, client.session.run)
            await client.talk.hear_line()
            await client.command("LOGIN alice wonderland")
            await client.command("SELECT INBOX")
            await client.command("UID FETCH 1:* FLAGS")
        for who, what, number, flag in steps:
            await act(clients[who], store, what, number, flag)
        for client in clients:
            await client.command("NOOP")
            await client.command("UID FETCH 1:* FLAGS")
        items = store.items(store.find_folder("alice").id)
        for client in clients:
            assert client.messages == [(item.uid, frozenset(item.flags.split())) for item in items]
            assert not any("traceback" in exchange.facts for exchange in client.talk.exchanges)
            client.talk.hang_up()


async def act(client: Client, store: MailStore, what: str, number: int, flag: str) -> None:
    if what == "DELIVER":
        store.put(b"Subject: new\r\n\r\ny\r\n", Delivery("alice")).result()
        return
    number = min(number, len(client.messages))
    if what == "APPEND":
        await client.command("APPEND INBOX {6+}\r\na: b\r\n")
    elif what in ("NOOP", "EXPUNGE"):
        await client.command(what)
    elif not number:
        return
    elif what == "+":
        await client.command(f"UID STORE 1:{number} +FLAGS ({flag})")
    elif what == "-":
        await client.command(f"STORE {number} -FLAGS {flag}", expunges=False)
        await client.command(f"FETCH {number} (UID FLAGS)", expunges=False)
    elif what == "SILENT":
        await client.command(f"STORE {number} FLAGS.SILENT ({flag})", expunges=False)
    elif what == "SEARCH":
        await client.command(f"SEARCH OR {number} KEYWORD Blue", expunges=False)
    elif what == "MOVE":
        await client.command(f"MOVE {number} INBOX" if number % 2 else f"MOVE {number} Archive")
    elif what == "COPY":
        await client.command(f"COPY {number} INBOX")
    else:
        await client.command(f"FETCH {number} (UID FLAGS BODY[])", expunges=False)
