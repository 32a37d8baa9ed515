"""One letter: read, as it was received, as it wants to look, and in its parts."""

from __future__ import annotations

import trio

from sandbox.dashboard.answers import SAFE, ProblemError, as_json, attachment, octets
from sandbox.dashboard.api.mail import find_folder
from sandbox.dashboard.letter import FRAME_POLICY, Letter, framed, letter, part_numbered
from sandbox.dashboard.operations import Call, Operations
from sandbox.dashboard.way import way
from sandbox.message.message import Message
from sandbox.protocols.http.messages import Headers, Response
from sandbox.world.mail import Item

__all__ = ["OPERATIONS"]

OPERATIONS = Operations(spaced=True)

LARGEST = 67_108_864
"""Octets of a letter that are looked at; of a larger one only its beginning."""
READERS = trio.CapacityLimiter(2)
"""Letters taken apart at a time: a large one takes memory."""


@OPERATIONS.add("GET", "mail/{person}/{folder}/{uid}", "One letter, and the way it came.", Letter)
async def one(call: Call, person: str, folder: str, uid: str) -> Response:
    item, data = await find(call, person, folder, uid)
    message = Message(data)
    hops = await way(call.board.archive, call.asker, call.space.name, item.content, item.received, message)
    return as_json(await trio.to_thread.run_sync(letter, item, message, hops, limiter=READERS))


@OPERATIONS.add("GET", "mail/{person}/{folder}/{uid}/source", "A letter as it was received.", "text/plain")
async def source(call: Call, person: str, folder: str, uid: str) -> Response:
    _, data = await find(call, person, folder, uid)
    return octets(data, "text/plain; charset=utf-8")


@OPERATIONS.add("GET", "mail/{person}/{folder}/{uid}/html", "A letter's HTML, without network and scripts.",
                "text/html")
async def html(call: Call, person: str, folder: str, uid: str) -> Response:
    _, data = await find(call, person, folder, uid)
    text = await trio.to_thread.run_sync(lambda: framed(Message(data)), limiter=READERS)
    headers = Headers([("Content-Type", "text/html; charset=utf-8"),
                       *((name, value) for name, value in SAFE if name != "Content-Security-Policy"),
                       ("Content-Security-Policy", FRAME_POLICY)])
    return Response(200, headers, text.encode("utf-8", "replace"))


@OPERATIONS.add("GET", "mail/{person}/{folder}/{uid}/parts/{number}", "One part of a letter, decoded, to be kept.",
                "application/octet-stream")
async def part(call: Call, person: str, folder: str, uid: str, number: str) -> Response:
    _, data = await find(call, person, folder, uid)

    def look() -> tuple[bytes, str] | None:
        message = Message(data)
        found = part_numbered(message, number[:200])
        if found is None:
            return None
        name = next((each.name for each in message.attachments if each.part is found), "")
        return message.decoded(found), name

    found = await trio.to_thread.run_sync(look, limiter=READERS)
    if found is None:
        raise ProblemError(404, "No such part", f"The letter has no part {number[:40]!r}.",
                           "The letter itself lists its parts.")
    return attachment(*found)


async def find(call: Call, person: str, folder: str, uid: str) -> tuple[Item, bytes]:
    """A letter and its octets. Raises ProblemError."""
    store, found = await find_folder(call, person, folder)
    wanted = int(uid) if uid.isascii() and uid.isdecimal() and len(uid) < 11 else 0

    def look() -> tuple[Item, bytes] | None:
        items = store.items_of(found.id, [wanted])
        if not items:
            return None
        try:
            return items[0], b"".join(store.read(items[0].content, end=LARGEST))
        except KeyError:
            return None      # removed by a mail program just now

    letter_found = await trio.to_thread.run_sync(look, abandon_on_cancel=True)
    if letter_found is None:
        raise ProblemError(404, "No such letter", f"The folder has no letter {uid[:40]!r}.",
                           "It may have been moved or removed by a mail program.")
    return letter_found
