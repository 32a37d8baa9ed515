"""Every reply this server can give: reply code (RFC 5321 §4.2), enhanced code (RFC 2034, 3463, 5248), text.

The texts may be replaced by more exact ones with `say`; the codes are fixed here, and the knowledge explains each.
"""

from __future__ import annotations

from dataclasses import replace

from sandbox.protocols.lines.command import Refusal, Reply

__all__ = ["REFUSALS", "every", "render", "say"]


def reply(code: str, enhanced: str, text: str, *, close: bool = False) -> Reply:
    return Reply(code, (text,), enhanced, close=close)


def say(constant: Reply, *lines: str) -> Reply:
    """The same reply in other words."""
    return replace(constant, lines=lines)


def render(reply: Reply) -> bytes:
    """RFC 5321 §4.2: a hyphen after the code on all lines but the last; RFC 2034 §3: the finer code on every line."""
    finer = f"{reply.enhanced} " if reply.enhanced else ""
    last = len(reply.lines) - 1
    return "".join(f"{reply.code}{' ' if number == last else '-'}{finer}{line}\r\n"
                   for number, line in enumerate(reply.lines)).encode("utf-8")


GREETING = reply("220", "", "ESMTP Sandbox")
HELLO = reply("250", "", "Hello")
HELP = reply("214", "2.0.0", "Help follows")
GOODBYE = reply("221", "2.0.0", "Goodbye", close=True)
TLS_GO_AHEAD = reply("220", "2.0.0", "Begin TLS")
AUTHENTICATED = reply("235", "2.7.0", "Welcome")
OK = reply("250", "2.0.0", "OK")
SENDER_OK = reply("250", "2.1.0", "Sender OK")
RECIPIENT_OK = reply("250", "2.1.5", "Recipient OK")
CAPTURED = reply("250", "2.1.5", "Captured here; it goes nowhere else")
MAILBOX = reply("250", "2.1.5", "Mailbox")
CHUNK_OK = reply("250", "2.0.0", "Chunk received")
ACCEPTED = reply("250", "2.0.0", "Accepted")
START_MAIL = reply("354", "", "Send the message; end it with a line that has only a dot")

TRY_LATER = reply("451", "4.3.0", "Something went wrong in the sandbox; its journal says what")
IDLE = reply("421", "4.4.2", "Nothing came from you for too long; goodbye", close=True)
TOO_MANY_ERRORS = reply("421", "4.7.0", "Too many errors; goodbye", close=True)
TOO_MANY_RECIPIENTS = reply("452", "4.5.3", "Too many recipients in one transaction; send the rest in another")
NO_SPACE = reply("452", "4.3.1", "The disk is full, or broken; try again later")
NO_TLS_NOW = reply("454", "4.7.0", "There is no TLS on this service")

UNKNOWN_COMMAND = reply("500", "5.5.1", "There is no such command here")
BAD_LINE = reply("500", "5.5.2", "That line cannot be read")
BAD_SYNTAX = reply("501", "5.5.4", "Those arguments are not right")
BAD_SENDER = reply("501", "5.1.7", "That sender's address is not right")
BAD_RECIPIENT = reply("501", "5.1.3", "That recipient's address is not right")
CANCELLED = reply("501", "5.7.0", "Cancelled")
AUTH_MALFORMED = reply("501", "5.5.2", "That response cannot be read")
BAD_SEQUENCE = reply("503", "5.5.1", "Not now")
NO_MECHANISM = reply("504", "5.5.4", "There is no such mechanism here; EHLO lists them")
AUTH_REQUIRED = reply("530", "5.7.0", "Log in first, with AUTH")
TLS_REQUIRED = reply("530", "5.7.0", "Encrypt first, with STARTTLS")
AUTH_FAILED = reply("535", "5.7.8", "Wrong name or password")
PLAINTEXT_REFUSED = reply("538", "5.7.11", "That mechanism shows the password; encrypt first, with STARTTLS")
NO_MAILBOX = reply("550", "5.1.1", "There is no such mailbox here")
NO_RELAY = reply("550", "5.7.1", "This server takes no mail for that domain, and passes none on")
NOT_YOURS = reply("550", "5.7.1", "That address belongs to somebody else")
BARE_LINE_END = reply("550", "5.6.11", "The message has a bare CR or LF; lines end with both together")
NEEDS_SMTPUTF8 = reply("550", "5.6.7", "An address outside ASCII needs the parameter SMTPUTF8")
TOO_BIG = reply("552", "5.3.4", "The message is larger than this server takes")
MAILBOX_FULL = reply("552", "5.2.2", "The mailbox is full")
NO_RECIPIENTS = reply("554", "5.5.1", "No valid recipients")
NUL = reply("554", "5.6.1", "The message has a NUL octet, which is no text; send such octets as base64")
MAIL_LOOP = reply("554", "5.4.6", "This message has been passed on too often; it goes in circles")
BAD_PARAMETER = reply("555", "5.5.4", "There is no such parameter here; EHLO lists the extensions")

REFUSALS = {refusal: (constant.code, constant.enhanced) for refusal, constant in {
    Refusal.UNKNOWN: UNKNOWN_COMMAND, Refusal.SYNTAX: BAD_SYNTAX, Refusal.STATE: BAD_SEQUENCE,
    Refusal.TOO_LONG: BAD_LINE, Refusal.CHARACTERS: BAD_LINE, Refusal.LINE_END: BAD_LINE,
    Refusal.ERRORS: TOO_MANY_ERRORS, Refusal.IDLE: IDLE, Refusal.WEB: TOO_MANY_ERRORS, Refusal.BROKEN: TRY_LATER,
}.items()}
"""The command table's refusals in SMTP's codes."""


def every() -> list[Reply]:
    """All of the above."""
    return [value for value in globals().values() if isinstance(value, Reply)]
