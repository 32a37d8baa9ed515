"""The pretend internet: accounts, domains, sites, files. Synchronous; knows no protocol word on the wire.

A world begins as its file says (`load`), with what was changed while it ran (`store`) laid over it.
"""

from __future__ import annotations

import threading
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.world.accounts import Account, Accounts
from sandbox.world.changes import Change, Changes
from sandbox.world.errors import WorldError
from sandbox.world.files.layout import Files
from sandbox.world.load import Beginning, Letter, load_beginning
from sandbox.world.names.domains import Domain
from sandbox.world.routes import Routes
from sandbox.world.sites import Sites, SiteSpec
from sandbox.world.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandbox.address import Address
    from sandbox.world.files.tree import Trees
    from sandbox.world.hostkey import HostKey
    from sandbox.world.mail import MailStore
    from sandbox.world.mail.schema import Durability
    from sandbox.world.names.zones import Zones
    from sandbox.world.resources import Resources

__all__ = ["Account", "Change", "Domain", "Letter", "SiteSpec", "World", "WorldError"]


class World:
    """Everything the protocols serve.

    accounts: the people; domains: in the file's order; sites: which website answers for a host; mail: the letters
    that are there from the start; ssh_keys: lines of authorized_keys by login; routes: web answers set up while it
    runs; files: where things are in the data
    folder; changes: tells observers.
    """

    def __init__(self, beginning: Beginning, files: Files) -> None:
        self.files = files
        self._opening = threading.Lock()
        self._trees: Trees | None = None
        self._name_person: Callable[[str], None] | None = None
        self.changes: Changes = Changes("the world")
        self.beginning = beginning
        self.domains = beginning.domains
        self.domain_names = [domain.name for domain in beginning.domains]
        """The same as a list that services keep: it grows when a domain is added."""
        self.mail = beginning.mail
        self.ssh_keys = beginning.ssh_keys
        self.sites = Sites(beginning.sites, beginning.domains, self._website_of)
        self.routes = Routes()
        self._store = Store(files.store)
        self._mail: MailStore | None = None
        self._resources: Resources | None = None
        self._zones: Zones | None = None
        self._make_zones: Callable[[], Zones] | None = None
        self.accounts = Accounts(beginning.people, (domain.name for domain in self.domains), self._store,
                                 self.changes)

    @classmethod
    def load(cls, file: Path | None, data: Path, *, kept: bool = True) -> World:
        """The world of a file, or the built-in one, with what was changed in an earlier run.

        data: the data folder, which must exist; kept: whether there will be another run. Waits for the disk. Raises
        WorldError.
        """
        files = Files(data, kept=kept)
        world = cls(load_beginning(file, files), files)
        for site in world.sites:
            if site.kind == "folder":
                Path(site.value).mkdir(parents=True, exist_ok=True)
        for account in world.accounts:
            files.make_home(account.login)
        world.changes.observe(world._welcome)
        return world

    def _website_of(self, login: str) -> str:
        """The folder of a person's website, "" where there is no such person."""
        account = self.accounts.get(login)
        return str(self.files.home(account.login) / "www") if account else ""

    def _welcome(self, change: Change) -> None:
        """Somebody new has a home, and a name for the website in it."""
        if change.kind == "account" and change.action == "added":
            self.files.make_home(change.name)
            if self._name_person is not None:
                self._name_person(change.name)

    def build_zones(self, addresses: Sequence[str], endpoints: Mapping[str, Address] | None = None,
                    unknown: str = "sandbox", ttl: int = 60) -> Zones:
        """Make `zones` anew.

        addresses: those that names lead to; endpoints: the running services by role name; unknown: what other names
        lead to, "sandbox" or "nxdomain"; ttl: seconds. Raises WorldError for a record that cannot be.
        """
        from sandbox.world.names.naming import build_zones, name_people  # dnspython takes a while to import
        self._zones = zones = build_zones(self.domains, addresses, endpoints or {}, unknown, ttl)
        if endpoints and "sftp" in endpoints:
            for domain in self.domains:
                zones.maintain(f"ftp.{domain.name}", "SSHFP", [self.host_key.sshfp])  # RFC 4255
        name_people(zones, self.domains, [account.login for account in self.accounts])
        self._name_people(zones)
        return zones

    def plan_zones(self, addresses: Sequence[str], endpoints: Mapping[str, Address], unknown: str, ttl: int) -> None:
        """Have `zones` made when they are first needed: that takes tens of milliseconds. As `build_zones`."""
        self._make_zones = partial(self.build_zones, addresses, endpoints, unknown, ttl)

    def open_zones(self) -> Zones:
        """The zones, made at first use; `plan_zones` has said how. Raises WorldError."""
        if self._zones is None:
            assert self._make_zones is not None, "nobody has said which addresses names lead to"
            self._zones = self._make_zones()
        return self._zones

    @property
    def zones(self) -> Zones:
        return self.open_zones()

    def begin_names(self) -> None:
        """Have the zones that the world began with."""
        zones = self.open_zones()
        assert self._make_zones is not None
        zones.restore(self._make_zones())
        self._zones = zones
        self._name_people(zones)

    def _name_people(self, zones: Zones) -> None:
        from sandbox.world.names.naming import name_people
        self._name_person = lambda login: name_people(zones, self.domains, [login])

    def add_domain(self, domain: Domain) -> None:
        """Have a domain, in the place of one of that name; its zone is as a world file would make it. Raises
        WorldError."""
        zones = self.open_zones()
        self.domains = (*(one for one in self.domains if one.name != domain.name), domain)
        if domain.name not in self.domain_names:
            self.domain_names.append(domain.name)
        self.accounts.add_domain(domain.name)
        self.sites.add_domain(domain)
        assert self._make_zones is not None
        made = self._make_zones().zone_at(domain.name)
        self._zones = zones
        self._name_people(zones)
        assert made is not None
        zones.install(made)

    def open_resources(self) -> Resources:
        """The REST resources, opened at first use. Waits for the disk. Raises StoreError."""
        from sandbox.world.resources import Resources
        with self._opening:
            if self._resources is None:
                self._resources = Resources(self.files.resources)
            return self._resources

    @cached_property
    def host_key(self) -> HostKey:
        """The key of the SSH server, made at first use. Raises WorldError."""
        from sandbox.world.hostkey import load
        return load(self.files.host_key)

    def open_files(self, quota: int, entries: int) -> Trees:
        """Everybody's files. quota, entries: octets, and files and folders, that fit into one place.

        The first call decides. Waits for the disk.
        """
        from sandbox.world.files.tree import Trees
        with self._opening:
            if self._trees is None:
                example = f"alice.{self.domains[min(1, len(self.domains) - 1)].name}" if self.domains else "localhost"
                self._trees = Trees(self.files, self.sites, self.changes, quota=quota, entries=entries,
                                    example=example)
            return self._trees

    def recount_files(self) -> None:
        """What places hold was changed behind them."""
        with self._opening:
            if self._trees is not None:
                self._trees.recount()

    def open_mail(self, durability: Durability = "power", quota: int = 0) -> MailStore:
        """Everybody's mail, opened at first use, with the letters that are there from the start.

        Waits for the disk. Raises StoreError.
        """
        from sandbox.world.mail import MailStore
        if self._mail is None:
            self._mail = MailStore(self.files.mail, durability=durability, quota=quota)
            if not self._mail.accounts():
                self.seed_mail(self._mail)
            self.changes.observe(self._mind_mail)
        return self._mail

    def seed_mail(self, store: MailStore) -> None:
        """Deliver the letters that are there from the start. Raises WorldError."""
        from sandbox.world.mail import Delivery
        from sandbox.world.mail.seed import write_letter
        domain = self.domains[0].name if self.domains else "sandbox.test"
        try:
            texts = [(letter.to, write_letter(letter, domain)) for letter in self.mail]
        except OSError as error:
            raise WorldError(str(error.filename), 0, "", f"a letter that cannot be read ({error.strerror})",
                             "a message") from None
        for future in [store.put(text, Delivery(to), utf8=not text.partition(b"\r\n\r\n")[0].isascii())
                       for to, text in texts]:
            future.result()  # they share a commit

    def _mind_mail(self, change: Change) -> None:
        """Somebody new has a mailbox at once, and nobody finds the mail of one who left."""
        if change.kind == "account" and self._mail is not None:
            if change.action == "added":
                self._mail.require_account(change.name)
            elif change.action == "removed":
                self._mail.remove_account(change.name)

    def close(self) -> None:
        """Close the stores. The world cannot be changed any more."""
        self._store.close()
        if self._resources is not None:
            self._resources.close()
        if self._mail is not None:
            self._mail.close()
