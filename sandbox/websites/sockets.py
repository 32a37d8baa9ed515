"""WebSockets to try: an echo, and a chat room that browsers and command-line programs share."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sandbox.protocols.http.messages import HttpError, Request, Response
from sandbox.websites import page
from sandbox.websites.content import parse_query

if TYPE_CHECKING:
    from sandbox.protocols.http.websocket import WebSocket
    from sandbox.websites.routes import Routes
    from sandbox.world import World

__all__ = ["ECHO", "echo", "register"]

ECHO = "/websocket/echo"
MEMBERS = 200
"""In the room at once."""
HISTORY = 20
"""Messages a newcomer is told."""
LONGEST = 1_000
"""Characters of a message in the room."""
LONGEST_NAME = 30

CHAT = page.template("chat.html")
CHAT_SCRIPT = page.asset("chat.js").decode()


def echo(request: Request) -> Response:
    """Each message comes back as it is."""
    from sandbox.protocols.http.websocket import upgrade  # wsproto is needed only now

    return upgrade(request, repeat)


async def repeat(socket: WebSocket) -> None:
    while (message := await socket.receive()) is not None:
        await socket.reply(message, message.data)
        socket.end(message, "echoed")


class Room:
    """Who is in it, and what was said last. What one says, all hear, in JSON: {"from": name, "text": text}."""

    def __init__(self) -> None:
        self._members: dict[WebSocket, str] = {}
        self._history: deque[str] = deque(maxlen=HISTORY)
        self._guests = 0

    @property
    def full(self) -> bool:
        return len(self._members) >= MEMBERS

    def name(self, wanted: str) -> str:
        """What a newcomer is called. Nobody can pass for another who is there."""
        wanted = " ".join(wanted.split())[:LONGEST_NAME]
        if wanted and wanted not in self._members.values():
            return wanted
        self._guests += 1
        return f"{wanted or 'guest'} {self._guests}"

    async def serve(self, socket: WebSocket, name: str) -> None:
        for said in self._history:
            socket.tell(said)
        self._members[socket] = name
        self._say("", f"{name} came in")
        try:
            while (message := await socket.receive()) is not None:
                text = message.data if isinstance(message.data, str) else message.data.decode("utf-8", "replace")
                heard = self._say(name, text[:LONGEST])
                socket.end(message, f"heard by {heard}")
        finally:
            del self._members[socket]
            self._say("", f"{name} left")

    def _say(self, name: str, text: str) -> int:
        """Tell everybody; how many heard. Whoever is too far behind is shown the door: the others do not wait."""
        said = json.dumps({"from": name, "text": text})
        if name:
            self._history.append(said)
        heard = 0
        for member in tuple(self._members):
            if member.tell(said):
                heard += 1
            else:
                member.close(1013, "too slow to follow")
        return heard


ROOMS: WeakKeyDictionary[World, Room] = WeakKeyDictionary()
"""One room for each world, so that people over http and https meet."""


def register(routes: Routes, world: World) -> None:
    """The chat, its page, and its room."""
    room = ROOMS.setdefault(world, Room())

    def join(request: Request) -> Response:
        from sandbox.protocols.http.websocket import upgrade

        if room.full:
            raise HttpError(503, "The room is full. Try again later.", [("Retry-After", "30")])
        name = room.name(dict(parse_query(request.query)).get("name", ""))
        return upgrade(request, lambda socket: room.serve(socket, name))

    def chat(request: Request) -> Response:
        return page.page("Chat", page.fill(CHAT), request=request, script=CHAT_SCRIPT)

    routes.add("/websocket/chat", ("GET",), join)
    routes.add("/chat", ("GET",), chat)
