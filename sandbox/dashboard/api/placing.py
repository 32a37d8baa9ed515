"""Files that are put where clients find them, and taken away, while the world runs."""

from __future__ import annotations

import base64
import binascii

import msgspec
import trio

from sandbox.dashboard.answers import ProblemError, as_json, body_of
from sandbox.dashboard.api.files import PATH, PLACE
from sandbox.dashboard.operations import Call, Operations
from sandbox.protocols.http.messages import Response
from sandbox.world import World
from sandbox.world.files.paths import Names, names_of
from sandbox.world.files.tree import Tree

__all__ = ["OPERATIONS"]

OPERATIONS = Operations(spaced=True)
LARGEST = 67_108_864
"""Octets of a request that puts a file somewhere."""
NOBODY = "teacher"
"""In whose name the public folder and the sites are changed: their tree has all of them."""


class NewFile(msgspec.Struct, forbid_unknown_fields=True):
    """place, path: where; folders on the way are made. text, or base64: what is in it."""

    place: str
    path: str
    text: str = ""
    base64: str = ""


class Placed(msgspec.Struct):
    """size: octets."""

    place: str
    path: str
    size: int


@OPERATIONS.add("POST", "files", "Put a file where clients find it, in the place of one of that name.", Placed,
                takes=NewFile, changes=True)
async def placed(call: Call) -> Response:
    asked = await body_of(call.request, NewFile, LARGEST)
    try:
        data = base64.b64decode(asked.base64, validate=True) if asked.base64 else asked.text.encode()
    except binascii.Error:
        raise ProblemError(422, "Not base64", "base64 is no base64 (RFC 4648 §4).") from None
    tree, names = where(call.world, call, asked.place, asked.path)

    def write() -> None:
        for depth in range(1, len(names)):
            try:
                tree.stat(names[:depth])
            except FileNotFoundError:
                tree.make_directory(names[:depth])
        writing = tree.write(names, replace=True)
        try:
            writing.write(data, 0)
            writing.commit()
        finally:
            writing.abandon()
        tree.announce(names)

    await done(write)
    return as_json(Placed(asked.place, asked.path, len(data)))


@OPERATIONS.add("DELETE", "files", "Take a file away.", Placed, PLACE, PATH, changes=True)
async def removed(call: Call) -> Response:
    place, path = call.query.text("place"), call.query.text("path")
    tree, names = where(call.world, call, place, path)
    await done(lambda: tree.remove(names))
    return as_json(Placed(place, path, 0))


def where(world: World, call: Call, place: str, path: str) -> tuple[Tree, Names]:
    """Whose tree a place is in, and where the path is there. Raises ProblemError."""
    settings = call.space.config.files
    trees = world.open_files(settings.quota, settings.entries)
    kind, _, name = place.partition("/")
    try:
        names = names_of(path)
    except (OSError, ValueError) as error:
        raise ProblemError(422, "Not a path", f"{path[:200]!r} can be no path: {error}.") from None
    if kind == "homes" and (account := world.accounts.get(name)) is not None:
        return trees.person(account.login), names
    if place == "public" or (kind == "sites" and world.sites.find(name) is not None):
        return trees.person(NOBODY), (*((kind, name) if kind == "sites" else (kind,)), *names)
    raise ProblemError(404, "No such place", f"There is no place {place[:100]!r} here.",
                       "files without a place lists those there are.")


async def done(change) -> None:  # type: ignore[no-untyped-def]
    """Raises ProblemError."""
    try:
        await trio.to_thread.run_sync(change)
    except OSError as error:
        raise ProblemError(409, "Not done", f"The file cannot be changed: {error.strerror}.") from None
