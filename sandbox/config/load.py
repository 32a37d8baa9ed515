"""Where a configuration's values come from.

A configuration is a TOML file; every key is optional. Over it lie the environment (`SANDBOX_PORTS=standard`, for
the keys outside the tables) and the command line's options. Each layer is checked alone, so that an error names
the place to change.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from sandbox import toml
from sandbox.config import Config

__all__ = ["OPTIONS", "ConfigError", "check_layer", "load", "merge"]


class ConfigError(toml.TomlError):
    """A configuration that cannot be used. Fields as in `TomlError`."""


OPTIONS = "the command line"
"""What an error names as its file when an option is at fault."""


def load(file: Path | None = None, environ: Mapping[str, str] | None = None,
         options: Mapping[str, Any] | None = None) -> Config:
    """The defaults, then a file over them, then the environment, then options.

    environ: as os.environ; options: a tree as TOML would give it. Paths in the file are taken from the file's own
    folder, others from the current one; `data` and `world` come back absolute, or "". Raises ConfigError. Names of
    services and their ports are checked by `sandbox.plan.plan`, which knows them.
    """
    merged: dict[str, Any] = {}
    if file is not None:
        text = toml.read_text(file, ConfigError, hint="`sandbox config` prints a configuration to start from.")
        tree = toml.parse(text, str(file), ConfigError)
        check_layer(tree, str(file), text)
        merge(merged, with_paths(tree, file.absolute().parent))
    for name, tree in environment(environ or {}):
        check_layer(tree, name)
        merge(merged, with_paths(tree, Path.cwd()))
    if options:
        check_layer(options, OPTIONS)
        merge(merged, with_paths(options, Path.cwd()))
    return msgspec.convert(merged, Config)


def check_layer(tree: Mapping[str, Any], source: str, text: str = "") -> None:
    """Raises ConfigError for the first thing in one source of settings that is not right."""
    config = toml.value_of(tree, Config, source, ConfigError, text)
    problem = bad_address("bind", config.bind, True) or bad_address("advertise", config.advertise, False)
    if problem is None and not config.bind:
        problem = toml.Problem(("bind",), "no address", "at least one address to listen on")
    if problem is None and "\0" in config.data + config.world:
        key = "data" if "\0" in config.data else "world"
        problem = toml.Problem((key,), "a NUL character", "the name of a file or folder")
    if problem is not None:
        raise problem.error(ConfigError, source, text)


def bad_address(key: str, addresses: tuple[str, ...], any_address: bool) -> toml.Problem | None:
    """What is wrong with a list of addresses. any_address: whether 0.0.0.0 and :: may be among them."""
    for index, text in enumerate(addresses):
        found = f"the text {toml.literal(text[:60])}"
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            hint = 'This machine alone is "127.0.0.1" and "::1"; every network it is on is "0.0.0.0" and "::".'
            return toml.Problem((key, index), found, "an IP address", hint)
        if "%" in text:
            return toml.Problem((key, index), found, "an address without a zone (%...)")
        if address.is_unspecified and not any_address:
            hint = "Give the address by which clients reach this machine."
            return toml.Problem((key, index), found, "an address that a client can connect to", hint)
        if text in addresses[:index]:
            return toml.Problem((key, index), f"{found} a second time", "each address once")
    return None


def environment(environ: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """The settings among the environment's variables, each with its variable's name. Lists are comma-separated."""
    layers: list[tuple[str, dict[str, Any]]] = []
    for key in Config.__struct_fields__:
        default = getattr(Config(), key)
        variable = f"SANDBOX_{key.upper()}"
        text = environ.get(variable, "")
        value: Any = text
        if isinstance(default, tuple):
            value = [part.strip() for part in text.split(",")]
        elif isinstance(default, bool):
            value = {"true": True, "1": True, "false": False, "0": False}.get(text, text)
        elif not isinstance(default, str):
            continue
        if text:
            layers.append((variable, {key: value}))
    return layers


def with_paths(tree: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A checked layer with its paths made absolute, seen from `folder`."""
    paths = {key: str(folder / os.path.expanduser(tree[key])) for key in ("data", "world") if tree.get(key)}
    return {**tree, **paths}


def merge(lower: dict[str, Any], upper: Mapping[str, Any]) -> None:
    """Lay one tree over another: tables key by key, everything else whole."""
    for key, value in upper.items():
        if isinstance(value, Mapping):
            table = lower.setdefault(key, {})
            merge(table, value)
        else:
            lower[key] = value
