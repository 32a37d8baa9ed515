"""What the knowledge of TLS has to cover: every name the record of a handshake can show."""

from __future__ import annotations

from sandbox.net.layers.tls import names
from sandbox.net.layers.tls.handshake import SITUATIONS
from sandbox.protocols.tls.dissect import PARTS, RECORDS
from sandbox.protocols.tls.dissecting.messages import MESSAGES

__all__ = ["vocabulary"]

GREASE = frozenset({"GREASE"})
UNKNOWN = GREASE | {"other"}


def vocabulary() -> dict[str, frozenset[str]]:
    """Every term by kind. Suites are explained by their parts; only those that are signals have an entry."""
    suites = names.table("suites").values()
    parts = [names.suite_parts(name) for name in suites]
    return {
        "part": PARTS,
        "record": frozenset(RECORDS.values()),
        "handshake": frozenset(MESSAGES.values()) | {"other"},
        "verb": frozenset({"handshake"}),
        "outcome": frozenset({"failed", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"}),
        "version": UNKNOWN | frozenset(names.VERSIONS.values()),
        "exchange": frozenset(part.exchange for part in parts) - {""},
        "authentication": frozenset(part.authentication for part in parts) - {""},
        "cipher": frozenset(part.cipher for part in parts) - {""},
        "mode": frozenset(part.mode for part in parts) - {""},
        "hash": frozenset(part.hash for part in parts) - {""},
        "suite": GREASE | frozenset(name for name in suites if name.endswith("_SCSV")),
        "extension": UNKNOWN | frozenset(names.table("extensions").values()),
        "group": UNKNOWN | frozenset(names.table("groups").values()),
        "scheme": UNKNOWN | frozenset(names.table("schemes").values()),
        "alert": frozenset(names.table("alerts").values()) | {"other"},
        "situation": SITUATIONS,
    }
