"""Namespaces: a process with a network, mounts and a host name of its own, without privileges (namespaces(7)).

Whoever makes a user namespace may do everything in it, until it starts another program.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

__all__ = ["NamespaceError", "bind_mount", "empty_mount", "loop_everything_back", "set_host_name", "unshare"]

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x04000000, 0x10000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE, MS_NOSUID, MS_NODEV = 0x1000, 0x4000, 0x40000, 0x2, 0x4
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP = 0x1

RTM_NEWROUTE, NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 24, 0x1, 0x4, 0x200, 0x400
RTA_OIF, RTA_PREFSRC = 4, 7
RT_TABLE_LOCAL, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RT_SCOPE_HOST, RTN_LOCAL = 255, 3, 0, 254, 2

library = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class NamespaceError(OSError):
    """The system does not allow it. step: what was tried, in a word."""

    def __init__(self, step: str, number: int) -> None:
        super().__init__(number, os.strerror(number))
        self.step = step


def unshare() -> None:
    """Give this process, which must have one thread, namespaces of its own; its user and group stay what they are.
    Raises NamespaceError."""
    user, group = os.geteuid(), os.getegid()
    if library is None or not hasattr(library, "unshare"):
        raise NamespaceError("unshare", errno.ENOSYS)
    if library.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS) != 0:
        raise NamespaceError("unshare", ctypes.get_errno())
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError as error:
        raise NamespaceError("map", error.errno or errno.EPERM) from error
    mount("none", "/", "", MS_REC | MS_PRIVATE)


def mount(source: str, target: str, kind: str, flags: int) -> None:
    """mount(2). Raises NamespaceError."""
    assert library is not None
    if library.mount(source.encode(), os.fsencode(target), kind.encode() or None, ctypes.c_ulong(flags), None) != 0:
        raise NamespaceError("mount", ctypes.get_errno())


def bind_mount(source: Path, target: Path) -> None:
    """Put one file in another's place. Raises NamespaceError."""
    mount(str(source), str(target), "", MS_BIND)


def empty_mount(target: Path) -> None:
    """Put an empty folder over one. Raises NamespaceError."""
    mount("tmpfs", str(target), "tmpfs", MS_NOSUID | MS_NODEV)


def set_host_name(name: str) -> None:
    """Of the namespace. Raises NamespaceError."""
    assert library is not None
    octets = name.encode()
    if library.sethostname(octets, len(octets)) != 0:
        raise NamespaceError("sethostname", ctypes.get_errno())


def loop_everything_back() -> None:
    """Bring the loopback up, and make every address there is an address of this machine. Raises NamespaceError."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            request = struct.pack("16sh22x", b"lo", 0)
            flags, = struct.unpack_from("16xh", fcntl.ioctl(sock, SIOCGIFFLAGS, request))
            fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))
    except OSError as error:
        raise NamespaceError("loopback", error.errno or errno.EPERM) from error
    add_local_default(socket.AF_INET, RT_SCOPE_HOST, socket.inet_pton(socket.AF_INET, "127.0.0.1"))
    with contextlib.suppress(NamespaceError):  # a system without IPv6
        add_local_default(socket.AF_INET6, RT_SCOPE_UNIVERSE, socket.inet_pton(socket.AF_INET6, "::1"))


def add_local_default(family: int, scope: int, source: bytes) -> None:
    """A route that makes every address of a family local; connections come from the source address (rtnetlink(7))."""
    index = socket.if_nametoindex("lo")
    attributes = (struct.pack("HHI", 8, RTA_OIF, index)
                  + struct.pack("HH", 4 + len(source), RTA_PREFSRC) + source)
    route = struct.pack("8BI", family, 0, 0, 0, RT_TABLE_LOCAL, RTPROT_BOOT, scope, RTN_LOCAL, 0)
    flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_EXCL | NLM_F_CREATE
    head = struct.pack("IHHII", 16 + len(route) + len(attributes), RTM_NEWROUTE, flags, 1, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
            netlink.bind((0, 0))
            netlink.send(head + route + attributes)
            answer = netlink.recv(4096)
    except OSError as error:
        raise NamespaceError("route", error.errno or errno.EPERM) from error
    (code,) = struct.unpack_from("i", answer, 16)
    if code != 0:
        raise NamespaceError("route", -code)
