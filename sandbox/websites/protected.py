"""Pages behind HTTP authentication, for the world's accounts: Basic, Digest and Bearer, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.protocols.http.messages import Headers, Request, Response
from sandbox.websites import page
from sandbox.websites.authentication import (
    Digest,
    basic_challenge,
    basic_credentials,
    bearer_challenge,
    bearer_token,
)
from sandbox.websites.content import FORM_LIMIT
from sandbox.websites.login import NOT_KEPT, Login
from sandbox.websites.routes import Routes

if TYPE_CHECKING:
    from sandbox.world import World

__all__ = ["Protected"]

REALM = "Sandbox"
INSIDE = page.template("inside.html")
INDEX = page.template("protected.html")
OUTSIDE = page.template("outside.html")

TOLD = {
    "basic": "The browser sends your name and password with every request, coded in Base64: anyone who watches the "
             "connection can read them, unless it is encrypted (RFC 7617).",
    "digest": "The password itself never travels: the browser sends a hash of it, mixed with a number that the "
              "server made up (RFC 7616).",
    "bearer": "Whoever bears the token gets in, so it has to be kept as safe as a password (RFC 6750).",
}


class Protected:
    """The pages below /protected/."""

    def __init__(self, world: World, login: Login) -> None:
        self._world = world
        self._login = login
        # auth-int as a second offer would lock out clients that read the list as one word (wget 1.21).
        self._digest = Digest(REALM)

    def register(self, routes: Routes) -> None:
        routes.add("/protected", ("GET",), self.index)
        routes.add("/protected/", ("GET",), self.index)
        routes.add("/protected/basic", ("GET",), self.basic)
        routes.add("/protected/digest", ("GET", "POST"), self.digest)
        routes.add("/protected/bearer", ("GET",), self.bearer)

    def index(self, request: Request) -> Response:
        return page.page("Protected pages", page.fill(INDEX), request=request)

    def basic(self, request: Request) -> Response:
        given = basic_credentials(request)
        if given is None or not self._login.check(given.user, given.password):
            return refused(request, "basic", [basic_challenge(REALM)])
        return inside(request, "basic", given.user)

    async def digest(self, request: Request) -> Response:
        body = await request.body.read(FORM_LIMIT)
        verdict = self._digest.check(request, self._password, body)
        if not verdict.user:
            request.facts["digest"] = verdict.reason
            return refused(request, "digest", self._digest.challenge(verdict.stale))
        return inside(request, "digest", verdict.user, verdict.fields)

    def bearer(self, request: Request) -> Response:
        if "authorization" not in request.headers:
            return refused(request, "bearer", [bearer_challenge(REALM)])
        user = self._login.tokens.holder(bearer_token(request) or "")
        if not user:
            return refused(request, "bearer", [bearer_challenge(
                REALM, "invalid_token", "The token was never issued, or it has run out")])
        return inside(request, "bearer", user)

    def _password(self, user: str) -> str | None:
        account = self._world.accounts.get(user)
        return None if account is None else account.password


def inside(request: Request, scheme: str, user: str, fields: tuple[tuple[str, str], ...] = ()) -> Response:
    request.facts["account"] = user
    body = page.fill(INSIDE, scheme=scheme.capitalize(), user=user, told=TOLD[scheme])
    return page.page("You are in", body, headers=[*NOT_KEPT, *fields], request=request)


def refused(request: Request, scheme: str, challenges: list[tuple[str, str]]) -> Response:
    body = page.fill(OUTSIDE, scheme=scheme.capitalize(), told=TOLD[scheme])
    response = page.page("Who are you?", body, 401, NOT_KEPT, request=request)
    response.headers = Headers([*response.headers, *challenges])
    return response
