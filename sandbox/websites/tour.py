"""What the home page offers to try, with the ports of this run."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from sandbox.address import Address
from sandbox.pki.trust import KEEP_HTTP

if TYPE_CHECKING:
    from sandbox.world import World
    from sandbox.world.accounts import Account
    from sandbox.world.sites import SiteSpec

__all__ = ["Try", "things"]


class Try(NamedTuple):
    """Something to try. service: the role that must be running for it."""

    service: str
    group: str
    text: str
    command: str


class Places:
    """Where the services are, for commands; what does not run is left out later, so any port will do for it."""

    def __init__(self, endpoints: Mapping[str, Address]) -> None:
        self._endpoints = endpoints

    def at(self, name: str) -> Address:
        return self._endpoints.get(name, Address("127.0.0.1", 0))

    def nc(self, name: str) -> str:
        return f"nc {self.at(name).host} {self.at(name).port}"

    @property
    def curl(self) -> str:
        return f"curl -x http://{self.at('http')}"


def things(endpoints: Mapping[str, Address], world: World, own: str) -> Iterable[Try]:
    """Everything there is to try; own: the sandbox's own domain, for a world without example.com."""
    places = Places(endpoints)
    domain = next((one.name for one in world.domains if one.name == "example.com"), own)
    people = [person for person in world.accounts if not person.teacher]
    home = is_builtin(world, f"www.{domain}", "home")
    yield from web(places, domain, people[:1] if home else [], home, is_builtin(world, f"api.{domain}", "api"))
    yield from encrypted(places, domain, is_builtin(world, f"expired.badtls.{domain}", "badtls"))
    yield Try("http", "A browser", "Start one that lives in the sandbox, beside your own.",
              f"chromium --user-data-dir=/tmp/sandbox-browser {KEEP_HTTP} "
              f"--proxy-pac-url=http://{places.at('http')}/proxy.pac http://www.{domain}/")
    yield from names(places, domain)
    if people:
        yield from mail(places, domain, people[0], people[-1])
        yield from files(places, domain, people[0], world.sites.find(f"{people[0].login}.{domain}"))
    yield from small(places)
    yield Try("http", "What the sandbox saw", "Every exchange so far, and those to come.", "sandbox log --follow")
    yield Try("http", "What the sandbox saw", "What a word means.", "sandbox explain http 404")


def is_builtin(world: World, host: str, name: str) -> bool:
    site = world.sites.find(host)
    return site is not None and (site.kind, site.value) == ("builtin", name)


def web(places: Places, domain: str, people: Iterable[Account], home: bool, api: bool) -> Iterator[Try]:
    """home, api: whether www and api of the domain are the built-in sites, and have their pages."""
    group, curl, url = "Web pages", places.curl, f"http://www.{domain}"
    yield Try("http", group, "Fetch a page, and see the whole conversation.", f"{curl} -v {url}/")
    yield Try("http", group, "Ask for something that is not there.", f"{curl} -i {url}/no-such-page")
    for person in people:
        yield Try("http", group, "Show a password to a protected page.",
                  f"{curl} -i --digest -u {login(person)} {url}/protected/digest")
    if home:
        yield Try("http", group, "Watch events arrive, one a second.", f"{curl} -N {url}/events")
    if api:
        yield Try("http", group, "Make a resource with the REST service, then list them.",
                  f"""{curl} -i --json '{{"name": "Ada"}}' http://api.{domain}/people && {curl} http://api.{domain}/people""")
    yield Try("http", group, "Say it yourself: HTTP is text.",
              rf"printf 'GET / HTTP/1.1\r\nHost: www.{domain}\r\nConnection: close\r\n\r\n' | {places.nc('http')}")


def encrypted(places: Places, domain: str, expired: bool) -> Iterator[Try]:
    """expired: whether the domain has a host whose certificate is."""
    group, curl = "Web pages, encrypted", places.curl
    yield Try("https", group, "Fetch the sandbox's certificate authority, and trust it for one page.",
              f"curl -so sandbox-ca.pem http://{places.at('http')}/ca.pem && "
              f"{curl} --cacert sandbox-ca.pem -v https://www.{domain}/")
    yield Try("https", group, "See what a client says that does not trust it.", f"{curl} https://www.{domain}/")
    if expired:
        yield Try("https", group, "Look at a certificate that has expired.",
                  f"openssl s_client -connect {places.at('https')} -servername expired.badtls.{domain} </dev/null")


def names(places: Places, domain: str) -> Iterator[Try]:
    dig = f"dig @{places.at('dns').host} -p {places.at('dns').port}"
    yield Try("dns", "Names", "Ask where a name is.", f"{dig} www.{domain}")
    yield Try("dns", "Names", "Ask who takes mail for a domain, over TCP.", f"{dig} +tcp {domain} MX")
    yield Try("dns", "Names", "Ask for a name that nobody has.", f"{dig} nobody.{domain}")


def mail(places: Places, domain: str, sender: Account, reader: Account) -> Iterator[Try]:
    group = "Mail"
    yield Try("submission", group, "Send a letter; the sandbox carries it on, from server to server.",
              rf"printf 'Subject: Hello\n\nHow are you?\n' | curl --crlf -T - -u {login(sender)} "
              f"--mail-from {sender.login}@{domain} --mail-rcpt {reader.login}@{domain} "
              f"smtp://{places.at('submission')}/")
    yield Try("imap", group, "Read the newest over IMAP, as mail programs do.",
              f"curl -u {login(reader)} 'imap://{places.at('imap')}/INBOX;MAILINDEX=*'")
    yield Try("pop3", group, "List the same mailbox over POP3.", f"curl -u {login(reader)} pop3://{places.at('pop3')}/")
    yield Try("smtp", group, "Be a mail server for a moment: type EHLO me, then HELP.", places.nc("smtp"))


def files(places: Places, domain: str, person: Account, site: SiteSpec | None) -> Iterator[Try]:
    """site: the person's website."""
    group = "Files"
    if site is not None and site.kind == "folder":
        yield Try("ftp", group, "Upload a page over FTP, in the clear; then it is on the web.",
                  f"echo '<h1>Mine</h1>' | curl -T - -u {login(person)} ftp://{places.at('ftp')}/www/index.html && "
                  f"{places.curl} http://{person.login}.{domain}/")
    else:
        yield Try("ftp", group, "List the files over FTP, in the clear.",
                  f"curl -u {login(person)} ftp://{places.at('ftp')}/")
    yield Try("sftp", group, "See the same files over SFTP, encrypted.",
              f"sftp -P {places.at('sftp').port} {person.login}@{places.at('sftp').host}")


def small(places: Places) -> Iterator[Try]:
    group = "Small old services"
    yield Try("qotd", group, "The quote of the day (RFC 865).", places.nc("qotd"))
    yield Try("daytime", group, "What time is it? (RFC 867)", places.nc("daytime"))
    yield Try("echo", group, "Type a line and it comes back (RFC 862); Ctrl-C ends it.", places.nc("echo"))


def login(person: Account) -> str:
    """Name and password as a shell needs them."""
    return shlex.quote(f"{person.login}:{person.password}")
