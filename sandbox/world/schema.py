"""What a world file may say: its tables and keys, typed."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from sandbox.world.names.domains import DEFAULT_HOSTS

__all__ = ["DomainTable", "MailTable", "PersonTable", "SiteTable", "WorldFile"]

Text = Annotated[str, Meta(min_length=1)]
Port = Annotated[int, Meta(ge=1, le=65535)]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a world file."""


class DomainTable(Table, frozen=True):
    """A domain and the hosts in it. Each host gets addresses; the services that run get their MX, SRV and so on."""

    name: Annotated[Text, Meta(description="the domain's name, such as shop.test")]
    hosts: Annotated[tuple[Text, ...], Meta(description="the names in it; those of its sites are added")] = (
        DEFAULT_HOSTS)
    records: Annotated[str, Meta(description="more DNS records, a line each, as zone files write them")] = ""
    zone_file: Annotated[str, Meta(description="a file with such records instead")] = ""


class PersonTable(Table, frozen=True):
    """Somebody who can log in and has mail. The table's name is their login: [people.alice]."""

    password: Annotated[Text, Meta(description="one for everything; never a real one")]
    name: Annotated[str, Meta(description="the name as people write it; empty: the login's")] = ""
    ssh_keys: Annotated[tuple[str, ...], Meta(
        description="public keys that log in over SFTP, each as a line of authorized_keys")] = ()


class SiteTable(Table, frozen=True):
    """A website. One of the keys after host says what answers; without any, a folder in the data folder does."""

    host: Annotated[Text, Meta(description="its name; www.NAME is served too; *.shop.test and api.* are patterns")]
    folder: Annotated[str | None, Meta(description="a folder of pages")] = None
    wsgi: Annotated[str | None, Meta(description="a Python web application, app.py:app or module:app")] = None
    port: Annotated[Port | None, Meta(description="the port of a web server on this machine")] = None
    redirect: Annotated[str | None, Meta(description="an address to send visitors to")] = None
    builtin: Annotated[str | None, Meta(description="a site of the sandbox's own: home, api, httpbin, proxy")] = None


class MailTable(Table, frozen=True, rename={"sender": "from"}):
    """A letter that lies in a mailbox from the start, or a folder of them."""

    to: Annotated[Text, Meta(description="the login of the person who has it")]
    sender: Annotated[str, Meta(description="who it is from, such as bob@example.com")] = ""
    subject: Annotated[str, Meta(description="its subject")] = ""
    text: Annotated[str, Meta(description="its text")] = ""
    folder: Annotated[str, Meta(description="a folder of whole messages, *.eml, instead of one letter")] = ""


class WorldFile(Table, frozen=True):
    """A world."""

    extends: Annotated[str, Meta(
        description="what this file adds to: \"default\", another world file, or \"nothing\"")] = "default"
    domain: tuple[DomainTable, ...] = ()
    people: dict[str, PersonTable] = {}
    site: tuple[SiteTable, ...] = ()
    mail: tuple[MailTable, ...] = ()
    faults: Annotated[tuple[dict[str, str | bool | int | float], ...], Meta(
        description="what shall fail on purpose in it, a table for each rule")] = ()
