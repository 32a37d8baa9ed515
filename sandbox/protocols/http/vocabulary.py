"""What the knowledge of HTTP has to cover: what a client can ask by a registered name, and all that we answer."""

from __future__ import annotations

from sandbox.protocols.http.hosts import METHODS
from sandbox.protocols.http.status import PHRASES

__all__ = ["FIELDS", "SITUATIONS", "vocabulary"]

NO_REQUEST = frozenset({"garbled", "tunnel"})
"""What stands as the verb where there is no request."""

UNSUPPORTED = frozenset({
    "ACL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LINK", "LOCK", "MERGE", "MKCALENDAR", "MKCOL", "MOVE", "PRI",
    "PROPFIND", "PROPPATCH", "REBIND", "REPORT", "SEARCH", "UNBIND", "UNLINK", "UNLOCK", "VERSION-CONTROL",
})
"""Registered methods that clients try, and get a 501 for (IANA, HTTP Method Registry)."""

SITUATIONS = frozenset({
    "bare-cr", "bare-lf", "chunk", "client-gone", "cut-short", "field", "folded-field", "head-too-large", "host",
    "http2-on-http1", "incomplete", "no-host", "no-length", "not-http", "request-line", "slow-body", "slow-head",
    "smtp", "smuggling", "ssh", "target", "target-too-long", "tls-on-plain", "transfer-coding", "version",
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


def vocabulary() -> dict[str, frozenset[str]]:
    """Every term a record of this protocol can have, by kind; statuses nobody registered by their class."""
    return {
        "verb": METHODS | UNSUPPORTED | NO_REQUEST,
        "outcome": frozenset({"closed"}),
        "status": frozenset(map(str, PHRASES)) | {"1xx", "2xx", "3xx", "4xx", "5xx"},
        "header": FIELDS,
        "situation": SITUATIONS,
    }
