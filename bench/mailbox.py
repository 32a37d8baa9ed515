"""A mailbox of very many messages, and what a mail program asks of it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

from bench.imap import connected
from bench.mail import PEOPLE, mail_sandbox, text
from bench.peers import Peer, Server
from sandbox.world.files.layout import Files
from sandbox.world.mail import Delivery, MailStore

__all__ = ["MESSAGES", "mailbox", "questions"]

MESSAGES = 100_000
QUESTIONS = (
    "FETCH 1:* FLAGS",
    "SEARCH FROM person77",
    "SORT (DATE) UTF-8 ALL",
    "THREAD REFERENCES UTF-8 ALL",
    "FETCH 1:* ENVELOPE",
    "FETCH 1:* BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)]",
)
TOGETHER = 1000  # messages that wait for the store at once
BEGAN = 1_700_000_000

HEADER = """\
Received: from mx.far.example (mx.far.example [192.0.2.7])
\tby mail.bench.test with ESMTPS; {arrived}
DKIM-Signature: v=1; a=rsa-sha256; d=far.example; s=k; h=from:to:subject:date;
\tb={signature}
From: Person {person} <person{person}@far.example>
To: {owner}@bench.test, list@lists.example
Subject: {subject}
Date: {sent}
Message-ID: {name}
References: {references}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

""".replace("\n", "\r\n")


def letters(count: int) -> Iterator[bytes]:
    """Conversations of a mailing list, always the same ones."""
    dice = random.Random(1)
    thread: list[str] = []
    subject = ""
    for number in range(count):
        if not thread or dice.random() < 0.3:
            thread, subject = [], f"Topic {number}"
        name = f"<{number}.{dice.getrandbits(64):x}@far.example>"
        header = HEADER.format(
            arrived=formatdate(BEGAN + number * 60), sent=formatdate(BEGAN + dice.randrange(count) * 60), name=name,
            signature="A" * 340, person=dice.randrange(2000), owner=PEOPLE[0], references="\r\n\t".join(thread[-12:]),
            subject=f"Re: {subject}" if thread else subject)
        thread.append(name)
        yield (header + text(dice.choice((400, 1000, 4000)))).encode()


def mailbox(count: int = MESSAGES) -> Peer:
    """The sandbox with so many messages in one INBOX."""
    def command(folder: Path, port: int) -> list[str]:
        place = Files(folder / "data").mail
        place.mkdir(parents=True)
        store = MailStore(place, durability="memory", quota=0)
        waiting = []
        for letter in letters(count):
            waiting.append(store.put(letter, Delivery(PEOPLE[0])))
            if len(waiting) == TOGETHER:
                waiting[-1].result()
                waiting.clear()
        store.close()
        return mail_sandbox(folder, port, "imap")

    return Peer("sandbox", command, service="imap")


def questions(server: Server) -> Iterator[tuple[str, float]]:
    """Each question with the seconds its answer took."""
    with connected(server.address, 0) as client:
        client.say(b"SELECT INBOX")
        for question in QUESTIONS:
            began = time.perf_counter()
            client.say(question.encode())
            yield question, time.perf_counter() - began
