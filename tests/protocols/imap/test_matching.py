"""What SEARCH finds by addresses (RFC 9051 §6.4.4): strings in the envelope, so addresses and not their text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.message.addresses import read_addresses
from sandbox.message.text import fold
from sandbox.protocols.imap.grammar.searching import Key
from sandbox.protocols.imap.library import Library
from sandbox.protocols.imap.matching import Matcher, in_addresses, written
from sandbox.protocols.imap.view import View
from sandbox.world.mail import Delivery, MailStore


def found(folder: Path, field: str, name: str, text: str) -> bool:
    """Whether a message with this one field is found by a key."""
    store = MailStore(folder, durability="memory")
    store.put(field.encode() + b"\r\n\r\n", Delivery("alice")).result()
    view = View("INBOX", read_only=False)
    view.begin(store.view(store.find_folder("alice").id))
    return bool(Matcher(Library(store), view, Key(name, (text.encode(),)), b"").find())


@pytest.mark.parametrize("field", [
    "From: user@domain.org", "From: user (c) @ domain.org", 'From: "user"@domain.org', "From: user\r\n @domain.org",
    "From: Us Er <user@\r\n domain.org>", "From: x@y.org,\r\n USER@Domain.ORG",
    "From: friends: a@b.org, user@domain.org;",
    "From: <@relay.org:user@domain.org>", 'From: "u\\ser" @ domain . org',
])
@pytest.mark.parametrize("text", ["user@domain.org", "SER@DOM"])
def test_addresses_are_found_however_they_are_written(tmp_path: Path, field: str, text: str) -> None:
    assert found(tmp_path, field, "FROM", text)


@given(st.text('ab@.<> ,";:()[]\\=?', max_size=20), st.text('ab@.<> ,"', max_size=4))
def test_fields_that_are_not_taken_apart_hold_nothing_else(field: str, text: str) -> None:
    value = field.strip().encode()
    slowly = any(text in fold(written(box)) for box in read_addresses(value))
    assert in_addresses(text, value) == slowly


@pytest.mark.parametrize(("field", "name", "text", "expected"), [
    ('To: "Us, Er" <user@domain.org>', "TO", "us, er", True),
    ('To: "Us \\"The\\" Er" <user@domain.org>', "TO", 'us "the" er <user@domain.org>', True),
    ("Cc: =?utf-8?q?J=C3=B6rg?= <j@domain.org>", "CC", "jörg <j@", True),
    ("Bcc: user@domain.org (Us Er)", "BCC", "us er", True),
    ("Bcc: friends: a@b.org;", "BCC", "friends", True),
    ("From: not an address", "FROM", "not an add", True),
    ("From: <no@body", "FROM", "no@body", True),
    ("From: Us (the one) Er <user@domain.org>", "FROM", "the one", False),
    ("From: a@b.org, c@d.org", "FROM", "org, c", False),
    ("To: user@domain.org", "CC", "user", False),
    ("To: user@domain.org", "TO", "", True),
    ("Cc: user@domain.org", "TO", "", False),
    ("Subject: user (c) @ domain.org", "SUBJECT", "(c) @", True),
])
def test_names_and_what_is_no_address(tmp_path: Path, field: str, name: str, text: str, *, expected: bool) -> None:
    assert found(tmp_path, field, name, text) is expected
