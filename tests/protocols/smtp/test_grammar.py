"""SMTP's addresses, paths and parameters, by table and by property."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.protocols.lines.command import BadArgument
from sandbox.protocols.smtp.grammar import (
    Mailbox,
    Parameters,
    decode_xtext,
    encode_xtext,
    parse_mail,
    parse_mailbox,
    parse_rcpt,
    quoted_local,
)

GOOD = [
    ("alice@example.com", Mailbox("alice", "example.com")),
    ("a.b-c+d=e/f!g@EXAMPLE.com", Mailbox("a.b-c+d=e/f!g", "EXAMPLE.com")),
    ('"a b"@example.com', Mailbox("a b", "example.com")),
    (r'"a\"\\b"@example.com', Mailbox('a"\\b', "example.com")),
    ('"a@b"@example.com', Mailbox("a@b", "example.com")),
    ('""@example.com', Mailbox("", "example.com")),
    ("alice@[127.0.0.1]", Mailbox("alice", "[127.0.0.1]")),
    ("alice@[IPv6:::1]", Mailbox("alice", "[IPv6:::1]")),
    ("alice@localhost", Mailbox("alice", "localhost")),
    ("a" * 64 + "@example.com", Mailbox("a" * 64, "example.com")),
    ("ünï@exämple.com", Mailbox("ünï", "exämple.com")),
]
BAD = [
    "", "alice", "@example.com", "alice@", ".alice@example.com", "alice.@example.com", "a..b@example.com",
    "a b@example.com",
    "alice@example..com", "alice@-example.com", "alice@example-.com", "alice@exa mple.com",
    "alice@[300.0.0.1]", "alice@[::1]", "alice@[IPv6:xyz]", "a" * 65 + "@example.com", "alice@" + "a" * 64 + ".com",
    "alice@" + "a." * 128 + "com",
    '"a"b@example.com', '"a@example.com', "a(comment)@example.com", "alice@example.com.",
    'a"b"@example.com',
]


@pytest.mark.parametrize(("text", "mailbox"), GOOD)
def test_mailboxes(text: str, mailbox: Mailbox) -> None:
    assert parse_mailbox(text) == mailbox
    assert str(mailbox) == text


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_mailbox(text: str) -> None:
    with pytest.raises(BadArgument):
        parse_mailbox(text)


@pytest.mark.parametrize(("text", "sender", "parameters"), [
    ("FROM:<>", None, Parameters()),
    ("from:<alice@example.com>", Mailbox("alice", "example.com"), Parameters()),
    ("FROM:<@a.example,@b.example:alice@example.com>", Mailbox("alice", "example.com"), Parameters()),
    ('FROM:<"a> b"@example.com> ', Mailbox("a> b", "example.com"), Parameters()),
    ("FROM:<a@b.example> SIZE=1000 body=8bitmime", Mailbox("a", "b.example"), Parameters(1000, "8BITMIME")),
    ("FROM:<ü@b.example> SMTPUTF8", Mailbox("ü", "b.example"), Parameters(utf8=True)),
    ("FROM:<a@b.example> RET=HDRS ENVID=QQ314159 AUTH=<>", Mailbox("a", "b.example"),
     Parameters(ret="HDRS", envid="QQ314159")),
])
def test_mail(text: str, sender: Mailbox | None, parameters: Parameters) -> None:
    if "AUTH=<>" in text:
        assert parse_mail(text)[1].envid == "QQ314159"
    assert parse_mail(text) == (sender, parameters)


@pytest.mark.parametrize(("text", "code"), [
    ("<a@b.example>", "501"), ("FROM:a@b.example", "501 5.1.7"), ("FROM: <a@b.example>", "501 5.1.7"),
    ("FROM:<a@b.example", "501 5.1.7"), ("FROM:<a>", "501 5.1.7"), ("FROM:<a@b.example>SIZE=1", "501 5.1.7"),
    ("FROM:<a@b.example> SIZE=x", "501"), ("FROM:<a@b.example> SIZE", "501"),
    ("FROM:<a@b.example> SIZE=1 SIZE=1", "501"),
    ("FROM:<a@b.example> BODY=9BIT", "501"), ("FROM:<a@b.example> NOPE=1", "555 5.5.4"),
    ("FROM:<a@b.example> SMTPUTF8=1", "501"), ("FROM:<a@b.example> RET=ALL", "501"),
    ("FROM:<a@b.example> ENVID=a+b", "501"), ("FROM:<a@b.example> =1", "501"),
    ("FROM:<ü@b.example>", "550 5.6.7"), ("FROM:<a@b.example> NOTIFY=NEVER", "555 5.5.4"),
    ("FROM:<" + "a" * 64 + "@" + "b." * 100 + "example>", "501 5.1.7"), ("FROM:<a\\@b.example>", "501 5.1.7"),
])
def test_what_is_no_mail(text: str, code: str) -> None:
    assert code_of(lambda: parse_mail(text)) == code


@pytest.mark.parametrize(("text", "mailbox", "parameters"), [
    ("TO:<bob@example.com>", Mailbox("bob", "example.com"), Parameters()),
    ("TO:<Postmaster>", Mailbox("Postmaster", ""), Parameters()),
    ("TO:<b@c.example> NOTIFY=success,failure ORCPT=rfc822;Bob+40c.example", Mailbox("b", "c.example"),
     Parameters(notify=frozenset({"SUCCESS", "FAILURE"}), orcpt="rfc822;Bob+40c.example")),
])
def test_rcpt(text: str, mailbox: Mailbox, parameters: Parameters) -> None:
    assert parse_rcpt(text, utf8=False) == (mailbox, parameters)


@pytest.mark.parametrize(("text", "code"), [
    ("TO:<>", "501 5.1.3"), ("TO:<bob>", "501 5.1.3"), ("TO:<b@c.example> NOTIFY=NEVER,SUCCESS", "501"),
    ("TO:<b@c.example> NOTIFY=", "501"), ("TO:<b@c.example> ORCPT=x", "501"),
    ("TO:<b@c.example> SIZE=1", "555 5.5.4"),
    ("TO:<ü@c.example>", "550 5.6.7"), ("FROM:<b@c.example>", "501"),
])
def test_what_is_no_rcpt(text: str, code: str) -> None:
    assert code_of(lambda: parse_rcpt(text, utf8=False)) == code


def code_of(parse: object) -> str:
    assert callable(parse)
    with pytest.raises(BadArgument) as caught:
        parse()
    reply = caught.value.reply
    return f"{reply.code} {reply.enhanced}" if reply is not None else "501"


@given(st.text(max_size=80))
def test_garbage_raises_one_error_and_nothing_else(text: str) -> None:
    for line in (text, f"<{text}", f"<{text}>"):
        with suppress(BadArgument):
            parse_mail(f"FROM:{line}")
        with suppress(BadArgument):
            parse_rcpt(f"TO:{line}", utf8=True)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=0, max_size=30))
def test_any_local_part_survives_quoting(local: str) -> None:
    assert parse_mailbox(f"{quoted_local(local)}@example.com") == Mailbox(local, "example.com")


@given(st.text(max_size=30))
def test_xtext(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert decode_xtext(encode_xtext(text)) == text
    assert encode_xtext(text).isprintable()
