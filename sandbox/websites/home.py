"""The home pages: a short tour of the sandbox, with things to try; and the page for names nobody has.

What a page says depends only on the host and the port it is reached by, so each is built once and kept as octets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from sandbox.address import Address
from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.websites import answers, page
from sandbox.websites.page import Markup, fill, join
from sandbox.websites.reader import is_local, reached, seen_at
from sandbox.websites.tour import Try, things

if TYPE_CHECKING:
    from sandbox.world import World

__all__ = ["Pages"]

MAX_KEPT = 256
"""Pages that are kept built. A host in the world is one of few; its port is the client's word."""

HOME = page.template("home.html")
UNKNOWN = page.template("unknown.html")
PROXY = page.template("proxy.html")
CASTLE = Markup(page.asset("castle.svg").decode())
COMMAND = '<li><p>$text</p><pre tabindex="0"><code>$command</code></pre></li>\n'
GROUP = '<h3>$title</h3>\n<ul class="commands">\n$commands</ul>\n'
PERSON = "<tr><td>$name</td><td><code>$login</code></td><td><code>$password</code></td></tr>\n"
PLACE = '<div class="card"><h3><a href="$url">$name</a></h3><p>$text</p></div>\n'
LINK = '<li><a href="$url">$name</a>: $text</li>\n'


class Kept(NamedTuple):
    headers: Headers
    body: bytes


class Pages:
    """Builds pages about this world and these services. endpoints: complete when the first page is asked for."""

    def __init__(self, world: World, endpoints: Mapping[str, Address]) -> None:
        self._world = world
        self._endpoints = endpoints
        self._kept: dict[tuple[object, ...], Kept] = {}
        self._people: tuple[object, ...] = ()
        self.own = next((domain.name for domain in world.domains if domain.name == "sandbox.test"),
                        world.domains[0].name if world.domains else "sandbox.test")
        """The sandbox's own domain, for visitors that came by an address."""

    def home(self, request: Request) -> Response:
        """The home page of the host that was asked for."""
        if request.method not in ("GET", "HEAD"):
            if request.method == "OPTIONS":
                return Response(204, Headers([("Allow", "GET, HEAD, OPTIONS")]))
            raise HttpError(405, "This page can only be read.", [("Allow", "GET, HEAD, OPTIONS")])
        people = tuple(self._world.accounts)
        if people != self._people:
            self._people = people
            self._kept.clear()
        key = (request.host, request.port, request.proxied, request.scheme, request.version,
               reached(request, ""), request.live_page)
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            kept = self._kept[key] = self._build_home(request)
        # The fields are shared: whoever changes them on the way out copies them first.
        return Response(200, kept.headers, kept.body)

    def unknown(self, request: Request) -> Response:
        """For a name that is in no domain of the world, and for a host of the world that has no site."""
        if request.method not in ("GET", "HEAD"):
            raise HttpError(404, f"There is no site called {request.host}; this is the sandbox, and nothing left "
                                 "your machine.")
        places = join(fill(LINK, url=url, name=name, text=text) for name, url, text in self._places(request))
        name = request.host.removesuffix(".localhost") or "no name at all"
        body = fill(UNKNOWN, name=name, heading=page.breakable(name), castle=CASTLE, places=places)
        return page.page("This is the sandbox", body, 404, [("Cache-Control", "no-store")], host="the sandbox",
                         request=request)

    def proxy(self, request: Request) -> Response:
        commands = (one for one in self._things(request) if one.group == "A browser")
        body = fill(PROXY, pac=self._pac(request), commands=command_list(commands))
        return page.page("Use the sandbox with a browser", body, request=request)

    def _build_home(self, request: Request) -> Kept:
        local = is_local(request.host)
        host = request.host.removesuffix(".localhost")
        own = local or host.removeprefix("www.") == self.own
        heading = "You are inside the Sandbox" if own else host
        lead = ("A small pretend internet on this very machine: names, websites and their people, answered over the "
                "real protocols." if own else
                f"Not the real {host}, but the one of the Sandbox: a small pretend internet on this very "
                "machine, over the real protocols.")
        groups: dict[str, list[Try]] = {}
        for one in self._things(request):
            groups.setdefault(one.group, []).append(one)
        body = fill(
            HOME, heading=heading if own else page.breakable(heading), lead=lead, castle=CASTLE,
            opened=OPENED[request.secure],
            asked=fill(ASKED[request.version == "2"], target=request.url if request.proxied else request.target,
                       version=request.version, authority=answers.root(request).partition("://")[2]),
            answered=ANSWERED[request.version == "2"],
            found=fill(found(request), host=request.host or "no name at all"),
            commands=join(fill(GROUP, title=title, commands=join(map(command, things)))
                          for title, things in groups.items()),
            people=join(fill(PERSON, name=one.name, login=one.login, password=one.password)
                        for one in self._world.accounts if not one.teacher),
            places=join(fill(PLACE, url=url, name=name, text=text) for name, url, text in self._places(request)),
            pac=self._pac(request))
        data = page.frame(heading if own else f"{host} in the Sandbox", body, request.host,
                          seen=seen_at(request)).encode()
        tag = hashlib.sha256(data).hexdigest()[:32]
        return Kept(Headers([("Content-Type", "text/html; charset=utf-8"), ("ETag", f'"{tag}"'),
                             ("Cache-Control", "no-cache"), page.policy()]), data)

    def _places(self, request: Request) -> list[tuple[str, str, str]]:
        """Name, URL and a few words for the world's sites. Someone who came by an address gets names that lead here
        without any set-up: every system keeps those below localhost for itself (RFC 6761 §6.3)."""
        local = is_local(request.host) or request.host.endswith(".localhost")
        port = "" if request.port == (443 if request.secure else 80) else f":{request.port}"
        ending = (".localhost" if local else "") + port
        names = {domain.name: "a home page with things to try" for domain in self._world.domains}
        for domain in self._world.domains:
            for host in domain.hosts:
                name = f"{host}.{domain.name}"
                site = self._world.sites.find(name)
                if site is None or host.startswith("*"):
                    continue
                text = PLACES.get(site.value if site.kind == "builtin" else site.kind, "")
                if text and (domain.name == self.own or site.kind != "builtin"):
                    names[name] = text
        return [(name, f"{request.scheme}://{name}{ending}/", text) for name, text in names.items()]

    def _pac(self, request: Request) -> str:
        where = self._reachable(request).get("http")
        return f"http://{where}/proxy.pac" if where else "/proxy.pac"

    def _things(self, request: Request) -> list[Try]:
        endpoints = self._reachable(request)
        return [one for one in things(endpoints, self._world, self.own) if one.service in endpoints]

    def _reachable(self, request: Request) -> dict[str, Address]:
        """Where the services are for this reader: all listen on the same addresses, and this one was just used."""
        return {name: Address(reached(request, address.host), address.port)
                for name, address in self._endpoints.items()}


PLACES = {"httpbin": "sends back what you send", "api": "REST resources in JSON", "proxy": "how to set up a browser",
          "badtls": "TLS that is wrong on purpose",
          "folder": "a folder of files", "wsgi": "an application", "port": "a program on this machine",
          "redirect": "leads elsewhere"}


OPENED = {
    False: Markup("Three small TCP packets: may I, yes you may, thank you."),
    True: Markup("Three small TCP packets: may I, yes you may, thank you. Then TLS: a certificate was shown, and "
                 "keys agreed on."),
}
"""By whether it is encrypted."""
ASKED = {
    False: "<code>GET $target HTTP/$version</code> and <code>Host: $authority</code>: one address can serve many "
           "names.",
    True: "A frame of HTTP/2 with the fields <code>:method: GET</code>, <code>:path: $target</code> and "
          "<code>:authority: $authority</code>: one address can serve many names.",
}
ANSWERED = {
    False: Markup("<code>200 OK</code>, a few header fields, an empty line, and this page."),
    True: Markup("<code>:status: 200</code> and a few fields in one frame, and this page in others."),
}
"""By whether it was HTTP/2."""


def found(request: Request) -> str:
    """How this visitor's program learned where the host is."""
    if request.proxied:
        return ("Your browser did not look up <code>$host</code>: it left that to its proxy, and the proxy is the "
                "sandbox, which knows the name itself.")
    if is_local(request.host) or request.host.endswith(".localhost"):
        return ("<code>$host</code> is this very machine by definition, so nobody had to be asked. For other names "
                "the question goes to DNS.")
    return "DNS was asked where <code>$host</code> is, and the sandbox's answer was: right here, on this machine."


def command(one: Try) -> Markup:
    return fill(COMMAND, text=one.text, command=one.command)


def command_list(some: Iterable[Try]) -> Markup:
    return fill('<ul class="commands">\n$commands</ul>', commands=join(map(command, some)))


ICON = page.asset("favicon.ico")
ROBOTS = b"# Everybody is welcome in the sandbox.\nUser-agent: *\nDisallow:\n"


def robots(request: Request) -> Response:
    """RFC 9309."""
    return answers.answer(ROBOTS, "text/plain; charset=utf-8")


def icon(request: Request) -> Response:
    return answers.answer(ICON, "image/x-icon", headers=[("Cache-Control", "max-age=86400")])
