"""TLS: the handshake ends with an alert."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect, always
from sandbox.faults.errors import FaultError
from sandbox.protocols.contract.strike import BadHandshake, Point
from sandbox.toml import nearest

__all__ = ["ACTION", "ALERTS"]

ALERTS = (
    "unexpected_message", "bad_record_mac", "record_overflow", "handshake_failure", "bad_certificate",
    "unsupported_certificate", "certificate_revoked", "certificate_expired", "certificate_unknown",
    "illegal_parameter", "unknown_ca", "access_denied", "decode_error", "decrypt_error", "protocol_version",
    "insufficient_security", "internal_error", "inappropriate_fallback", "user_canceled", "missing_extension",
    "unsupported_extension", "unrecognized_name", "bad_certificate_status_response", "unknown_psk_identity",
    "certificate_required", "no_application_protocol",
)
"""By their names in RFC 8446 §6."""


def make(value: str, options: Mapping[str, str]) -> Act:
    if value not in ALERTS:
        raise FaultError(f"alert is {value[:40]!r}.", nearest(value, ALERTS) or "It is the name of an alert, such as "
                         "handshake_failure (RFC 8446 §6.2).")
    return always(lambda: Effect(handshake=BadHandshake(alert=value)))


ACTION = Action("alert", "tls", "The handshake ends with this alert instead of the server's hello.",
                "the name of an alert", "service:https alert=internal_error", make, point=Point.HANDSHAKE)
