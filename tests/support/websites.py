"""The websites over a real world, asked in memory through the real HTTP session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sandbox.address import Address
from sandbox.config import Config
from sandbox.protocols.contract.conversation import DatagramHandler, Dial
from sandbox.protocols.contract.registry import Context, find_role
from sandbox.protocols.http.session import HttpService
from sandbox.websites.choice import build
from sandbox.websites.page import error_page
from sandbox.world import World
from tests.support.conversation import MemoryConversation
from tests.support.http import Reply, no_dial, read_replies

ENDPOINTS = {name: Address("127.0.0.1", port) for name, port in (("http", 8080), ("dns", 8053), ("echo", 8007))}


class Client:
    """Asks the websites, one connection a request. facts: of the last exchange."""

    def __init__(self, server: HttpService, world: World) -> None:
        self.world = world
        self._server = server
        self.facts: dict[str, str] = {}

    async def ask(self, method: str, url: str, body: bytes = b"", **fields: str) -> Reply:
        """url: as in a browser. fields: header fields, with _ for -."""
        host, slash, path = url.removeprefix("http://").partition("/")
        head = {"Host": host, **{name.replace("_", "-"): value for name, value in fields.items()}}
        if body and "Transfer-Encoding" not in head:
            head.setdefault("Content-Length", str(len(body)))
        lines = [f"{method} {slash or '/'}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
        talk = MemoryConversation(["\r\n".join([*lines, "", ""]).encode("latin-1") + body])
        await self._server.session(talk)
        await talk.finish()
        self.facts = talk.exchanges[0].facts
        return read_replies(talk.sent, [method])[0]

    async def get(self, url: str, **fields: str) -> Reply:
        return await self.ask("GET", url, b"", **fields)

    async def post(self, url: str, body: bytes, media_type: str = "application/x-www-form-urlencoded",
                   **fields: str) -> Reply:
        return await self.ask("POST", url, body, Content_Type=media_type, **fields)


@contextmanager
def websites(data: Path, world: str = "", config: Config | None = None,
             dial: Dial = no_dial,
             ask: Callable[[str], DatagramHandler | None] = lambda role: None,
             live_page: Callable[[], Address | None] = lambda: None) -> Iterator[Client]:
    """Serve a world. world: the text of its file, "" for the built-in one; data: an empty folder."""
    file = data / "world.toml"
    if world:
        file.write_text(world)
    with closing(World.load(file if world else None, data)) as loaded:
        context = Context(world=loaded, role=find_role("http")[1], config=config or Config(), endpoints=ENDPOINTS,
                          dial=dial, ask=ask, ca=data / "ca", live_page=live_page)
        yield Client(HttpService(context, build(context), error_page), loaded)
