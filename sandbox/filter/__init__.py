"""The filter language: from a text to something that says of each exchange whether it is meant.

One language for the log, the live page, waiting, faults and labs:

    protocol:http outcome:4xx -is:background (login or host:shop.example)

`parse` reads it. A `Filter` matches, says what a reader may look for first (`narrowing`), says itself in words, and
prints itself in normal form. `docs/reference/filter.md` is the language for those who write it.

    values      what can stand behind a colon: texts with `*`, times, sizes, numbers
    terms       what a term comes to: the test, its words, its narrowing
    keys        every key, each a line in a table: a new key goes there
    tree        and, or, not over terms
    words       a tree as a sentence
    filter      the Filter: a tree with all it can do
    grammar     the text as a tree, or what is wrong with it

This room knows the records of the journal and nothing else. Who knows more, such as the fields of a dissected
message, adds keys of its own: `parse(text, keys={**KEYS, "field": Key(...)})`.
"""

from __future__ import annotations

from sandbox.filter.errors import FilterError
from sandbox.filter.filter import Filter
from sandbox.filter.grammar import parse
from sandbox.filter.keys import KEYS, Key
from sandbox.filter.terms import Condition
from sandbox.filter.values import Value

__all__ = ["KEYS", "Condition", "Filter", "FilterError", "Key", "Value", "parse"]
