"""Changing and asking about single files and directories: RFC 959 §4.1.3, RFC 3659 §3 and §4."""

from __future__ import annotations

import errno
import os
import stat

import trio

from sandbox.protocols.ftp import grammar
from sandbox.protocols.ftp.grammar import quoted
from sandbox.protocols.ftp.state import IN, Stateful, ok
from sandbox.protocols.ftp.transfer import size_in_ascii
from sandbox.protocols.lines.command import Reply, command
from sandbox.world.files.paths import virtual

__all__ = ["FileCommands"]


class FileCommands(Stateful):
    """Names, sizes, times and modes."""

    @command("RNFR", states=IN, args="path...", rfc="959 §4.1.3")
    async def rename_from(self, path: str) -> Reply:
        """Name the file that is to have another name."""
        names = self.at(path)
        if not names:
            raise OSError(errno.EBUSY, "the top")
        await trio.to_thread.run_sync(self.tree.stat, names)
        self.renaming = names
        return ok("350", "And its new name? Send RNTO")

    @command("RNTO", states=IN, args="path...", rfc="959 §4.1.3")
    async def rename_to(self, path: str) -> Reply:
        """Give the file named before this name."""
        old, self.renaming = self.renaming, ()
        if not old:
            return ok("503", "Send RNFR first")
        names = self.at(path)
        await trio.to_thread.run_sync(self.tree.rename, old, names)
        return ok("250", f"It is {virtual(names)} now")

    @command("DELE", states=IN, args="path...", rfc="959 §4.1.3")
    async def delete(self, path: str) -> Reply:
        """Remove a file."""
        await trio.to_thread.run_sync(self.tree.remove, self.at(path))
        return ok("250", "Removed")

    @command("RMD", states=IN, args="path...", rfc="959 §4.1.3")
    async def remove_directory(self, path: str) -> Reply:
        """Remove an empty directory."""
        await trio.to_thread.run_sync(self.tree.remove_directory, self.at(path))
        return ok("250", "Removed")

    @command("MKD", states=IN, args="path...", rfc="959 §4.1.3")
    async def make_directory(self, path: str) -> Reply:
        """Make a directory."""
        names = self.at(path)
        await trio.to_thread.run_sync(self.tree.make_directory, names)
        return ok("257", f"{quoted(virtual(names))} is made")

    @command("PWD", states=IN, rfc="959 §4.1.3")
    def print_directory(self) -> Reply:
        """Say which directory you are in."""
        return ok("257", f"{quoted(virtual(self.cwd))} is where you are")

    @command("SIZE", states=IN, args="path...", rfc="3659 §4")
    async def size(self, path: str) -> Reply:
        """Say how many octets a file is when it crosses in the present TYPE."""
        def measure() -> int:
            descriptor = self.tree.read(self.at(path))
            try:
                return size_in_ascii(descriptor) if self.ascii else os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)

        return ok("213", str(await trio.to_thread.run_sync(measure)))

    @command("MDTM", states=IN, args="path...", rfc="3659 §3")
    async def modified(self, path: str) -> Reply:
        """Say when a file was last changed, in UTC."""
        status = await trio.to_thread.run_sync(self.tree.stat, self.at(path))
        if stat.S_ISDIR(status.st_mode):
            raise OSError(errno.EISDIR, "a directory")
        return ok("213", grammar.time_value(status.st_mtime))

    @command("MFMT", states=IN, args="time path...", rfc="3659 §3")
    async def set_modified(self, moment: float, path: str) -> Reply:
        """Set when a file was last changed."""
        await trio.to_thread.run_sync(self.tree.set_times, self.at(path), moment)
        return ok("213", f"Modify={grammar.time_value(moment)}; {path}")

    @command("SITE", states=IN, args="command [rest...]", rfc="959 §4.1.3, 1123 §4.1.2.8")
    async def site(self, word: str, rest: str = "") -> Reply:
        """Use what only this server has: CHMOD, HELP."""
        if word.upper() == "HELP":
            return ok("214", "SITE CHMOD mode path")
        if word.upper() != "CHMOD":
            return ok("504", "SITE HELP lists what there is")
        mode, _, path = rest.partition(" ")
        if not path or len(mode) > 4 or not all(digit in "01234567" for digit in mode):
            return ok("501", "SITE CHMOD wants an octal mode and a path")
        await trio.to_thread.run_sync(self.tree.set_mode, self.at(path), int(mode, 8))
        return ok("200", "The mode is set")
