"""The filter language for those who write: what a text means, and which keys there are."""

from __future__ import annotations

import msgspec

from sandbox.dashboard.answers import as_json
from sandbox.dashboard.api.exchanges import FILTER, parsed
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.filter import KEYS
from sandbox.protocols.contract.registry import PROTOCOLS
from sandbox.protocols.http.messages import Response

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()

VALUES = {"protocol": [protocol.name for protocol in PROTOCOLS],
          "service": [role.name for protocol in PROTOCOLS for role in protocol.roles],
          "outcome": ["2xx", "3xx", "4xx", "5xx", "NOERROR", "NXDOMAIN", "OK", "+OK", "NO", "BAD", "-ERR"]}


class Meaning(msgspec.Struct):
    """normal: the text in normal form; words: what it means, as a sentence."""

    text: str
    normal: str
    words: str


class FilterKey(msgspec.Struct):
    key: str
    meaning: str
    example: str
    values: list[str]


class FilterKeys(msgspec.Struct):
    keys: list[FilterKey]


@OPERATIONS.add("GET", "filter", "What a filter means, or where it is wrong.", Meaning,
                Query("text", "A text of the filter language.", FILTER.example))
async def meaning(call: Call) -> Response:
    text = call.query.text("text")
    found = parsed(text)
    return as_json(Meaning(text, str(found or ""), found.words() if found else "everything"))


@OPERATIONS.add("GET", "filter/keys", "The keys of the filter language.", FilterKeys)
async def keys(call: Call) -> Response:
    return as_json(FilterKeys([
        FilterKey(key.name, key.meaning, key.example, [*key.values] or VALUES.get(key.name, []))
        for key in KEYS.values()]))
