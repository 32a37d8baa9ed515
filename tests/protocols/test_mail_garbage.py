"""Whatever a client sends, in whatever pieces, a mail session answers it or ends; it never fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.protocols.lines.session import LineSession
from sandbox.protocols.pop3.session import Maildrops, Pop3
from sandbox.protocols.smtp.envelope import Office
from sandbox.protocols.smtp.session import Smtp
from sandbox.world.mail import Delivery, MailStore
from tests.support.dialogue import Talk


class Person(NamedTuple):
    login: str
    password: str


def find(name: str) -> Person | None:
    return Person("alice", "wonderland") if name.partition("@")[0] == "alice" else None


Make = Callable[[Talk, MailStore], LineSession]
PLAIN = b"AGFsaWNlAHdvbmRlcmxhbmQ="
PARTS: dict[str, tuple[Make, list[bytes]]] = {
    "smtp": (lambda talk, store: Smtp(talk, Office(find, store, frozenset({"example.com"}), size=5000)), [
        b"EHLO x", b"HELO x", b"MAIL FROM:<>", b"MAIL FROM:<a@b.example> SIZE=9 BODY=BINARYMIME SMTPUTF8",
        b"RCPT TO:<alice@example.com>", b"RCPT TO:<", b"DATA", b".", b"..", b"BDAT 5", b"BDAT 3 LAST", b"BDAT 0 LAST",
        b"RSET", b"NOOP", b"VRFY alice", b"STARTTLS", b"HELP data", b"AUTH PLAIN " + PLAIN, b"x" * 600]),
    "submission": (lambda talk, store: Smtp(talk, Office(find, store, frozenset({"example.com"}), submission=True,
                                                         upgrade=True)), [
        b"EHLO x", b"AUTH PLAIN " + PLAIN, b"AUTH LOGIN", b"*", b"AUTH SCRAM-SHA-256 biwsbj1hLHI9Yg==", b"STARTTLS",
        b"MAIL FROM:<alice@example.com>", b"RCPT TO:<bob@example.com>", b"DATA", b"hello", b"."]),
    "pop3": (lambda talk, store: Pop3(talk, Maildrops(find, store, upgrade=True)), [
        b"USER alice", b"PASS wonderland", b"AUTH PLAIN", PLAIN, b"*", b"APOP alice x", b"STLS", b"UTF8", b"CAPA",
        b"LIST", b"LIST 1", b"UIDL 2", b"RETR 1", b"TOP 1 2", b"TOP 1 9999999999", b"DELE 1", b"RSET", b"STAT",
        b"LANG *", b"x" * 300]),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailStore]:
    store = MailStore(tmp_path_factory.mktemp("mail"), durability="memory")
    store.put(b"Subject: x\r\n\r\n.\r\n", Delivery("alice")).result()
    yield store
    store.close()


@pytest.mark.parametrize("service", list(PARTS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_garbage_never_breaks_a_session(service: str, store: MailStore, data: st.DataObject) -> None:
    make, parts = PARTS[service]
    end = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"", b"\0\r\n"])
    line = st.tuples(st.one_of(st.sampled_from(parts), st.binary(max_size=20)), end).map(b"".join)
    wire = b"".join(data.draw(st.lists(line, max_size=25)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    talk = Talk(service)
    for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        if stop > start:
            talk.feed(wire[start:stop])
    talk.hang_up()
    trio.run(talk.serve, make(talk, store).run)
    assert all(exchange.ended for exchange in talk.exchanges[:-1])
    assert not any("traceback" in exchange.facts for exchange in talk.exchanges)
    assert store.lock_maildrop("alice"), "whatever happened, the lock is given back"
    store.release_maildrop("alice")
