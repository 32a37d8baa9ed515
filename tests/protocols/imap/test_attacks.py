"""Whatever a client sends: an answer, a bounded one, and never another command's data read as a command."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.protocols.contract.fairness import COMMANDS
from sandbox.protocols.imap.dialogue import ImapDialogue
from sandbox.protocols.imap.library import Library
from sandbox.protocols.imap.session import Mailboxes
from sandbox.world.mail import Delivery, MailStore
from sandbox.world.mail.spool import Spool
from tests.support.dialogue import Talk
from tests.support.turns import bystander

WORDS = [
    b"SELECT INBOX", b"FETCH 1:* ", b"UID ", b"STORE 1 +FLAGS ", b"SEARCH ", b"APPEND INBOX ", b"LIST \"\" ",
    b"RENAME INBOX ", b"(BODY[", b"HEADER.FIELDS (", b"BODYSTRUCTURE", b"ENVELOPE", b"1.2.3", b"]<0.5>", b"(",
    b")", b"{5}", b"{3+}", b"~{2+}", b'"', b"*", b"$", b"\\Seen", b"NOT ", b"OR ", b"1:5", b" ", b"\r\n",
    b"\r\nt ", b"IDLE", b"DONE", b"RETURN (SAVE)", b"SORT (DATE) UTF-8 ALL", b"THREAD REFERENCES UTF-8 ALL",
    b"CREATE x", b"a/b", b"&AOQ-", b"&", b"\xff", b"\x00", b"MOVE 1 Sent", b"COPY 1 Sent", b"EXPUNGE",
    b"(CHANGEDSINCE 1)", b"(QRESYNC (1 1))", b"ENABLE QRESYNC", b"STATUS INBOX (SIZE)", b"CLOSE", b"BINARY[1]",
    b"99999999999",
]
LETTER = (b"From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\n"
          b"Content-Transfer-Encoding: nonsense\r\n\r\ntwo\r\n")


class Person:
    login, password = "alice", "wonderland"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.binary(max_size=8), max_size=40))
def test_any_input_is_answered(words: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = MailStore(Path(folder), durability="memory")
        try:
            store.put(LETTER, Delivery("alice")).result()
            talk = trio.run(send, store, b"t " + b"".join(words))
        finally:
            store.close()
    broken = [exchange.facts["traceback"] for exchange in talk.exchanges if "traceback" in exchange.facts]
    assert not broken, broken[0]


async def send(store: MailStore, data: bytes) -> Talk:
    talk = Talk("imap")
    session = ImapDialogue(talk, Mailboxes(lambda _: Person(), store, Library(store), size=10_000))
    talk.feed(b"a LOGIN alice wonderland\r\nb SELECT INBOX\r\n" + data + b"\r\n")
    talk.hang_up()
    with trio.fail_after(10):
        await talk.serve(session.run)
    return talk


async def test_a_command_too_long_is_read_past(tmp_path: Path) -> None:
    store = MailStore(tmp_path, durability="memory")
    talk = Talk("imap")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.serve, ImapDialogue(talk, Mailboxes(lambda _: Person(), store, Library(store))).run)
        await talk.play("S: * OK ...\nC: a LOGIN alice wonderland\nS: a OK ...")
        talk.feed(b"b UID FETCH " + b"1,2:3," * 500_000 + b"4 FLAGS\r\nc NOOP\r\n")
        await talk.play("S: b BAD A line may have 65536 octets\nS: c OK Nothing done")
        talk.feed(b"d SEARCH TEXT {1000000}\r\n")
        talk.feed(b"e SEARCH TEXT {200000+}\r\n" + b"x LOGOUT\r\n" * 20_000 + b"\r\nf NOOP\r\n")
        await talk.play("S: d NO [TOOBIG] ...\nS: e NO [TOOBIG] ...\nS: f OK Nothing done")
        talk.hang_up()
    store.close()


@pytest.mark.parametrize("append", [
    b'APPEND "&2AA-"', b"APPEND", b"APPEND INBOX (\\Recent)", b"APPEND nowhere", b"APPEND INBOX 5",
    b"APPEND INBOX {3+}\r\nabc",
])
@pytest.mark.parametrize("before", [b"", b"a LOGIN alice wonderland\r\n"])
@pytest.mark.parametrize("tag", [b"t", b"t" * 300])
async def test_the_message_of_a_refused_append_is_never_read_as_commands(tmp_path: Path, append: bytes, before: bytes,
                                                                         tag: bytes) -> None:
    store = MailStore(tmp_path, durability="memory")
    talk = Talk("imap")
    talk.feed(before + tag + b" " + append + b" {12+}\r\nx CAPABILITY\r\ny NOOP\r\n")
    talk.hang_up()
    await talk.serve(ImapDialogue(talk, Mailboxes(lambda _: Person(), store, Library(store))).run)
    heard = await everything(talk)
    assert not [line for line in heard if line.startswith("x ")]
    assert heard[-1] == "y OK Nothing done"
    store.close()


async def test_a_message_that_the_disk_does_not_take_is_never_read_as_commands(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drain(self: Spool) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Spool, "drain", drain)
    store = MailStore(tmp_path, durability="memory")
    talk = Talk("imap")
    message = b"x NOOP\r\n" * 100_000
    talk.feed(b"a LOGIN alice wonderland\r\nb APPEND INBOX {%d+}\r\n%b\r\n" % (len(message), message))
    talk.hang_up()
    await talk.serve(ImapDialogue(talk, Mailboxes(lambda _: Person(), store, Library(store))).run)
    heard = await everything(talk)
    assert heard[-1].startswith("b NO [SERVERBUG]")
    assert heard[-2].startswith("* BYE")
    store.close()


async def everything(talk: Talk) -> list[str]:
    heard = []
    while (line := await talk.hear_line()) != "<end>":
        heard.append(line)
    return heard


async def test_who_has_much_to_say_at_once_is_not_alone_here(tmp_path: Path) -> None:
    store = MailStore(tmp_path, durability="memory")
    talk = Talk("imap")
    talk.feed(b"x NOOP\r\n" * 5_000)
    talk.hang_up()
    async with bystander() as others:
        await ImapDialogue(talk, Mailboxes(lambda _: Person(), store, Library(store), size=10_000)).run()
    store.close()
    assert sum(exchange.verb == "NOOP" for exchange in talk.exchanges) == 5_000
    assert others.turns >= 5_000 // COMMANDS
