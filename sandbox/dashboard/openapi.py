"""The API's own description (OpenAPI 3.1), made from the operations and the types of what they take and give."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from sandbox import __version__
from sandbox.dashboard.operations import Operation, Query

__all__ = ["Problem", "document"]

NAMED = re.compile(r"\{(\w+)\}")
PROBLEM = "application/problem+json"
BINARY: dict[str, Any] = {"type": "string", "contentMediaType": "application/octet-stream"}


class Problem(msgspec.Struct):
    """What was wrong with a request (RFC 9457). detail: what exactly; hint: what to do. A problem may have further
    members: position, found, expected, suggestion (of a filter), exchanges and near_misses (of a wait)."""

    type: str
    title: str
    status: int
    detail: str
    hint: str


def document(operations: Sequence[Operation], server: str) -> dict[str, Any]:
    """The description. server: where the API is, as the asker reaches it."""
    kinds = [kind for operation in operations for kind in (operation.gives, operation.takes)]
    types = list(dict.fromkeys([Problem, *(kind for kind in kinds if not isinstance(kind, str | None))]))
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    by_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(f"/{operation.path}", {})[operation.method.lower()] = described(operation, by_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sandbox", "version": __version__,
                 "summary": "What a pretend internet saw, said and holds.",
                 "description": "Times are seconds since the epoch. Errors are problems (RFC 9457) with what to do."},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description":
                                          "The teacher's token. On the sandbox's own machine nobody needs it."}}},
        "security": [{}, {"token": []}],
    }


def described(operation: Operation, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    """One operation."""
    found: dict[str, Any] = {
        "operationId": f"{operation.method.lower()}-{NAMED.sub('one', operation.path).replace('/', '-')}",
        "summary": operation.text,
        "parameters": [*({"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                         for name in NAMED.findall(operation.path)),
                       *(parameter(query) for query in operation.queries)],
        "responses": {
            "200": {"description": "What was asked for.", "content": content(operation.gives, schemas)},
            "default": {"description": "What was wrong, and what to do.",
                        "content": {PROBLEM: {"schema": schemas[Problem]}}}},
    }
    if operation.takes is not None:
        found["requestBody"] = {"required": True, "content": content(operation.takes, schemas)}
    return found


def parameter(query: Query) -> dict[str, Any]:
    found = {"name": query.name, "in": "query", "description": query.text, "schema": {"type": query.kind}}
    return found | ({"example": int(query.example) if query.kind == "integer" else query.example}
                    if query.example else {})


def content(kind: Any, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    if isinstance(kind, str):
        text = kind.startswith("text/")
        return {kind: {"schema": {"type": "string"} if text else BINARY}}
    return {"application/json": {"schema": schemas[kind]}}
