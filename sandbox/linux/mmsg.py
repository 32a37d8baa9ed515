"""Many datagrams with one system call: recvmmsg(2) and sendmmsg(2), which Python's socket module does not have.

Linux only; `available` says so, and `sandbox.net.datagrams` then does with one call per datagram. The kernel's
structures live in plain buffers of this module and are filled by number, not through ctypes' own objects, since
those cost more than the system call saves. All sizes are those of 64-bit Linux.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
import sys

from sandbox.address import Address

__all__ = ["Burst", "available"]

COUNT = 64
"""Datagrams taken with one call."""

STRIDE = 65_536
"""Room for the largest datagram; memory that is never touched costs nothing."""

NAME = 28
"""Octets of a sockaddr_in6, the longest address there is here."""

CONTROL = 64
"""Room for one PKTINFO message: where the datagram was sent to, so that the answer leaves from there."""

HEADER = 8
"""64-bit words of a struct mmsghdr: name, name length, iovec, iovec count, control, control length, flags, length."""

SLOTS = [(index * STRIDE, index * NAME, index * HEADER * 2 + 14) for index in range(COUNT)]
"""Of each datagram of a batch: where its data, its address and (in 32-bit words) its length are."""

MSG_DONTWAIT = 0x40
IP_PKTINFO = 8
IPV6_RECVPKTINFO = 49


def available() -> bool:
    """Whether this system has the calls, in the layout this module knows."""
    return sys.platform == "linux" and struct.calcsize("P") == 8


class Vector:
    """COUNT message headers with their buffers, laid out for the kernel."""

    def __init__(self, width: int) -> None:
        self.data = mmap.mmap(-1, COUNT * STRIDE)  # zeroed by the system, and only where it is touched
        self.names = bytearray(COUNT * NAME)
        self.control = bytearray(COUNT * CONTROL)
        self._iovecs = bytearray(COUNT * 16)
        self._headers = bytearray(COUNT * HEADER * 8)
        data, names, control, iovecs = (address_of(buffer) for buffer in
                                        (self.data, self.names, self.control, self._iovecs))
        self.address = address_of(self._headers)
        self.data_view, self.names_view = memoryview(self.data), memoryview(self.names)
        self.headers = memoryview(self._headers).cast("Q")
        self.lengths = memoryview(self._headers).cast("I")
        self.sizes = memoryview(self._iovecs).cast("Q")
        for index in range(COUNT):
            self.sizes[2 * index] = data + index * STRIDE
            self.sizes[2 * index + 1] = STRIDE
            header = index * HEADER
            self.headers[header] = names + index * NAME
            self.headers[header + 1] = width
            self.headers[header + 2] = iovecs + index * 16
            self.headers[header + 3] = 1
            self.headers[header + 4] = control + index * CONTROL
            self.headers[header + 5] = CONTROL


def address_of(buffer: bytearray | mmap.mmap) -> int:
    return ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))


Route = bytes
"""Where an answer goes: the client's sockaddr; on a wildcard address followed by the control message to send."""


class Burst:
    """Takes and answers datagrams of one socket by the batch. See `sandbox.net.datagrams` for the interface."""

    def __init__(self, sock: socket.socket) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._recvmmsg, self._sendmmsg = libc.recvmmsg, libc.sendmmsg
        self._recvmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
        self._sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
        self._sock = sock
        self._width = NAME if sock.family == socket.AF_INET6 else 16
        self._in, self._out = Vector(self._width), Vector(self._width)
        self._wildcard = sock.getsockname()[0] in ("0.0.0.0", "::")
        if self._wildcard and sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
        elif self._wildcard:
            sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)

    def receive(self) -> list[tuple[bytes, Route]]:
        """All that has arrived, up to COUNT; empty for nothing. Raises OSError (an ICMP error about an answer)."""
        vector, width = self._in, self._width
        got = self._recvmmsg(self._sock.fileno(), vector.address, COUNT, MSG_DONTWAIT, None)
        if got < 0:
            number = ctypes.get_errno()
            if number == errno.EAGAIN:
                return []
            raise OSError(number, os.strerror(number))
        data, names, lengths = vector.data_view, vector.names_view, vector.lengths
        if self._wildcard:
            return [(data[at:at + lengths[length]].tobytes(), bytes(names[name:name + width]) + self._control(index))
                    for index, (at, name, length) in enumerate(SLOTS[:got])]
        return [(data[at:at + lengths[length]].tobytes(), names[name:name + width].tobytes())
                for at, name, length in SLOTS[:got]]

    def _control(self, index: int) -> bytes:
        """Where a datagram was sent to. The kernel wrote its length over the room it was given."""
        headers, header = self._in.headers, index * HEADER
        control = bytes(self._in.control[index * CONTROL:index * CONTROL + headers[header + 5]])
        headers[header + 5] = CONTROL
        return control

    def send(self, answers: list[tuple[bytes, Route]]) -> int:
        """Send up to COUNT answers: how many the kernel took. It stops at the first that it does not take."""
        vector, width = self._out, self._width
        sizes, data, names = vector.sizes, vector.data, vector.names
        for index, ((answer, route), (at, name, _)) in enumerate(zip(answers, SLOTS, strict=False)):
            size = len(answer)
            data[at:at + size] = answer
            sizes[2 * index + 1] = size
            names[name:name + width] = route[:width]
            control = route[width:]
            vector.headers[index * HEADER + 5] = len(control)
            vector.control[index * CONTROL:index * CONTROL + len(control)] = control
        sent: int = self._sendmmsg(self._sock.fileno(), vector.address, min(len(answers), COUNT), MSG_DONTWAIT)
        return max(sent, 0)

    def client(self, route: Route) -> Address:
        """The client's address, from its sockaddr."""
        port = int.from_bytes(route[2:4], "big")
        if self._sock.family == socket.AF_INET6:
            return Address(socket.inet_ntop(socket.AF_INET6, route[8:24]), port)
        return Address(socket.inet_ntop(socket.AF_INET, route[4:8]), port)
