"""The REST service: collections of JSON resources that anybody may read and change.

    GET    /                   the collections there are
    GET    /people             a page of a collection; ?page= and ?per_page=, Link for the others (RFC 8288)
    POST   /people             a new resource: 201, and Location says where
    GET    /people/7           one resource, with an ETag
    PUT    /people/7           replace it, or make it: 200 or 201
    PATCH  /people/7           change parts of it (RFC 7396): 200
    DELETE /people/7           204, and 404 from then on

If-Match and If-None-Match: * guard changes against those of others (RFC 9110 §13.1). What is wrong comes back as
problem+json (RFC 9457). Scripts may call it from pages of the sandbox's own names and of this machine, not from
others: a page of the real web must not write here.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from functools import partial
from typing import TypeVar, cast
from urllib.parse import quote, urlsplit

import trio

from sandbox.protocols.http.conditional import list_tags
from sandbox.protocols.http.messages import HttpError, Request, Response
from sandbox.websites import answers
from sandbox.websites.content import media_type, parse_json, parse_query
from sandbox.websites.routes import Routes
from sandbox.world import resources
from sandbox.world.resources import COLLECTION, Changed, Full, Invalid, Item, Json, Missing, Resources

__all__ = ["PREFIX", "Api"]

PREFIX = "/api"
"""Where it is on hosts that have more to show than it."""
ANYTHING = frozenset({"*"})
PER_PAGE = 20
MAX_PER_PAGE = 100
MAX_PAGE = 1_000_000
JSON_TYPES = ("application/json",)
PATCH_TYPES = ("application/merge-patch+json", "application/json")
TITLES = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
          412: "Precondition Failed", 413: "Content Too Large", 415: "Unsupported Media Type",
          422: "Unprocessable Content", 507: "Insufficient Storage"}

T = TypeVar("T")


class Api:
    """The site. own_host: whether a host name belongs to the sandbox, so that its pages may call."""

    def __init__(self, store: Resources, own_host: Callable[[str], bool]) -> None:
        self._store = store
        self._own_host = own_host
        self._routes = Routes()
        self._routes.add("/", ("GET",), self.index)
        self._routes.add("/{collection}", ("GET",), self.list)
        self._routes.add("/{collection}", ("POST",), self.create)
        for method, handler in (("GET", self.read), ("PUT", self.replace), ("PATCH", self.change),
                                ("DELETE", self.remove)):
            self._routes.add("/{collection}/{name}", (method,), handler)

    async def __call__(self, request: Request) -> Response:
        base = PREFIX if request.path.startswith(PREFIX + "/") or request.path == PREFIX else ""
        try:
            response = await self._answer(request, request.path.removeprefix(base) or "/", base)
        except HttpError as error:
            response = answers.problem(error.status, TITLES.get(error.status, "Error"), error.detail, error.headers)
        self._allow_scripts(request, response)
        return response

    async def _answer(self, request: Request, path: str, base: str) -> Response:
        try:
            found = await self._routes.answer(request, path, base=base)
        except Missing as error:
            raise HttpError(404, f"There is no {error.args[0]!r} in this collection.") from None
        except Changed as error:
            tag = [("ETag", f'"{error.tag}"')] if error.tag else []
            if request.method == "POST":
                raise HttpError(409, "There is a resource with this id already; PUT replaces it.", tag) from None
            raise HttpError(412, "The resource is not in the state you expected: read it again, then decide.",
                            tag) from None
        except Invalid as error:
            return answers.problem(422, TITLES[422], str(error),
                                   errors=[{"pointer": "#" + error.pointer, "detail": str(error)}])
        except Full as error:
            raise HttpError(507, str(error)) from None
        if found is None:
            raise HttpError(404, "An address here is /collection or /collection/id.")
        if response_is_preflight(request, found):
            found.headers.add("Access-Control-Allow-Methods", found.headers.get("allow"))
            found.headers.add("Access-Control-Allow-Headers", "Content-Type, If-Match, If-None-Match")
        return found

    def _allow_scripts(self, request: Request, response: Response) -> None:
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("origin")
        if origin and self._may_call(origin):
            response.headers.add("Access-Control-Allow-Origin", origin)
            response.headers.add("Access-Control-Expose-Headers", "ETag, Link, Location, X-Total-Count")

    def _may_call(self, origin: str) -> bool:
        try:
            host = urlsplit(origin).hostname or ""
        except ValueError:
            return False
        if host == "localhost" or host.endswith(".localhost") or self._own_host(host):
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    async def index(self, request: Request, base: str) -> Response:
        rows = await trio.to_thread.run_sync(self._store.collections)
        return answers.json({
            "about": "Collections of JSON resources. POST an object to any collection, such as people, to begin.",
            "collections": [{"name": name, "count": count, "url": link(request, base, name)}
                            for name, count in rows]})

    async def list(self, request: Request, base: str, collection: str) -> Response:
        check_collection(collection)
        number, size = paging(request)
        found = await self._do(self._store.page, collection, size, (number - 1) * size)
        last = max(1, -(-found.total // size))
        pages = {"first": 1, "prev": number - 1, "next": number + 1, "last": last}
        wanted = {name: page for name, page in pages.items() if 1 <= page <= last}
        links = ", ".join(f'<{link(request, base, collection)}?page={page}&per_page={size}>; rel="{name}"'
                          for name, page in wanted.items())
        return answers.json([item.value for item in found.items],
                            headers=[("Link", links), ("X-Total-Count", str(found.total))])

    async def create(self, request: Request, base: str, collection: str) -> Response:
        check_collection(collection)
        value = await self._read_value(request, JSON_TYPES, "Accept-Post")
        item = await self._do(self._store.create, collection, value)
        return described(request, base, collection, item)

    async def read(self, request: Request, base: str, collection: str, name: str) -> Response:
        item = await self._do(self._store.get, collection, name)
        return answers.json(item.value, headers=[("ETag", f'"{item.tag}"')])

    async def replace(self, request: Request, base: str, collection: str, name: str) -> Response:
        check_collection(collection)
        value = await self._read_value(request, JSON_TYPES, "Accept")
        expected = tags(request, "if-match")
        item = await self._do(partial(self._store.put, collection, name, value, expected,
                                      absent=tags(request, "if-none-match") == ANYTHING))
        return described(request, base, collection, item)

    async def change(self, request: Request, base: str, collection: str, name: str) -> Response:
        value = await self._read_value(request, PATCH_TYPES, "Accept-Patch")
        item = await self._do(self._store.patch, collection, name, value, tags(request, "if-match"))
        return described(request, base, collection, item)

    async def remove(self, request: Request, base: str, collection: str, name: str) -> Response:
        await self._do(self._store.delete, collection, name, tags(request, "if-match"))
        return Response(204)

    @staticmethod
    async def _do(work: Callable[..., T], *arguments: object) -> T:
        """SQLite may wait for the disk: in a worker thread."""
        return await trio.to_thread.run_sync(work, *arguments)

    @staticmethod
    async def _read_value(request: Request, types: tuple[str, ...], field: str) -> Json:
        """The JSON in the content. Raises HttpError 400, 413, and 415 with the field that says what is taken."""
        essence, _ = media_type(request.headers.get("content-type"))
        if essence not in types:
            raise HttpError(415, f"Send {types[0]}; {essence or 'nothing said what this is'!r} is not taken here.",
                            [(field, ", ".join(types))])
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise HttpError(415, "Send the content without a content coding.", [("Accept-Encoding", "identity")])
        return cast(Json, parse_json(await request.body.read(resources.MAX_SIZE * 2)))


def response_is_preflight(request: Request, response: Response) -> bool:
    return request.method == "OPTIONS" and "allow" in response.headers and "origin" in request.headers


def check_collection(name: str) -> None:
    if COLLECTION.fullmatch(name) is None:
        raise HttpError(404, "A collection's name is a small letter, then small letters, digits, - or _.")


def link(request: Request, base: str, *segments: str) -> str:
    """An absolute URL below the service."""
    return answers.root(request) + base + "".join("/" + quote(segment, safe="~") for segment in segments)


def described(request: Request, base: str, collection: str, item: Item) -> Response:
    fields = [("ETag", f'"{item.tag}"')]
    if item.created:
        fields.append(("Location", link(request, base, collection, item.id)))
    return answers.json(item.value, 201 if item.created else 200, fields)


def tags(request: Request, field: str) -> frozenset[str] | None:
    """The entity tags of a condition, without their quotes; {"*"} for any; None where there is no condition.

    Weak tags never match here: changes compare strongly (RFC 9110 §13.1.1).
    """
    values = request.headers.get_all(field)
    if not values:
        return None
    joined = ", ".join(values)
    if joined.strip() == "*":
        return ANYTHING
    return frozenset(tag[1:-1] for tag in list_tags(joined) if not tag.startswith("W/")) - ANYTHING


def paging(request: Request) -> tuple[int, int]:
    """Page and size as the query wants them. Raises HttpError(400)."""
    wanted = {"page": 1, "per_page": PER_PAGE}
    limits = {"page": MAX_PAGE, "per_page": MAX_PER_PAGE}
    for name, value in parse_query(request.query):
        if name not in wanted:
            raise HttpError(400, f"The query has page and per_page, not {json.dumps(name[:40])}.")
        if re.fullmatch(r"[0-9]{1,7}", value) is None or not 1 <= int(value) <= limits[name]:
            raise HttpError(400, f"{name} is a number from 1 to {limits[name]}.")
        wanted[name] = int(value)
    return wanted["page"], wanted["per_page"]
