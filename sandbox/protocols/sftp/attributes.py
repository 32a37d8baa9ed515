"""How files look to a client: their attributes (draft-ietf-secsh-filexfer-02 §5), and how much room there is."""

from __future__ import annotations

import os
import stat
import zlib

import asyncssh
from asyncssh import SFTPAttrs, SFTPVFSAttrs

from sandbox.world.files.paths import NAME_OCTETS
from sandbox.world.files.places import Room

__all__ = ["GROUP", "attributes", "fullness", "room_attributes", "user_number"]

GROUP = 1000
"""The number of every file's group, and of the sandbox as a file's owner."""

PEOPLE = 60_000
"""Numbers that people have, above: what a system of 16 bits takes."""

BLOCK = 1_024
"""Octets of a block, in which STATVFS counts."""

READ_ONLY = 1
"""The flag of STATVFS that says so, as OpenSSH's PROTOCOL file numbers it (§4.4)."""


def user_number(owner: str) -> int:
    """By which version 3 of SFTP knows an owner, always the same. owner: a login, "" for the sandbox."""
    return GROUP + 1 + zlib.crc32(owner.encode()) % PEOPLE if owner else GROUP


def attributes(status: os.stat_result, owner: str) -> SFTPAttrs:
    """A file's attributes, without who owns it on this machine."""
    directory = stat.S_ISDIR(status.st_mode)
    kind = asyncssh.FILEXFER_TYPE_DIRECTORY if directory else asyncssh.FILEXFER_TYPE_REGULAR
    return SFTPAttrs(type=kind, size=status.st_size, permissions=status.st_mode, atime=int(status.st_atime),
                     mtime=int(status.st_mtime), uid=user_number(owner), gid=GROUP,
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
