"""What the journal is made of: sessions, the chunks of their byte streams, and the exchanges laid over them.

A chunk is bytes of one stream as they passed; from the chunks alone both directions of a connection are rebuilt.
An exchange is one question and its answer as ranges over those streams. All three are plain values: the journal
encodes them, the console and the exports read them, the explanations name them.
"""

from __future__ import annotations

import enum

import msgspec

from sandbox.address import Address

__all__ = ["Chunk", "Cut", "Datagram", "Exchange", "Session", "Stream"]


class Stream(enum.IntEnum):
    """The byte streams of a session. The wire streams exist where TLS runs, or compression
    alone: what an eavesdropper saw."""

    CLIENT = 0
    SERVER = 1
    CLIENT_WIRE = 2
    SERVER_WIRE = 3


class Session(msgspec.Struct, kw_only=True, gc=False):
    """One connection or datagram flow.

    opened, closed: seconds since the epoch, closed 0.0 while it lasts. end: who ended it and how, a term of the
    tcp knowledge ("client-closed", "server-closed", "client-reset", "server-reset", "idle-timeout",
    "time-limit", "refused", "stopped", "failed", "flow-idle", "tls-failed", "tls-damaged", "tls-truncated",
    "sandbox-ended").
    parent: the session whose data this one carries, 0 for none. cause: the exchange that made the sandbox itself
    dial, 0 for none, and as long as that one has not ended. space: the name of the space that answered. facts: what
    is known about the transport, such as {"rtt_us": 40, "mss": 65483, "syn": b"..."}, at open under "open" and at
    close under "close".
    """

    id: int
    service: str
    protocol: str
    transport: str
    client: Address
    server: Address
    opened: float
    closed: float = 0.0
    end: str = ""
    parent: int = 0
    cause: int = 0
    space: str = "main"
    facts: dict[str, dict[str, int | str | bytes]] = {}


class Chunk(msgspec.Struct, array_like=True, gc=False):
    """Bytes of one stream, as they passed. offset: of the first one in its stream; length: how many passed; data
    is shorter than that only where a limit cut it."""

    time: float
    stream: int
    offset: int
    length: int
    data: bytes


class Cut(msgspec.Struct, array_like=True, gc=False):
    """One side of an exchange that was longer than is kept: its full length, and the SHA-256 of all of it.

    Where exchanges overlap, of all that passed on that side since the exchange that ended before it."""

    stream: int
    length: int
    sha256: str


class Exchange(msgspec.Struct, array_like=True, gc=False):
    """One question and its answer.

    id: unique and rising in one data folder; client, server: ranges [start, end) of the session's plain streams;
    verb: what was asked, in the protocol's own word ("GET", "A"); asked: its object ("/index.html"); outcome: the
    protocol's own code ("200", "NXDOMAIN", "" for none); answered: a short summary of the answer; key: the
    knowledge entry ("kind.term") that explains it best, where neither verb nor outcome does. sent: when the system
    had taken the last octet of the answer; 0.0 where there was none, or it was on its way when this was written.

    The ranges of a session's exchanges follow one another without gaps, but for protocols that have several exchanges
    under way at once (HTTP/2, WebSocket): there a range goes from an exchange's first octet to its last, those of
    others may lie between, and what belongs to the connection as a whole may lie outside of all.
    """

    id: int
    session: int
    started: float
    ended: float
    verb: str
    asked: str
    outcome: str
    answered: str
    key: str
    client: tuple[int, int]
    server: tuple[int, int]
    facts: dict[str, str] = {}
    cuts: list[Cut] = []
    sent: float = 0.0


class Datagram(msgspec.Struct, array_like=True, gc=False):
    """A datagram with its answer (None for silence) and what it was about: how the store keeps a flow. It stands
    for one exchange and one or two chunks. time: when it arrived; about: verb, asked, outcome, answered, key, facts;
    took: microseconds from then until its answer had left (an integer takes a few octets, a second time nine)."""

    id: int
    time: float
    data: bytes
    answer: bytes | None
    about: tuple[str, str, str, str, str, dict[str, str] | None]
    took: int = 0

    def exchange(self, session: int, client: int, server: int) -> Exchange:
        """As an exchange. client, server: offsets of the datagram and of its answer in their streams."""
        verb, asked, outcome, answered, key, facts = self.about
        ended = self.time + self.took / 1e6
        return Exchange(self.id, session, self.time, ended, verb, asked, outcome, answered, key,
                        (client, client + len(self.data)), (server, server + len(self.answer or b"")), facts or {},
                        [], 0.0 if self.answer is None else ended)
