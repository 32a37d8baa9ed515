"""Files: the homes, the public folder and the folders of the sites, and who put what there."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import quote

import msgspec
import trio

from sandbox.dashboard.again import Again, shell
from sandbox.dashboard.answers import ProblemError, as_json, attachment
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.dashboard.writers import Writes, writers
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.http.messages import Response
from sandbox.world.files.paths import Names, Root, bad_name, names_of, virtual
from sandbox.world.files.usage import TEMPORARY

__all__ = ["OPERATIONS"]

T = TypeVar("T")

OPERATIONS = Operations(spaced=True)

ENTRIES = 1_000
"""Entries of one folder that an answer has."""
PIECE = 262_144
"""Octets read at once."""

PLACE = Query("place", "A place as `files` names them.", "homes/alice")
PATH = Query("path", "A path in the place.", "www")


class PlaceRow(msgspec.Struct):
    place: str
    title: str


class Writer(msgspec.Struct):
    """The exchange that wrote a file, and who did it."""

    exchange: int
    session: int
    account: str
    client: str
    protocol: str
    ended: float


class FileRow(msgspec.Struct):
    """size: octets, of a folder 0; modified: seconds since the epoch; writer: null where none is found."""

    name: str
    folder: bool
    size: int
    modified: float
    writer: Writer | None


class Listing(msgspec.Struct):
    """places: those there are; entries: of the folder that was asked for, none where none was; more: whether it has
    more of them; again: commands that show it to others."""

    places: list[PlaceRow]
    place: str
    path: str
    entries: list[FileRow]
    more: bool
    again: list[Again]


class Spot(NamedTuple):
    """A place, and how its files are called in the journal: their owner, and where the place stands in the tree of
    everybody who looks at it."""

    place: str
    title: str
    folder: Path
    account: str
    above: str


@OPERATIONS.add("GET", "files", "Where files are, and what one folder holds.", Listing, PLACE, PATH)
async def files(call: Call) -> Response:
    spots = await places(call)
    listed = [PlaceRow(spot.place, spot.title) for spot in spots.values()]
    wanted = call.query.text("place")
    if not wanted:
        return as_json(Listing(listed, "", "", [], False, []))
    spot, names = found(spots, wanted), path_of(call)
    entries = [entry for entry in await looked(lambda: Root(spot.folder).entries(names)) if sensible(entry[0])]
    shown = entries[:ENTRIES]
    full = {name: spot.above + virtual((*names, name)) for name, status in shown if stat.S_ISREG(status.st_mode)}
    by = await writers(call.board.archive, Writes(call.asker, spot.account, full.values()), len(full)) if full else {}
    rows = [FileRow(name, stat.S_ISDIR(status.st_mode), 0 if stat.S_ISDIR(status.st_mode) else status.st_size,
                    status.st_mtime, writer(*by[full[name]]) if full.get(name) in by else None)
            for name, status in shown]
    return as_json(Listing(listed, spot.place, "/".join(names), rows, len(entries) > ENTRIES,
                           commands(call, spot, names)))


@OPERATIONS.add("GET", "files/content", "The octets of a file.", "application/octet-stream", PLACE, PATH)
async def content(call: Call) -> Response:
    spot, names = found(await places(call), call.query.text("place")), path_of(call)
    root = Root(spot.folder)
    if names and not sensible(names[-1]):
        raise ProblemError(404, "No such file", f"There is nothing at {virtual(names)[:200]}.")
    status = await looked(lambda: root.stat(names))
    if not stat.S_ISREG(status.st_mode):
        raise ProblemError(400, "A folder", f"{virtual(names)[:200]} is a folder.", "Ask for it with files?path=.")
    return attachment(read(root, names, status.st_size), names[-1], status.st_size)


async def read(root: Root, names: Names, size: int) -> AsyncIterator[bytes]:
    """A file's octets; of one that grows meanwhile as many as it had."""
    descriptor = await trio.to_thread.run_sync(lambda: root.open(names, os.O_RDONLY))
    try:
        at = 0
        while at < size:
            data = await trio.to_thread.run_sync(os.pread, descriptor, min(PIECE, size - at), at)
            if not data:
                return
            at += len(data)
            yield data
    finally:
        os.close(descriptor)


async def places(call: Call) -> dict[str, Spot]:
    """Those the asker may look into: a visitor into what everybody sees, and the own home."""
    world = call.world
    proven = await call.board.proven(call.asker)
    homes = [Spot(f"homes/{account.login}", f"{account.name}'s home", world.files.home(account.login),
                  account.login, "")
             for account in world.accounts if call.asker.sees_all or account.login in proven]
    sites = [Spot(f"sites/{site.host}", site.host, Path(site.value), "", f"/sites/{site.host}")
             for site in world.sites if site.kind == "folder"]
    public = Spot("public", "Public", world.files.public, "", "/public")
    return {spot.place: spot for spot in (public, *homes, *sites)}


def found(spots: dict[str, Spot], place: str) -> Spot:
    """Raises ProblemError, the same for what is not there and what is not for this asker."""
    if place not in spots:
        raise ProblemError(404, "No such place", f"There is no place {place[:100]!r} for you here.",
                           "files without a place lists those there are.")
    return spots[place]


def path_of(call: Call) -> Names:
    try:
        return names_of(call.query.text("path"))
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise ProblemError(400, "Not a path", f"path cannot be one: {said}.") from None


async def looked(function: Callable[[], T]) -> T:
    """A look at the disk. Raises ProblemError."""
    try:
        return await trio.to_thread.run_sync(function)
    except OSError as error:
        raise ProblemError(404, "No such file", f"That cannot be looked at: {error.strerror}.") from None


def sensible(name: str) -> bool:
    """What clients see too: no uploads under way, and no names that could not be said."""
    return not name.startswith(TEMPORARY) and not bad_name(name)


def writer(session: Session, exchange: Exchange) -> Writer:
    return Writer(exchange.id, session.id, exchange.facts.get("account", ""), session.client.host, session.protocol,
                  exchange.ended)


def commands(call: Call, spot: Spot, names: Names) -> list[Again]:
    """What shows the same folder to a client, as far as it can be said without a password."""
    services = call.place
    account = spot.account or ("" if spot.place == "public" else "alice")
    inside = f"{spot.above if account else ''}{virtual(names)}".rstrip("/") + "/"
    said = []
    if ftp := services.get("ftp"):
        who = f"-u {shell(account)} " if account else ""
        said.append(Again("FTP", f"curl {who}{shell(f'ftp://{ftp}{quote(inside)}')}"))
    if account and (sftp := services.get("sftp")):
        said.append(Again("SFTP", f"sftp -P {sftp.port} {shell(f'{account}@{sftp.host}:{inside}')}"))
    return said
