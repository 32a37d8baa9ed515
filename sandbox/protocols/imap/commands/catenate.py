"""CATENATE: a message put together from text that comes and parts of messages that are here (RFC 4469).

So a draft whose attachment is on the server already need not carry it there again.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import trio

from sandbox.protocols.imap.arriving import Rest
from sandbox.protocols.imap.grammar.cursor import GrammarError
from sandbox.protocols.imap.grammar.urls import LONGEST, Url, read_url
from sandbox.protocols.imap.render import MessageWriter
from sandbox.protocols.imap.replies import CommandRefused, no
from sandbox.protocols.imap.session import Imap
from sandbox.world.mail import Folder, NoSuchFolder, Spool

__all__ = ["receive_parts"]

MOST = 1000
"""Parts of one message."""


async def receive_parts(session: Imap, rest: Rest, spool: Spool) -> bool:
    """Everything in brackets after CATENATE; returns whether it was without NUL. Raises GrammarError,
    CommandRefused."""
    clean = True
    rest.cursor.expect_take(b"(")
    for _ in range(MOST):
        word = rest.cursor.try_word("TEXT", "URL")
        if word is None:
            raise GrammarError(f"TEXT or URL was expected at {rest.cursor.near()}")
        rest.cursor.expect_space()
        if word == "TEXT":
            check_size(session, spool.size + rest.expect_literal().size)
            clean = await rest.receive(spool) and clean
        else:
            await copy_url(session, await expect_url(rest), spool)
        if rest.cursor.try_take(b")"):
            return clean
        rest.cursor.expect_space()
    raise CommandRefused(no(f"A message is put together from {MOST} parts at most", "LIMIT"))


def check_size(session: Imap, size: int) -> None:
    if size > session.mailboxes.size:
        raise CommandRefused(no(f"A message may have {session.mailboxes.size} octets", "TOOBIG"))


async def expect_url(rest: Rest) -> str:
    if rest.cursor.peek() in b"~{" and rest.literal is not None:
        octets = await rest.receive_short(LONGEST)
    else:
        octets = rest.cursor.expect_astring()
    return octets.decode("utf-8", "replace")


async def copy_url(session: Imap, text: str, spool: Spool) -> None:
    """Put what a URL names behind what is there already."""
    try:
        url = read_url(text)
        folder = await find_folder(session, url)
        await trio.to_thread.run_sync(copy_octets, session, folder, url, spool)
    except (GrammarError, NoSuchFolder, KeyError):
        shown = quote(text, safe="/;:=@.%&,()+-_ ")
        raise CommandRefused(no("There is nothing by that URL here", f'BADURL "{shown}"')) from None


async def find_folder(session: Imap, url: Url) -> Folder:
    """Raises NoSuchFolder for what is not on this server, or not this account's."""
    here = {session.mailboxes.hostname, session.conversation.server.host, "localhost", ""}
    name = url.mailbox or (session.view.name if session.view is not None else "")
    if url.user not in ("", session.account) or url.host.partition(":")[0].lower() not in here or not name:
        raise NoSuchFolder(url.mailbox)
    folder = await session.find_folder(name)
    if url.validity not in (0, folder.uidvalidity):
        raise NoSuchFolder(url.mailbox)
    return folder


def copy_octets(session: Imap, folder: Folder, url: Url, spool: Spool) -> None:
    """Blocks. Raises KeyError for a message or a part that is not there, CommandRefused."""
    for piece in read_part(session, folder, url):
        check_size(session, spool.size + len(piece))
        if spool.add(piece):
            spool.drain()


def read_part(session: Imap, folder: Folder, url: Url) -> Iterator[bytes]:
    library = session.mailboxes.library
    items = library.store.items_of(folder.id, [url.uid])
    if not items:
        raise KeyError(url.uid)
    message = MessageWriter(library, items[0], library.several([items[0].content])[items[0].content], None)
    first, octets = url.partial or (0, 0)
    if url.section.fields:
        picked = message.fields(url.section)
        if picked is None:
            raise KeyError(url.section)
        return iter([picked[first:first + octets] if octets else picked[first:]])
    place = message.place(url.section)
    if place is None:
        raise KeyError(url.section)
    start, end = min(place[0] + first, place[1]), place[1]
    return library.store.read(items[0].content, start=start, end=min(start + octets, end) if octets else end)
