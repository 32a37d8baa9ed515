"""A lab as values, read from its folder; what is wrong with one is said with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from sandbox.filter import Filter, FilterError, parse
from sandbox.labs.text import Words, read_words
from sandbox.labs.values import is_value
from sandbox.toml import TomlError, find_line, nearest, read_text, value_of
from sandbox.toml import parse as parse_toml

__all__ = ["Check", "Lab", "LabError", "Question", "Step", "filled", "library", "load", "meant"]

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
PLACE = re.compile(r"\{([a-z][a-z0-9.-]*)\}")
MOST_STEPS = 30
MOST_CHECKS = 12
TRIAL = {"word": "otter41", "login": "alice", "other": "bob", "domain": "example.com", "elsewhere": "example.org"}
"""What stands for the places of a filter while a file is checked."""

Count = Annotated[int, msgspec.Meta(ge=1, le=100)]


class LabError(TomlError):
    """A lab that cannot be used as it is."""


class Check(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """filter: which exchanges count, those of browsers' own never do; count: how many; after, before: the name of an
    earlier check that this comes after, or before; same: what it has in common with that check, a value such as
    session or path; equal: a value of this and a value of that, the same; name: by default the step's id; without: a
    filter for what the same session may not hold; by: who dialled, the learner or, because of the learner, the
    sandbox itself."""

    filter: str
    name: str = ""
    count: Count = 1
    after: str = ""
    before: str = ""
    same: str = ""
    equal: tuple[str, ...] = ()
    without: str = ""
    by: Literal["learner", "sandbox"] = "learner"

    @property
    def other(self) -> str:
        """The check it is bound to, "" for none."""
        return self.after or self.before


class Question(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """id: its heading in text.md; predict: asked before the step is done, its answer judged after; answer: what is
    right, or any of several; value, check: else a value of what the learner did for that check."""

    id: str
    predict: bool = False
    answer: tuple[str, ...] = ()
    value: str = ""
    check: str = ""


class Step(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    id: str
    checks: tuple[Check, ...] = msgspec.field(default=(), name="check")
    questions: tuple[Question, ...] = msgspec.field(default=(), name="question")


class Lab(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """minutes: how long it takes, about; services: those that must run; programs: what the learner needs."""

    minutes: int
    steps: tuple[Step, ...] = msgspec.field(name="step")
    order: int = 1000
    services: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    name: str = ""
    words: Words = Words()

    @property
    def checks(self) -> Iterator[Check]:
        for step in self.steps:
            yield from step.checks


def filled(text: str, where: Mapping[str, str]) -> str:
    """A text with its places filled in; what is no place stays."""
    return PLACE.sub(lambda found: where.get(found[1], found[0]), text)


def meant(text: str, where: Mapping[str, str]) -> Filter:
    """The filter of a check, without what browsers do on their own account. Raises FilterError."""
    return parse(f"({filled(text, where)}) -is:background")


@cache
def library() -> Mapping[str, Lab]:
    """Those that come with the sandbox, by name, in the order they are best done."""
    with as_file(files("sandbox.labs")) as folder:
        found = [load(path) for path in sorted((folder / "library").iterdir()) if (path / "lab.toml").is_file()]
    return {lab.name: lab for lab in sorted(found, key=lambda lab: lab.order)}


def load(path: Path) -> Lab:
    """The lab of a folder, or of the lab.toml in it. Raises LabError."""
    folder = path.parent if path.name == "lab.toml" else path
    file = folder / "lab.toml"
    source = read_text(file, LabError)
    data = parse_toml(source, str(file), LabError)
    lab = value_of(data, Lab, str(file), LabError, source)
    if not NAME.fullmatch(folder.resolve().name):
        raise LabError(str(file), found=f"the folder's name {folder.resolve().name[:60]!r}",
                       expected="small letters, digits and hyphens: it is the name of the lab")
    named = tuple(msgspec.structs.replace(step, checks=tuple(
        msgspec.structs.replace(check, name=check.name or step.id) for check in step.checks)) for step in lab.steps)
    words = read_words(read_text(folder / "text.md", LabError))
    lab = msgspec.structs.replace(lab, name=folder.resolve().name, steps=named, words=words)
    _Examination(lab, str(file), source, str(folder / "text.md")).all()
    return lab


class _Examination:
    """What a schema cannot say: names that must be there, filters that must be right."""

    def __init__(self, lab: Lab, file: str, source: str, text: str) -> None:
        self._lab, self._file, self._source, self._text = lab, file, source, text

    def wrong(self, key: tuple[str | int, ...], found: str, expected: str, hint: str = "") -> LabError:
        return LabError(self._file, find_line(self._source, key), ".".join(map(str, key)), found, expected, hint)

    def all(self) -> None:
        steps = self._lab.steps
        if not 1 <= len(steps) <= MOST_STEPS:
            raise self.wrong(("step",), f"{len(steps)} steps", f"from 1 to {MOST_STEPS}")
        known: list[str] = []
        ids: set[str] = set()
        for at, step in enumerate(steps):
            if step.id in ids or not NAME.fullmatch(step.id):
                raise self.wrong(("step", at, "id"), repr(step.id[:60]), "a name of its own, such as first-page")
            ids.add(step.id)
            if not step.checks and not step.questions:
                raise self.wrong(("step", at), "neither a check nor a question", "at least one of them")
            if len(step.checks) > MOST_CHECKS:
                raise self.wrong(("step", at, "check"), f"{len(step.checks)} checks", f"at most {MOST_CHECKS}")
            for number, check in enumerate(step.checks):
                self.check(("step", at, "check", number), check, known)
                known.append(check.name)
            for number, question in enumerate(step.questions):
                self.question(("step", at, "question", number), question, known)
            self.said(step)
        for name in self._lab.words.steps:
            if name not in ids:
                raise LabError(self._text, found=f"a section for {name!r}", expected="sections named as steps",
                               hint=nearest(name, ids))

    def check(self, key: tuple[str | int, ...], check: Check, known: list[str]) -> None:
        if check.name in known:
            raise self.wrong((*key, "name"), f"{check.name!r} again", "a name that no other check has")
        for part in ("filter", "without"):
            try:
                if getattr(check, part) or part == "filter":
                    meant(getattr(check, part), TRIAL)
            except FilterError as error:
                raise self.wrong((*key, part), error.found, error.expected, error.suggestion) from None
        if check.after and check.before:
            raise self.wrong(key, "after and before", "one of them")
        if check.other and check.other not in known:
            raise self.wrong((*key, "after" if check.after else "before"), repr(check.other[:60]),
                             "the name of a check that stands before", nearest(check.other, known))
        if (check.same or check.equal) and not check.other:
            raise self.wrong(key, "same or equal alone", "also after or before, which says with what")
        if check.equal and len(check.equal) != 2:
            raise self.wrong((*key, "equal"), f"{len(check.equal)} values", "two: of this exchange, and of the other")
        for value in filter(None, (check.same, *check.equal)):
            if not is_value(value):
                raise self.wrong(key, repr(value[:60]), "a value: see docs/how-to/write-a-lab.md")

    def question(self, key: tuple[str | int, ...], question: Question, known: list[str]) -> None:
        if bool(question.answer) == bool(question.value):
            raise self.wrong((*key, "answer"), "both or none of answer and value", "one of them")
        if question.value and not is_value(question.value):
            raise self.wrong((*key, "value"), repr(question.value[:60]), "a value: see docs/how-to/write-a-lab.md")
        if question.value and question.check not in known:
            raise self.wrong((*key, "check"), repr(question.check[:60]), "the name of a check",
                             nearest(question.check, known))

    def said(self, step: Step) -> None:
        words = self._lab.words.steps.get(step.id)
        if words is None or not words.todo:
            raise LabError(self._text, found=f"no words for the step {step.id!r}",
                           expected=f'a heading "## {step.id}: A title" with what to do')
        for question in step.questions:
            found = words.questions.get(question.id)
            if found is None:
                raise LabError(self._text, found=f"no words for the question {question.id!r} of {step.id!r}",
                               expected=f'a heading "### Question {question.id}" below "## {step.id}"')
            stray = [one for one in question.answer if found.choices and one not in found.choices]
            if stray:
                raise LabError(self._text, found=f"no choice {stray[0]!r} at the question {question.id!r}",
                               expected="every right answer among the choices")
