"""What can be said at any time: CAPABILITY, NOOP, LOGOUT, ID; ENABLE and COMPRESS."""

from __future__ import annotations

from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError
from sandbox.protocols.imap.grammar.writing import string
from sandbox.protocols.imap.replies import Tagged, bad, no, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import ANY, LOGGED_IN, State, command

__all__ = ["ENABLED", "enable"]

ENABLED = frozenset({"CONDSTORE", "QRESYNC", "UTF8=ACCEPT", "IMAP4REV2"})


@command("CAPABILITY", states=ANY, rfc="9051 §6.1.1")
async def capability(session: Imap) -> Tagged:
    """List what the server can do."""
    session.untagged("CAPABILITY " + session.capabilities())
    return ok("That is all")


@command("NOOP", states=ANY, rfc="9051 §6.1.2")
async def noop(session: Imap) -> Tagged:
    """Do nothing, and hear what is new."""
    return ok("Nothing done")


@command("LOGOUT", states=ANY, rfc="9051 §6.1.3")
async def logout(session: Imap) -> Tagged:
    """Say goodbye."""
    session.untagged("BYE See you again")
    return ok("Goodbye")._replace(close=True)


def client_id(cursor: Cursor) -> tuple[list[tuple[bytes, bytes | None]]]:
    cursor.expect_space()
    if cursor.try_word("NIL"):
        return ([],)

    def pair() -> tuple[bytes, bytes | None]:
        name = cursor.expect_string()
        cursor.expect_space()
        return name, cursor.expect_nstring()

    pairs = cursor.expect_list(pair, empty=True)
    if len(pairs) > 30:  # RFC 2971 §3.3
        raise GrammarError("ID takes 30 pairs at most")
    return (pairs,)


@command("ID", states=ANY, rfc="2971 §3.1", reads=client_id)
async def identify(session: Imap, pairs: list[tuple[bytes, bytes | None]]) -> Tagged:
    """Say what program one is."""
    facts = {name.decode("utf-8", "replace").lower(): (value or b"").decode("utf-8", "replace")
             for name, value in pairs}
    program = f"{facts.get('name', '')} {facts.get('version', '')}".strip()
    if program:
        session.note("agent", program[:100])
    session.untagged(b"ID (" + b" ".join(map(string, (b"name", b"Sandbox", b"vendor", b"Sandbox"))) + b")")
    return ok("Nice to meet you")


def extensions(cursor: Cursor) -> tuple[list[str]]:
    names = []
    cursor.expect_space()
    while True:
        names.append(cursor.expect_atom().upper())
        if not cursor.try_take(b" "):
            return (names,)


@command("ENABLE", states=LOGGED_IN, rfc="5161 §3.1", reads=extensions)
async def enable_extensions(session: Imap, names: list[str]) -> Tagged:
    """Switch on what would surprise a client that does not know it."""
    if "UTF8=ACCEPT" in names and session.state is State.SELECTED:
        names.remove("UTF8=ACCEPT")  # RFC 6855 §3: only before a mailbox is selected
    wanted = [name for name in dict.fromkeys(names) if name in ENABLED]
    fresh = [name for name in wanted if spelled(name) not in session.enabled]
    for name in fresh:
        enable(session, name)
    session.untagged(" ".join(["ENABLED", *map(spelled, fresh)]))
    return ok("What is known here is on")


def enable(session: Imap, name: str) -> None:
    session.enabled |= {spelled(name)}


def spelled(name: str) -> str:
    return "IMAP4rev2" if name == "IMAP4REV2" else name


def algorithm(cursor: Cursor) -> tuple[str]:
    cursor.expect_space()
    return (cursor.expect_atom().upper(),)


@command("COMPRESS", states=LOGGED_IN, rfc="4978 §3", reads=algorithm)
async def compress(session: Imap, name: str) -> Tagged:
    """Compress from here on."""
    if name != "DEFLATE":
        return no("DEFLATE is the only compression there is", "CANNOT")
    if session.compressed:
        return no("This connection is compressed already", "COMPRESSIONACTIVE")
    if session.conversation.buffer:
        # It would be read as clear text, or as damage (RFC 4978 §3: nothing may be sent before the answer).
        return bad("Wait for the answer to COMPRESS before you go on")
    session.compressed = True
    return ok("Compressed from here on")._replace(then=session.conversation.start_compression)
