"""What the knowledge of HTTP has to cover: what a client can ask by a registered name, and all that we answer."""

from __future__ import annotations

from sandbox.protocols.http.dissect import PARTS
from sandbox.protocols.http.dissecting.http2 import SETTINGS
from sandbox.protocols.http.dissecting.websocket import OPCODES
from sandbox.protocols.http.hosts import METHODS
from sandbox.protocols.http.http2.frames import Kind
from sandbox.protocols.http.status import PHRASES

__all__ = ["FIELDS", "SITUATIONS", "vocabulary"]

NO_REQUEST = frozenset({"garbled", "tunnel"})
"""What stands as the verb where there is no request."""

HTTP2 = frozenset({"PREFACE", "GOAWAY"})
WEBSOCKET = frozenset({"TEXT", "BINARY", "PING", "CLOSE"})
"""What happens on a connection beside requests."""

ERRORS = frozenset({
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
    "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
})
"""HTTP/2's error codes, which end a connection or are said by clients that reset a stream (RFC 9113 §7)."""

CLOSE_CODES = frozenset({
    "1000", "1001", "1002", "1003", "1005", "1007", "1008", "1009", "1010", "1011", "1012", "1013", "1014", "other",
})
"""Why a WebSocket was closed (RFC 6455 §7.4); applications have codes of their own."""

UNSUPPORTED = frozenset({
    "ACL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LINK", "LOCK", "MERGE", "MKCALENDAR", "MKCOL", "MOVE", "PRI",
    "PROPFIND", "PROPPATCH", "REBIND", "REPORT", "SEARCH", "UNBIND", "UNLINK", "UNLOCK", "VERSION-CONTROL",
})
"""Registered methods that clients try: applications may know them, other sites answer 501 (IANA, HTTP Method
Registry)."""

SITUATIONS = frozenset({
    "bare-cr", "bare-lf", "chunk", "client-gone", "cut-short", "field", "folded-field", "head-too-large", "host",
    "http2-on-http1", "incomplete", "length-too-large", "method-too-long", "no-host", "no-length", "not-http",
    "request-line", "slow-body", "slow-head", "smtp", "smuggling", "ssh", "stream-cancelled", "stream-error",
    "stream-stalled", "target", "target-too-long", "tls-on-plain", "transfer-coding", "version",
})
"""What can be special about an exchange."""

FIELDS = frozenset({
    "accept", "accept-ch", "accept-charset", "accept-encoding", "accept-language", "accept-patch", "accept-post",
    "accept-ranges", "access-control-allow-credentials", "access-control-allow-headers",
    "access-control-allow-methods", "access-control-allow-origin", "access-control-expose-headers",
    "access-control-max-age", "access-control-request-headers", "access-control-request-method", "age", "allow",
    "alt-svc", "alt-used", "authentication-info", "authorization", "cache-control", "clear-site-data", "connection",
    "content-digest", "content-disposition", "content-encoding", "content-language", "content-length",
    "content-location",
    "content-range", "content-security-policy", "content-security-policy-report-only", "content-type", "cookie",
    "cross-origin-embedder-policy", "cross-origin-opener-policy", "cross-origin-resource-policy", "date", "depth",
    "destination", "device-memory", "dnt", "downlink", "early-data", "etag", "expect", "expect-ct", "expires",
    "forwarded", "from", "host", "if-match", "if-modified-since", "if-none-match", "if-range",
    "if-unmodified-since", "keep-alive", "last-event-id",
    "last-modified", "link", "location", "max-forwards", "nel", "origin",
    "overwrite", "permissions-policy", "pragma", "prefer", "preference-applied", "priority", "proxy-authenticate",
    "proxy-authentication-info", "proxy-authorization", "proxy-connection", "range", "referer", "referrer-policy",
    "refresh", "report-to", "reporting-endpoints", "retry-after", "rtt", "save-data", "sec-ch-ua",
    "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site",
    "sec-fetch-user", "sec-gpc", "sec-purpose", "sec-websocket-accept", "sec-websocket-extensions",
    "sec-websocket-key", "sec-websocket-protocol", "sec-websocket-version", "server", "server-timing",
    "service-worker", "set-cookie", "sourcemap", "strict-transport-security", "te", "timing-allow-origin",
    "trailer", "transfer-encoding", "upgrade", "upgrade-insecure-requests", "user-agent", "vary", "via",
    "want-digest", "warning", "www-authenticate", "x-content-type-options", "x-forwarded-for", "x-forwarded-host",
    "x-forwarded-proto", "x-frame-options", "x-networkmanager-status", "x-powered-by", "x-requested-with",
    "x-total-count", "x-xss-protection",
})
"""Header fields that clients and sites are known to send, in lower case; the grammar lets them send any other too."""

FRAMES = frozenset(kind.name for kind in Kind) | {"unknown"}
SETTING_NAMES = frozenset(SETTINGS.values()) | {"unknown"}
OPCODE_NAMES = frozenset(OPCODES.values()) | {"other"}


def vocabulary() -> dict[str, frozenset[str]]:
    """Every term a record of this protocol can have, by kind; statuses nobody registered by their class."""
    return {
        "part": PARTS,
        "frame": FRAMES,
        "setting": SETTING_NAMES,
        "pseudo": frozenset({"method", "scheme", "authority", "path", "status", "protocol", "other"}),
        "ws": OPCODE_NAMES,
        "verb": METHODS | {"other"} | UNSUPPORTED | NO_REQUEST | HTTP2 | WEBSOCKET,
        "outcome": ERRORS | {"closed", "done", "failed", "sent", "unused", "PONG", "HTTP/2"},
        "close": CLOSE_CODES,
        "status": frozenset(map(str, PHRASES)) | {"1xx", "2xx", "3xx", "4xx", "5xx"},
        "header": FIELDS | {"other"},
        "situation": SITUATIONS,
    }
