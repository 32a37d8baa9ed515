"""The configuration: every setting, typed, with its default and its reason; and where its values come from.

A configuration is a TOML file; every key is optional. Over it lie the environment (`SANDBOX_PORTS=standard`, for
the keys outside the tables) and the command line's options. Each layer is checked alone, so that an error names
the place to change. This module knows nobody else in the package but its readers of TOML, so that any room may
import the section it is built with. Sizes are octets, times seconds.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from sandbox import toml

__all__ = ["Config", "ConfigError", "Console", "Dns", "Http", "Journal", "Limits", "load"]

Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the configuration."""


class Limits(Section, frozen=True):
    """What one client may take. Every limit is there so that no client can use up the machine."""

    connections: Annotated[Positive, Meta(description="open connections in all")] = 10_000
    connections_per_client: Annotated[Positive, Meta(description="open connections from one address")] = 8_000
    line: Annotated[Positive, Meta(description="one line of a line protocol, with its line end")] = 8_192
    head: Annotated[Positive, Meta(description="one HTTP request head")] = 32_768
    body: Annotated[Positive, Meta(description="one request body")] = 1_073_741_824
    idle: Annotated[Seconds, Meta(description="waiting for a client that sends or takes nothing")] = 300.0
    head_seconds: Annotated[Seconds, Meta(description="for one whole request head")] = 30.0
    total: Annotated[Seconds, Meta(description="one connection, from open to close")] = 86_400.0
    grace: Annotated[Seconds, Meta(description="for open connections when the sandbox stops")] = 1.0


class Journal(Section, frozen=True):
    """What is recorded, and how much of it is kept."""

    size: Annotated[Positive, Meta(
        description="the store's size; the oldest whole sessions leave first")] = 2_000_000_000
    body_limit: Annotated[Positive, Meta(description="octets kept of one side of one exchange; of a longer one "
                                         "the length and SHA-256 are kept")] = 67_108_864
    queue: Annotated[Positive, Meta(description="octets waiting for the writer before clients wait")] = 67_108_864


class Http(Section, frozen=True):
    """The web."""

    debug: Annotated[bool, Meta(description="show an application's traceback in the 500 page")] = False
    keep_alive: Annotated[Seconds, Meta(
        description="how long an idle connection is kept for the next request")] = 75.0
    compress: Annotated[bool, Meta(description="gzip and deflate for text when the client accepts them")] = True
    proxy: Annotated[bool, Meta(description="answer as a forward proxy (absolute-form, CONNECT)")] = True


class Dns(Section, frozen=True):
    """Names."""

    unknown: Annotated[Literal["sandbox", "nxdomain"], Meta(
        description="what names outside the world's domains resolve to: the sandbox, or NXDOMAIN")] = "sandbox"
    ttl: Annotated[int, Meta(ge=0, le=86_400, description="time to live of the built-in records")] = 60
    udp_size: Annotated[int, Meta(ge=512, le=4096, description="largest UDP answer; more is truncated "
                                  "(1232 avoids fragments, RFC 9715)")] = 1232
    transfer: Annotated[Literal["loopback", "anyone", "nobody"], Meta(
        description="who may copy whole zones (AXFR)")] = "loopback"


class Console(Section, frozen=True):
    """The live lines in the terminal."""

    color: Annotated[Literal["auto", "always", "never"], Meta(
        description="colours; auto asks the terminal and NO_COLOR")] = "auto"
    explain: Annotated[bool, Meta(description="end each line with one explaining sentence")] = True


class Config(Section, frozen=True):
    """Everything."""

    bind: Annotated[tuple[str, ...], Meta(description="addresses to listen on")] = ("127.0.0.1", "::1")
    advertise: Annotated[tuple[str, ...], Meta(
        description="addresses that DNS gives for the sandbox; empty: those of bind")] = ()
    ports: Annotated[Literal["standard", "high", "ephemeral"], Meta(
        description="well-known ports (need privileges), those + 8000, or any free ones")] = "high"
    data: Annotated[str, Meta(description="the data folder; empty: the user's own, $XDG_DATA_HOME/sandbox")] = ""
    ephemeral: Annotated[bool, Meta(description="keep nothing: a temporary data folder, removed at the end")] = False
    world: Annotated[str, Meta(description="a world file, relative to this file; empty: the built-in world")] = ""
    services: Annotated[dict[str, bool | Annotated[int, Meta(ge=1, le=65535)]], Meta(
        description="services by name: false for off, a number for a port of your own")] = {}
    limits: Limits = Limits()
    journal: Journal = Journal()
    http: Http = Http()
    dns: Dns = Dns()
    console: Console = Console()


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
