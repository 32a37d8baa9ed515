"""What the client sent, sent back."""

from __future__ import annotations

from sandbox.protocols.http.messages import Request, Response
from sandbox.websites import answers
from sandbox.websites.content import FORM_LIMIT
from sandbox.websites.httpbin.description import describe, headers_of, told
from sandbox.websites.routes import METHODS, Routes

TITLE = "What you sent"
INDEX = (
    ("/get?name=Ada", "/get", "your query, header and address (GET)"),
    ("/forms/post", "/post /put /patch /delete", "the same, and what you sent: form, files, data or JSON"),
    ("/anything/you/like", "/anything/…", "all of it, for every method and path"),
    ("/headers", "/headers", "your header fields"),
    ("/ip", "/ip", "your address"),
    ("/user-agent", "/user-agent", "what your client calls itself"),
)

WITH_CONTENT = ("args", "data", "files", "form", "headers", "json", "origin", "url")


def get(request: Request) -> Response:
    return answers.json(describe(request, "args", "headers", "origin", "url"))


async def send(request: Request) -> Response:
    return await told(request, await request.body.read(FORM_LIMIT), *WITH_CONTENT)


async def anything(request: Request, rest: str = "") -> Response:
    return await told(request, await request.body.read(FORM_LIMIT), *WITH_CONTENT, "method")


def address(request: Request) -> Response:
    return answers.json({"origin": request.client.host})


def headers(request: Request) -> Response:
    return answers.json({"headers": headers_of(request)})


def user_agent(request: Request) -> Response:
    return answers.json({"user-agent": request.headers.get("user-agent") or None})


def register(routes: Routes) -> None:
    routes.add("/get", ("GET",), get)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        routes.add(f"/{method.lower()}", (method,), send)
    for pattern in ("/anything", "/anything/{rest:rest}"):
        routes.add(pattern, (*METHODS, "TRACE"), anything)
    routes.add("/ip", ("GET",), address)
    routes.add("/headers", ("GET",), headers)
    routes.add("/user-agent", ("GET",), user_agent)
