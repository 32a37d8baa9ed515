"""What an outcome means for the one who asked."""

from __future__ import annotations

import importlib

import pytest

from sandbox.explain import protocols
from sandbox.journal.traits import Mood, mood, went_wrong
from tests.support.records import exchange, session


@pytest.mark.parametrize(("outcome", "expected"), [
    ("", Mood.NEUTRAL), ("100", Mood.MORE), ("200", Mood.GOOD), ("304", Mood.MORE), ("404", Mood.WARNING),
    ("500", Mood.BAD), ("NOERROR", Mood.GOOD), ("NXDOMAIN", Mood.WARNING), ("SERVFAIL", Mood.BAD), ("+OK", Mood.GOOD),
    ("-ERR", Mood.BAD), ("done", Mood.GOOD), ("20²", Mood.WARNING),
    ("TLS 1.3", Mood.GOOD), ("TLS 1.0", Mood.WARNING), ("accepted", Mood.GOOD), ("complete", Mood.GOOD),
    ("+", Mood.MORE),
])
def test_mood(outcome: str, expected: Mood) -> None:
    assert mood(outcome) is expected


FINE = {
    "NOERROR", "complete", "HTTP/2", "NO_ERROR", "PONG", "closed", "done", "sent", "unused", "+", "BYE", "OK", "+OK",
    "accepted", "encrypted", "ignored", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3", "EOF",
}
"""The outcomes in words after which all is well; every other one is an error."""


def test_each_outcome_of_each_protocol_is_an_error_or_is_not() -> None:
    modules = {name: importlib.import_module(f"sandbox.protocols.{name}.vocabulary") for name in protocols()}
    outcomes = {term for protocol, module in modules.items() for kind, terms in module.vocabulary().items()
                if kind in ("outcome", "reply") or (kind == "status" and protocol != "imap") for term in terms}
    words = {outcome for outcome in outcomes if not outcome[0].isdigit()}
    assert {word for word in words if not went_wrong(session(), exchange(outcome=word))} == FINE
