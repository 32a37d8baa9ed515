"""Turns records into sentences, from each protocol's knowledge.toml.

The knowledge of a protocol is data beside its code, `protocols/NAME/knowledge.toml`. A table per kind of thing,
one entry per term:

    [verb.GET]
    text = "GET asks for a copy of a page and changes nothing."
    rfc = "RFC 9110 §9.3.1"

    [status.404]
    name = "Not Found"
    text = "There is nothing at this address."
    more = "Check the spelling; the server cannot say whether it ever existed."
    rfc = "RFC 9110 §15.5.5"

text: one short, true, friendly sentence for a learner, as it stands in the live lines; more: what else is worth
knowing (optional); name: the term's official long name (optional); rfc: where it is defined. Kinds every protocol
may have: verb (what an exchange's verb can be), outcome or status (what its outcome can be), and kinds of its
own: header, type, class, flag, end ...

Some terms stand for a whole family, for what nobody listed by name: `4xx` for every three-digit code from 400 to
499, the letters alone for numbered words (`TYPE` for TYPE65280), and `other` for anything else of its kind.

What the knowledge has to cover is said in code: `protocols/NAME/vocabulary.py` has `vocabulary()`, which gives each
kind's terms, and a test holds both to each other.
"""

from __future__ import annotations

from sandbox.explain.knowledge import Entry, KnowledgeError, entries, find, lookup, protocols, suggest
from sandbox.explain.sentences import sentence, session_sentence

__all__ = [
    "Entry", "KnowledgeError", "entries", "find", "lookup", "protocols", "sentence", "session_sentence", "suggest",
]
