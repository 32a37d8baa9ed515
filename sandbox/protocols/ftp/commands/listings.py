"""What there is: RFC 959 §4.1.3 and RFC 3659 §7."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Callable
from functools import partial

import trio

from sandbox.protocols.contract.conversation import DataConversation
from sandbox.protocols.ftp.listing import facts, long_line
from sandbox.protocols.ftp.state import IN, Stateful, ok
from sandbox.protocols.ftp.transfer import LITTLE, PIECE, Count
from sandbox.protocols.lines.command import Reply, command
from sandbox.world.files.paths import Names, virtual
from sandbox.world.files.tree import Entry

__all__ = ["Listings"]

LISTING = trio.CapacityLimiter(1)
"""One listing is made at a time, as all `SHORT_WORK`; but a folder may be large, so nothing else waits for it."""


class Listings(Stateful):
    """Directories, for people and for programs."""

    @command("LIST", states=IN, args="[path...]", rfc="959 §4.1.3")
    async def list_long(self, path: str = "") -> Reply:
        """List a directory, for people; as `ls -l` does."""
        path = without_options(path)
        return await self.send_lines("LIST", path, partial(self.long_lines, path))

    def long_lines(self, path: str) -> list[str]:
        """In a worker thread."""
        now = time.time()
        return [long_line(*entry, now) for entry in self.look(path)]

    @command("NLST", states=IN, args="[path...]", rfc="959 §4.1.3")
    async def list_names(self, path: str = "") -> Reply:
        """List the names in a directory, for programs."""
        path = without_options(path)
        return await self.send_lines("NLST", path, partial(self.names, path))

    def names(self, path: str) -> list[str]:
        """In a worker thread."""
        entries = self.look(path)
        # RFC 1123 §4.1.2.7: what is listed must be usable as a path, so a path asked for comes before each name.
        head = path.rpartition("/")[0] if "*" in path or "?" in path else path
        before = f"{head.rstrip('/')}/" if head and not (len(entries) == 1 and entries[0].name == path) else ""
        return [before + entry.name for entry in entries]

    @command("MLSD", states=IN, args="[path...]", rfc="3659 §7")
    async def list_facts(self, path: str = "") -> Reply:
        """List a directory with facts about each file, for programs."""
        try:
            return await self.send_lines("MLSD", path, partial(self.fact_lines, self.at(path)))
        except NotADirectoryError:
            return ok("501", "That is not a directory; MLST tells of a file")  # RFC 3659 §7.2.1

    def fact_lines(self, names: Names) -> list[str]:
        """In a worker thread. Only what is in the directory: of itself and the one above, which could be told too
        (RFC 3659 §7.5.1), Go's FTP library makes folders in it that nobody can enter."""
        return [f"{self.facts_of(entry, (*names, entry.name))} {entry.name}" for entry in self.tree.entries(names)]

    def facts_of(self, entry: Entry, names: Names) -> str:
        return facts(entry.status, "dir" if entry.folder else "file", self.facts, entry.owner,
                     writable=self.tree.writable(names, entry), movable=self.tree.movable(names, entry))

    @command("MLST", states=IN, args="[path...]", rfc="3659 §7")
    async def show_facts(self, path: str = "") -> Reply:
        """Show facts about one file or directory."""
        names = self.at(path)
        entry = await trio.to_thread.run_sync(self.tree.entry, names)
        return ok("250", "Facts follow", f" {self.facts_of(entry, names)} {virtual(names)}", "End")

    def look(self, path: str) -> list[Entry]:
        """What LIST and NLST show: a directory's entries, those that a pattern in the last name matches, or one
        file. In a worker thread."""
        head, _, pattern = path.rpartition("/")
        if "*" in pattern or "?" in pattern:
            found = self.tree.entries(self.at(head or ("/" if path.startswith("/") else "")))
            return [entry for entry in found if fnmatch.fnmatchcase(entry.name, pattern.replace("[", "[[]"))]
        names = self.at(path)
        entry = self.tree.entry(names)
        return self.tree.entries(names) if entry.folder else [entry._replace(name=path)]

    async def send_lines(self, verb: str, path: str, lines: Callable[[], list[str]]) -> Reply:
        """Send lines over a data connection. lines: called in a worker thread. Raises OSError."""
        count = Count()

        def render() -> bytes:
            return "".join([f"{line}\r\n" for line in lines()]).encode("utf-8", "replace")

        text = await trio.to_thread.run_sync(render, limiter=LISTING)

        async def move(data: DataConversation) -> Reply:
            view = memoryview(text)
            for start in range(0, len(text), PIECE):
                await data.send(bytes(view[start:start + PIECE]))
            count.octets = len(text)
            return ok("226", "That is all")

        return ok(self.begin_transfer(verb, path, move, count, sending=True, little=len(text) <= LITTLE),
                  "Here comes the list")

    @command("STAT", states=IN, args="[path...]", rfc="959 §4.1.3")
    async def status(self, path: str = "") -> Reply:
        """Say how things stand, or list a directory over this connection."""
        if not path:
            return ok("211", "How things stand:", *self.standing(), "End")
        entries = await trio.to_thread.run_sync(self.look, without_options(path))
        now = time.time()
        return ok("213", f"Status of {path}:",
                  *(" " + long_line(*entry, now) for entry in entries), "End")

    def standing(self) -> list[str]:
        client = self.conversation.client
        lines = [f"Connected from {client.host}, {'encrypted' if self.conversation.secure else 'in clear text'}",
                 f"Logged in as {self.tree.owner or 'anonymous'}, in {virtual(self.cwd)}",
                 f"TYPE {'A' if self.ascii else 'I'}, STRU F, MODE S, PROT {'P' if self.protected else 'C'}"]
        if self.transfer is not None:
            lines.append(f"{self.transfer.verb} {self.transfer.asked}: {self.transfer.count.octets} octets so far")
        return lines


def without_options(path: str) -> str:
    """LIST -la: options of `ls` that some clients send; a listing here shows everything anyway."""
    while path.startswith("-"):
        path = path.partition(" ")[2]
    return path
