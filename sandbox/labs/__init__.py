"""Labs: exercises whose work is checked by what really crossed the wire.

A lab is a folder with two files: `lab.toml`, its steps and checks, and `text.md`, its words, so that they can be
translated. The answer key is the learner's own journal.

    lab         a lab as values, and what is wrong with its files
    text        its words: paragraphs, commands, hints, questions
    library/    those that come with the sandbox
    checking    a lab and a learner's records in, what is passed out: pure
    candidates  which exchanges may stand for which check: order, same session, same value
    nearest     what came nearest to a check, in words
    values      a value of an exchange: a fact, the outcome, a dissected field
    learners    who is who, kept in the data folder

`docs/how-to/write-a-lab.md` is for those who write one.
"""

from __future__ import annotations

from sandbox.labs.checking import check
from sandbox.labs.lab import Lab, LabError, library, load

__all__ = ["Lab", "LabError", "check", "library", "load"]
