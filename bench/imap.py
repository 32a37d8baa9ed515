"""IMAP: the client that works on eight mailboxes over eight connections, the servers it is measured with, and the
connections that idle."""

from __future__ import annotations

import contextlib
import functools
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

from bench.load import Rate
from bench.mail import LETTERS, PASSWORD, PEOPLE, SIZES, dovecot, mail_sandbox, run, text
from bench.peers import Peer
from sandbox.address import Address

__all__ = ["IDLERS", "IMAP_PEERS", "WORK", "idling", "work"]

IDLERS = 5000
HEADERS = f"FETCH 1:{LETTERS} (UID FLAGS BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)])"
LETTER = f"Subject: bench\r\nFrom: a@far.example\r\n\r\n{text(SIZES[0])}".encode()


def work(name: str, address: Address, seconds: float) -> Rate:
    """One of `WORK`, by every connection on a mailbox of its own, each waiting for every answer."""
    # In a process of its own: the load must not share an interpreter with anything else.
    words = [sys.executable, "-m", "bench.imap", name, address.host, str(address.port), str(seconds)]
    said = subprocess.run(words, capture_output=True, text=True, timeout=seconds + 30, check=True).stdout.split()
    return Rate(float(said[0]), int(said[1]), int(said[2]))


class Client:
    """A connection that waits for the answer to each command."""

    def __init__(self, sock: socket.socket, lines: BinaryIO) -> None:
        self.sock = sock
        self.lines = lines

    def say(self, command: bytes, until: bytes = b"a OK") -> None:
        """Raises OSError, RuntimeError."""
        self.sock.sendall(b"a " + command + b"\r\n")
        self.hear(command, until)

    def hear(self, command: bytes, until: bytes) -> None:
        line = b"*"
        while line and not line.startswith((until, b"a ")):
            line = self.lines.readline()
        if not line.startswith(until):
            raise RuntimeError(f"{command[:60]!r} was answered {line!r}")


@contextlib.contextmanager
def connected(address: Address, number: int) -> Iterator[Client]:
    """Logged in, as one of the people."""
    with socket.create_connection(address, 20) as sock, sock.makefile("rb") as lines:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock, lines)
        client.hear(b"", b"* OK")
        client.say(f"LOGIN {PEOPLE[number]} {PASSWORD}".encode())
        yield client


def log_in(address: Address, until: float, size: int, number: int) -> int:
    """Connections that logged in and out again."""
    count = 0
    while time.perf_counter() < until:
        with connected(address, number) as client:
            client.say(b"LOGOUT")
        count += 1
    return count


def fetch_headers(address: Address, until: float, size: int, number: int) -> int:
    """Messages of which the lines of a mail program's list came."""
    with connected(address, number) as client:
        client.say(b"SELECT INBOX")
        count = 0
        while time.perf_counter() < until:
            client.say(HEADERS.encode())
            count += LETTERS
        return count


def store_flags(address: Address, until: float, size: int, number: int) -> int:
    """Flags set, message after message, and taken away in the next turn."""
    with connected(address, number) as client:
        client.say(b"SELECT INBOX")
        count = 0
        while time.perf_counter() < until:
            turn, message = divmod(count, LETTERS)
            client.say(b"STORE %d %sFLAGS (\\Seen)" % (message + 1, b"-" if turn % 2 else b"+"))
            count += 1
        return count


def append(address: Address, until: float, size: int, number: int) -> int:
    """Messages filed."""
    command = b"APPEND INBOX (\\Seen) {%d+}\r\n%s" % (len(LETTER), LETTER)
    with connected(address, number) as client:
        count = 0
        while time.perf_counter() < until:
            client.say(command)
            count += 1
        return count


WORK: dict[str, tuple[str, Callable[[Address, float, int, int], int]]] = {
    "logins": ("Connections that log in to IMAP and out again, a second", log_in),
    "headers": (f"Headers of messages fetched over IMAP a second, {LETTERS} by each FETCH", fetch_headers),
    "store": ("STORE of one flag of one message, a second", store_flags),
    "append": (f"Messages of {SIZES[0]:,} octets filed with APPEND, a second", append),
}


@contextlib.contextmanager
def idling(address: Address, count: int) -> Iterator[None]:
    """So many connections in IDLE, shared out among the people, each with its INBOX open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * count + 100:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(2 * count + 100, hard), hard))
    with contextlib.ExitStack() as stack:
        for number in range(count):
            client = stack.enter_context(connected(address, number % len(PEOPLE)))
            client.say(b"SELECT INBOX")
            client.say(b"IDLE", b"+")
        yield


IMAP_PEERS = (
    Peer("sandbox", functools.partial(mail_sandbox, service="imap"), service="imap"),
    Peer("Dovecot", functools.partial(dovecot, protocol="imap"), programs={"dovecot": "dovecot-imapd"}, root=True),
)


if __name__ == "__main__":
    print(*run(WORK[sys.argv[1]][1], Address(sys.argv[2], int(sys.argv[3])), float(sys.argv[4]), 0))
