"""Show the pretend world, or check a file."""

from __future__ import annotations

import argparse
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from sandbox.cli import options
from sandbox.console.escape import escape
from sandbox.datafolder import Folder
from sandbox.toml import find_line, read_text
from sandbox.world import World
from sandbox.world.errors import WorldError
from sandbox.world.names.domains import normal

__all__ = ["add", "run", "try_world"]


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `sandbox world`."""
    options.add_config(parser)
    options.add_url(parser)
    parser.add_argument("--check", type=Path, metavar="FILE",
                        help="say whether this world file is right, and its applications can be loaded")


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError, WorldError."""
    if args.check:
        print(f"{args.check} is right: {try_world(args.check)}.")
        return 0
    if args.url:
        show_remote(args)
        return 0
    config = options.configure(args)
    data = options.data_folder(config)
    file = Path(config.world) if config.world else None
    if config.ephemeral or not data.is_dir():
        with Folder(None) as folder:
            show(World.load(file, folder.path))
    else:
        show(World.load(file, data))
    return 0


def try_world(file: Path) -> str:
    """Load a world file as a start would, in a folder that goes away, and import its applications as their first
    visitors would. Gives its size in words. Raises WorldError."""
    with tempfile.TemporaryDirectory(prefix="sandbox-") as data:
        world = World.load(file, Path(data))
        try:
            world.build_zones(["127.0.0.1", "::1"])
            check_applications(file, world)
            return (f"{count(len(world.domains), 'domain')}, {count(len(world.accounts), 'person', 'people')}, "
                    f"{count(len(list(world.sites)), 'site')}, {count(len(world.mail), 'letter')}")
        finally:
            world.close()


def check_applications(file: Path, world: World) -> None:
    """Raises WorldError for the first that cannot be loaded."""
    from sandbox.websites.check import first_trouble

    trouble = first_trouble(world.sites)
    if trouble is None:
        return
    site, found, hint = trouble
    text = read_text(file, WorldError)
    tables = tomllib.loads(text).get("site", [])
    hosts = [normal(table["host"]) if "wsgi" in table else "" for table in tables]
    # It may stand in the file that this one extends.
    line = find_line(text, ("site", hosts.index(site.host), "wsgi")) if site.host in hosts else 0
    raise WorldError(str(file), line, f"wsgi of {site.host}", found, "an application that can be imported", hint)


def count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def show(world: World) -> None:
    """Print the domains, the people and the sites, and close the world."""
    tell([(domain.name, domain.hosts) for domain in world.domains],
         [(one.login, one.password, one.name) for one in world.accounts],
         [(site.host, site.kind, site.value) for site in world.sites])
    world.close()


def show_remote(args: argparse.Namespace) -> None:
    """The same of a sandbox elsewhere. Raises UserError."""
    from sandbox.cli.elsewhere import Elsewhere
    found = Elsewhere(args).api.get("world")
    tell([(one["name"], one["hosts"]) for one in found["domains"]],
         [(one["login"], one["password"] or "(not shown)", one["name"]) for one in found["people"]],
         [(one["host"], one["kind"], one["value"]) for one in found["sites"]])


def tell(domains: Iterable[tuple[str, Sequence[str]]], people: Iterable[tuple[str, str, str]],
         sites: Iterable[tuple[str, str, str]]) -> None:
    """domains: name and hosts; people: login, password and name; sites: host, kind and value."""
    print("Domains")
    for name, hosts in domains:
        print(f"  {escape(name):<16} {escape(' '.join(hosts))}")
    print("\nPeople (one password for everything)")
    for login, password, name in people:
        print(f"  {escape(login):<16} {escape(password):<16} {escape(name)}")
    print("\nSites (every other host has the home page)")
    for host, kind, value in sites:
        print(f"  {escape(host):<24} {kind:<9} {escape(value)}")
