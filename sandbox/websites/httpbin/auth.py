"""Authentication with a user and a password taken from the path."""

from __future__ import annotations

from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.websites import answers
from sandbox.websites.authentication import (
    ALGORITHMS,
    Credentials,
    Digest,
    basic_challenge,
    basic_credentials,
    bearer_token,
    same,
)
from sandbox.websites.content import FORM_LIMIT
from sandbox.websites.httpbin.description import number
from sandbox.websites.routes import Routes

TITLE = "Passwords"
INDEX = (
    ("/basic-auth/user/passwd", "/basic-auth/{user}/{password}", "Basic (RFC 7617)"),
    ("/hidden-basic-auth/user/passwd", "/hidden-basic-auth/{user}/{password}", "the same; 404 instead of 401"),
    ("/digest-auth/auth/user/passwd/SHA-256", "/digest-auth/{qop}/{user}/{password}/{algorithm}/{stale_after}",
     "Digest (RFC 7616)"),
    ("/bearer", "/bearer", "any Bearer token (RFC 6750)"),
)

REALM = "Fake Realm"
DIGEST = Digest("me@kennethreitz.com", tuple(ALGORITHMS), "auth,auth-int")
"""The realm is the one that test suites written for httpbin.org know."""


def proved(request: Request, user: str, password: str) -> bool:
    given = basic_credentials(request) or Credentials("", "")
    return same(given.user, user) & same(given.password, password)


def basic(request: Request, user: str, password: str) -> Response:
    if not proved(request, user, password):
        return Response(401, Headers([basic_challenge(REALM)]))
    return answers.json({"authenticated": True, "user": user})


def hidden_basic(request: Request, user: str, password: str) -> Response:
    if not proved(request, user, password):
        raise HttpError(404, "There is nothing here for you.")
    return answers.json({"authenticated": True, "user": user})


async def digest(request: Request, qop: str, user: str, password: str, algorithm: str = "MD5",
                 stale_after: str = "never") -> Response:
    offered = qop if qop in ("auth", "auth-int") else "auth,auth-int"
    # Where the path asks for neither, the form without qop (RFC 2069) counts too, as at httpbin.org.
    taken = offered if qop == offered else f"{offered},"
    name = algorithm.upper()
    algorithms = (name if name in ALGORITHMS else "MD5",)
    uses = 0 if stale_after == "never" else number(stale_after, "stale_after", 1, 1_000_000)
    body = await request.body.read(FORM_LIMIT)
    verdict = DIGEST.check(request, lambda name: password if same(name, user) else None, body, algorithms,
                           qop=taken, uses=uses)
    if not verdict.user:
        request.facts["digest"] = verdict.reason
        return Response(401, Headers(DIGEST.challenge(verdict.stale, algorithms, qop=offered)))
    return answers.json({"authenticated": True, "user": user}, headers=verdict.fields)


def bearer(request: Request) -> Response:
    token = bearer_token(request)
    if token is None:
        return Response(401, Headers([("WWW-Authenticate", "Bearer")]))
    return answers.json({"authenticated": True, "token": token})


def register(routes: Routes) -> None:
    routes.add("/basic-auth/{user}/{password}", ("GET",), basic)
    routes.add("/hidden-basic-auth/{user}/{password}", ("GET",), hidden_basic)
    for ending in ("", "/{algorithm}", "/{algorithm}/{stale_after}"):
        routes.add("/digest-auth/{qop}/{user}/{password}" + ending, ("GET", "POST"), digest)
    routes.add("/bearer", ("GET",), bearer)
