"""The one sentence a live line ends with.

Asked for when somebody reads, never while serving; a busy reader asks for thousands a second, so what was composed
once is kept, by the few words that decide it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sandbox.explain.knowledge import Entry, lookup
from sandbox.journal.records import Exchange, Session
from sandbox.journal.traits import ROUTINE, Mood, mood

__all__ = ["sentence", "session_sentence"]

LONGEST = 160
"""Characters of one explaining sentence: two lines of a common terminal."""

SHORT = 100
"""Characters of a sentence that also says that all went as usual; it would be read a hundred times a day."""

LONGEST_TERM = 64
"""Characters of a verb that are looked at; no entry's term is as long."""

KEPT = 4096
"""Composed sentences kept. A client chooses its verbs, so there must be a bound."""

VERB_KINDS = ("verb", "type", "opcode")
OUTCOME_KINDS = ("outcome", "status", "rcode", "reply")

OPENERS = frozenset({
    "A", "All", "An", "Another", "Each", "Every", "Everything", "For", "From", "Here", "In", "It", "No", "Nobody",
    "Nothing", "On", "Only", "Some", "Something", "That", "The", "These", "This", "Too", "What", "You", "Your",
    "There", "One", "Part", "Yes",
})
"""Words that lose their capital inside a sentence; any other first word may be a name and keeps it."""


def sentence(session: Session, exchange: Exchange) -> str:
    """One or two short sentences on what an exchange asked and what came back; at most 160 characters.

    From the entry of its warning or its key where it has one, else from those of its verb and its outcome. Never
    contains a word the client chose. "" where nothing is known.
    """
    if (warning := exchange.facts.get("warning")) and (entry := lookup(session.protocol, "warning", warning) or
                                                       lookup("sasl", "warning", warning)):
        return _fit([_said(entry)])
    return _compose(session.protocol, exchange.verb[:LONGEST_TERM], exchange.outcome, exchange.key)


def session_sentence(session: Session) -> str:
    """How a connection ended; "" while it lasts."""
    entry = lookup("tcp", "end", session.end) if session.end else None
    return _fit([_said(entry)]) if entry else ""


@lru_cache(maxsize=KEPT)
def _compose(protocol: str, verb: str, outcome: str, key: str) -> str:
    other, colon, own_key = key.rpartition(":")
    if colon:
        protocol, key = other, own_key
    kind, _, term = key.partition(".")
    if term and (entry := lookup(protocol, kind, term) or lookup("tcp", kind, term)):
        return _fit([_said(entry)])
    asked = _first(protocol, VERB_KINDS, verb)
    answered = _first(protocol, OUTCOME_KINDS, outcome)
    if asked is None:
        return _fit([_said(answered, outcome)]) if answered else ""
    if answered is None:
        return _fit([_said(asked, verb)])
    question, answer = _said(asked, verb), _said(answered, outcome)
    if outcome in ROUTINE:
        both = _joined(question, answer)
        return _fit([both if len(both) < SHORT else question])
    # When both do not fit, what went wrong is worth more than what was asked; what went well is not.
    alone = question if mood(outcome) is Mood.GOOD else answer
    return _fit([_joined(question, answer), _joined(_said(asked, verb, rfc=False), answer), alone])


def _first(protocol: str, kinds: tuple[str, ...], term: str) -> Entry | None:
    if not term:
        return None
    return next((entry for kind in kinds if (entry := lookup(protocol, kind, term))), None)


def _said(entry: Entry, term: str = "", *, rfc: bool = True) -> str:
    """The first sentence of an entry, with its RFC. term: said in front where the text does not begin with it."""
    text = re.split(r"(?<=[.!?]) (?=[A-Z])", entry.text, maxsplit=1)[0].rstrip(".")
    names = "|".join(re.escape(name) for name in (entry.term, entry.name) if name)
    if term == entry.term and not re.match(rf"(?:{names})(?!\w)", text, re.IGNORECASE):
        text = f"{term}: {_uncapitalised(text)}"
    return f"{text} ({entry.rfc})" if rfc else text


def _uncapitalised(text: str) -> str:
    return text[0].lower() + text[1:] if text.split(" ", 1)[0] in OPENERS else text


def _joined(question: str, answer: str) -> str:
    return f"{question}; {_uncapitalised(answer)}"


def _fit(candidates: list[str]) -> str:
    """The first that is short enough, else the last, cut at a word."""
    for text in candidates:
        if len(text) < LONGEST:
            return f"{text}."
    return candidates[-1][:LONGEST - 1].rsplit(" ", 1)[0] + "…"
