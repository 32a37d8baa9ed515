"""Filters out of nothing, for hypothesis: such as often mean something of the records in `records`."""

from __future__ import annotations

from hypothesis import strategies as st

from sandbox.filter import KEYS

__all__ = ["filters"]

VALUES = st.sampled_from(["GET", "404", "5xx", "alice", "www.example.com", "EXAMPLE.com", "/shop", "k", "i", "12",
                          '"12 13"', "*e*", "a*", "Ärger", "password", "NXDOMAIN", "\u212a", "shop", "/", "."])
ALONE = st.sampled_from(["client:127.0.0.1", "client:10.1.2.3", "client:10.0.0.0/8", "client:::1", "session:3",
                         "session:2..9", "protocol:http", "protocol:dns", "service:https", "transport:udp",
                         "space:main", "is:error", "is:unfinished", "is:encrypted", "is:background", "has:password",
                         "has:host", "since:1970-01-05", "until:1970-01-05", "longer:1s", "larger:1MB"])
PICKY = {"client", "session", "exchange", "is", "has", "since", "until", "longer", "larger"}
TERM = st.one_of(VALUES, ALONE, st.builds("{}:{}".format, st.sampled_from(sorted(KEYS.keys() - PICKY)), VALUES))
filters = st.recursive(TERM, lambda inner: st.one_of(
    st.builds("({} {})".format, inner, inner), st.builds("({} or {})".format, inner, inner),
    st.builds("-({})".format, inner)), max_leaves=6)
