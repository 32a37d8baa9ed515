"""What may befall something that has just begun, said without knowing who wants it.

The network asks at three points (`Point`): when a connection is accepted, when a client's TLS hello is there, and
when a question has begun. What it gets is a `Strike`: an answer in place of the real one, a stage that the answer's
octets pass on their way, a wait, a handshake that is not as it should be, or several of these.
"""

from __future__ import annotations

import enum
import math
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from sandbox.protocols.contract.script import ScriptedAnswer

__all__ = ["BadHandshake", "End", "Point", "Stage", "Step", "Strike"]


class Point(enum.Enum):
    """Where the network asks. The value is what the rules of a filter see as the verb, "" for the question's own."""

    CONNECTION = "connection"
    HANDSHAKE = "TLS"
    QUESTION = ""


class End(enum.Enum):
    """What becomes of the server's side of a connection after some octets."""

    NONE = "none"
    HALF = "half-close"      # it says that no more comes, and goes on listening
    CLOSE = "close"          # the connection is closed in order
    CUT = "cut"              # the connection ends as if its cable had been cut: TLS says no goodbye
    RESET = "reset"


class Step(NamedTuple):
    """Octets that leave, so many seconds after those before them, and what then becomes of the connection."""

    data: bytes
    wait: float = 0.0
    end: End = End.NONE


class Stage:
    """What octets pass on their way to the client: `take` says when which of them leave.

    lasting: whether it holds for all that follows on the connection, not only for the answer it was put before.
    `release` lets everything that waits leave at once, as it came: nothing in flight is lost.
    """

    lasting = False

    def __init__(self) -> None:
        self.released = False
        self.steps: deque[Step] = deque()
        """What has not left yet, in order."""
        self.wake: Callable[[], None] = lambda: None
        """Set by who carries the octets; called when waiting may be over."""

    def take(self, data: bytes) -> None:
        """Take octets of the answer, and add steps. They come in pieces of any size."""
        raise NotImplementedError

    def finish(self) -> None:
        """The answer is over: what was kept back leaves."""

    def release(self) -> None:
        self.released = True
        self.wake()

    def datagram(self, data: bytes) -> tuple[float, bytes | None]:
        """The same for an answer that is one datagram: seconds until it leaves (inf for never), and what is left."""
        self.take(data)
        self.finish()
        wait = sum(step.wait for step in self.steps)
        whole = b"".join(step.data for step in self.steps)
        self.steps.clear()
        return (wait, whole) if whole and wait < math.inf else (math.inf, None)


@dataclass(frozen=True, slots=True)
class BadHandshake:
    """A TLS handshake that is not as it should be. certificate: what is wrong with it, "" for nothing; alert: the
    name of the alert it ends with; stops: whether it stops after the client's hello; oldest: whether only TLS 1.0 is
    spoken."""

    certificate: str = ""
    alert: str = ""
    stops: bool = False
    oldest: bool = False


@dataclass(frozen=True, slots=True)
class Strike:
    """fault: what the exchange's fact of this name says; wait: waits before the question is answered, and gives what
    then stands in, None for what would have."""

    fault: str
    answer: ScriptedAnswer | None = None
    stage: Stage | None = None
    wait: Callable[[], Awaitable[ScriptedAnswer | None]] | None = None
    handshake: BadHandshake | None = None
