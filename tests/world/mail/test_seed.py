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


def test_a_folder_of_messages(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "2.eml").write_bytes("Subject: Grüße\n\ntwo\n".encode())
    (tmp_path / "letters" / "1.eml").write_bytes(b"Subject: one\r\n\r\n.dot\r\n")
    (tmp_path / "letters" / "notes.txt").write_bytes(b"no letter")
    (tmp_path / "w.toml").write_text(
        'extends = "nothing"\n[people.zoe]\npassword = "x"\n[[mail]]\nto = "zoe"\nfolder = "letters"\n')
    (tmp_path / "data").mkdir()
    with closing(World.load(tmp_path / "w.toml", tmp_path / "data")) as world:
        store = world.open_mail()
        items = store.items(store.find_folder("zoe").id)
        assert [b"".join(store.read(item.content)) for item in items] == [
            b"Subject: one\r\n\r\n.dot\r\n", "Subject: Grüße\r\n\r\ntwo\r\n".encode()]
        assert [store.needs_utf8(item.content) for item in items] == [False, True]


def test_everybody_in_the_built_in_world_has_a_letter(tmp_path: Path) -> None:
    with closing(World.load(None, tmp_path)) as world:
        assert {letter.to for letter in world.mail} == {account.login for account in world.accounts}


def test_mailboxes_come_and_go_with_people(tmp_path: Path) -> None:
    with closing(World.load(None, tmp_path)) as world:
        store = world.open_mail()
        world.accounts.add("dora", "vans")
        world.accounts.remove("alice")
        store.require_account("carol").result()  # what was asked for before it is done then
        assert "dora" in store.accounts()
        assert "alice" not in store.accounts()
