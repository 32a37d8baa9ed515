"""The files one person sees over the network: their home, with other places in it.

    /                 their home; /www is their website, http://LOGIN.DOMAIN/
    /public           what everybody sees; all of it for anonymous visitors, who only read
    /sites/HOST       the pages of the world's sites

FTP and SFTP show the same tree. Everything here waits for the disk: call it from a worker thread. Paths are `Names`
from the top of the tree; errors are `OSError`.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import NamedTuple

from sandbox.linux.cached import read_cached, takes_file
from sandbox.world.changes import Change, Changes
from sandbox.world.files import places
from sandbox.world.files.layout import Files
from sandbox.world.files.owners import HOUSE, Sharing, at, can_share, own
from sandbox.world.files.paths import Names, Root, bad_name, virtual
from sandbox.world.files.places import Place, Room, owner_in
from sandbox.world.files.usage import TEMPORARY, Usage, refused
from sandbox.world.files.writing import Writing
from sandbox.world.sites import SiteSpec

__all__ = ["Entry", "Tree", "Trees"]

WELCOME = """\
These are the public files of the sandbox: everybody can read them, also without an account (log in as "anonymous").
With an account they are in the folder /public, and you can add some. What you put into your own folder /www is a
website: http://{host}/ is the one of the person whose login is alice.
"""


class Entry(NamedTuple):
    """What stands in a folder. owner: a login, HOUSE for what nobody who logs in put there."""

    name: str
    status: os.stat_result
    owner: str

    @property
    def folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)


class Tree:
    """What one person sees. owner: their login, "" for anonymous; mounts: places by where they stand in the tree."""

    def __init__(self, owner: str, mounts: Mapping[Names, Place], changes: Changes) -> None:
        self.owner = owner
        self._mounts = mounts
        self._changes = changes
        self._above = {mount[:count] for mount in mounts for count in range(len(mount))}
        """Folders that are there because a place stands below them."""

    # -- looking ----------------------------------------------------------------------------------------------

    def stat(self, names: Names) -> os.stat_result:
        """Of a file or directory; links are followed as far as they stay inside."""
        place, inside = self._find(names)
        try:
            return place.root.stat(inside)
        except FileNotFoundError:
            if names in self._above:
                return self._mounts[()].root.stat(())
            raise

    def entry(self, names: Names) -> Entry:
        """As `stat`, with the owner."""
        return Entry(names[-1] if names else "", self.stat(names), self.owner_of(names))

    def owner_of(self, names: Names) -> str:
        """Whose a file or folder is: all that is in a home is the home's owner's."""
        place, inside = self._find(names)
        if place.sharing is None:
            return self.owner if place is self._mounts[()] and (not names or names not in self._above) else HOUSE
        try:
            return owner_in(place, inside) if inside else HOUSE
        except FileNotFoundError:
            return HOUSE

    def entries(self, names: Names) -> list[Entry]:
        """The files and folders in a folder, sorted by name. What no client could name is left out."""
        place, inside = self._find(names)
        found: list[Entry] = []
        try:
            owner = self.owner_of(names)
            listed = [entry for entry in place.root.entries(inside)
                      if not entry[0].startswith(TEMPORARY) and not bad_name(entry[0])]
            if place.sharing is None:
                found = [Entry(name, status, owner) for name, status in listed]
            else:
                with place.root.directory(inside) as directory:
                    found = [Entry(name, status, own(at(directory, name)) or owner) for name, status in listed]
        except FileNotFoundError:
            if names not in self._above:
                raise
        mounted = {mount[len(names)]: self.stat(mount[:len(names) + 1]) for mount in self._mounts
                   if len(mount) > len(names) and mount[:len(names)] == names}
        if not mounted:
            return found
        return sorted([*(entry for entry in found if entry.name not in mounted),
                       *(Entry(name, status, HOUSE) for name, status in mounted.items())], key=itemgetter(0))

    def writable(self, names: Names, entry: Entry) -> bool:
        """Whether something can be put into this folder, or this file changed."""
        place, _ = self._find(names)
        if place.sharing is not None and place.writable:
            return place.sharing.may_add(entry.owner) if entry.folder else place.sharing.may_change(entry.owner)
        return place.writable

    def movable(self, names: Names, entry: Entry) -> bool:
        """Whether this can be renamed and removed."""
        place, inside = self._find(names)
        return (place.writable and bool(inside) and names not in self._above
                and (place.sharing is None or place.sharing.may_change(entry.owner)))

    def how_full(self, names: Names) -> Room:
        """Of the place that a file or folder is in."""
        self.stat(names)
        place, _ = self._find(names)
        return place.how_full()

    def real(self, names: Names) -> Names:
        """The path without the links in it."""
        place, inside = self._find(names)
        top = names[:len(names) - len(inside)]
        return top + place.root.names(inside)

    # -- files ------------------------------------------------------------------------------------------------

    def read(self, names: Names) -> int:
        """A descriptor to read a file from."""
        place, inside = self._find(names)
        return place.root.open(inside, os.O_RDONLY)

    def read_cached(self, names: Names, limit: int) -> bytes | None:
        """What a small file holds, if the system has it in memory; see `sandbox.linux.cached`. Never waits, so that
        no thread is needed. Raises OSError where there can be no such file."""
        place, inside = self._find(names)
        return read_cached(place.root.path, inside, limit)

    def takes_file(self, names: Names) -> bool:
        """Whether `write` with `replace` can be left for later, as only a lack of room could stop it. Never waits;
        False also where that is not known so. Raises OSError where it is known that there can be no such file."""
        place, inside = self._change(names)
        return place.sharing is None and takes_file(place.root.path, inside)

    def write(self, names: Names, *, replace: bool = False, create: bool = True, exclusive: bool = False,
              mode: int | None = None) -> Writing:
        """A file to write to; see `Writing`."""
        place, inside = self._change(names)
        writing = Writing(place, inside, replace=replace, create=create, exclusive=exclusive, mode=mode)
        if place.sharing is None:
            writing.owner = self.owner
        return writing

    def announce(self, names: Names) -> None:
        """Tell who watches the world that a file is there, or is another now."""
        self._changes.announce(Change("file", "changed", f"{self.owner}:{virtual(names)}"))

    # -- folders and names ------------------------------------------------------------------------------------

    def make_directory(self, names: Names, mode: int | None = None) -> None:
        """mode: permission bits, for other than the usual ones."""
        place, inside = self._change(names)
        places.make_directory(place, inside, mode)
        self._changes.announce(Change("file", "added", f"{self.owner}:{virtual(names)}/"))

    def remove_directory(self, names: Names) -> None:
        """It has to be empty."""
        place, inside = self._change(names)
        places.remove_directory(place, inside)
        self._changes.announce(Change("file", "removed", f"{self.owner}:{virtual(names)}/"))

    def remove(self, names: Names) -> None:
        place, inside = self._change(names)
        places.remove_file(place, inside)
        self._changes.announce(Change("file", "removed", f"{self.owner}:{virtual(names)}"))

    def rename(self, old: Names, new: Names, *, replace: bool = True) -> None:
        """replace: whether it may take the place of a file that has the new name."""
        source, inside = self._change(old)
        target, into = self._change(new)
        places.rename(source, inside, target, into, replace=replace)
        self._changes.announce(Change("file", "removed", f"{self.owner}:{virtual(old)}"))
        self._changes.announce(Change("file", "added", f"{self.owner}:{virtual(new)}"))

    def set_times(self, names: Names, modified: float, accessed: float | None = None) -> None:
        """Seconds since the epoch. accessed: None leaves that time as it is."""
        place, inside = self._find(names)
        places.set_times(place, inside, modified, accessed)

    def set_mode(self, names: Names, mode: int) -> None:
        place, inside = self._find(names)
        places.set_mode(place, inside, mode)

    # -- where ------------------------------------------------------------------------------------------------

    def _find(self, names: Names) -> tuple[Place, Names]:
        """The place a path is in, and the rest of the path there."""
        if any(name.startswith(TEMPORARY) for name in names):
            raise refused(errno.ENOENT)
        for count in range(len(names), -1, -1):
            if place := self._mounts.get(names[:count]):
                return place, names[count:]
        raise refused(errno.ENOENT)

    def _change(self, names: Names) -> tuple[Place, Names]:
        """As `_find`, for something that is to be made, renamed or removed."""
        place, inside = self._find(names)
        if any(name.startswith(TEMPORARY) for name in names):
            raise refused(errno.EPERM)
        place.room()
        if not inside or names in self._above:
            raise refused(errno.EBUSY)
        return place, inside


class Trees:
    """Everybody's tree. quota: octets that fit into one place; entries: files and folders that do."""

    def __init__(self, files: Files, sites: Iterable[SiteSpec], changes: Changes, *, quota: int, entries: int,
                 example: str) -> None:
        self._files = files
        self._changes = changes
        self._limits = (quota, entries)
        self._homes: dict[str, Place] = {}
        self._welcome = WELCOME.format(host=example)
        if not files.public.is_dir():
            files.public.mkdir(parents=True)
            (files.public / "welcome.txt").write_text(self._welcome, encoding="utf-8")
        self._lock = threading.RLock()
        self._public = self._place(os.fspath(files.public))
        self._sites: dict[Names, Place] = {}
        for site in sites:
            if site.kind == "folder":
                ours = os.path.commonpath((site.value, files.data)) == os.fspath(files.data)
                self._sites["sites", site.host] = (
                    self._place(site.value) if ours else Place(Root(site.value), None))

    def _place(self, path: str) -> Place:
        return Place(Root(path), Usage(path, *self._limits))

    def recount(self) -> None:
        """Everything was changed behind the places: what they hold is counted when somebody needs it, and the public
        one says what it says at the start, where it is empty."""
        for place in (self._public, *self._homes.values(), *self._sites.values()):
            if place.usage is not None:
                place.usage.forget()
        if not any(self._files.public.iterdir()):
            (self._files.public / "welcome.txt").write_text(self._welcome, encoding="utf-8")

    def person(self, login: str) -> Tree:
        """The tree of somebody with an account. Makes their home where there is none."""
        home = self._homes.get(login)
        if home is None:
            self._files.make_home(login)
            home = self._homes.setdefault(login, self._place(os.fspath(self._files.home(login))))
        shared = {("public",): self._public, **self._sites}
        return Tree(login, {(): home, **{names: self._as_met(place, login) for names, place in shared.items()}},
                    self._changes)

    def anonymous(self) -> Tree:
        """The tree of everybody else: the public files, to be read."""
        return Tree("", {(): self._as_met(self._public, "")._replace(usage=None)}, self._changes)

    def _as_met(self, place: Place, login: str) -> Place:
        """A shared place as one person meets it. Where the file system keeps no owners, everybody may change all."""
        if place.usage is None or not can_share(place.root.path):
            return place
        return place._replace(sharing=Sharing(login, self._lock))
