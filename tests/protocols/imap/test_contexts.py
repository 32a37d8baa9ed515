"""Results that are kept up to date: a client that believes what it is told knows the result at any time."""

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

STEPS = st.lists(st.tuples(st.sampled_from(["deliver", "flag", "unflag", "expunge", "own"]), st.integers(0, 30)),
                 max_size=25)
ITEM = re.compile(r"(REMOVEFROM|ADDTO) \(([^)]*)\)")


class Person:
    login, password = "alice", "wonderland"


def spelled(numbers: str) -> list[int]:
    found: list[int] = []
    for part in numbers.split(","):
        low, _, high = part.partition(":")
        found += range(int(low), int(high or low) + 1)
    return found


class Believer:
    """It keeps a result as RFC 5267 §4.3 says, by UIDs in the order of SORT, and by numbers."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.sorted: list[int] = []
        self.numbers: set[int] = set()

    async def say(self, command: str) -> None:
        self.talk.feed(f"{command}\r\n".encode())
        tag = command.split()[0]
        while not (line := await self.talk.hear_line()).startswith(tag):
            if match := re.fullmatch(r"\* (\d+) EXPUNGE", line):
                gone = int(match[1])
                assert gone not in self.numbers, "it leaves a result before it is gone"
                self.numbers = {number - (number > gone) for number in self.numbers}
            elif match := re.search(r'TAG "(\w+)"', line):
                for verb, steps in ITEM.findall(line):
                    self.believe(match[1], verb, steps.split())
                if found := re.search(r" ALL ([\d:,]+)", line):
                    self.sorted, self.numbers = (spelled(found[1]), self.numbers) if match[1] == "sorted" else (
                        self.sorted, set(spelled(found[1])))
        assert line.startswith(f"{tag} OK"), line

    def believe(self, tag: str, verb: str, steps: list[str]) -> None:
        for place, numbers in zip(steps[::2], steps[1::2], strict=True):
            if tag == "plain":
                assert place == "0"
                self.numbers = self.numbers ^ set(spelled(numbers))
            elif verb == "ADDTO":
                self.sorted.insert(int(place) - 1, int(numbers))
            else:
                assert self.sorted[int(place) - 1] == int(numbers)
                del self.sorted[int(place) - 1]


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_a_client_that_believes_updates_knows_the_result(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = MailStore(Path(folder), durability="memory")
        try:
            trio.run(live, store, steps)
        finally:
            store.close()


def deliver(store: MailStore, number: int) -> None:
    store.put(f"Subject: {'abc'[number % 3]}\r\n\r\n".encode(), Delivery("alice"), received=1e9 + number).result()


async def live(store: MailStore, steps: list[tuple[str, int]]) -> None:
    for number in range(3):
        deliver(store, number)
    folder = store.find_folder("alice").id
    talk = Talk("imap")
    dialogue = ImapDialogue(talk, Mailboxes(lambda _: Person(), store, Library(store)))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.serve, dialogue.run)
        await talk.hear_line()
        client = Believer(talk)
        await client.say("l LOGIN alice wonderland")
        await client.say("s SELECT INBOX")
        question = "NOT KEYWORD Blue"
        await client.say(f"sorted UID SORT RETURN (UPDATE ALL) (SUBJECT REVERSE ARRIVAL) UTF-8 {question}")
        await client.say(f"plain SEARCH RETURN (UPDATE ALL) {question}")
        for what, number in steps:
            await act(client, store, folder, what, number)
            await client.say("n NOOP")
        sorted_before, numbers_before = client.sorted, client.numbers
        client.sorted, client.numbers = [], set()
        await client.say(f"sorted UID SORT RETURN (ALL) (SUBJECT REVERSE ARRIVAL) UTF-8 {question}")
        await client.say(f"plain SEARCH RETURN (ALL) {question}")
        assert (sorted_before, numbers_before) == (client.sorted, client.numbers)
        talk.hang_up()
    assert not any("traceback" in exchange.facts for exchange in talk.exchanges)


async def act(client: Believer, store: MailStore, folder: int, what: str, number: int) -> None:
    uids = [item.uid for item in store.items(folder)]
    if what == "deliver":
        deliver(store, number)
    elif uids and what == "own":
        await client.say(f"o STORE {number % len(uids) + 1} +FLAGS.SILENT (Blue)")
    elif uids and what == "expunge":
        store.expunge(folder, [uids[number % len(uids)]]).result()
    elif uids:
        chosen = [uid for uid in uids if uid % 3 == number % 3]
        store.set_flags(folder, chosen, lambda flags: {"Blue"} if what == "flag" else ()).result()
