"""What the kernel knows about a TCP connection (Linux; elsewhere there are simply no facts)."""

from __future__ import annotations

import socket
import struct
import sys

__all__ = ["Facts", "keep_syn", "opening_facts", "tcp_facts"]

Facts = dict[str, int | str | bytes]

TCP_SAVE_SYN = 27
TCP_SAVED_SYN = 28

# struct tcp_info of linux/tcp.h: eight bytes, then 32-bit words. Fields a learner can make sense of.
WORDS = struct.Struct("=8B24I")
FIELDS = (("rtt_us", 15), ("rtt_var_us", 16), ("cwnd", 18), ("mss", 19), ("send_mss", 2), ("receive_mss", 3),
          ("receive_window", 22), ("retransmits", 23), ("lost", 6), ("path_mtu", 13))
"""Name, and place among the 32-bit words."""

OPTIONS = ((1, "timestamps"), (2, "sack"), (4, "window_scaling"), (8, "ecn"))


def tcp_facts(sock: socket.socket) -> Facts:
    """TCP_INFO of a connection, also when its peer has closed. Times in microseconds, sizes in octets."""
    if sys.platform != "linux":
        return {}
    try:
        raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, WORDS.size)
    except OSError:
        return {}
    if len(raw) < WORDS.size:
        return {}
    values = WORDS.unpack(raw)
    facts: Facts = {name: values[8 + place] for name, place in FIELDS}
    facts["options"] = " ".join(name for bit, name in OPTIONS if values[5] & bit)
    return facts


def keep_syn(listener: socket.socket) -> None:
    """Ask the kernel to keep each client's SYN for `opening_facts`."""
    if sys.platform == "linux":
        try:
            listener.setsockopt(socket.IPPROTO_TCP, TCP_SAVE_SYN, 1)
        except OSError:
            return


def opening_facts(sock: socket.socket) -> Facts:
    """TCP_INFO, and the client's own SYN packet (IP and TCP headers) under "syn"."""
    facts = tcp_facts(sock)
    if facts:
        try:
            syn = sock.getsockopt(socket.IPPROTO_TCP, TCP_SAVED_SYN, 256)
        except OSError:
            syn = b""
        if syn:
            facts["syn"] = syn
    return facts
