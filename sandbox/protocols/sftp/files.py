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
from sandbox.protocols.sftp.handles import READ_LIMIT, Changing, Reading, in_thread
from sandbox.protocols.sftp.log import Log
from sandbox.world.files.paths import NAME_OCTETS, Names, names_of, virtual
from sandbox.world.files.places import Room
from sandbox.world.files.tree import Tree

__all__ = ["OPERATIONS", "STATUSES", "Files", "status_of"]

UNREAD = 16_777_216
"""Octets of answers that a client may leave lying before it gets more."""

HANDLES = 256
"""Files one connection may have open."""

READ, WRITE, APPEND, CREATE, TRUNCATE, EXCLUSIVE = (
    asyncssh.FXF_READ, asyncssh.FXF_WRITE, asyncssh.FXF_APPEND, asyncssh.FXF_CREAT, asyncssh.FXF_TRUNC,
    asyncssh.FXF_EXCL)

BLOCK = 1_024
"""Octets of a block, in which STATVFS counts."""

READ_ONLY = 1
"""The flag of STATVFS that says so, as OpenSSH's PROTOCOL file numbers it (§4.4)."""

OPERATIONS = frozenset({"READ", "WRITE", "STAT", "SETSTAT", "LIST", "REMOVE", "MKDIR", "RMDIR", "RENAME", "REALPATH",
                        "READLINK", "SYMLINK", "LINK", "STATVFS"})

STATUSES = {  # draft-ietf-secsh-filexfer-02 §7
    asyncssh.FX_OK: "OK", asyncssh.FX_EOF: "EOF", asyncssh.FX_NO_SUCH_FILE: "NO_SUCH_FILE",
    asyncssh.FX_PERMISSION_DENIED: "PERMISSION_DENIED", asyncssh.FX_FAILURE: "FAILURE",
    asyncssh.FX_OP_UNSUPPORTED: "OP_UNSUPPORTED",
}

CODES = {name: code for code, name in STATUSES.items()}

SENTENCES = {
    errno.ENOENT: (asyncssh.FX_NO_SUCH_FILE, "There is no such file or folder"),
    errno.ELOOP: (asyncssh.FX_NO_SUCH_FILE, "There is no such file or folder"),
    errno.EACCES: (asyncssh.FX_PERMISSION_DENIED, "That is not allowed here"),
    errno.EPERM: (asyncssh.FX_PERMISSION_DENIED, "That is not allowed here"),
    errno.EROFS: (asyncssh.FX_PERMISSION_DENIED, "You can read here, not change anything"),
    errno.EBUSY: (asyncssh.FX_PERMISSION_DENIED, "This folder stays where it is"),
    errno.EEXIST: (asyncssh.FX_FAILURE, "There is something of that name already"),
    errno.ENOTDIR: (asyncssh.FX_FAILURE, "That is not a folder"),
    errno.EISDIR: (asyncssh.FX_FAILURE, "That is a folder, not a file"),
    errno.ENOTEMPTY: (asyncssh.FX_FAILURE, "The folder is not empty"),
    errno.EDQUOT: (asyncssh.FX_FAILURE, "There is no room left in this folder"),
    errno.ENOSPC: (asyncssh.FX_FAILURE, "There is no room left on the disk"),
    errno.ENAMETOOLONG: (asyncssh.FX_FAILURE, "That name is too long"),
    errno.EMFILE: (asyncssh.FX_FAILURE, "Too many files are open; close some"),
    errno.EINVAL: (asyncssh.FX_FAILURE, "That cannot be done with this file"),
}

Value = TypeVar("Value")


def where(*names: Names) -> str:
    """The fact "file" of an operation: the last of its paths, which is what a renamed file is called afterwards."""
    return bounded(virtual(names[-1])) if names else ""


def status_of(error: Exception) -> asyncssh.SFTPError:
    """What a client hears about an error."""
    if isinstance(error, asyncssh.SFTPError):
        return error
    if isinstance(error, OSError):
        code, sentence = SENTENCES.get(error.errno or 0, (asyncssh.FX_FAILURE, "The file could not be used"))
        match code:  # asyncssh's scp tells them apart by class
            case asyncssh.FX_NO_SUCH_FILE:
                return asyncssh.SFTPNoSuchFile(sentence)
            case asyncssh.FX_PERMISSION_DENIED:
                return asyncssh.SFTPPermissionDenied(sentence)
        return asyncssh.SFTPError(code, sentence)
    if isinstance(error, OverflowError):  # an offset has 64 bits here, and 63 in the system's calls
        return asyncssh.SFTPError(asyncssh.FX_FAILURE, "No file is that long")
    return asyncssh.SFTPError(asyncssh.FX_FAILURE, str(error))


class Files(asyncssh.SFTPServer):
    """One SFTP session. Every path goes through the tree, and nothing here knows a real one."""

    def __init__(self, channel: Any, tree: Tree, log: Log) -> None:
        super().__init__(channel)
        self._tree = tree
        self._log = log

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
        self._consult(verb, asked, *paths[-1:])
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

    def _consult(self, verb: str, asked: str, *paths: bytes) -> None:
        """Raises what a script wants said instead of doing it."""
        try:
            file = where(*map(self._names, paths))
        except asyncssh.SFTPError:
            file = ""
        answer = self._log.scripted(verb, asked, file)
        if answer is not None:
            raise asyncssh.SFTPError(CODES.get(answer.code, asyncssh.FX_FAILURE), answer.text)

    # -- files ------------------------------------------------------------------------------------------------

    async def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> Reading | Changing:
        shown, names = text(path), None
        self._consult("WRITE" if pflags & (WRITE | APPEND) else "READ", shown, path)
        try:
            if len(self._log.handles) >= HANDLES:
                raise OSError(errno.EMFILE, "too many")
            names = self._names(path)
            handle = (await in_thread(self._open_to_write, shown, names, pflags) if pflags & (WRITE | APPEND)
                      else Reading(shown, names, await in_thread(self._tree.read, names)))
        except Exception as error:
            refusal = status_of(error)
            verb = "WRITE" if pflags & (WRITE | APPEND) else "READ"
            self._log.note(verb, shown, STATUSES.get(refusal.code, "FAILURE"), refusal.reason,
                           file="" if names is None else where(names))
            raise refusal from None
        self._log.handles.add(handle)
        return handle

    def _open_to_write(self, path: str, names: Names, flags: int) -> Changing:
        """What is there is replaced as a whole, at the close; what is new can be seen growing, as clients expect."""
        try:
            self._tree.stat(names)
            replace = bool(flags & TRUNCATE)
        except FileNotFoundError:
            replace = False
        writing = self._tree.write(names, replace=replace, create=bool(flags & CREATE),
                                   exclusive=bool(flags & EXCLUSIVE and flags & CREATE))
        return Changing(path, names, writing, bool(flags & APPEND))

    async def read(self, file_obj: Reading | Changing, offset: int, size: int) -> bytes:  # type: ignore[override]
        while self.channel.get_write_buffer_size() > UNREAD:  # noqa: ASYNC110 -- asyncssh tells nobody when it falls
            await asyncio.sleep(0.01)  # the client asks without listening
        try:
            return await file_obj.read(offset, min(size, READ_LIMIT))
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
        try:
            await file_obj.settle()
            # Without a client nobody said that the file is complete.
            await in_thread(file_obj.give_up if self._log.gone else file_obj.writing.commit)
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
            return attributes(file_obj.stat())
        await file_obj.settle()
        return attributes(os.fstat(file_obj.writing.fileno()))

    async def fsetstat(self, file_obj: Reading | Changing, attrs: SFTPAttrs) -> None:  # type: ignore[override]
        if isinstance(file_obj, Reading):
            raise asyncssh.SFTPPermissionDenied("This file was opened to be read")

        def apply(changing: Changing = file_obj) -> None:
            if attrs.size is not None:
                changing.writing.truncate(attrs.size)
            if attrs.permissions is not None:
                os.fchmod(changing.writing.fileno(), attrs.permissions & 0o777 | 0o600)
            if attrs.mtime is not None:
                os.utime(changing.writing.fileno(), (attrs.mtime, attrs.mtime))

        await file_obj.settle()
        await self._do("SETSTAT", file_obj.path, apply)

    async def fsync(self, file_obj: Reading | Changing) -> None:  # type: ignore[override]
        if isinstance(file_obj, Changing):
            await file_obj.settle()
            await in_thread(os.fsync, file_obj.writing.fileno())

    # -- names ------------------------------------------------------------------------------------------------

    async def stat(self, path: bytes) -> SFTPAttrs:
        return attributes(await self._do("STAT", text(path), self._tree.stat, path))

    async def lstat(self, path: bytes) -> SFTPAttrs:
        return await self.stat(path)

    async def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        await self._do("SETSTAT", text(path), lambda names: self._apply(names, attrs), path)

    async def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        await self.setstat(path, attrs)

    def _apply(self, names: Names, attrs: SFTPAttrs) -> None:
        """In a worker thread. Owners are what they are: a request to change them is passed over, as OpenSSH's own
        clients send one along with the rest."""
        if attrs.size is not None:
            writing = self._tree.write(names, create=False)
            try:
                writing.truncate(attrs.size)
            finally:
                writing.commit()
        if attrs.permissions is not None:
            self._tree.set_mode(names, attrs.permissions)
        if attrs.mtime is not None:
            self._tree.set_modified(names, attrs.mtime)

    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        shown = text(path)
        entries = await self._do("LIST", shown, self._tree.entries, path,
                                 answer=lambda found: f"{len(found)} entries")
        here = await in_thread(self._tree.stat, self._names(path))
        for name, status in [(".", here), ("..", here), *entries]:
            yield SFTPName(name.encode(), attrs=attributes(status))

    async def remove(self, path: bytes) -> None:
        await self._do("REMOVE", text(path), self._tree.remove, path)

    async def mkdir(self, path: bytes, attrs: SFTPAttrs) -> None:
        await self._do("MKDIR", text(path), self._tree.make_directory, path)

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
        raise self._refused("READLINK", text(path), "Links are not shown here")

    async def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        raise self._refused("SYMLINK", f"{text(newpath)} to {text(oldpath)}", "Links cannot be made here")

    async def link(self, oldpath: bytes, newpath: bytes) -> None:
        raise self._refused("LINK", f"{text(newpath)} to {text(oldpath)}", "Links cannot be made here")

    def _refused(self, verb: str, asked: str, sentence: str) -> asyncssh.SFTPError:
        self._consult(verb, asked)
        self._log.note(verb, asked, "OP_UNSUPPORTED", sentence)
        return asyncssh.SFTPOpUnsupported(sentence)

    # -- how it looks -----------------------------------------------------------------------------------------

    def format_user(self, uid: int | None) -> str:
        return self._tree.owner

    def format_group(self, gid: int | None) -> str:
        return "users"


def text(path: bytes) -> str:
    """A path for the journal."""
    return path.decode("utf-8", "backslashreplace")[:200]


def attributes(status: os.stat_result) -> SFTPAttrs:
    """A file's attributes, without who owns it on this machine."""
    directory = stat.S_ISDIR(status.st_mode)
    kind = asyncssh.FILEXFER_TYPE_DIRECTORY if directory else asyncssh.FILEXFER_TYPE_REGULAR
    return SFTPAttrs(type=kind, size=status.st_size, permissions=status.st_mode, atime=int(status.st_atime),
                     mtime=int(status.st_mtime), uid=1000, gid=1000,
                     nlink=2 if directory else 1)


def room_attributes(room: Room) -> SFTPVFSAttrs:
    """As statvfs(3) has them: a block begun is taken. The quota counts, as the disk behind is nobody's business."""
    total = room.octets // BLOCK if room.writable else -(-room.octets // BLOCK)
    free = max(0, total - -(-room.used_octets // BLOCK))
    entries = max(0, room.entries - room.used_entries)
    return SFTPVFSAttrs(bsize=BLOCK, frsize=BLOCK, blocks=total, bfree=free, bavail=free, files=room.entries,
                        ffree=entries, favail=entries, flags=0 if room.writable else READ_ONLY, namemax=NAME_OCTETS)


def fullness(room: Room) -> str:
    return f"{room.used_octets} of {room.octets} octets, {room.used_entries} of {room.entries} files and folders"
