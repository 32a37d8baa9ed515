"""Real packets of the namespace, as a pcapng file (draft-ietf-opsawg-pcapng) that Wireshark opens."""

from __future__ import annotations

import socket
import struct
import threading
import time
from pathlib import Path

__all__ = ["Capture"]

ETH_P_ALL = 3
ETHERNET = 1
"""LINKTYPE_ETHERNET: the loopback's frames have a header of zeros."""
LARGEST = 262_144
BUFFER = 8_388_608
QUIET = 0.05
"""Seconds without a packet after which a capture that is to end has all."""
CLOSING = 2.0
OUTGOING = 4
"""A packet on the loopback passes twice; the way out is left away."""


class Capture:
    """Writes every packet on the loopback into a file, from `start` until it is closed. Raises OSError."""

    def __init__(self, file: Path) -> None:
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._sock.bind(("lo", 0))
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._sock.settimeout(QUIET)
        self._file = file.open("wb")
        self._file.write(block(0x0A0D0D0A, struct.pack("=IHHq", 0x1A2B3C4D, 1, 0, -1)))
        self._file.write(block(1, struct.pack("=HHI", ETHERNET, 0, LARGEST)))
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                packet, (_, _, way, *_) = self._sock.recvfrom(LARGEST)
            except TimeoutError:
                if self._closing.is_set():
                    return
                continue
            if way != OUTGOING:
                high, low = divmod(int(time.time() * 1_000_000), 2**32)
                head = struct.pack("=5I", 0, high, low, len(packet), len(packet))
                self._file.write(block(6, head + padded(packet)))

    def close(self) -> None:
        """Write what is still on its way, and stop: when nothing has come for a moment."""
        self._closing.set()
        self._thread.join(CLOSING)
        self._file.close()
        self._sock.close()


def block(kind: int, body: bytes) -> bytes:
    """A block with its length on both sides."""
    length = struct.pack("=I", 12 + len(body))
    return struct.pack("=I", kind) + length + body + length


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
