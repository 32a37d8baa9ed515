"""Logging in with the world's accounts: a form and a cookie for people, a token for programs.

The cookie holds a random ticket (`tickets`); HttpOnly keeps scripts from reading it, SameSite keeps other sites from
using it, and `refuse_other_sites` turns their requests away (`origin`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from sandbox.protocols.http.messages import Request, Response
from sandbox.websites import answers, page
from sandbox.websites.content import parse_query, read_form
from sandbox.websites.cookies import clear_cookie, cookies, set_cookie
from sandbox.websites.origin import refuse_other_sites
from sandbox.websites.routes import Routes
from sandbox.websites.tickets import Tickets

if TYPE_CHECKING:
    from sandbox.world import World

__all__ = ["Login"]

COOKIE = "session"
FORM_LIMIT = 8_192
"""Octets of a name and a password."""
NOT_KEPT = (("Cache-Control", "no-store"),)
EXAMPLE = ", such as <code>$login</code> with the password <code>$password</code>"
FORM = page.template("login.html")
ACCOUNT = page.template("account.html")


class Login:
    """The pages /login, /logout and /account, and /token for programs (the password grant of RFC 6749 §4.3, for
    practice). Cookies and tokens are kept apart: one never stands in for the other."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sessions = Tickets()
        self.tokens = Tickets()

    def register(self, routes: Routes) -> None:
        routes.add("/login", ("GET",), self.show)
        routes.add("/login", ("POST",), self.log_in)
        routes.add("/logout", ("POST",), self.log_out)
        routes.add("/account", ("GET",), self.account)
        routes.add("/token", ("POST",), self.token)

    def show(self, request: Request, name: str = "", wrong: str = "", status: int = 200) -> Response:
        after = next((value for key, value in parse_query(request.query) if key == "next"), "/account")
        body = page.fill(FORM, name=name, example=self._example(), next=local(after),
                         wrong=page.fill('<p class=wrong role=alert>$text</p>', text=wrong) if wrong else "")
        return page.page("Log in", body, status, NOT_KEPT, request=request)

    def _example(self) -> page.Markup:
        """Somebody of this world, to log in as."""
        person = next((one for one in self._world.accounts if not one.teacher), None)
        if person is None:
            return page.Markup("")
        return page.fill(EXAMPLE, login=person.login, password=person.password)

    async def log_in(self, request: Request) -> Response:
        refuse_other_sites(request)
        form = await read_form(request, FORM_LIMIT)
        name = form.get("name").strip()
        request.facts["secret"] = "password"
        if not self.check(name, form.get("password")):
            # One sentence for both, so that nobody learns which names there are.
            return self.show(request, name, "This name and password do not belong together.", 403)
        self._sessions.give_back(cookies(request).get(COOKIE, ""))
        ticket = self._sessions.issue(name)
        request.facts["account"] = name
        cookie = set_cookie(COOKIE, ticket, max_age=self._sessions.lifetime, secure=request.secure)
        return answers.redirect(local(form.get("next")), 303, [cookie, *NOT_KEPT])

    def log_out(self, request: Request) -> Response:
        refuse_other_sites(request)
        self._sessions.give_back(cookies(request).get(COOKIE, ""))
        return answers.redirect("/login", 303, [clear_cookie(COOKIE), *NOT_KEPT])

    def account(self, request: Request) -> Response:
        name = self._sessions.holder(cookies(request).get(COOKIE, ""))
        if not name:
            return answers.redirect(f"/login?next={quote(request.path, safe='/')}", 303, NOT_KEPT)
        request.facts["account"] = name
        return page.page("Your account", page.fill(ACCOUNT, name=name), headers=NOT_KEPT, request=request)

    async def token(self, request: Request) -> Response:
        refuse_other_sites(request)
        form = await read_form(request, FORM_LIMIT)
        name = form.get("username") or form.get("name")
        request.facts["secret"] = "password"
        if not self.check(name, form.get("password")):
            told = {"error": "invalid_grant", "error_description": "This name and password do not belong together."}
            return answers.json(told, 400, NOT_KEPT)
        request.facts["account"] = name
        return answers.json({"access_token": self.tokens.issue(name), "token_type": "Bearer",
                             "expires_in": self.tokens.lifetime}, headers=NOT_KEPT)

    def check(self, name: str, password: str) -> bool:
        """Whether the world knows this person by this password."""
        return self._world.accounts.check(name, password) is not None


def local(target: str) -> str:
    """A path on this site, whatever was asked for: a log-in must not send people elsewhere."""
    elsewhere = not target.startswith("/") or target.startswith(("//", "/\\"))
    safe = not elsewhere and target.isascii() and target.isprintable()
    return quote(target, safe="/?=&%-._~") if safe else "/account"
