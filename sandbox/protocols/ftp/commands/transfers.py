"""Files that cross: RFC 959 §4.1.3, with REST of RFC 3659 §5."""

from __future__ import annotations

import errno
import os

import trio

from sandbox.protocols.contract.conversation import DataConversation
from sandbox.protocols.ftp.state import ANY, IN, Stateful, ok
from sandbox.protocols.ftp.transfer import LITTLE, SHORT_WORK, Download, Upload
from sandbox.protocols.lines.command import Reply, command
from sandbox.world.files.paths import Names, virtual
from sandbox.world.files.writing import Writing

__all__ = ["Transfers"]

RESTART_IN_ASCII = "REST counts octets of the file, which TYPE A changes; send TYPE I first"

UNIQUE_TRIES = 1000
"""Names that STOU tries."""


class Transfers(Stateful):
    """To the client, from the client, from the middle on, and broken off."""

    @command("RETR", states=IN, args="path...", rfc="959 §4.1.3")
    async def retrieve(self, path: str) -> Reply:
        """Send a file to you."""
        names, start = self.at(path), self.take_restart()
        if start and self.ascii:
            return ok("550", RESTART_IN_ASCII)
        download = Download(self.ascii)

        def prepare() -> None:
            descriptor = self.tree.read(names)
            if start > os.fstat(descriptor).st_size:
                os.close(descriptor)
                raise OSError(errno.ESPIPE, "beyond the end")
            download.open(descriptor, start)

        content = None if start else self.tree.read_cached(names, LITTLE)
        try:
            if content is not None:
                download.hold(content)
            else:
                await trio.to_thread.run_sync(prepare, limiter=SHORT_WORK)
        except OSError as error:
            if error.errno == errno.ESPIPE:
                return ok("554", "The file is shorter than that")
            raise

        async def move(data: DataConversation) -> Reply:
            await download.send(data)
            download.close()
            return ok("226", f"Complete: {download.count.octets} octets")

        async def give_up() -> None:
            download.close()

        reply = self.begin_transfer("RETR", path, move, download.count, sending=True, give_up=give_up,
                                    little=download.size <= LITTLE)
        return ok(reply, f"Here it comes: {download.size - start} octets of {virtual(names)}")

    @command("STOR", states=IN, args="path...", rfc="959 §4.1.3")
    async def store(self, path: str) -> Reply:
        """Take a file from you; one of that name is replaced when all of it is here."""
        return await self.receive("STOR", path, self.at(path), self.take_restart())

    @command("APPE", states=IN, args="path...", rfc="959 §4.1.3")
    async def append(self, path: str) -> Reply:
        """Take data from you, and add it to the end of a file."""
        self.take_restart()
        return await self.receive("APPE", path, self.at(path), None)

    @command("STOU", states=IN, args="[path...]", rfc="959 §4.1.3, 1123 §4.1.2.9")
    async def store_unique(self, path: str = "file") -> Reply:
        """Take a file from you, under a name that is not in use."""
        self.take_restart()
        names = self.at(path)
        for number in range(UNIQUE_TRIES):
            chosen = names if not number else (*names[:-1], f"{names[-1][:200]}.{number}")
            try:
                return await self.receive("STOU", virtual(chosen), chosen, 0, exclusive=True)
            except FileExistsError:
                continue
        return ok("553", "There are too many files of that name")

    async def receive(self, verb: str, path: str, names: Names, start: int | None, *,
                      exclusive: bool = False) -> Reply:
        """start: from where on the file is written; None for its end."""
        if start and self.ascii:
            return ok("550", RESTART_IN_ASCII)

        self.note_file(names)
        tree, whole = self.tree, start == 0 and not exclusive

        def opening() -> Writing:
            writing = tree.write(names, replace=whole, exclusive=exclusive)
            if start is not None and start > writing.size and not whole:
                writing.abandon()
                raise OSError(errno.ESPIPE, "beyond the end")
            return writing

        def written(writing: Writing) -> None:
            writing.commit()
            tree.announce(names)

        upload = Upload(opening, start, self.ascii, written)
        if not (whole and tree.takes_file(names)):  # else one visit to a thread opens and writes a small file
            try:
                await trio.to_thread.run_sync(upload.open, limiter=SHORT_WORK)
            except OSError as error:
                if error.errno == errno.ESPIPE:
                    return ok("554", "The file is shorter than that")
                raise

        async def move(data: DataConversation) -> Reply:
            await upload.receive(data)
            if whole and not self.ascii and upload.writing is not None and upload.writing.status is not None:
                data.remember(upload.writing.status, sent=False)
            return ok("226", f"Complete: {upload.count.octets} octets")

        async def give_up() -> None:
            await trio.to_thread.run_sync(upload.abandon)

        reply = self.begin_transfer(verb, path, move, upload.count, sending=False, give_up=give_up)
        # RFC 1123 §4.1.2.9 gives the words for STOU: programs read the name from them.
        return ok(reply, f"FILE: {virtual(names)}" if verb == "STOU" else f"Send it; it becomes {virtual(names)}")

    @command("ALLO", states=IN, args="octets [R] [size]", rfc="959 §4.1.3")
    def allocate(self, octets: int, r: str = "", size: str = "") -> Reply:
        """Set room aside for a file; that is not necessary here."""
        return ok("202", "No need to reserve room here")

    @command("REST", states=IN, args="octets", rfc="3659 §5")
    def restart_at(self, octets: int) -> Reply:
        """Begin the next transfer at this octet of the file, in TYPE I."""
        if octets and self.ascii:
            return ok("501", RESTART_IN_ASCII)
        self.restart = octets
        return ok("350", f"The next transfer begins at octet {octets}; send RETR or STOR")

    @command("ABOR", states=ANY, rfc="959 §4.1.3")
    def break_off(self) -> Reply:
        """Break off the transfer that is under way."""
        self.drop_port()
        return ok("226", "Broken off" if self.broken_off else "There was nothing to break off")
