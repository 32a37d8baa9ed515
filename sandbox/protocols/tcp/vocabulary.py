"""What the knowledge of TCP, UDP and the small services has to cover."""

from __future__ import annotations

from sandbox.protocols.tcp.dissect import PARTS
from sandbox.protocols.tcp.session import OUTCOMES, SERVICES

__all__ = ["ENDS", "FACTS", "FLAGS", "OPTIONS", "vocabulary"]

ENDS = frozenset({
    "client-closed", "server-closed", "client-reset", "server-reset", "idle-timeout", "time-limit", "refused",
    "stopped", "failed", "flow-idle", "superseded", "tls-failed",
    "tls-damaged", "tls-truncated", "sandbox-ended",
})
"""How a connection, a datagram flow or an unfinished exchange ends."""

FLAGS = frozenset({"SYN", "ACK", "FIN", "RST", "PSH", "URG", "ECE", "CWR"})
"""The control bits of a TCP header (RFC 9293 §3.1)."""

FACTS = frozenset({
    "rtt_us", "rtt_var_us", "cwnd", "mss", "send_mss", "receive_mss", "receive_window", "retransmits", "lost",
    "path_mtu", "options", "syn", "ttl", "unsent",
})
"""What may be known about a connection's transport."""

OPTIONS = frozenset({"timestamps", "sack", "window_scaling", "ecn"})
"""What two TCPs may agree on at the start."""


def vocabulary() -> dict[str, frozenset[str]]:
    """Every term a record of this protocol can have, by kind."""
    return {"verb": SERVICES, "outcome": OUTCOMES, "end": ENDS, "flag": FLAGS, "fact": FACTS, "option": OPTIONS,
            "part": PARTS}
