"""Mail: people with their folders, and what a folder holds; and a letter to send."""

from __future__ import annotations

import msgspec
import trio

from sandbox.dashboard.answers import ProblemError, as_json, body_of
from sandbox.dashboard.letter import Brief, brief
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.dashboard.sending import send
from sandbox.protocols.http.messages import Response
from sandbox.world.mail import Folder, MailStore, NoSuchFolder

__all__ = ["OPERATIONS", "find_folder", "store_of"]

OPERATIONS = Operations(spaced=True)

CATCH_ALL = "catch-all"
"""Whose mailbox letters are in that are for nobody here."""
PEOPLE = 500
LETTERS = 200
"""Letters of one answer."""
HEADER = 16_384
"""Octets of a letter that are read for its line in a list."""


class FolderRow(msgspec.Struct):
    """special: its use as RFC 6154 names it, "" for none; count, unseen: letters; size: octets of all."""

    name: str
    special: str
    count: int
    unseen: int
    size: int


class Mailboxes(msgspec.Struct):
    login: str
    name: str
    address: str
    folders: list[FolderRow]


class MailPeople(msgspec.Struct):
    """more: whether there are more people with mail than are told here."""

    people: list[Mailboxes]
    more: bool


class Letters(msgspec.Struct):
    """The newest first. next: give it as `before` to go on, null at the end; count: letters in the folder."""

    letters: list[Brief]
    next: int | None
    count: int


class Draft(msgspec.Struct, forbid_unknown_fields=True):
    """A letter to send. from, to: addresses; one of the world's people as sender logs in to submission."""

    sender: str = msgspec.field(name="from")
    to: list[str]
    subject: str = ""
    text: str = ""


class Refusal(msgspec.Struct):
    recipient: str
    said: str


class Sent(msgspec.Struct):
    """said: what SMTP answered in the end; session: its number in the journal, 0 where it is not known; refused: for
    whom it was not taken."""

    said: str
    service: str
    session: int
    refused: list[Refusal]


@OPERATIONS.add("GET", "mail", "Whose mail there is, and in which folders.", MailPeople)
async def people(call: Call) -> Response:
    store = await store_of(call)
    world = call.world
    own = None if call.asker.sees_all else await call.board.proven(call.asker)
    domain = call.board.cast.domain

    def look() -> MailPeople:
        logins = [login for login in store.accounts() if own is None or login in own]
        rows = []
        for login in logins[:PEOPLE]:
            account = world.accounts.get(login)
            name = account.name if account else "Everybody else" if login == CATCH_ALL else login
            address = account.address(domain) if account else ""
            rows.append(Mailboxes(login, name, address, [folder_row(store, folder)
                                                         for folder in store.folders(login)]))
        return MailPeople(rows, len(logins) > PEOPLE)

    return as_json(await trio.to_thread.run_sync(look, abandon_on_cancel=True))


def folder_row(store: MailStore, folder: Folder) -> FolderRow:
    counts = store.counts(folder.id)
    return FolderRow(folder.name, folder.special, counts.messages, counts.unseen, counts.size)


@OPERATIONS.add("GET", "mail/{person}/{folder}", "The letters of a folder, the newest first.", Letters,
                Query("limit", f"How many, {LETTERS} at most.", "50", kind="integer"),
                Query("before", "Only those with a lower UID.", kind="integer"))
async def letters(call: Call, person: str, folder: str) -> Response:
    limit = call.query.whole("limit", 50, least=1, most=LETTERS)
    before = call.query.whole("before", 2**32, least=1)
    store, found = await find_folder(call, person, folder)

    def look() -> Letters:
        uids = store.view(found.id).uids
        wanted = [uid for uid in uids if uid < before][-limit:]
        items = store.items_of(found.id, wanted)
        starts = store.read_starts([item.content for item in items], HEADER)
        more = bool(wanted) and wanted[0] != uids[0]
        return Letters([brief(item, starts[item.content]) for item in reversed(items) if item.content in starts],
                       wanted[0] if more else None, len(uids))

    try:
        return as_json(await trio.to_thread.run_sync(look, abandon_on_cancel=True))
    except NoSuchFolder:
        raise no_folder() from None


@OPERATIONS.add("POST", "mail", "Send a letter over real SMTP.", Sent, takes=Draft, changes=True)
async def post(call: Call) -> Response:
    draft = await body_of(call.request, Draft)
    report = await send(call.board.sandbox, call.space, draft.sender, draft.to, draft.subject, draft.text)
    return as_json(Sent(report.said, report.service, report.session,
                        [Refusal(*pair) for pair in report.refused.items()]))


async def store_of(call: Call) -> MailStore:
    settings = call.space.config.mail
    return await trio.to_thread.run_sync(call.world.open_mail, settings.durability, settings.quota)


async def find_folder(call: Call, person: str, name: str) -> tuple[MailStore, Folder]:
    """Raises ProblemError, the same for what is not there and what is not for this asker."""
    if not call.asker.sees_all and person not in await call.board.proven(call.asker):
        raise no_folder()
    store = await store_of(call)
    try:
        return store, await trio.to_thread.run_sync(store.find_folder, person, name)
    except NoSuchFolder:
        raise no_folder() from None


def no_folder() -> ProblemError:
    return ProblemError(404, "No such folder", "There is no such folder for you here.",
                        "mail lists the people and their folders.")
