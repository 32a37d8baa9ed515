"""The options that several commands share, and the configuration they come to."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from sandbox import toml
from sandbox.config import Config, named
from sandbox.config.load import ConfigError, check_layer, load, merge
from sandbox.datafolder import default_data
from sandbox.plan import plan

__all__ = ["add_config", "add_data", "add_url", "configure", "data_folder"]


def add_data(parser: argparse.ArgumentParser) -> None:
    """--config and --data: what a command needs to find a sandbox, running or past."""
    parser.add_argument("--config", metavar="FILE",
                        help="a configuration file, or the name of one that comes with Sandbox, such as ci (default: "
                        "$SANDBOX_CONFIG, or none)")
    parser.add_argument("--data", metavar="DIR", help="the data folder, kept between runs")


def add_url(parser: argparse.ArgumentParser) -> None:
    """--url and --token: a sandbox on another machine."""
    parser.add_argument("--url", metavar="URL", default="",
                        help="a sandbox elsewhere, by the address of its live page")
    parser.add_argument("--token", metavar="TOKEN", default="", help="with --url: the teacher's token, which shows "
                        "everybody's; it may stand in the URL, behind #token=")


def add_config(parser: argparse.ArgumentParser) -> None:
    """Every option that changes the configuration."""
    add_data(parser)
    parser.add_argument("--ephemeral", action="store_true", default=None, help="keep nothing after the end")
    parser.add_argument("--world", metavar="FILE", help="a world file instead of the built-in world")
    parser.add_argument("--ports", metavar="standard|high|ephemeral",
                        help="well-known ports, those + 8000, or any free ones")
    parser.add_argument("--bind", action="append", metavar="ADDRESS", help="an address to listen on; may be repeated")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                        help="any setting, such as dns.ttl=5; may be repeated")


def configure(args: argparse.Namespace) -> Config:
    """The configuration that the options, the environment and the file come to, checked. Raises ConfigError."""
    file = config_file(args)
    options: dict[str, Any] = {}
    for assignment in getattr(args, "set", ()):
        tree = parse_assignment(assignment)
        check_layer(tree, f"--set {assignment[:60]}")
        merge(options, tree)
    for key in ("data", "ephemeral", "world", "ports", "bind"):
        if (value := getattr(args, key, None)) is not None:
            options[key] = value
    if "data" in options:
        # Who names a folder wants it used, also where the file says to keep nothing.
        options.setdefault("ephemeral", False)
    config = load(file, os.environ, options)
    plan(config, file)
    return config


def config_file(args: argparse.Namespace) -> Path | None:
    said = args.config if args.config is not None else os.environ.get("SANDBOX_CONFIG")
    return named.config_file(said) if said else None


def parse_assignment(text: str) -> dict[str, Any]:
    """`dns.ttl=5` as a tree. A value that is no TOML is taken as text, so that `ports=high` needs no quotes."""
    key, equals, value = text.partition("=")
    where = f"--set {text[:60]}"
    if not equals or not key.strip():
        raise ConfigError(where, found="no KEY=VALUE", expected="a key, =, and a value, such as dns.ttl=5")
    try:
        return toml.parse(text, where, ConfigError)
    except ConfigError:
        return toml.parse(f"{key} = {toml.literal(value)}", where, ConfigError)


def data_folder(config: Config) -> Path:
    """The data folder of a configuration, which need not exist yet."""
    return Path(config.data) if config.data else default_data()
