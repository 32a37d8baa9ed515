"""Who lives in the world, and which websites it has."""

from __future__ import annotations

import msgspec

from sandbox.dashboard.answers import as_json
from sandbox.dashboard.operations import Call, Operations
from sandbox.protocols.http.messages import Response

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()


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


class SiteRows(msgspec.Struct):
    """default: the built-in site that every other host of the world has."""

    sites: list[SiteRow]
    default: str


@OPERATIONS.add("GET", "people", "Everybody who can log in, with the password where the asker may see it.", People)
async def people(call: Call) -> Response:
    world = call.board.world
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
    return as_json(People(rows))


@OPERATIONS.add("GET", "sites", "The websites of the world.", SiteRows)
async def sites(call: Call) -> Response:
    http = call.board.place(call.request).get("http")
    port = "" if http is None or http.port == 80 else f":{http.port}"
    rows = []
    for site in call.board.world.sites:
        inside = site.kind in ("folder", "wsgi") and call.asker.role != "owner"
        url = "" if "*" in site.host or http is None else f"http://{site.host}{port}/"
        rows.append(SiteRow(site.host, site.kind, "" if inside else site.value, url))
    return as_json(SiteRows(rows, "home"))
