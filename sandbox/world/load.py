"""From world files to the values a world begins with.

A file adds to another ("default" unless it says otherwise). Where both have a domain, a person or a site of one
name, the file's own replaces the other's whole; mail is added. Everything a file names is checked here, so that a
world which loads is one that works.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sandbox.toml import Problem, Step, find_line, literal, nearest, parse, read_text, value_of
from sandbox.world.accounts import Account, bad_login, bad_password
from sandbox.world.errors import WorldError
from sandbox.world.files.layout import Files
from sandbox.world.names.domains import Domain, bad_name, normal
from sandbox.world.schema import DomainTable, MailTable, SiteTable, WorldFile
from sandbox.world.sites import BUILTINS, Kind, SiteSpec

__all__ = ["Beginning", "Letter", "load_beginning"]

DEFAULT = Path(__file__).with_name("default.toml")
LEVELS = 10
"""How many files may stand on one another: far more than anybody needs, and it ends circles."""


class Letter(NamedTuple):
    """A letter that is there from the start. to: a login; sender: an address; file: one with the whole message, ""
    for one made of the rest."""

    to: str
    sender: str
    subject: str
    text: str
    file: str = ""


class Beginning(NamedTuple):
    """What a world starts with, before anything changed."""

    domains: tuple[Domain, ...]
    people: tuple[Account, ...]
    sites: tuple[SiteSpec, ...]
    mail: tuple[Letter, ...]
    ssh_keys: Mapping[str, tuple[str, ...]] = {}
    faults: tuple[Mapping[str, str | bool | int | float], ...] = ()
    """Rules, as the file has them: what they mean is not the world's to know."""


class Source(NamedTuple):
    """A world file that has been read. folder: where its relative paths start."""

    name: str
    text: str
    folder: Path
    world: WorldFile

    def error(self, path: tuple[Step, ...], found: str, expected: str, hint: str = "") -> WorldError:
        problem = Problem(path, found, expected, hint)
        return WorldError(self.name, find_line(self.text, path), problem.key, found, expected, hint)


def load_beginning(file: Path | None, files: Files) -> Beginning:
    """Read a world file, or the built-in world, and what it adds to. Raises WorldError."""
    sources = read_sources(file)
    domains: dict[str, Domain] = {}
    people: dict[str, Account] = {}
    sites: dict[str, SiteSpec] = {}
    for source in sources:
        domains |= {domain.name: domain for domain in read_domains(source)}
        people |= {person.login: person for person in read_people(source)}
        sites |= {site.host: site for site in read_sites(source, files)}
    # A site may stand in one file and its domain in another, so they meet only now.
    for source in sources:
        add_hosts(source, domains)
    letters = [letter for source in sources for letter in read_mail(source, people)]
    keys = {login: table.ssh_keys for source in sources for login, table in source.world.people.items()}
    return Beginning(tuple(domains.values()), tuple(people.values()), tuple(sites.values()), tuple(letters), keys,
                     tuple(rule for source in sources for rule in source.world.faults))


def load_text(text: str, name: str, files: Files, people: Mapping[str, Account],
              domains: Mapping[str, Domain]) -> Beginning:
    """What the text of a world file adds to the people and domains there are; what it extends is not looked at. name:
    what errors call it. Raises WorldError."""
    world = value_of(parse(text, name, WorldError), WorldFile, name, WorldError, text)
    source = Source(name, text, Path.cwd(), world)
    if world.faults:
        raise source.error(("faults",), "rules for what shall fail", "a world without them, while it runs",
                           "Add them with `sandbox fault add`, or POST faults.")
    own = {domain.name: domain for domain in read_domains(source)}
    everybody = {**people, **{person.login: person for person in read_people(source)}}
    sites = read_sites(source, files)
    there = {**domains, **own}
    add_hosts(source, there)
    changed = [domain for domain in there.values() if domains.get(domain.name) != domain]
    keys = {login: table.ssh_keys for login, table in source.world.people.items()}
    return Beginning(tuple(changed), tuple(everybody[login] for login in source.world.people), tuple(sites),
                     tuple(read_mail(source, everybody)), keys)


def read_sources(file: Path | None) -> list[Source]:
    """A file and all it stands on, the lowest first."""
    sources: list[Source] = []
    source = read_default() if file is None else read_source(file)
    while True:
        sources.insert(0, source)
        below = source.world.extends
        if below == "nothing":
            return sources
        if len(sources) == LEVELS:
            raise source.error(("extends",), f"more than {LEVELS} files, each adding to the next",
                               "a world that ends somewhere", "Does a file add to itself?")
        if below == "default":
            source = read_default()
        else:
            path = source.folder / os.path.expanduser(below)
            if not below or not path.is_file():
                raise source.error(("extends",), f"the text {literal(below)}, which is no file",
                                   '"default", "nothing", or the name of a world file',
                                   nearest(below, ("default", "nothing")))
            source = read_source(path)


def read_default() -> Source:
    """The built-in world, which comes with the package as data."""
    text = DEFAULT.read_text("utf-8")
    name = "the built-in world"
    return Source(name, text, Path.cwd(), value_of(parse(text, name, WorldError), WorldFile, name, WorldError, text))


def read_source(file: Path) -> Source:
    name = str(file)
    text = read_text(file, WorldError, hint="Without --world the built-in world is used.")
    world = value_of(parse(text, name, WorldError), WorldFile, name, WorldError, text)
    return Source(name, text, file.absolute().parent, world)


def once(source: Source, table: str, key: str, names: Iterable[str]) -> None:
    """Raises WorldError for a name that one file gives twice."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            raise source.error((table, index, key), f"{literal(name)} a second time", "each only once")
        seen.add(name)


def read_domains(source: Source) -> list[Domain]:
    domains = []
    once(source, "domain", "name", (normal(table.name) for table in source.world.domain))
    for index, table in enumerate(source.world.domain):
        path = ("domain", index)
        name = normal(table.name)
        if expected := bad_name(name):
            raise source.error((*path, "name"), f"the text {literal(table.name[:80])}", expected)
        hosts = tuple(dict.fromkeys(map(normal, table.hosts)))
        for number, host in enumerate(hosts):
            if expected := bad_name(host, wildcard=True):
                raise source.error((*path, "hosts", number), f"the text {literal(host[:80])}", expected,
                                   "Give the part before the domain only: www")
            if host == name or host.endswith(f".{name}"):
                raise source.error((*path, "hosts", number), f"the text {literal(host)}", "a name within the domain",
                                   f"Leave out the domain: {literal(host.removesuffix(name).rstrip('.') or 'www')}.")
        domains.append(with_records(Domain(name, hosts), table, source, path))
    return domains


def with_records(domain: Domain, table: DomainTable, source: Source, path: tuple[Step, ...]) -> Domain:
    if table.zone_file:
        if table.records:
            raise source.error((*path, "zone_file"), "both records and zone_file", "one of them")
        file = source.folder / os.path.expanduser(table.zone_file)
        if not usable(file) or not file.is_file():
            raise source.error((*path, "zone_file"), f"{literal(table.zone_file)}, which is no file",
                               f"a zone file, seen from {source.folder}")
        return domain._replace(records=read_text(file, WorldError), source=str(file))
    if not table.records:
        return domain
    line = find_line(source.text, (*path, "records"))
    opening = source.text.split("\n")[line - 1] if line else ""
    starts_below = opening.rstrip().endswith(('"""', "'" * 3))  # TOML drops a line end right after the quotes
    return domain._replace(records=table.records, source=source.name, line=line if starts_below else line - 1)


def read_people(source: Source) -> list[Account]:
    people = []
    for login, table in source.world.people.items():
        path = ("people", login)
        if expected := bad_login(login):
            raise source.error(path, f"the login {literal(login[:80])}", expected)
        if expected := bad_password(table.password):
            raise source.error((*path, "password"), "a password that cannot be typed everywhere", expected)
        people.append(Account(login, table.password, table.name or login.capitalize()))
    return people


def read_sites(source: Source, files: Files) -> list[SiteSpec]:
    once(source, "site", "host", (normal(table.host) for table in source.world.site))
    return [read_site(source, index, table, files) for index, table in enumerate(source.world.site)]


def read_site(source: Source, index: int, table: SiteTable, files: Files) -> SiteSpec:
    path: tuple[Step, ...] = ("site", index)
    host = normal(table.host)
    pattern = host.removesuffix(".*")
    if expected := bad_name(pattern, wildcard=pattern == host):
        raise source.error((*path, "host"), f"the text {literal(table.host[:80])}", expected)
    kinds: tuple[Kind, ...] = ("folder", "wsgi", "port", "redirect", "builtin")
    said = [kind for kind in kinds if getattr(table, kind) is not None]
    if not said:
        if "*" in host:
            raise source.error((*path, "host"), "a pattern without a folder", "a folder, or another key after host")
        return SiteSpec(host, "folder", str(files.site(host)))
    if len(said) > 1:
        raise source.error((*path, said[1]), f"{' and '.join(said)} together", "one of them for each site")
    kind, value = said[0], str(getattr(table, said[0]))
    return SiteSpec(host, kind, CHECKS[kind](source, (*path, kind), value) if kind in CHECKS else value)


def check_folder(source: Source, path: tuple[Step, ...], value: str) -> str:
    folder = source.folder / os.path.expanduser(value)
    if not value or not usable(folder) or not folder.is_dir():
        raise source.error(path, f"{literal(value)}, which is no folder", f"a folder, seen from {source.folder}",
                           "Make it, or leave the line out to have one in the data folder.")
    return str(folder)


def check_wsgi(source: Source, path: tuple[Step, ...], value: str) -> str:
    module, _, name = value.rpartition(":")
    if not module or not name.replace(".", "_").isidentifier():
        raise source.error(path, f"the text {literal(value)}", "a file or a module, a colon, and a name in it",
                           'Write "app.py:app" for the object app in the file app.py.')
    if not module.endswith(".py"):
        return value
    file = source.folder / os.path.expanduser(module)
    if not usable(file) or not file.is_file():
        raise source.error(path, f"{literal(module)}, which is no file", f"a Python file, seen from {source.folder}")
    return f"{file}:{name}"


def check_redirect(source: Source, path: tuple[Step, ...], value: str) -> str:
    try:
        parts = urlsplit(value)
        right = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        right = False
    if not right or not value.isprintable() or " " in value:
        raise source.error(path, f"the text {literal(value[:80])}", "a whole address, such as http://www.example.com/")
    return value


def check_builtin(source: Source, path: tuple[Step, ...], value: str) -> str:
    if value not in BUILTINS:
        raise source.error(path, f"the text {literal(value[:80])}", f"one of {', '.join(BUILTINS)}",
                           nearest(value, BUILTINS))
    return value


CHECKS = {"folder": check_folder, "wsgi": check_wsgi, "redirect": check_redirect, "builtin": check_builtin}


def usable(path: Path) -> bool:
    return "\0" not in str(path)


def add_hosts(source: Source, domains: dict[str, Domain]) -> None:
    """Give each site's host to its domain, so that DNS knows it. Raises WorldError for a host in no domain."""
    for index, table in enumerate(source.world.site):
        host = normal(table.host)
        if host.endswith(".*") or host in domains or host == "localhost":   # nobody's domain (RFC 6761 §6.3)
            continue
        labels = host.split(".")
        parents = (".".join(labels[count:]) for count in range(1, len(labels)))
        domain = next((domains[parent] for parent in parents if parent in domains), None)
        if domain is None:
            raise source.error(("site", index, "host"), f"{literal(host)}, which is in no domain of this world",
                               f"a host in one of {', '.join(domains) or 'its domains'}",
                               f"Add a [[domain]] with name = {literal('.'.join(labels[-2:]))}.")
        name = host.removesuffix(f".{domain.name}")
        if name not in domain.hosts:
            domains[domain.name] = domain._replace(hosts=(*domain.hosts, name))


def read_mail(source: Source, people: dict[str, Account]) -> list[Letter]:
    return [letter for index, table in enumerate(source.world.mail)
            for letter in letters(source, index, table, people)]


def letters(source: Source, index: int, table: MailTable, people: dict[str, Account]) -> list[Letter]:
    """What one table stands for: a letter, or each of a folder, by name."""
    if table.to not in people:
        raise source.error(("mail", index, "to"), f"{literal(table.to[:80])}, whom this world does not know",
                           f"one of {', '.join(people) or 'its people'}", nearest(table.to, people))
    if table.folder:
        if table.sender or table.subject or table.text:
            raise source.error(("mail", index, "folder"), "a folder beside from, subject or text",
                               "a folder, whose messages say all that, or one letter")
        folder = Path(check_folder(source, ("mail", index, "folder"), table.folder))
        return [Letter(table.to, "", "", "", str(file)) for file in sorted(folder.glob("*.eml"))]
    if not table.sender:
        raise source.error(("mail", index, "from"), "nothing; the key is missing", "who the letter is from")
    if "\n" in table.subject + table.sender or "\r" in table.subject + table.sender:
        raise source.error(("mail", index), "a line end in the subject or the sender", "one line each")
    return [Letter(table.to, table.sender, table.subject, table.text)]
