"""What is wrong with a filter, for those who wrote it."""

from __future__ import annotations

from sandbox.errors import UserError
from sandbox.toml import describe

__all__ = ["FilterError", "quoted"]

SHOWN = 200
"""Characters of a filter that a message repeats."""


class FilterError(UserError):
    """A text that is no filter.

    text: the filter; position: where the fault is, characters from 0; found, expected: phrases; suggestion: a
    sentence, or "".
    """

    def __init__(self, text: str, position: int, found: str, expected: str, suggestion: str = "") -> None:
        super().__init__(text, position, found, expected, suggestion)
        self.text = text
        self.position = position
        self.found = found
        self.expected = expected
        self.suggestion = suggestion

    def __str__(self) -> str:
        lines = [f"the filter, character {self.position + 1}"]
        if len(self.text) <= SHOWN and self.text.isprintable():
            lines += [f"  {self.text}", f"  {' ' * self.position}^"]
        lines += [f"  found:    {self.found}", f"  expected: {self.expected}"]
        if self.suggestion:
            lines.append(f"  {self.suggestion}")
        return "\n".join(lines)


def quoted(text: str) -> str:
    """A piece of a filter as a phrase shows it, short and without control characters."""
    return describe(text).removeprefix("the text ")
