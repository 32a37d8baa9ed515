"""Cookies: show, set, delete."""

from __future__ import annotations

from sandbox.protocols.http.messages import Request, Response
from sandbox.websites import answers
from sandbox.websites.content import parse_query
from sandbox.websites.cookies import clear_cookie, cookies, set_cookie
from sandbox.websites.httpbin.description import base
from sandbox.websites.routes import Routes

TITLE = "Cookies"
INDEX = (
    ("/cookies", "/cookies", "those you sent"),
    ("/cookies/set?flavour=oatmeal", "/cookies/set?name=value", "set some, then show them"),
    ("/cookies/set/flavour/oatmeal", "/cookies/set/{name}/{value}", "set one"),
    ("/cookies/delete?flavour", "/cookies/delete?name", "forget some"),
)
MAX_SET = 50
"""Cookies set at once; browsers keep about that many of one site (RFC 6265 §6.1)."""


def show(request: Request) -> Response:
    return answers.json({"cookies": cookies(request)})


def put(request: Request, name: str = "", value: str = "") -> Response:
    pairs = [(name, value)] if name else parse_query(request.query)[:MAX_SET]
    fields = [set_cookie(key, text, http_only=False, same_site="", secure=request.secure) for key, text in pairs]
    return answers.redirect(f"{base(request)}/cookies", headers=fields)


def delete(request: Request) -> Response:
    fields = [clear_cookie(name) for name, _ in parse_query(request.query)[:MAX_SET]]
    return answers.redirect(f"{base(request)}/cookies", headers=fields)


def register(routes: Routes) -> None:
    routes.add("/cookies", ("GET",), show)
    routes.add("/cookies/set", ("GET",), put)
    routes.add("/cookies/set/{name}/{value}", ("GET",), put)
    routes.add("/cookies/delete", ("GET",), delete)
