"""POP3 sessions as transcripts."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import trio

from sandbox.protocols.pop3.session import Maildrops, Pop3
from sandbox.world.mail import Delivery, MailStore
from tests.support.dialogue import Talk, dialogue

ONE = b"Subject: one\r\n\r\nfirst line\r\n.second line\r\n"
TWO = b"Subject: two\r\n\r\nhello\r\n"


class Person(NamedTuple):
    login: str
    password: str


PEOPLE = {"alice": Person("alice", "wonderland"), "bob": Person("bob", "open sesame")}


def find(name: str) -> Person | None:
    return PEOPLE.get(name.removesuffix("@example.com"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MailStore]:
    store = MailStore(tmp_path, durability="memory")
    for text in (ONE, TWO):
        store.put(text, Delivery("alice")).result()
    yield store
    store.close()


@pytest.fixture
def maildrops(store: MailStore) -> Maildrops:
    return Maildrops(find, store)


async def talk(maildrops: Maildrops, script: str, conversation: Talk | None = None) -> Talk:
    conversation = conversation or Talk("pop3")
    await dialogue(conversation, Pop3(conversation, maildrops).run, script)
    return conversation


LOGIN = """
    S: +OK POP3 sandbox ready <...@mail.example.com>
    C: USER alice
    S: +OK Now send PASS
    C: PASS wonderland
    S: +OK alice's maildrop has 2 messages
"""


async def test_a_whole_session(maildrops: Maildrops) -> None:
    """RFC 1939 §10's example, in our words."""
    talked = await talk(maildrops, LOGIN + """
        C: STAT
        S: +OK 2 65
        C: LIST
        S: +OK Sizes follow
        S: 1 42
        S: 2 23
        S: .
        C: LIST 2
        S: +OK 2 23
        C: RETR 1
        S: +OK 42 octets
        S: Subject: one
        S:
        S: first line
        S: ..second line
        S: .
        C: DELE 1
        S: +OK Message 1 will be removed at QUIT
        C: NOOP
        S: +OK Still here
        C: QUIT
        S: +OK Goodbye; 1 removed
        S: <end>""")
    assert [(item.verb, item.asked, item.outcome) for item in talked.exchanges][:3] == [
        ("greeting", "", "+OK"), ("USER", "alice", "+OK"), ("PASS", "wonderland", "+OK")]
    assert talked.exchanges[2].facts == {"warning": "password seen in clear text", "secret": "password",
                                         "account": "alice"}
    assert "message" in next(item for item in talked.exchanges if item.verb == "RETR").facts


async def test_messages_are_removed_at_quit_and_only_then(maildrops: Maildrops, store: MailStore) -> None:
    inbox = store.find_folder("alice").id
    await talk(maildrops, LOGIN + """
        C: DELE 1
        S: +OK ...
    """)
    assert len(store.items(inbox)) == 2, "a connection lost before QUIT deletes nothing"
    await talk(maildrops, LOGIN + """
        C: DELE 1
        S: +OK ...
        C: RSET
        S: +OK 2 messages, none marked
        C: DELE 2
        S: +OK ...
        C: QUIT
        S: +OK Goodbye; 1 removed""")
    assert [item.uid for item in store.items(inbox)] == [1]


async def test_marked_messages_are_out_of_sight(maildrops: Maildrops) -> None:
    await talk(maildrops, LOGIN + """
        C: DELE 1
        S: +OK ...
        C: RETR 1
        S: -ERR Message 1 is marked as deleted
        C: DELE 1
        S: -ERR Message 1 is marked as deleted
        C: LIST 1
        S: -ERR ...
        C: UIDL 1
        S: -ERR ...
        C: TOP 1 0
        S: -ERR ...
        C: STAT
        S: +OK 1 23
        C: LIST
        S: +OK Sizes follow
        S: 2 23
        S: .
        C: UIDL
        S: +OK Unique ids follow
        S: 2 ...
        S: .""")


async def test_unique_ids_last(maildrops: Maildrops, store: MailStore) -> None:
    validity = store.find_folder("alice").uidvalidity
    script = LOGIN + f"""
        C: UIDL
        S: +OK Unique ids follow
        S: 1 {validity:08x}00000001
        S: 2 {validity:08x}00000002
        S: .
        C: UIDL 2
        S: +OK 2 {validity:08x}00000002
        C: QUIT
        S: +OK Goodbye"""
    await talk(maildrops, script)
    await talk(maildrops, script)


async def test_top(maildrops: Maildrops) -> None:
    await talk(maildrops, LOGIN + """
        C: TOP 1 1
        S: +OK Top of the message
        S: Subject: one
        S:
        S: first line
        S: .
        C: TOP 1
        S: -ERR Usage: TOP msg n
        C: TOP 3 1
        S: -ERR There are only 2 messages here""")


async def test_the_lock_is_exclusive_and_given_back(maildrops: Maildrops) -> None:
    first, second = Talk("pop3"), Talk("pop3")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(first.serve, Pop3(first, maildrops).run)
        await first.play(LOGIN)
        await talk(maildrops, """
            S: +OK ...
            C: USER alice
            S: +OK ...
            C: PASS wonderland
            S: -ERR [IN-USE] Another session has this maildrop open""", second)
        first.hang_up()
    assert second.exchanges[2].key == "code.IN-USE"
    await talk(maildrops, LOGIN)


async def test_apop(maildrops: Maildrops) -> None:
    conversation = Talk("pop3")
    session = Pop3(conversation, maildrops)
    digest = hashlib.md5(f"{session.timestamp}wonderland".encode()).hexdigest()
    await dialogue(conversation, session.run, f"""
        S: +OK POP3 sandbox ready {session.timestamp}
        C: APOP alice {"0" * 32}
        S: -ERR [AUTH] Wrong name or password
        C: APOP nobody {digest}
        S: -ERR [AUTH] Wrong name or password
        C: APOP alice {digest}
        S: +OK alice's maildrop has 2 messages""")


async def test_wrong_passwords_tell_nothing(maildrops: Maildrops) -> None:
    await talk(maildrops, """
        S: +OK ...
        C: PASS wonderland
        S: -ERR Send USER first
        C: USER nobody
        S: +OK Now send PASS
        C: PASS x
        S: -ERR [AUTH] Wrong name or password
        C: PASS x
        S: -ERR Send USER first
        C: USER alice
        S: +OK Now send PASS
        C: PASS x
        S: -ERR [AUTH] Wrong name or password
        C: USER bob@example.com
        S: +OK Now send PASS
        C: PASS open sesame
        S: +OK bob's maildrop has 0 messages""")


async def test_auth(maildrops: Maildrops) -> None:
    plain = b64encode(b"\0alice\0wonderland").decode()
    script = f"""
        S: +OK ...
        C: AUTH
        S: +OK Mechanisms follow
        S: SCRAM-SHA-256
        S: CRAM-MD5
        S: PLAIN
        S: LOGIN
        S: XOAUTH2
        S: .
        C: AUTH NOPE
        S: -ERR There is no such mechanism here; CAPA lists them
        C: AUTH PLAIN
        S: +...
        C: *
        S: -ERR Cancelled
        C: AUTH PLAIN !
        S: -ERR That is not base64
        C: AUTH PLAIN {b64encode(b"?alice?no".replace(b"?", bytes(1))).decode()}
        S: -ERR [AUTH] Wrong name or password
        C: auth plain {plain}
        S: +OK alice's maildrop has 2 messages
        C: AUTH PLAIN
        S: -ERR AUTH belongs to the AUTHORIZATION state; this is the TRANSACTION state"""
    talked = await talk(maildrops, script)
    last = talked.exchanges[-2]
    assert (last.verb, last.asked) == ("AUTH", f"plain {plain}")
    assert last.facts["warning"] == "password seen in clear text"
    assert talked.exchanges[-2].facts["account"] == "alice"


async def test_capabilities(store: MailStore) -> None:
    plain = Maildrops(find, store, upgrade=True, require_tls=True)
    await talk(plain, """
        S: +OK ...
        C: CAPA
        S: +OK Capabilities follow
        S: STLS
        S: UTF8 USER
        S: LANG
        S: UIDL
        S: TOP
        S: SASL SCRAM-SHA-256 CRAM-MD5
        S: RESP-CODES
        S: AUTH-RESP-CODE
        S: PIPELINING
        S: EXPIRE NEVER
        S: IMPLEMENTATION Sandbox
        S: .
        C: USER alice
        S: -ERR Encrypt first: send STLS, or use the TLS port
        C: AUTH PLAIN AAAA
        S: -ERR Encrypt first: send STLS, or use the TLS port
        C: STLS
        S: +OK Begin TLS
        C: CAPA
        S: +OK Capabilities follow
        S: USER
        S: UTF8 USER
        S: LANG
        S: UIDL
        S: TOP
        S: SASL SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN XOAUTH2
        S: RESP-CODES
        S: AUTH-RESP-CODE
        S: PIPELINING
        S: EXPIRE NEVER
        S: IMPLEMENTATION Sandbox
        S: .
        C: STLS
        S: -ERR This connection is encrypted already""")


async def test_what_is_sent_before_tls_is_dropped(store: MailStore) -> None:
    conversation = Talk("pop3")
    conversation.feed(b"USER alice\r\nSTLS\r\nPASS wonderland\r\nQUIT\r\n")
    await talk(Maildrops(find, store, upgrade=True), """
        S: +OK ...
        S: +OK Now send PASS
        S: +OK Begin TLS
        C: PASS wonderland
        S: -ERR Send USER first
        C: QUIT
        S: +OK Goodbye
        S: <end>""", conversation)
    assert conversation.injected == b"PASS wonderland\r\nQUIT\r\n"


async def test_a_password_over_tls_is_no_lesson(maildrops: Maildrops) -> None:
    talked = await talk(maildrops, LOGIN, Talk("pop3s", secure=True))
    assert "warning" not in talked.exchanges[2].facts


async def test_messages_that_need_utf8(maildrops: Maildrops, store: MailStore) -> None:
    store.put("Subject: ünï\r\n\r\n".encode(), Delivery("bob"), utf8=True).result()
    enter = """
        C: USER bob
        S: +OK ...
        C: PASS open sesame
        S: +OK ..."""
    await talk(maildrops, "S: +OK ..." + enter + """
        C: RETR 1
        S: -ERR [UTF8] This message's header is in UTF-8; send UTF8 before you log in
        C: UTF8
        S: -ERR UTF8 belongs to the AUTHORIZATION state; this is the TRANSACTION state""")
    await talk(maildrops, """
        S: +OK ...
        C: UTF8
        S: +OK UTF-8 from here on""" + enter + """
        C: TOP 1 0
        S: +OK Top of the message
        S: Subject: ünï
        S:
        S: .""")


async def test_languages(maildrops: Maildrops) -> None:
    await talk(maildrops, """
        S: +OK ...
        C: LANG
        S: +OK Languages follow
        S: en English
        S: i-default English
        S: .
        C: LANG *
        S: +OK en English it is
        C: LANG tlh
        S: -ERR The replies come in English only""")


async def test_a_message_removed_elsewhere_meanwhile(maildrops: Maildrops, store: MailStore) -> None:
    conversation = Talk("pop3")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(conversation.serve, Pop3(conversation, maildrops).run)
        await conversation.play(LOGIN)
        store.expunge(store.find_folder("alice").id, [1]).result()
        await conversation.play("""
            C: RETR 1
            S: -ERR [SYS/PERM] That message was removed by another session
            C: DELE 1
            S: +OK ...
            C: QUIT
            S: +OK Goodbye; 1 removed""")


async def test_a_large_message(maildrops: Maildrops, store: MailStore) -> None:
    text = b"Subject: large\r\n\r\n" + b".0123456789\r\n" * 300_000
    store.put(text, Delivery("bob")).result()
    conversation = Talk("pop3")
    conversation.feed(b"USER bob\r\nPASS open sesame\r\nRETR 1\r\nQUIT\r\n")
    await conversation.serve(Pop3(conversation, maildrops).run)
    wire = b"".join([segment async for segment in conversation._from_session])
    assert text.replace(b"\r\n.", b"\r\n..") + b".\r\n+OK Goodbye\r\n" == wire[-len(text) - 300_000 - 16:]


async def test_ten_minutes_of_silence_are_allowed(maildrops: Maildrops) -> None:
    """RFC 1939 §3, whatever shorter time the configuration has for others."""
    conversation = Talk("pop3")
    conversation.patience = 300.0
    conversation.feed(b"QUIT\r\n")
    await conversation.serve(Pop3(conversation, maildrops).run)
    assert conversation.patience == 600.0


async def test_silence_ends_the_session_without_a_word(maildrops: Maildrops, store: MailStore) -> None:
    """RFC 1939 §3: the autologout timer closes without entering the UPDATE state."""
    conversation = Talk("pop3")
    conversation.idle = 0.01
    conversation.feed(b"USER alice\r\nPASS wonderland\r\nDELE 1\r\n")
    await conversation.serve(Pop3(conversation, maildrops).run)
    wire = b"".join([segment async for segment in conversation._from_session])
    assert wire.endswith(b"+OK Message 1 will be removed at QUIT\r\n")
    assert len(store.items(store.find_folder("alice").id)) == 2
    assert store.lock_maildrop("alice")
