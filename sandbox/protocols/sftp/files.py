"""The operations of SFTP (draft-ietf-secsh-filexfer-02, version 3) on a person's tree. Each is an exchange.

A file that is read or written is one exchange, at its close: how much, and the hash where it went from one end to
the other. asyncssh reads the requests and calls the methods here, one after the other; the disk is left to worker
threads. What an open file is stands in `handles`.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import asyncssh
from asyncssh import SFTPAttrs, SFTPName, SFTPVFSAttrs

from sandbox.protocols.contract.facts import bounded
from sandbox.protocols.sftp.attributes import GROUP, attributes, fullness, room_attributes, user_number
from sandbox.protocols.sftp.handles import PIECE, Changing, Reading, in_thread
from sandbox.protocols.sftp.log import Log
from sandbox.protocols.sftp.statuses import CODES, STATUSES, status_of
from sandbox.world.files.paths import Names, names_of, virtual
from sandbox.world.files.tree import Tree
from sandbox.world.files.writing import Writing

__all__ = ["HANDLES", "OPERATIONS", "Files"]

UNREAD = 16_777_216
"""Octets of answers that a client may leave lying before it gets more."""

HANDLES = 256
"""Files one connection may have open."""

READ, WRITE, APPEND, CREATE, TRUNCATE, EXCLUSIVE = (
    asyncssh.FXF_READ, asyncssh.FXF_WRITE, asyncssh.FXF_APPEND, asyncssh.FXF_CREAT, asyncssh.FXF_TRUNC,
    asyncssh.FXF_EXCL)

OPERATIONS = frozenset({"READ", "WRITE", "STAT", "SETSTAT", "LIST", "REMOVE", "MKDIR", "RMDIR", "RENAME", "REALPATH",
                        "READLINK", "SYMLINK", "LINK", "STATVFS"})

Value = TypeVar("Value")


def where(*names: Names) -> str:
    """The fact "file" of an operation: the last of its paths, which is what a renamed file is called afterwards."""
    return bounded(virtual(names[-1])) if names else ""


class Files(asyncssh.SFTPServer):
    """One SFTP session. Every path goes through the tree, and nothing here knows a real one."""

    def __init__(self, channel: Any, tree: Tree, log: Log) -> None:
        super().__init__(channel)
        self._tree = tree
        self._log = log
        self._owners: dict[int | None, str] = {}
        """Who has been listed, by number."""
        self.over = False
        """Whether the session has ended: what is closed now, its client did not close."""

    # -- one operation ----------------------------------------------------------------------------------------

    def _names(self, path: bytes) -> Names:
        try:
            return names_of(path.decode("utf-8"))
        except UnicodeDecodeError:
            raise asyncssh.SFTPError(asyncssh.FX_FAILURE, "Names are UTF-8 here") from None
        except ValueError as error:
            raise asyncssh.SFTPError(asyncssh.FX_FAILURE, f"That cannot be here: {error}") from None

    async def _do(self, verb: str, asked: str, work: Callable[..., Value], *paths: bytes,
                  answer: Callable[[Value], str] = lambda value: "") -> Value:
        """Run an operation in a worker thread, and note it as an exchange. paths: handed to it as names."""
        await self._consult(verb, asked, *paths[-1:])
        names: list[Names] = []
        try:
            names += map(self._names, paths)
            value = await in_thread(work, *names)
        except Exception as error:
            refusal = status_of(error)
            self._log.note(verb, asked, STATUSES.get(refusal.code, "FAILURE"), refusal.reason, file=where(*names))
            raise refusal from None
        self._log.note(verb, asked, "OK", answer(value), file=where(*names))
        return value

    async def _consult(self, verb: str, asked: str, *paths: bytes) -> None:
        """Raises what a script wants said instead of doing it."""
        try:
            file = where(*map(self._names, paths))
        except asyncssh.SFTPError:
            file = ""
        answer = await self._log.scripted(verb, asked, file)
        if answer is not None:
            raise asyncssh.SFTPError(CODES.get(answer.code, asyncssh.FX_FAILURE), answer.text)

    # -- files ------------------------------------------------------------------------------------------------

    async def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> Reading | Changing:
        shown, names = text(path), None
        verb = "WRITE" if pflags & (WRITE | APPEND) else "READ"
        await self._consult(verb, shown, path)
        try:
            if len(self._log.handles) >= HANDLES:
                raise OSError(errno.EMFILE, "too many")
            names = self._names(path)
            mode = permissions(attrs)
            handle = (await in_thread(self._open_to_write, shown, names, pflags, mode) if verb == "WRITE"
                      else await in_thread(self._open_to_read, shown, names, pflags, mode))
        except Exception as error:
            refusal = status_of(error)
            self._log.note(verb, shown, STATUSES.get(refusal.code, "FAILURE"), refusal.reason,
                           file="" if names is None else where(names))
            raise refusal from None
        self._log.handles.add(handle)
        return handle

    def _open_to_read(self, path: str, names: Names, flags: int, mode: int | None) -> Reading:
        """What CREAT, EXCL and TRUNC ask for is done first, as for a file that is opened to be written (§6.3)."""
        if flags & (CREATE | EXCLUSIVE | TRUNCATE):
            writing = self._write(names, flags, mode)
            try:
                if flags & TRUNCATE:
                    writing.truncate(0)
            finally:
                writing.commit()
            self._tree.announce(names)
        return Reading(path, names, self._tree.read(names), self._tree.owner_of(names))

    def _open_to_write(self, path: str, names: Names, flags: int, mode: int | None) -> Changing:
        """What is there is replaced as a whole, at the close; what is new can be seen growing, as clients expect."""
        try:
            self._tree.stat(names)
            replace = bool(flags & TRUNCATE)
        except FileNotFoundError:
            replace = False
        return Changing(path, names, self._write(names, flags, mode, replace=replace), bool(flags & APPEND))

    def _write(self, names: Names, flags: int, mode: int | None, *, replace: bool = False) -> Writing:
        """§6.3: EXCL fails where there is a file, and means nothing without CREAT: that is an error then."""
        if flags & EXCLUSIVE and not flags & CREATE:
            raise asyncssh.SFTPError(asyncssh.FX_FAILURE, "EXCL needs CREAT beside it")
        return self._tree.write(names, replace=replace, create=bool(flags & CREATE),
                                exclusive=bool(flags & EXCLUSIVE), mode=mode)

    async def read(self, file_obj: Reading | Changing, offset: int, size: int) -> bytes:  # type: ignore[override]
        while self.channel.get_write_buffer_size() > UNREAD:  # noqa: ASYNC110 -- asyncssh tells nobody when it falls
            await asyncio.sleep(0.01)  # the client asks without listening
        try:
            return await file_obj.read(offset, min(size, PIECE))
        except Exception as error:
            raise status_of(error) from None

    async def write(self, file_obj: Reading | Changing, offset: int, data: bytes) -> int:  # type: ignore[override]
        if isinstance(file_obj, Reading):
            raise asyncssh.SFTPError(asyncssh.FX_PERMISSION_DENIED, "This file was opened to be read")
        try:
            await file_obj.write(offset, data)
        except Exception as error:
            raise status_of(error) from None
        return len(data)

    async def close(self, file_obj: Reading | Changing) -> None:  # type: ignore[override]
        try:
            await self._finish(file_obj)
        finally:
            if not self._log.gone:
                self._log.handles.discard(file_obj)

    async def _finish(self, file_obj: Reading | Changing) -> None:
        total = file_obj.total
        if isinstance(file_obj, Reading):
            await in_thread(file_obj.give_up)
            self._log.note("READ", file_obj.path, "OK", f"{total.octets} octets", octets=str(total.octets),
                           sha256=total.sha256, file=where(file_obj.names))
            return
        if self.over or self._log.gone:  # without a client nobody said that the file is complete
            await in_thread(file_obj.give_up)
            self._log.note("WRITE", file_obj.path, "broken-off", f"Broken off after {total.octets} octets",
                           octets=str(total.octets), file=where(file_obj.names))
            return
        try:
            await file_obj.settle()
            if file_obj.problem is not None:
                raise file_obj.problem
            await in_thread(file_obj.writing.commit)
        except Exception as error:
            await in_thread(file_obj.give_up)
            refusal = status_of(error)
            self._log.note("WRITE", file_obj.path, STATUSES.get(refusal.code, "FAILURE"), refusal.reason,
                           file=where(file_obj.names))
            raise refusal from None
        self._tree.announce(file_obj.names)
        self._log.note("WRITE", file_obj.path, "OK", f"{total.octets} octets", octets=str(total.octets),
                       sha256=total.sha256, file=where(file_obj.names))

    def exit(self) -> None:
        """The client has ended the session. scp takes no word on how it went for bad news."""
        if not self._log.gone:
            self.channel.exit(0)

    async def fstat(self, file_obj: Reading | Changing) -> SFTPAttrs:  # type: ignore[override]
        if isinstance(file_obj, Reading):
            return attributes(file_obj.stat(), file_obj.owner)
        await file_obj.settle()
        return attributes(os.fstat(file_obj.writing.fileno()), file_obj.owner)

    async def fsetstat(self, file_obj: Reading | Changing, attrs: SFTPAttrs) -> None:  # type: ignore[override]
        if isinstance(file_obj, Reading):
            raise asyncssh.SFTPPermissionDenied("This file was opened to be read")

        def apply(writing: Writing = file_obj.writing) -> None:
            check_owner(attrs, file_obj.owner)
            mode = permissions(attrs)
            if mode is not None:
                writing.set_mode(mode)
            if attrs.size is not None:
                writing.truncate(attrs.size)
            if attrs.mtime is not None:
                os.utime(writing.fileno(), (attrs.mtime if attrs.atime is None else attrs.atime, attrs.mtime))

        await file_obj.settle()
        await self._do("SETSTAT", file_obj.path, apply)

    async def fsync(self, file_obj: Reading | Changing) -> None:  # type: ignore[override]
        if isinstance(file_obj, Changing):
            await file_obj.settle()
            await in_thread(os.fsync, file_obj.writing.fileno())

    # -- names ------------------------------------------------------------------------------------------------

    async def stat(self, path: bytes) -> SFTPAttrs:
        entry = await self._do("STAT", text(path), self._tree.entry, path)
        return attributes(entry.status, entry.owner)

    async def lstat(self, path: bytes) -> SFTPAttrs:
        return await self.stat(path)

    async def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        await self._do("SETSTAT", text(path), lambda names: self._apply(names, attrs), path)

    async def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        await self.setstat(path, attrs)

    def _apply(self, names: Names, attrs: SFTPAttrs) -> None:
        """In a worker thread. What may be refused comes first, so that a refusal leaves nothing half done."""
        check_owner(attrs, self._tree.owner_of(names))
        mode = permissions(attrs)
        if mode is not None:
            self._tree.set_mode(names, mode)
        if attrs.size is not None:
            writing = self._tree.write(names, create=False)
            try:
                writing.truncate(attrs.size)
            finally:
                writing.commit()
        if attrs.mtime is not None:
            self._tree.set_times(names, attrs.mtime, attrs.atime)

    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        shown = text(path)
        entries = await self._do("LIST", shown, self._tree.entries, path,
                                 answer=lambda found: f"{len(found)} entries")
        here = await in_thread(self._tree.entry, self._names(path))
        for name, status, owner in [here._replace(name="."), here._replace(name=".."), *entries]:
            found = attributes(status, owner)
            self._owners[found.uid] = owner
            yield SFTPName(name.encode(), attrs=found)

    async def remove(self, path: bytes) -> None:
        await self._do("REMOVE", text(path), self._tree.remove, path)

    async def mkdir(self, path: bytes, attrs: SFTPAttrs) -> None:
        await self._do("MKDIR", text(path), lambda names: self._tree.make_directory(names, permissions(attrs)), path)

    async def rmdir(self, path: bytes) -> None:
        await self._do("RMDIR", text(path), self._tree.remove_directory, path)

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """§6.5: it is an error if something of the new name is there."""
        await self._do("RENAME", f"{text(oldpath)} to {text(newpath)}",
                       lambda old, new: self._tree.rename(old, new, replace=False), oldpath, newpath)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        await self._do("RENAME", f"{text(oldpath)} to {text(newpath)}", self._tree.rename, oldpath, newpath)

    async def realpath(self, path: bytes) -> bytes:
        return await self._do("REALPATH", text(path), lambda names: virtual(names).encode(), path,
                              answer=lambda found: found.decode())

    # -- room -------------------------------------------------------------------------------------------------

    async def statvfs(self, path: bytes) -> SFTPVFSAttrs:
        return room_attributes(await self._do("STATVFS", text(path), self._tree.how_full, path, answer=fullness))

    async def fstatvfs(self, file_obj: Reading | Changing) -> SFTPVFSAttrs:  # type: ignore[override]
        if isinstance(file_obj, Changing):
            await file_obj.settle()
        return room_attributes(await self._do("STATVFS", file_obj.path, lambda: self._tree.how_full(file_obj.names),
                                              answer=fullness))

    # -- what there is not ------------------------------------------------------------------------------------

    async def readlink(self, path: bytes) -> bytes:
        raise await self._refused("READLINK", text(path), "Links are not shown here")

    async def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        raise await self._refused("SYMLINK", f"{text(newpath)} to {text(oldpath)}", "Links cannot be made here")

    async def link(self, oldpath: bytes, newpath: bytes) -> None:
        raise await self._refused("LINK", f"{text(newpath)} to {text(oldpath)}", "Links cannot be made here")

    async def _refused(self, verb: str, asked: str, sentence: str) -> asyncssh.SFTPError:
        await self._consult(verb, asked)
        self._log.note(verb, asked, "OP_UNSUPPORTED", sentence)
        return asyncssh.SFTPOpUnsupported(sentence)

    # -- how it looks -----------------------------------------------------------------------------------------

    def format_user(self, uid: int | None) -> str:
        return self._owners.get(uid) or "sandbox"

    def format_group(self, gid: int | None) -> str:
        return "users"


def permissions(attrs: SFTPAttrs) -> int | None:
    """The permission bits of a request, without what kind of file it is; None where it says nothing of them."""
    return None if attrs.permissions is None else stat.S_IMODE(attrs.permissions)


def check_owner(attrs: SFTPAttrs, owner: str) -> None:
    """Owners are what they are. Clients name the old ones beside what they want changed; raises SFTPPermissionDenied
    for others."""
    if attrs.uid not in (None, user_number(owner)) or attrs.gid not in (None, GROUP):
        raise asyncssh.SFTPPermissionDenied("Files stay their owner's")


def text(path: bytes) -> str:
    """A path for the journal."""
    return path.decode("utf-8", "backslashreplace")[:200]
