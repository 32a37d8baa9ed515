"""A world as a whole: filled from a world file, back to its beginning, kept and had again."""

from __future__ import annotations

import re
import shutil

import msgspec
import trio

from sandbox.dashboard.answers import ProblemError, as_json, body_of
from sandbox.dashboard.operations import Call, Operations
from sandbox.protocols.http.messages import Response
from sandbox.space import Space
from sandbox.world.errors import WorldError
from sandbox.world.mail import MailStore
from sandbox.world.populate import populate
from sandbox.world.state import PARTS, begin, keep, restore

__all__ = ["OPERATIONS"]

OPERATIONS = Operations(spaced=True)
WORLD = 4_194_304
"""Octets of a request with a world file."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
SNAPSHOTS = 20
"""Of one space."""
FOLDER = "snapshots"


class NewWorld(msgspec.Struct, forbid_unknown_fields=True):
    """world: the text of a world file."""

    world: str


class Populated(msgspec.Struct):
    """How many of each were new or became others; what is repeated changes nothing."""

    domains: int
    people: int
    sites: int
    letters: int


class Reset(msgspec.Struct, forbid_unknown_fields=True):
    """parts: people, names, routes, files, mail; none for all."""

    parts: list[str] = []


class Done(msgspec.Struct):
    parts: list[str]


class NewSnapshot(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class Snapshots(msgspec.Struct):
    snapshots: list[str]


@OPERATIONS.add("POST", "populate", "Add what a world file says; it may be repeated.", Populated, takes=NewWorld,
                changes=True)
async def populated(call: Call) -> Response:
    asked = await body_of(call.request, NewWorld, WORLD)
    world, mail = call.world, await mail_of(call.space)
    try:
        added = await trio.to_thread.run_sync(
            lambda: populate(world, mail, asked.world, trusted=call.asker.role == "owner"))
    except WorldError as error:
        raise ProblemError(422, "Not a world", f"{error}.".replace("..", ".")) from None
    except ValueError as error:
        raise ProblemError(422, "Not a world", f"{error}.") from None
    return as_json(Populated(*added))


@OPERATIONS.add("POST", "reset", "Have a world, or parts of it, as at its beginning.", Done, takes=Reset,
                changes=True)
async def reset(call: Call) -> Response:
    parts = checked((await body_of(call.request, Reset)).parts)
    world, mail = call.world, await mail_of(call.space)
    await trio.to_thread.run_sync(begin, world, mail, parts)
    return as_json(Done(parts))


@OPERATIONS.add("GET", "snapshots", "The states of a world that were kept.", Snapshots, changes=True)
async def snapshots(call: Call) -> Response:
    return as_json(Snapshots(list(call.space.kept)))


@OPERATIONS.add("POST", "snapshots", "Keep the state of a world, by a name.", Snapshots, takes=NewSnapshot,
                changes=True)
async def snapshot(call: Call) -> Response:
    asked = await body_of(call.request, NewSnapshot)
    space, mail = call.space, await mail_of(call.space)
    if not NAME.fullmatch(asked.name) or (asked.name not in space.kept and len(space.kept) >= SNAPSHOTS):
        raise ProblemError(422, "Not kept", f"{asked.name[:80]!r} cannot be kept.",
                           f"A name is small letters, digits and . _ -; a space keeps {SNAPSHOTS} states.")
    folder = space.world.files.data / FOLDER / asked.name
    space.kept[asked.name] = await trio.to_thread.run_sync(keep, space.world, mail, folder)
    return await snapshots(call)


@OPERATIONS.add("POST", "snapshots/{name}/restore", "Have a world, or parts of it, as it was kept.", Done,
                takes=Reset, changes=True)
async def restored(call: Call, name: str) -> Response:
    parts = checked((await body_of(call.request, Reset)).parts)
    world, mail = call.world, await mail_of(call.space)
    if (kept := call.space.kept.get(name)) is None:
        raise no_snapshot(name)
    await trio.to_thread.run_sync(restore, world, mail, kept, parts)
    return as_json(Done(parts))


@OPERATIONS.add("DELETE", "snapshots/{name}", "Keep a state no longer.", Snapshots, changes=True)
async def forgotten(call: Call, name: str) -> Response:
    if (kept := call.space.kept.pop(name, None)) is None:
        raise no_snapshot(name)
    await trio.to_thread.run_sync(shutil.rmtree, kept.folder)
    return await snapshots(call)


async def mail_of(space: Space) -> MailStore:
    settings = space.config.mail
    return await trio.to_thread.run_sync(space.world.open_mail, settings.durability, settings.quota)


def checked(parts: list[str]) -> list[str]:
    """Raises ProblemError."""
    for part in parts:
        if part not in PARTS:
            raise ProblemError(422, "No such part", f"{part[:60]!r} is no part of a world.",
                               f"Its parts are {', '.join(PARTS)}.")
    return parts or list(PARTS)


def no_snapshot(name: str) -> ProblemError:
    return ProblemError(404, "No such state", f"No state {name[:64]!r} was kept.", "snapshots lists those there are.")
