"""The people of the world. Each has one password for everything, and an address in every domain.

Passwords are kept as they are. Several of the protocols of the time cannot work otherwise (APOP, CRAM-MD5 and HTTP's
Digest prove knowledge of the password itself), and the whole world is pretend: the documentation asks people
never to use a real password here.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sandbox.world.changes import Change, Changes
from sandbox.world.store import Store

__all__ = ["Account", "Accounts", "bad_login", "bad_password"]

TEACHER = "teacher"
LOGIN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", re.ASCII)
PASSWORD_LIMIT = 256
"""Characters of a password: enough for a sentence."""
ACCOUNT_LIMIT = 10_000
"""People in all: a large school."""


class Account(NamedTuple):
    """One person. login: the part before @, in small letters; name: as people write it."""

    login: str
    password: str
    name: str

    @property
    def teacher(self) -> bool:
        """Whether it is the one whose password is shown to nobody: a class reads the pages, and the terminal too."""
        return self.login == TEACHER

    def address(self, domain: str) -> str:
        """Their mail address in one of the world's domains."""
        return f"{self.login}@{domain}"


def bad_login(login: str) -> str:
    """What a login has to be, if this one is not that; else ""."""
    return "" if LOGIN.fullmatch(login) else "small letters and digits, with . _ or - inside, at most 64 in all"


def bad_password(password: str) -> str:
    """What a password has to be, if this one is not that; else ""."""
    usable = 0 < len(password) <= PASSWORD_LIMIT and password.isprintable()
    return "" if usable else f"1 to {PASSWORD_LIMIT} printable characters"


class Accounts:
    """Everybody who can log in. Reading never waits, and is safe beside a change in another thread.

    add, change and remove wait for the disk (use a worker thread) and are announced when they are on it.
    """

    def __init__(self, begin: Iterable[Account], domains: Iterable[str], store: Store, changes: Changes) -> None:
        self._domains = frozenset(domains)
        self._store = store
        self._changes = changes
        self._lock = threading.Lock()
        self._accounts = {account.login: account for account in begin}
        self._begin = frozenset(self._accounts)
        with store.transaction() as database:
            rows = database.execute("SELECT login, password, name FROM account ORDER BY position").fetchall()
        for login, password, name in rows:
            if password is None:
                self._accounts.pop(login, None)
            else:
                self._accounts[login] = Account(login, password, name)

    def add_domain(self, name: str) -> None:
        """Everybody has an address in one more domain."""
        self._domains |= {name}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def __len__(self) -> int:
        return len(self._accounts)

    def get(self, name: str) -> Account | None:
        """The account for a login or an address in one of the world's domains, in any case."""
        login, at, domain = name.rpartition("@") if "@" in name else (name, "", "")
        if at and domain.lower().rstrip(".") not in self._domains:
            return None
        return self._accounts.get(login.lower())

    def check(self, name: str, password: str) -> Account | None:
        """The account, if the password is right. Takes as long whether or not there is such a person."""
        account = self.get(name)
        right = same(account.password if account else "", password)
        return account if account and right else None

    def add(self, login: str, password: str, name: str = "") -> Account:
        """Somebody new. Raises ValueError (what is wrong with the login or password, or it is taken)."""
        account = checked(login, password, name)
        with self._lock:
            if account.login in self._accounts:
                raise ValueError(f"there is somebody called {account.login} already")
            if len(self._accounts) >= ACCOUNT_LIMIT:
                raise ValueError(f"there are {ACCOUNT_LIMIT} people already; remove some first")
            self._keep(account)
        self._changes.announce(Change("account", "added", account.login))
        return account

    def change(self, login: str, password: str | None = None, name: str | None = None) -> Account:
        """Give somebody another password or name. Raises KeyError (nobody), ValueError (as `add`)."""
        with self._lock:
            old = self._accounts[login.lower()]
            account = checked(old.login, old.password if password is None else password,
                              old.name if name is None else name)
            self._keep(account)
        self._changes.announce(Change("account", "changed", account.login))
        return account

    def remove(self, login: str) -> None:
        """Raises KeyError (nobody)."""
        with self._lock:
            account = self._accounts[login.lower()]
            with self._store.transaction() as database:
                if account.login in self._begin:
                    write(database, account.login, None, account.name)
                else:
                    database.execute("DELETE FROM account WHERE login = ?", (account.login,))
            self._accounts = {one.login: one for one in self if one is not account}
        self._changes.announce(Change("account", "removed", account.login))

    def _keep(self, account: Account) -> None:
        with self._store.transaction() as database:
            write(database, account.login, account.password, account.name)
        self._accounts = {**self._accounts, account.login: account}


def write(database: sqlite3.Connection, login: str, password: str | None, name: str) -> None:
    database.execute(
        "INSERT INTO account VALUES (?1, ?2, ?3, (SELECT coalesce(max(position), 0) + 1 FROM account)) "
        "ON CONFLICT (login) DO UPDATE SET name = excluded.name, password = excluded.password",
        (login, name, password))


def checked(login: str, password: str, name: str) -> Account:
    login = login.lower()
    if expected := bad_login(login):
        raise ValueError(f"a login is {expected}")
    if expected := bad_password(password):
        raise ValueError(f"a password is {expected}")
    return Account(login, password, name or login.capitalize())


def same(left: str, right: str) -> bool:
    """Whether two passwords are equal, in a time that tells neither where they differ nor how long one is."""
    # Hashes are compared, not the texts: compare_digest takes longer for longer ones.
    return hmac.compare_digest(digest(left), digest(right)) and bool(left)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
