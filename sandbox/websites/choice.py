"""Which website a request is for, of the world's and of the ones that come with the sandbox.

`build` gives one site that serves them all. It looks, in this order, for

0. a route that somebody has set up while the world runs (`scripted`),
1. a connectivity probe of an operating system or a browser (`probes`),
2. /proxy.pac and /wpad.dat, under every host (`proxyconfig`),
3. the site that the world has for the host: a folder, an application, a program, a redirect or a built-in one
   (httpbin.org, which is in no domain here, is one all the same),
4. the settings that mail programs ask for (`mailconfig`), /httpbin/ and /api/, /dns-query, the certificate
   authority's files and the WebSocket echo, under every host but those of applications and programs, whose paths
   are their own,
5. for a host nobody has, a page that says where the visitor really is (`home`).

A name that ends in .localhost is served as the name before it: http://www.example.com.localhost:8080/ works in any
browser without set-up, since such names always lead to this machine (RFC 6761 §6.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sandbox.protocols.http.hosts import METHODS, unknown_method
from sandbox.protocols.http.messages import Request, Response, Site
from sandbox.websites import answers, authority, demos, home, names, proxyconfig, sockets
from sandbox.websites.api import PREFIX as API
from sandbox.websites.api import Api
from sandbox.websites.badtls import BadTls
from sandbox.websites.folder import FolderSite
from sandbox.websites.home import Pages
from sandbox.websites.httpbin import HttpBin
from sandbox.websites.httpbin.description import PREFIX as HTTPBIN
from sandbox.websites.login import Login
from sandbox.websites.mailconfig import MailConfig
from sandbox.websites.probes import probe
from sandbox.websites.protected import Protected
from sandbox.websites.reader import is_local
from sandbox.websites.routes import Routes
from sandbox.websites.scripted import scripted
from sandbox.world.names.domains import normal
from sandbox.world.sites import SiteSpec

if TYPE_CHECKING:
    from sandbox.protocols.contract.registry import Context

__all__ = ["build"]


MAX_HOSTS = 1_000
"""Hosts whose site is remembered: what clients call us is their word."""
PROGRAMS = ("wsgi", "port")
"""Sites that decide about every path and method themselves (RFC 9110 §9.1)."""
HERE = SiteSpec("", "builtin", "home")

ELSEWHERE = dict.fromkeys(("httpbin.org", "www.httpbin.org"), SiteSpec("httpbin.org", "builtin", "httpbin"))
"""Hosts that no domain of the world needs: test suites ask for httpbin's endpoints by the name of the real ones."""


def build(context: Context) -> Site:
    """The site that serves every host of the world, and every other."""
    return Websites(context)


class Websites:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._world = context.world
        self._pages = Pages(context.world, context.endpoints)
        self._login = Login(context.world)
        self._mailconfig = MailConfig([domain.name for domain in context.world.domains], context.endpoints)
        self._httpbin = HttpBin()
        self._api = Api(context.world.open_resources(), lambda host: context.world.sites.find(host) is not None)
        self._home_routes = Routes()
        self._login.register(self._home_routes)
        Protected(context.world, self._login).register(self._home_routes)
        demos.register(self._home_routes)
        sockets.register(self._home_routes, context.world)
        self._home_routes.add("/robots.txt", ("GET",), home.robots)
        self._home_routes.add("/favicon.ico", ("GET",), home.icon)
        self._everywhere: dict[str, Site] = {
            **dict.fromkeys(authority.PATHS, authority.AuthoritySite(context.ca, context.endpoints)),
            names.PATH: names.DnsQuery(context.ask), sockets.ECHO: echo}
        self._specs: dict[str, SiteSpec | None] = {}
        self._version = context.world.sites.version
        self._builtins: dict[str, Site] = {
            "home": self._home, "api": self._api, "httpbin": self._httpbin, "proxy": self._proxy,
            "badtls": BadTls(context.endpoints)}
        self._built: dict[SiteSpec, Site] = {}

    async def __call__(self, request: Request) -> Response:
        request.live_page = self._context.live_page()
        if self._world.routes and (met := self._world.routes.meet(
                request.method, normal(request.host), request.path)) is not None:
            return await scripted(met, request)
        spec = self._spec(request.host)
        if request.method not in METHODS and (spec is None or spec.kind not in PROGRAMS):
            raise unknown_method(request.method)
        if spec is not None and spec.value == "home" and request.path == "/" and spec.kind == "builtin":
            return self._pages.home(request)
        if (answer := probe(request)) is not None:
            return answer
        if request.path in proxyconfig.PATHS and request.method in ("GET", "HEAD"):
            return proxyconfig.proxy_configuration(request, self._context.endpoints.get("http", request.server))
        if spec is None or spec.kind not in PROGRAMS:
            if self._mailconfig.answers(request):
                return await self._mailconfig(request)
            if (everywhere := self._everywhere.get(request.path)) is not None:
                return await everywhere(request)
            if within(request.path, HTTPBIN):
                return await self._httpbin(request)
            if within(request.path, API) and (spec is None or spec.kind == "builtin"):
                return await self._api(request)
        if spec is None:
            return await self._unknown(request)
        site = self._built.get(spec)
        if site is None:
            site = self._built[spec] = self._make(spec)
        return await site(request)

    def _spec(self, host: str) -> SiteSpec | None:
        """The site of a host, None for one nobody has. Remembered: it is asked for with every request."""
        if self._version != self._world.sites.version:
            self._version = self._world.sites.version
            self._specs.clear()
        try:
            return self._specs[host]
        except KeyError:
            pass
        name = host.removesuffix(".").removesuffix(".localhost")
        # A world may have a site for localhost too, or for an address; where it has none, it is the home page.
        spec = self._world.sites.find(name) if name else HERE
        if spec is None:
            spec = HERE if is_local(name) else ELSEWHERE.get(normal(name))
        if len(self._specs) >= MAX_HOSTS:
            self._specs.clear()
        self._specs[host] = spec
        return spec

    async def _unknown(self, request: Request) -> Response:
        if request.path == "/favicon.ico":
            return home.icon(request)
        return self._pages.unknown(request)

    async def _home(self, request: Request) -> Response:
        return await self._home_routes(request)

    async def _proxy(self, request: Request) -> Response:
        return self._pages.proxy(request) if request.path == "/" else await self._home(request)

    def _make(self, spec: SiteSpec) -> Site:
        """One site of the world. Heavy ones are imported only where the world has one."""
        match spec.kind:
            case "builtin":
                return self._builtins[spec.value]
            case "folder":
                return FolderSite(spec.value, listing=True)
            case "wsgi":
                from sandbox.websites.wsgi import Wsgi
                return Wsgi(spec.value, self._context.config.http.debug)
            case "port":
                from sandbox.websites.port import PortSite
                return PortSite(int(spec.value), self._context.dial)
            case "redirect":
                return Redirect(spec.value)


async def echo(request: Request) -> Response:
    return sockets.echo(request)


class Redirect:
    """A host that sends its visitors elsewhere. target: a URL; one that ends in a slash takes the path along."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._whole = urlsplit(target).path in ("", "/") and not urlsplit(target).query

    async def __call__(self, request: Request) -> Response:
        location = self._target
        if self._whole:
            location = self._target.rstrip("/") + request.path + (f"?{request.query}" if request.query else "")
        return answers.redirect(location, 308 if request.method not in ("GET", "HEAD") else 301)


def within(path: str, prefix: str) -> bool:
    return path.startswith(prefix) and path[len(prefix):len(prefix) + 1] in ("", "/")
