"""The letters a world begins with."""

from __future__ import annotations

import email
import email.policy
from contextlib import closing
from pathlib import Path

from sandbox.world import Letter, World
from sandbox.world.mail.seed import write_letter


def test_a_letter_becomes_a_message_that_every_reader_can_have() -> None:
    text = write_letter(Letter("alice", "Bob <bob@example.org>", "Grüße", "Hällo.\n.dot\n"), "example.com")
    assert text.isascii()
    assert text.count(b"\n") == text.count(b"\r\n")
    message = email.message_from_bytes(text, policy=email.policy.default)
    assert (message["From"], message["To"], message["Subject"]) == (
        "Bob <bob@example.org>", "alice@example.com", "Grüße")
    assert message["Date"]
    assert message["Message-ID"].endswith("@example.com>")
    assert message.get_content().splitlines() == ["Hällo.", ".dot"]


def test_they_are_there_at_the_first_start_and_not_again_at_the_next(tmp_path: Path) -> None:
    counts = []
    for _ in range(2):
        with closing(World.load(None, tmp_path)) as world:
            store = world.open_mail()
            assert world.open_mail() is store
            counts.append({name: len(store.items(store.find_folder(name).id)) for name in store.accounts()})
    assert counts[0] == counts[1]
    assert sum(counts[0].values()) == len(world.mail)
