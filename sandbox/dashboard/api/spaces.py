"""Spaces: worlds of their own beside the main one, opened and closed while the sandbox runs."""

from __future__ import annotations

import secrets
from dataclasses import replace

import msgspec

from sandbox.dashboard.answers import ProblemError, as_json, body_of
from sandbox.dashboard.operations import Call, Operations
from sandbox.errors import UserError
from sandbox.protocols.http.messages import Response
from sandbox.space import Space
from sandbox.spaces import SpaceSpec

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()

NAME_OCTETS = 5


class Where(msgspec.Struct):
    host: str
    port: int


class SpaceRow(msgspec.Struct):
    """services: by name, where clients reach them; bind: the addresses it listens on, none where it answers its
    clients on the main space's; filter: what has happened in it."""

    name: str
    services: dict[str, Where]
    failures: dict[str, str]
    bind: list[str]
    filter: str


class SpaceRows(msgspec.Struct):
    spaces: list[SpaceRow]


class NewSpace(msgspec.Struct, forbid_unknown_fields=True):
    """name: by default one that is free; world: a world file of the sandbox's machine, by default the main space's
    own; own_address: listen on a loopback address of its own, on the main space's ports; bind: or on these, on free
    ports; clients: or on the main space's listeners, for connections from these addresses; services: by name, by
    default all that the configuration turns on."""

    name: str = ""
    world: str = ""
    own_address: bool = False
    bind: list[str] = []
    clients: list[str] = []
    services: list[str] = []


@OPERATIONS.add("GET", "spaces", "The spaces that are open.", SpaceRows, changes=True)
async def spaces(call: Call) -> Response:
    return as_json(SpaceRows([row(space) for space in call.board.sandbox.spaces]))


@OPERATIONS.add("POST", "spaces", "Open a space; it answers when this is answered.", SpaceRow, takes=NewSpace,
                changes=True)
async def opened(call: Call) -> Response:
    asked = await body_of(call.request, NewSpace)
    try:
        return as_json(row(await call.board.sandbox.spaces.open(wanted(call, asked))))
    except UserError as error:
        raise ProblemError(409, "Not opened", f"The space cannot be opened: {error}.") from None


def wanted(call: Call, asked: NewSpace) -> SpaceSpec:
    """What is asked for. Raises ProblemError."""
    if asked.world and call.asker.role != "owner":
        raise ProblemError(403, "Not from elsewhere", "Only who is on the sandbox's machine names a file there.")
    if asked.own_address and (asked.bind or asked.clients):
        raise ProblemError(422, "Not such a space", "own_address stands beside bind or clients.", "Give one of them.")
    sandbox = call.board.sandbox
    name = asked.name or f"space-{secrets.token_hex(NAME_OCTETS)}"
    spec = sandbox.spaces.own_address(name) if asked.own_address else SpaceSpec(
        name, bind=tuple(asked.bind) or (() if asked.clients else ("127.0.0.1",)), clients=tuple(asked.clients))
    return replace(spec, world=asked.world or sandbox.config.world, services=tuple(asked.services))


@OPERATIONS.add("DELETE", "spaces/{name}", "Close a space; nothing of it is left but the journal.", SpaceRows,
                changes=True)
async def closed(call: Call, name: str) -> Response:
    space = call.space_called(name)
    try:
        await call.board.sandbox.spaces.close(space.name)
    except UserError as error:
        raise ProblemError(409, "Not closed", f"The space stays: {error}.") from None
    return await spaces(call)


def row(space: Space) -> SpaceRow:
    return SpaceRow(space.name, {name: Where(*address) for name, address in space.endpoints.items()},
                    dict(space.failures), list(space.config.bind), f"space:{space.name}")
