"""Reads a TOML file into a typed value, and says in plain words what is wrong with it.

The types are msgspec structs whose fields carry descriptions; msgspec does the checking. Only when it refuses is
the value walked a second time, to say where the fault is, what was found, and what was expected. Line numbers
come from searching the text for the key, since neither tomllib nor msgspec keeps them.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import msgspec.inspect

from sandbox.errors import UserError

__all__ = ["Problem", "Step", "TomlError", "check", "dotted", "expectation", "find_line", "literal", "nearest",
           "parse", "read_text", "value_of"]

T = TypeVar("T")
Sequence = msgspec.inspect.ListType | msgspec.inspect.VarTupleType
Step = str | int
"""A key of a table, or an index into an array: the steps of a path to a value."""

SIZE_LIMIT = 16 * 1024 * 1024
"""Octets of one file; a class's world with its records is a thousandth of it."""


class TomlError(UserError):
    """A file, or another source of settings, that cannot be used as it is.

    file: the file's name, or what else the value came from ("the option --bind"); line: 1-based, 0 where there
    is none; key: dotted, "" for the file as a whole; found, expected, hint: phrases, each may be "".
    """

    def __init__(self, file: str, line: int = 0, key: str = "", found: str = "", expected: str = "",
                 hint: str = "") -> None:
        super().__init__(file, line, key, found, expected, hint)
        self.file = file
        self.line = line
        self.key = key
        self.found = found
        self.expected = expected
        self.hint = hint

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file
        parts = [where if not self.key else f"{where}: {self.key}"]
        if self.found:
            parts.append(f"  found:    {self.found}")
        if self.expected:
            parts.append(f"  expected: {self.expected}")
        if self.hint:
            parts.append(f"  {self.hint}")
        return "\n".join(parts)


class Problem(NamedTuple):
    """What is wrong with one value, before it is known which file it stands in."""

    path: tuple[Step, ...]
    found: str
    expected: str
    hint: str = ""

    @property
    def key(self) -> str:
        return dotted(self.path)

    def error(self, kind: type[TomlError], file: str, text: str = "") -> TomlError:
        """As an exception. text: the file's TOML, searched for the line."""
        return kind(file, find_line(text, self.path), self.key, self.found, self.expected, self.hint)


def read_text(file: Path, kind: type[TomlError], hint: str = "") -> str:
    """The text of a file, without a byte order mark. Raises `kind`. hint: what to do when it is not there."""
    try:
        with file.open("rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise kind(str(file), found="no such file", expected="a file", hint=hint) from None
    except IsADirectoryError:
        raise kind(str(file), found="a folder", expected="a file", hint=hint) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        reason = getattr(error, "strerror", None) or str(error)
        raise kind(str(file), found=f"it cannot be read ({reason})", expected="a readable file") from None
    if len(data) > SIZE_LIMIT:
        raise kind(str(file), found="a very large file", expected=f"at most {SIZE_LIMIT:,} octets")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise kind(str(file), line, found=f"the octet 0x{data[error.start]:02x}", expected="text in UTF-8",
                   hint="Save the file as UTF-8 in your editor.") from None


def parse(text: str, file: str, kind: type[TomlError]) -> dict[str, Any]:
    """The tables of a TOML text. Raises `kind`, with line and column."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise kind(file, found="arrays or tables nested too deeply", expected="a handful of levels") from None
    except ValueError as error:  # TOMLDecodeError, and numbers or dates that Python cannot hold
        message = str(error)
        line, column = 0, 0
        if place := re.search(r" \(at line (\d+), column (\d+)\)$", message):
            line, column = int(place[1]), int(place[2])
            message = message[:place.start()]
        elif message.endswith(" (at end of document)"):
            line = text.count("\n") + 1
        where = f" at column {column}" if column else ""
        raise kind(file, line, found=f"{message}{where}", expected="TOML (https://toml.io)",
                   hint="Text stands in \"quotes\", a key on a line of its own, a table's name in [brackets]."
                   ) from None


def value_of(data: Any, type_: type[T], file: str, kind: type[TomlError], text: str = "") -> T:
    """The typed value of parsed TOML. text: the source, for line numbers. Raises `kind`."""
    try:
        return msgspec.convert(data, type_)
    except (msgspec.ValidationError, RecursionError) as refusal:
        problem = check(data, type_) or Problem((), str(refusal), "other values")
    raise problem.error(kind, file, text)


def check(data: object, type_: Any, path: tuple[Step, ...] = ()) -> Problem | None:
    """The first thing about `data` that does not fit `type_`."""
    return examine(data, msgspec.inspect.type_info(type_), path)


def examine(data: object, info: msgspec.inspect.Type, path: tuple[Step, ...]) -> Problem | None:
    """Walks containers, so that the path is exact and unknown keys come with a suggestion; msgspec checks leaves."""
    if isinstance(info, msgspec.inspect.Metadata):
        return examine(data, info.type, path)
    if isinstance(info, msgspec.inspect.StructType):
        if not isinstance(data, dict):
            return Problem(path, describe(data), f"a table with {keys(field.encode_name for field in info.fields)}")
        return examine_table(data, info, path)
    if isinstance(info, msgspec.inspect.DictType) and isinstance(data, dict):
        return first(examine(value, info.value_type, (*path, key)) for key, value in data.items())
    if isinstance(info, Sequence) and isinstance(data, list):
        return first(examine(value, info.item_type, (*path, index)) for index, value in enumerate(data))
    return None if fits(data, info) else Problem(path, describe(data), expectation(info), suggestion(data, info))


def examine_table(data: dict[str, Any], info: msgspec.inspect.StructType, path: tuple[Step, ...]) -> Problem | None:
    fields = {field.encode_name: field for field in info.fields}
    for name in data:
        if name not in fields:
            return Problem((*path, name), "a key that does not exist here", keys(fields), nearest(name, fields))
    for name, field in fields.items():
        if field.required and name not in data:
            return Problem((*path, name), "nothing: the key is missing", expectation(field.type))
    return first(examine(value, fields[name].type, (*path, name)) for name, value in data.items())


def first(problems: Iterable[Problem | None]) -> Problem | None:
    return next((problem for problem in problems if problem is not None), None)


def fits(data: object, info: msgspec.inspect.Type) -> bool:
    """Whether msgspec takes a leaf. (inspect has no way back from a description to its type, so: case by case.)"""
    match info:
        case msgspec.inspect.Metadata():
            return fits(data, info.type)
        case msgspec.inspect.BoolType():
            return isinstance(data, bool)
        case msgspec.inspect.IntType():
            return isinstance(data, int) and not isinstance(data, bool) and within(data, info)
        case msgspec.inspect.FloatType():
            return isinstance(data, int | float) and not isinstance(data, bool) and within(data, info)
        case msgspec.inspect.StrType():
            return isinstance(data, str) and (info.min_length or 0) <= len(data)
        case msgspec.inspect.LiteralType():
            return data in info.values
        case msgspec.inspect.UnionType():
            return any(fits(data, one) for one in info.types)
    return False


def within(data: float, info: msgspec.inspect.IntType | msgspec.inspect.FloatType) -> bool:
    if isinstance(info, msgspec.inspect.FloatType):
        try:
            data = float(data)
        except OverflowError:
            return False
    return ((info.ge is None or data >= info.ge) and (info.le is None or data <= info.le)
            and (info.gt is None or data > info.gt) and (info.lt is None or data < info.lt))


def expectation(info: msgspec.inspect.Type) -> str:
    """What a type takes, in words: "a whole number from 1 to 65535"."""
    match info:
        case msgspec.inspect.Metadata():
            return expectation(info.type)
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.IntType():
            return f"a whole number{bounds(info)}"
        case msgspec.inspect.FloatType():
            return f"a number{bounds(info)}"
        case msgspec.inspect.StrType():
            return "text that is not empty" if info.min_length else "text"
        case msgspec.inspect.LiteralType():
            return keys(literal(value) for value in info.values)
        case msgspec.inspect.UnionType():
            return ", or ".join(expectation(one) for one in info.types
                                if not isinstance(one, msgspec.inspect.NoneType))  # TOML has no null
        case msgspec.inspect.ListType() | msgspec.inspect.VarTupleType():
            item = expectation(info.item_type)
            return "a list of texts" if item == "text" else f"a list, each item {item}"
        case msgspec.inspect.DictType():
            return f"a table, each value {expectation(info.value_type)}"
    return "a table"


def bounds(info: msgspec.inspect.IntType | msgspec.inspect.FloatType) -> str:
    if info.ge is not None and info.le is not None:
        return f" from {info.ge:g} to {info.le:g}" if info.le < 1e6 else f" from {info.ge} to {info.le}"
    if info.ge is not None:
        return f" of at least {info.ge:g}"
    return f" above {info.gt:g}" if info.gt is not None else ""


def keys(names: Iterable[str]) -> str:
    listed = list(names)
    return listed[0] if len(listed) == 1 else f"one of {', '.join(listed)}"


def nearest(name: str, names: Iterable[str]) -> str:
    """A did-you-mean sentence, or ""."""
    close = difflib.get_close_matches(name[:100], list(names), n=1)
    return f"Did you mean {close[0]}?" if close else ""


def suggestion(data: object, info: msgspec.inspect.Type) -> str:
    """A hint for the slips that people make: a misspelt choice, a number or truth in quotes."""
    while isinstance(info, msgspec.inspect.Metadata):
        info = info.type
    if not isinstance(data, str):
        if isinstance(info, msgspec.inspect.StrType) and isinstance(data, bool | int | float):
            return f'Put it in quotes: "{literal(data)}".'
        if isinstance(info, Sequence):
            return "Put it in [square brackets]."
        return ""
    if isinstance(info, msgspec.inspect.LiteralType):
        return nearest(data, [str(value) for value in info.values])
    if isinstance(info, Sequence):
        return f"Put it in square brackets: [{literal(data)[:60]}]."
    if fits_without_quotes(data, info):
        return f"Leave out the quotes: {data}."
    return ""


def fits_without_quotes(data: str, info: msgspec.inspect.Type) -> bool:
    if data in ("true", "false"):
        return fits(data == "true", info)
    return data.isascii() and data.isdigit() and len(data) < 20 and fits(int(data), info)


def literal(value: object) -> str:
    """A value as TOML writes it. Text as a basic string on one line, its control characters escaped."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + "".join(map(escaped, value)) + '"'
        case list() | tuple():
            return "[" + ", ".join(map(literal, value)) + "]"
        case Mapping():
            return "{" + ", ".join(f"{key_text(str(key))} = {literal(one)}" for key, one in value.items()) + "}"
    return str(value)


def escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character in "\n\t\r":
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}[character]
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def key_text(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else literal(key)


def describe(data: object) -> str:
    """What was found, short enough for a terminal."""
    match data:
        case bool():
            return literal(data)
        case int() | float():
            text = str(data) if isinstance(data, float) or abs(data) < 10**30 else "a very large one"
            return f"the number {text}"
        case str():
            return f"the text {literal(data if len(data) <= 60 else data[:57] + '...')}"
        case list():
            return "a list"
        case dict():
            return "a table"
    return f"a date or time ({data})"


def dotted(path: Iterable[Step]) -> str:
    """A path as people write it: `domain[2].hosts` (the second [[domain]], counted from 1)."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        else:
            text += ("." if text else "") + key_text(step if len(step) <= 60 else step[:57] + "...")
    return text


NAME = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
DOTTED = rf"{NAME}(?:[ \t]*\.[ \t]*{NAME})*"
HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({DOTTED})[ \t]*\]")
KEY = re.compile(rf"[ \t]*({DOTTED})[ \t]*=(.*)")
QUOTES = re.compile(r'"""|' + "'''")


def find_line(text: str, path: tuple[Step, ...]) -> int:
    """The line where the value at `path` is set, or its nearest table; 1-based, 0 when it is nowhere."""
    best, depth = 0, 0
    table: tuple[Step, ...] = ()
    counts: dict[tuple[Step, ...], int] = {}
    open_quotes = ""
    for number, line in enumerate(text.split("\n"), 1):
        if open_quotes:
            open_quotes = "" if open_quotes in line else open_quotes
            continue
        if header := HEADER.match(line):
            table = place(header[2], (), counts)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            here = table
        elif setting := KEY.match(line):
            here = (*table, *names(setting[1]))
            marks = QUOTES.findall(setting[2])
            open_quotes = marks[0] if len(marks) % 2 else ""
        else:
            continue
        common = min(len(here), len(path))  # `a.b = 1` also sets a
        if common > depth and path[:common] == here[:common]:
            best, depth = number, common
    return best


def place(key: str, table: tuple[Step, ...], counts: dict[tuple[Step, ...], int]) -> tuple[Step, ...]:
    """A header's path, where `[domain.x]` after the third `[[domain]]` belongs to that third one."""
    parts = names(key)
    for index, name in enumerate(parts):
        table = (*table, name)
        if table in counts and index < len(parts) - 1:
            table = (*table, counts[table])
    return table


def names(key: str) -> tuple[str, ...]:
    """The parts of a dotted key, without quotes and escapes."""
    return tuple(str(tomllib.loads(f"x = {part}")["x"]) if part[0] in "\"'" else part
                 for part in re.findall(NAME, key))
