"""Before login: STARTTLS, AUTHENTICATE, LOGIN."""

from __future__ import annotations

from sandbox.protocols import sasl
from sandbox.protocols.imap.grammar.cursor import Cursor
from sandbox.protocols.imap.replies import Tagged, bad, no, ok
from sandbox.protocols.imap.session import Imap
from sandbox.protocols.imap.table import State, command
from sandbox.protocols.lines.command import CLEAR_TEXT
from sandbox.protocols.sasl.base import Account, Host, same
from sandbox.protocols.threads import settled

PATIENCE = 1860.0
"""Seconds of silence that are borne once somebody has logged in: RFC 9051 §5.4 wants 30 minutes."""

PRIVACY = "Encrypt first: send STARTTLS, or use the TLS port"


@command("STARTTLS", states=State.NOT_AUTHENTICATED, rfc="9051 §6.2.1")
async def start_tls(session: Imap) -> Tagged:
    """Encrypt from here on."""
    if session.conversation.secure:
        return bad("This connection is encrypted already")
    if not session.mailboxes.upgrade:
        return bad("There is no TLS on this service")
    return ok("Begin TLS")._replace(then=session.conversation.start_tls)


def mechanism(cursor: Cursor) -> tuple[str, bytes | None]:
    cursor.expect_space()
    name = cursor.expect_atom().upper()
    if not cursor.try_take(b" "):
        return name, None
    initial = cursor.data[cursor.at:]
    cursor.at = len(cursor.data)
    return name, initial


@command("AUTHENTICATE", states=State.NOT_AUTHENTICATED, rfc="9051 §6.2.2", reads=mechanism, secret=1)
async def authenticate(session: Imap, name: str, initial: bytes | None) -> Tagged:
    """Log in with a SASL mechanism."""
    mailboxes, bindings = session.mailboxes, session.bindings
    if name not in sasl.offered(plaintext=session.plaintext, bindings=bindings):
        if name in sasl.MECHANISMS and not session.plaintext:
            return no(PRIVACY, "PRIVACYREQUIRED")
        return no("There is no such mechanism here; CAPABILITY lists them", "CANNOT")
    attempt = sasl.MECHANISMS[name](Host(mailboxes.accounts, mailboxes.hostname, bindings))
    if attempt.plaintext and not session.conversation.secure:
        session.note("warning", CLEAR_TEXT)
    try:
        login = await sasl.authenticate(session.conversation, attempt, initial,
                                        lambda challenge: b"+ " + challenge + b"\r\n")
    except sasl.SaslError as error:
        if error.heard:
            if attempt.plaintext:
                session.note("secret", attempt.secret)
            return await enter(session, None)
        sentence = error.reason.value.capitalize()
        return bad(sentence) if error.reason in (sasl.Reason.BASE64, sasl.Reason.CANCELLED) else no(
            sentence, "AUTHENTICATIONFAILED")
    if attempt.plaintext:
        session.note("secret", attempt.secret)
    return await enter(session, mailboxes.accounts(login))


def name_and_password(cursor: Cursor) -> tuple[str, str]:
    cursor.expect_space()
    name = cursor.expect_text()
    cursor.expect_space()
    return name, cursor.expect_text()


@command("LOGIN", states=State.NOT_AUTHENTICATED, rfc="9051 §6.2.3", reads=name_and_password, secret=1)
async def login(session: Imap, name: str, password: str) -> Tagged:
    """Log in with name and password."""
    session.note("secret", "password")
    if not session.plaintext:
        return no(PRIVACY, "PRIVACYREQUIRED")
    if not session.conversation.secure:
        session.note("warning", CLEAR_TEXT)
    account = session.mailboxes.accounts(name)
    right = same(account.password if account else "", password)
    return await enter(session, account if right else None)


async def enter(session: Imap, account: Account | None) -> Tagged:
    if account is None:
        return no("Wrong name or password", "AUTHENTICATIONFAILED")
    await settled(session.store.require_account(account.login))
    session.account = account.login
    session.note("account", account.login)
    patience(session)
    return ok(f"Welcome, {account.login}", f"CAPABILITY {session.capabilities()}")


def patience(session: Imap) -> None:
    session.conversation.patience = max(session.conversation.patience, PATIENCE)
