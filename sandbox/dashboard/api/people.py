"""Who lives in the world, and which websites it has."""

from __future__ import annotations

import msgspec
import trio

from sandbox.dashboard.answers import ProblemError, as_json, body_of
from sandbox.dashboard.operations import Call, Operations
from sandbox.protocols.http.messages import Response

__all__ = ["OPERATIONS"]

OPERATIONS = Operations(spaced=True)


class Person(msgspec.Struct):
    """password: null for whom it is not to be shown; address: in the domain of the examples, addresses: in all there
    are; teacher: whether it is the one whose password no learner sees."""

    login: str
    name: str
    password: str | None
    address: str
    addresses: list[str]
    teacher: bool


class People(msgspec.Struct):
    people: list[Person]


class SiteRow(msgspec.Struct):
    """kind: builtin, folder, wsgi, port or redirect; value: its name, where it is, or where it leads; where a folder
    or a program is, only those of this machine are told."""

    host: str
    kind: str
    value: str
    url: str


class DomainRow(msgspec.Struct):
    """hosts: the names in it, without the domain."""

    name: str
    hosts: list[str]


class WorldRow(msgspec.Struct):
    domains: list[DomainRow]
    people: list[Person]
    sites: list[SiteRow]


class SiteRows(msgspec.Struct):
    """default: the built-in site that every other host of the world has."""

    sites: list[SiteRow]
    default: str


@OPERATIONS.add("GET", "people", "Everybody who can log in, with the password where the asker may see it.", People)
async def people(call: Call) -> Response:
    return as_json(People(await person_rows(call)))


async def person_rows(call: Call) -> list[Person]:
    world = call.world
    domain = call.board.cast.domain
    domains = [one.name for one in world.domains]
    proven = await call.board.proven(call.asker)
    rows = []
    for account in world.accounts:
        addresses = [account.address(domain) for domain in domains]
        addresses.sort(key=lambda address: not address.endswith(f"@{domain}"))
        shown = call.asker.sees_all or (account.login in proven and not account.teacher)
        rows.append(Person(account.login, account.name, account.password if shown else None,
                           addresses[0] if addresses else account.login, addresses, account.teacher))
    return rows


class NewPerson(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody who can log in from now on; one who is there already gets this password and name."""

    login: str
    password: str
    name: str = ""


@OPERATIONS.add("POST", "people", "Have somebody log in with this password from now on.", People, takes=NewPerson,
                changes=True)
async def added(call: Call) -> Response:
    asked = await body_of(call.request, NewPerson)
    accounts = call.world.accounts

    def work() -> None:
        if accounts.get(asked.login) is None:
            accounts.add(asked.login, asked.password, asked.name)
        else:
            accounts.change(asked.login, asked.password, asked.name or None)

    try:
        await trio.to_thread.run_sync(work)
    except ValueError as error:
        raise ProblemError(422, "Not a person", f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    return await people(call)


@OPERATIONS.add("DELETE", "people/{login}", "Have somebody be nobody here.", People, changes=True)
async def removed(call: Call, login: str) -> Response:
    try:
        await trio.to_thread.run_sync(call.world.accounts.remove, login)
    except KeyError:
        raise ProblemError(404, "No such person", f"There is nobody called {login[:64]!r}.",
                           "people lists those there are.") from None
    return await people(call)


@OPERATIONS.add("GET", "sites", "The websites of the world.", SiteRows)
async def sites(call: Call) -> Response:
    return as_json(SiteRows(site_rows(call), "home"))


def site_rows(call: Call) -> list[SiteRow]:
    http = call.place.get("http")
    port = "" if http is None or http.port == 80 else f":{http.port}"
    rows = []
    for site in call.world.sites:
        inside = site.kind in ("folder", "wsgi") and call.asker.role != "owner"
        url = "" if "*" in site.host or http is None else f"http://{site.host}{port}/"
        rows.append(SiteRow(site.host, site.kind, "" if inside else site.value, url))
    return rows


@OPERATIONS.add("GET", "world", "The domains, the people and the websites at once.", WorldRow)
async def world(call: Call) -> Response:
    domains = [DomainRow(domain.name, list(domain.hosts)) for domain in call.world.domains]
    return as_json(WorldRow(domains, await person_rows(call), site_rows(call)))
