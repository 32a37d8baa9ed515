"""The state of a world that changes: back to its beginning, kept, and had again, part by part.

    people      who can log in
    names       the zones
    routes      answers of web servers that were set up
    files       homes, the public folder, the folders of sites in the data folder
    mail        everybody's letters, and those under way

Everything here waits for the disk: call it from a worker thread.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sandbox.world.accounts import Account
from sandbox.world.mail.values import Delivery

if TYPE_CHECKING:
    from sandbox.world import World
    from sandbox.world.mail import MailStore
    from sandbox.world.names.zone import Zone
    from sandbox.world.routes import Route

__all__ = ["PARTS", "Kept", "begin", "keep", "restore"]

PARTS = ("people", "names", "routes", "files", "mail")
FOLDERS = ("homes", "public", "sites")
"""Of the data folder."""
PIECE = 65_536


class KeptLetter(NamedTuple):
    """One copy of a letter. file: where its octets are."""

    account: str
    folder: str
    special: str
    recipient: str
    flags: str
    received: float
    utf8: bool
    file: str


class Kept(NamedTuple):
    """What a world was at one moment. folder: has the files and the letters."""

    folder: Path
    people: tuple[Account, ...]
    zones: tuple[Zone, ...]
    routes: tuple[Route, ...]
    letters: tuple[KeptLetter, ...]


def begin(world: World, mail: MailStore, parts: Collection[str]) -> None:
    """Have parts of a world as they were at its beginning."""
    if "people" in parts:
        have_people(world, world.beginning.people)
    if "names" in parts:
        world.begin_names()
    if "routes" in parts:
        world.routes.replace()
    if "files" in parts:
        clear_files(world)
        fill_files(world)
    if "mail" in parts:
        clear_mail(mail)
        world.seed_mail(mail)


def keep(world: World, mail: MailStore, folder: Path) -> Kept:
    """Keep all of a world. folder: for what is large; it is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "mail").mkdir(parents=True, mode=0o700)
    for name in FOLDERS:
        if (world.files.data / name).is_dir():
            shutil.copytree(world.files.data / name, folder / name, symlinks=True)
    return Kept(folder, tuple(world.accounts), world.open_zones().copied(),
                tuple(replace(route) for route in world.routes), tuple(kept_letters(mail, folder / "mail")))


def restore(world: World, mail: MailStore, kept: Kept, parts: Collection[str]) -> None:
    """Have parts of a world as they were kept."""
    if "people" in parts:
        have_people(world, kept.people)
    if "names" in parts:
        world.open_zones().restore(kept.zones)
    if "routes" in parts:
        world.routes.replace(tuple(replace(route) for route in kept.routes))
    if "files" in parts:
        clear_files(world)
        for name in FOLDERS:
            if (kept.folder / name).is_dir():
                shutil.copytree(kept.folder / name, world.files.data / name, symlinks=True, dirs_exist_ok=True)
        fill_files(world)
    if "mail" in parts:
        clear_mail(mail)
        for letter in kept.letters:
            put_letter(mail, letter, kept.folder / "mail")


def have_people(world: World, people: Iterable[Account]) -> None:
    wanted = {account.login: account for account in people}
    for account in list(world.accounts):
        if account.login not in wanted:
            world.accounts.remove(account.login)
    for account in wanted.values():
        there = world.accounts.get(account.login)
        if there is None:
            world.accounts.add(*account)
        elif there != account:
            world.accounts.change(*account)


def clear_files(world: World) -> None:
    """Empty every place. The places themselves stay: whoever is in one stays in it."""
    for name in FOLDERS:
        top = world.files.data / name
        for place in [top] if name == "public" else top.iterdir() if top.is_dir() else ():
            for inside in place.iterdir() if place.is_dir() and not place.is_symlink() else ():
                if inside.is_dir() and not inside.is_symlink():
                    shutil.rmtree(inside)
                else:
                    inside.unlink()


def fill_files(world: World) -> None:
    """What is there from the start, where it is missing; and what places hold is counted anew."""
    for account in world.accounts:
        world.files.make_home(account.login)
    world.recount_files()


def kept_letters(mail: MailStore, folder: Path) -> Iterable[KeptLetter]:
    for account in mail.accounts():
        for place in mail.folders(account):
            for item in mail.items(place.id):
                file = folder / str(item.content)
                if not file.exists():
                    with file.open("wb") as stream:
                        stream.writelines(mail.read(item.content))
                yield KeptLetter(account, place.name, place.special, item.recipient, item.flags, item.received,
                                 mail.needs_utf8(item.content), file.name)


def put_letter(mail: MailStore, letter: KeptLetter, folder: Path) -> None:
    if letter.folder not in {place.name for place in mail.folders(letter.account)}:
        mail.require_account(letter.account).result()
        if letter.folder not in {place.name for place in mail.folders(letter.account)}:
            mail.create_folder(letter.account, letter.folder, letter.special).result()
    delivery = Delivery(letter.account, letter.recipient, letter.folder, letter.flags)
    mail.put((folder / letter.file).read_bytes(), delivery, received=letter.received, utf8=letter.utf8).result()


def clear_mail(mail: MailStore) -> None:
    """Nobody has a letter, and none is under way."""
    mail.delete_outbound([leg.id for leg in mail.outbound(float("inf"), 1_000_000)]).result()
    for account in mail.accounts():
        for place in mail.folders(account):
            mail.expunge(place.id, list(mail.view(place.id).uids)).result()
