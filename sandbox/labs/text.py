"""The words of a lab: Markdown of the plainest kind, sections by the ids of the steps.

    # Title
    What it is about.

    ## page: Fetch a page
    What to do. A paragraph ends at an empty line; `code` stands between backticks.

    ```
    curl http://{http}/
    ```

    ### Question sender
    Who says what it is?
    - client: The client
    - server: The server

    ### Hint
    ### Shown

A fenced block is a command, or lines to type. Nothing else of Markdown is understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

__all__ = ["Asked", "Block", "StepWords", "Words", "read_words"]

CHOICE = re.compile(r"[-*] ([a-z0-9-]+): (.+)")


class Block(msgspec.Struct, frozen=True):
    """kind: text, a paragraph, or command, lines to type."""

    kind: str
    text: str


class Asked(msgspec.Struct, frozen=True):
    """A question. choices: by the word that stands for each; none where the learner writes an answer."""

    blocks: tuple[Block, ...] = ()
    choices: Mapping[str, str] = MappingProxyType({})


class StepWords(msgspec.Struct, frozen=True):
    title: str = ""
    todo: tuple[Block, ...] = ()
    questions: Mapping[str, Asked] = MappingProxyType({})
    hints: tuple[tuple[Block, ...], ...] = ()
    shown: tuple[Block, ...] = ()


class Words(msgspec.Struct, frozen=True):
    title: str = ""
    about: tuple[Block, ...] = ()
    steps: Mapping[str, StepWords] = MappingProxyType({})


def read_words(text: str) -> Words:
    """Never fails; who needs a section that is not there says so."""
    head, *sections = cut(text.replace("\r\n", "\n"), "## ")
    title, _, about = head.partition("\n")
    steps: dict[str, StepWords] = {}
    for section in sections:
        first, _, rest = section.partition("\n")
        name, _, words = first.partition(":")
        steps[name.strip()] = step_words(words.strip(), rest)
    return Words(title.removeprefix("#").strip(), blocks(about), steps)


def step_words(title: str, text: str) -> StepWords:
    todo, *parts = cut(text, "### ")
    questions: dict[str, Asked] = {}
    hints: list[tuple[Block, ...]] = []
    shown: tuple[Block, ...] = ()
    for part in parts:
        first, _, rest = part.partition("\n")
        kind, _, name = first.strip().partition(" ")
        if kind == "Question":
            lines = rest.split("\n")
            choices = {found[1]: found[2].strip() for line in lines if (found := CHOICE.fullmatch(line.strip()))}
            asked = "\n".join(line for line in lines if not CHOICE.fullmatch(line.strip()))
            questions[name.strip()] = Asked(blocks(asked), choices)
        elif kind == "Hint":
            hints.append(blocks(rest))
        elif kind == "Shown":
            shown = blocks(rest)
    return StepWords(title, blocks(todo), questions, tuple(hints), shown)


def cut(text: str, mark: str) -> list[str]:
    """The text in sections, the first without a heading; a mark inside a fenced block is none."""
    sections: list[list[str]] = [[]]
    fenced = False
    for line in text.split("\n"):
        fenced ^= line.startswith("```")
        if line.startswith(mark) and not fenced:
            sections.append([line.removeprefix(mark)])
        else:
            sections[-1].append(line)
    return ["\n".join(section) for section in sections]


def blocks(text: str) -> tuple[Block, ...]:
    found: list[Block] = []
    for at, part in enumerate(re.split(r"^```.*$", text, flags=re.MULTILINE)):
        if at % 2:
            found.append(Block("command", part.strip("\n")))
        else:
            found += paragraphs(re.split(r"\n\s*\n", part))
    return tuple(found)


def paragraphs(parts: Iterable[str]) -> list[Block]:
    return [Block("text", " ".join(part.split())) for part in parts if part.strip()]
