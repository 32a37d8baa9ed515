"""LIST in all its forms, and LSUB."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from sandbox.protocols.imap.commands.folders import tell_status
from sandbox.protocols.imap.grammar.cursor import Cursor
from sandbox.protocols.imap.grammar.listing import Listing, Pattern, expect_listing, expect_pattern, expect_reference
from sandbox.protocols.imap.grammar.utf7 import encode_utf7
from sandbox.protocols.imap.grammar.writing import mailbox
from sandbox.protocols.imap.replies import Tagged, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import LOGGED_IN, command
from sandbox.world.mail import Folder, NoSuchFolder


class Tree:
    """All names of an account: its mailboxes, what is subscribed to, and the levels above them.

    above: for each name, whether there are mailboxes inside; promised: whether there are subscribed names inside.
    """

    def __init__(self, folders: list[Folder], subscribed: list[str]) -> None:
        self.folders = {folder.name: folder for folder in folders}
        self.subscribed = frozenset(subscribed)
        self.above = parents(self.folders)
        self.promised = parents(subscribed)
        self.names = sorted({*self.folders, *self.above, *subscribed, *self.promised},
                            key=lambda name: (name != "INBOX", name))


def parents(names: object) -> frozenset[str]:
    assert isinstance(names, (dict, list))
    found = set()
    for name in names:
        while "/" in name:
            name = name.rpartition("/")[0]
            found.add(name)
    return frozenset(found)


async def read_tree(session: Imap, patterns: Sequence[Pattern]) -> tuple[Tree, list[str]]:
    """All names, and those that match as they are written on this connection: a wildcard may stand amid modified
    UTF-7. In a thread: many long names and patterns take a while."""
    def read() -> tuple[Tree, list[str]]:
        tree = Tree(session.store.folders(session.account), session.store.subscriptions(session.account))
        written = tree.names if session.utf8 else [encode_utf7(name).decode() for name in tree.names]
        return tree, [name for name, text in zip(tree.names, written, strict=True)
                      if any(pattern.matches(text) for pattern in patterns)]
    return await trio.to_thread.run_sync(read)


def list_arguments(cursor: Cursor) -> tuple[Listing]:
    cursor.expect_space()
    return (expect_listing(cursor),)


@command("LIST", states=LOGGED_IN, rfc="9051 §6.3.9", reads=list_arguments)
async def list_mailboxes(session: Imap, asked: Listing) -> Tagged:
    """List the mailboxes whose names match."""
    if asked.patterns == ("",) and not asked.extended:
        session.untagged('LIST (\\Noselect) "/" ""')
        return ok("The levels of a name are parted by a slash")
    tree, names = await read_tree(session, [Pattern(asked.reference + each) for each in asked.patterns if each])
    for name in names:
        info = b""
        if not chosen(tree, name, asked):
            if not ("RECURSIVEMATCH" in asked.selections and "SUBSCRIBED" in asked.selections
                    and name in tree.promised):
                continue
            info = b' ("CHILDINFO" ("SUBSCRIBED"))'
        elif "RECURSIVEMATCH" in asked.selections and name in tree.promised:
            info = b' ("CHILDINFO" ("SUBSCRIBED"))'
        words = attributes(tree, name, asked)
        await session.send(
            b"* LIST (" + " ".join(words).encode() + b') "/" ' + mailbox(name, utf8=session.utf8) + info + b"\r\n")
        if asked.status and name in tree.folders:
            try:
                await tell_status(session, name, asked.status)
            except NoSuchFolder:
                continue  # removed just now
    return ok("That is all")


def chosen(tree: Tree, name: str, asked: Listing) -> bool:
    """Whether a name is what the selection options want."""
    folder = tree.folders.get(name)
    if "SPECIAL-USE" in asked.selections and not (folder is not None and folder.special):
        return False
    if "SUBSCRIBED" in asked.selections:
        return name in tree.subscribed
    return folder is not None or name in tree.above


def attributes(tree: Tree, name: str, asked: Listing) -> list[str]:
    """RFC 9051 §7.3.1."""
    folder = tree.folders.get(name)
    words = [] if folder is not None else (["\\NonExistent"] if asked.extended else ["\\Noselect"])
    words.append("\\HasChildren" if name in tree.above else "\\HasNoChildren")
    if name in tree.subscribed and ("SUBSCRIBED" in asked.selections or "SUBSCRIBED" in asked.returns):
        words.append("\\Subscribed")
    if folder is not None and folder.special:
        words.append(folder.special)
    return words


def lsub_arguments(cursor: Cursor) -> tuple[str, str]:
    cursor.expect_space()
    reference = expect_reference(cursor)
    cursor.expect_space()
    return reference, expect_pattern(cursor)


@command("LSUB", states=LOGGED_IN, rfc="3501 §6.3.9", reads=lsub_arguments)
async def list_subscribed(session: Imap, reference: str, text: str) -> Tagged:
    """List the names subscribed to, the old way."""
    tree, names = await read_tree(session, [Pattern(reference + text)])
    for name in names:
        above = name in tree.promised and name not in tree.subscribed and "%" in text
        if name in tree.subscribed or above:
            # RFC 3501 §6.3.9: with % a level above a subscribed name is shown, and marked.
            flags = "\\Noselect" if above or name not in tree.folders else ""
            await session.send(f"* LSUB ({flags}) \"/\" ".encode()
                                            + mailbox(name, utf8=session.utf8) + b"\r\n")
    return ok("That is all")
