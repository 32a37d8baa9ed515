"""The text of a world file, added to a world that runs. What is there already stays as it is, so it may be repeated.

A domain gets its zone, people can log in, sites answer, letters are delivered once. Waits for the disk: call it from
a worker thread.
"""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sandbox.message.message import Message
from sandbox.world.errors import WorldError
from sandbox.world.load import Letter, load_text
from sandbox.world.mail.seed import write_letter
from sandbox.world.mail.values import Delivery, NoSuchFolder
from sandbox.world.sites import SiteSpec

if TYPE_CHECKING:
    from sandbox.world import World
    from sandbox.world.mail import MailStore

__all__ = ["Added", "populate"]

OURS_ALONE = ("wsgi", "port")
"""Sites that are programs: only who is on the sandbox's machine may name one."""
HEADER = 16_384
LOOKED_AT = 1_000
"""Letters of a mailbox among which one that is to be delivered may be, the last ones."""


class Added(NamedTuple):
    """How many of each were new or became others."""

    domains: int
    people: int
    sites: int
    letters: int


def populate(world: World, mail: MailStore, text: str, *, name: str = "the world that was sent",
             trusted: bool = False) -> Added:
    """trusted: whether it may name folders and programs. Raises WorldError; then nothing was changed."""
    found = load_text(text, name, world.files, {account.login: account for account in world.accounts},
                      {domain.name: domain for domain in world.domains})
    for site in found.sites:
        inside = Path(site.value).is_relative_to(world.files.data) if site.kind == "folder" else True
        if not trusted and (site.kind in OURS_ALONE or not inside):
            raise WorldError(name, 0, f"the site {site.host}", f"a {site.kind} of the sandbox's machine",
                             "a site without one", "Only who is on that machine may name it.")
    known = set(world.domains)
    domains = [domain for domain in found.domains if domain not in known]
    for domain in domains:
        world.add_domain(domain)
    people = 0
    for account in found.people:
        there = world.accounts.get(account.login)
        if there == account:
            continue
        people += 1
        if there is None:
            world.accounts.add(*account)
        else:
            world.accounts.change(*account)
    there_already = set(world.sites)
    sites = [site for site in found.sites if site not in there_already]
    for site in sites:
        add_site(world, site)
    return Added(len(domains), people, len(sites), deliver(world, mail, found.mail))


def add_site(world: World, site: SiteSpec) -> None:
    if site.kind == "folder":
        Path(site.value).mkdir(parents=True, exist_ok=True)
    world.sites.add(site)


def deliver(world: World, mail: MailStore, letters: tuple[Letter, ...]) -> int:
    """Those that are not there yet, told by their Message-ID, which follows from what they say."""
    domain = world.domain_names[0] if world.domain_names else "sandbox.test"
    done: list[Future[object]] = []
    for letter in letters:
        text = write_letter(letter, domain)
        if Message(text).message_id not in identities(mail, letter.to):
            done.append(mail.put(text, Delivery(letter.to),                       # type: ignore[arg-type]
                                 utf8=not text.partition(b"\r\n\r\n")[0].isascii()))
    for future in done:
        future.result()
    return len(done)


def identities(mail: MailStore, login: str) -> set[str]:
    """The Message-IDs in somebody's INBOX."""
    try:
        inbox = mail.find_folder(login)
    except NoSuchFolder:
        return set()
    items = mail.items_of(inbox.id, list(mail.view(inbox.id).uids)[-LOOKED_AT:])
    starts = mail.read_starts([item.content for item in items], HEADER)
    return {Message(start).message_id for start in starts.values()}
