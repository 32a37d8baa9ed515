"""Dialogues in plain text, several connections in one, from `transcripts/`.

`== title ==` begins a case, with a store of its own in which alice's INBOX has the letters below. `1 logs in` and
`2 opens NAME` do what they say. `1C: ` is what connection 1 sends, `1S: ` what it must hear next; `...` stands for
anything; `1C| ` sends without a line end, with Python's escapes. `1 is silent` says that nothing is on its way.
`a letter comes` delivers one to INBOX. `1 hangs up` closes that side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing

from sandbox.protocols.imap.dialogue import ImapDialogue
from sandbox.protocols.imap.library import Library
from sandbox.protocols.imap.session import Mailboxes
from sandbox.world.mail import Delivery, MailStore
from tests.support.dialogue import Talk

FOLDER = Path(__file__).parent / "transcripts"
TITLE = re.compile(r"== (.*) ==")
NOON = 1_770_000_000.0  # 2 February 2026, 02:40 UTC

LETTERS = (
    b"Date: Mon, 1 Feb 2026 10:00:00 +0100\r\nFrom: Bob <bob@example.org>\r\nTo: alice@example.com\r\n"
    b"Subject: Lunch\r\nMessage-ID: <1@example.org>\r\n\r\nAt noon?\r\n",
    b"Date: Tue, 2 Feb 2026 10:00:00 +0100\r\nFrom: carol@example.com\r\nTo: alice@example.com\r\n"
    b"Subject: Re: Lunch\r\nIn-Reply-To: <1@example.org>\r\nMessage-ID: <2@example.com>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n"
    b"--cut\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nc2Now7ZuIQ==\r\n"
    b"--cut\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nwithin\r\n--cut--\r\n",
    b"Subject: third\r\nFrom: dan@example.com\r\n\r\nlast one\r\n",
)


def cases() -> Iterator[object]:
    for file in sorted(FOLDER.glob("*.txt")):
        title = ""
        lines: list[str] = []
        for line in [*file.read_text(encoding="utf-8").splitlines(), "== end =="]:
            if match := TITLE.fullmatch(line.strip()):
                if title:
                    yield pytest.param(lines, id=f"{file.stem}: {title}")
                title, lines = match[1], []
            elif line.strip() and not line.startswith("#"):
                lines.append(line.strip())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MailStore]:
    store = MailStore(tmp_path, durability="memory", quota=1_000_000)
    for number, text in enumerate(LETTERS):
        delivery = Delivery("alice", flags="\\Seen" if number == 0 else "")
        store.put(text, delivery, received=NOON + number * 86_400).result()
    yield store
    store.close()


class Person:
    login, password = "alice", "wonderland"


class Stage:
    """The connections of a case by their digit."""

    def __init__(self, store: MailStore, nursery: trio.Nursery) -> None:
        self.mailboxes = Mailboxes(lambda name: Person() if name == "alice" else None, store, Library(store),
                                   upgrade=True, size=100_000)
        self.store = store
        self.nursery = nursery
        self.talks: dict[str, Talk] = {}

    async def connection(self, name: str) -> Talk:
        if name not in self.talks:
            talk = self.talks[name] = Talk("imap")
            self.nursery.start_soon(talk.serve, ImapDialogue(talk, self.mailboxes).run)
            await talk.play("S: * OK [CAPABILITY ...] Sandbox IMAP ready")
        return self.talks[name]

    async def act(self, line: str) -> None:
        if line == "a letter comes":
            self.store.put(LETTERS[2], Delivery("alice"), received=NOON).result()
            return
        name, rest = line[0], line[1:].strip()
        talk = await self.connection(name)
        if rest == "logs in":
            await talk.play("C: in LOGIN alice wonderland\nS: in OK [CAPABILITY ...] Welcome, alice")
        elif rest.startswith("opens "):
            talk.feed(f"open SELECT {rest[6:]}\r\n".encode())
            while not (heard := await talk.hear_line()).startswith("open "):
                assert heard.startswith("* "), heard
            assert heard.startswith("open OK"), heard
        elif rest == "hangs up":
            talk.hang_up()
        elif rest == "is silent":
            await trio.testing.wait_all_tasks_blocked(0.02)
            assert not talk.heard, talk.heard
        else:
            assert rest[:2] in ("C:", "S:", "C|"), f"no such line in a transcript: {line}"
            await talk.play(rest)


@pytest.mark.parametrize("lines", list(cases()))
async def test_transcript(lines: list[str], store: MailStore) -> None:
    async with trio.open_nursery() as nursery:
        stage = Stage(store, nursery)
        for position, line in enumerate(lines):
            try:
                await stage.act(line)
            except AssertionError as error:
                raise AssertionError("\n".join([*lines[:position], f">>> {line}", str(error)])) from None
        for talk in stage.talks.values():
            talk.hang_up()
    for talk in stage.talks.values():
        assert not any("traceback" in exchange.facts for exchange in talk.exchanges)
