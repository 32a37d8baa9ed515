"""The configuration in writing: as TOML with a comment for each key, and as a page of reference.

Both come from the descriptions that stand at the settings themselves, so they cannot fall behind.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import msgspec.inspect

from sandbox.config import Config, Section
from sandbox.toml import expectation, literal

__all__ = ["Setting", "reference", "render", "settings"]

WIDTH = 100


class Setting(NamedTuple):
    """One key. table: "" for the top level; accepts: what it takes, in words."""

    table: str
    name: str
    default: Any
    accepts: str
    description: str


def settings(section: type[msgspec.Struct] = Config, table: str = "") -> Iterator[Setting]:
    """Every key of a table and of the tables in it, in the order of the source."""
    info = msgspec.inspect.type_info(section)
    assert isinstance(info, msgspec.inspect.StructType)
    for field in info.fields:
        if isinstance(field.type, msgspec.inspect.StructType):
            yield from settings(field.type.cls, field.encode_name)
        else:
            yield Setting(table, field.encode_name, default_of(field), expectation(field.type),
                          description(field.type))


def default_of(field: msgspec.inspect.Field) -> Any:
    """A field's default, or NODEFAULT where the key is required."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def description(info: msgspec.inspect.Type) -> str:
    """The text at a setting. (msgspec nests what is annotated twice.)"""
    while isinstance(info, msgspec.inspect.Metadata):
        if text := (info.extra_json_schema or {}).get("description"):
            return str(text)
        info = info.type
    return ""


def purpose(section: type) -> str:
    """The first paragraph of a table's docstring, on one line."""
    return " ".join((inspect.getdoc(section) or "").split("\n\n")[0].split())


def table_type(name: str) -> type[Section]:
    return type(getattr(Config(), name)) if name else Config


def render(config: Config) -> str:
    """A configuration as TOML: every setting, with what it means, what it takes, and its default if it differs."""
    lines = ["# The configuration of Sandbox: every setting and its value. Every key is optional.",
             "# Sizes are octets, times are seconds."]
    current = ""
    for setting in settings():
        if setting.table != current:
            current = setting.table
            lines += ["", "", *comment(purpose(table_type(current))), f"[{current}]"]
        value = getattr(getattr(config, current) if current else config, setting.name)
        default = "" if value == setting.default else f" Default: {literal(setting.default)}."
        lines += ["", *comment(f"{setting.description}. Takes {setting.accepts}.{default}"),
                  f"{setting.name} = {literal(value)}"]
    return "\n".join(lines) + "\n"


def comment(text: str) -> list[str]:
    return textwrap.wrap(text[0].upper() + text[1:], WIDTH, initial_indent="# ", subsequent_indent="# ",
                         break_long_words=False, break_on_hyphens=False)


def reference() -> str:
    """The page of reference, in Markdown: a table of keys for each table of the configuration."""
    lines = [INTRODUCTION.strip()]
    current = None
    for setting in settings():
        if setting.table != current:
            current = setting.table
            title = f"`[{current}]`" if current else "Top level"
            lines += ["", f"## {title}", "", purpose(table_type(current)) if current else TOP_LEVEL, "",
                      "| Key | Takes | Default | Meaning |", "|---|---|---|---|"]
        cells = (f"`{setting.name}`", setting.accepts, f"`{literal(setting.default)}`", setting.description)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


TOP_LEVEL = ("Each of these but `services` can also be set in the environment, as `SANDBOX_` and the key in "
             "capitals; lists are separated by commas: `SANDBOX_ADVERTISE=10.77.0.200`.")

INTRODUCTION = """
# Configuration

A configuration is a TOML file, given with `--config FILE` or as `SANDBOX_CONFIG` in the environment. Every key is
optional, so an empty file is a good one. Sizes are octets, times are seconds.

Later places win: the defaults, then the file, then the environment, then the options of the command line.
`--set KEY=VALUE` sets any key, for example `--set dns.ttl=5`. Paths in a file are seen from that file's folder.

`sandbox config` prints the configuration that results, with every key, in a form that can be saved as a file.
`sandbox config --check FILE` says whether a file is right, and if not, where it is wrong and what was expected.

This page is made by `sandbox config --reference`.
"""
