"""SMTP's grammar: addresses, paths and parameters, from text to values (RFC 5321 §4.1, 6531 §3.3, 3461 §4).

Strict where mail could be forged or lost: what is not an address is refused, never repaired. Each function raises
`BadArgument` and nothing else.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from sandbox.protocols.lines.command import BadArgument, Reply
from sandbox.protocols.smtp import replies

__all__ = [
    "Mailbox",
    "Parameters",
    "decode_xtext",
    "encode_xtext",
    "parse_mail",
    "parse_mailbox",
    "parse_rcpt",
    "quoted_local",
]

LOCAL, DOMAIN, PATH = 64, 255, 256  # octets, RFC 5321 §4.5.3.1.1-3

# The sets are written by what is not in them: all beyond ASCII is (RFC 6531 §3.3), and such a set compiles slowly.
ATEXT = r'[^\x00-\x20"(),.:;<>@\[\\\]\x7f]'  # RFC 5322 §3.2.3
DOT_STRING = re.compile(rf"{ATEXT}+(?:\.{ATEXT}+)*")
QUOTED_STRING = re.compile(r'"(?:[^\x00-\x1f"\\\x7f]|\\[ -~])*"')  # qtextSMTP, quoted-pairSMTP
LABEL = re.compile(r"(?!-)[^\x00-,./:-@\[-^`{-\x7f]{1,63}(?<!-)")
# "_" is not in RFC 5321's Domain, but hosts with it exist, and a test suite that has one should get its mail.
SOURCE_ROUTE = re.compile(r"@[^@:,<> ]+(?:,@[^@:,<> ]+)*:")  # RFC 5321 §4.1.1.3: accept, ignore
KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
VALUE = re.compile(r"[^\x00-\x20=\x7f]+")
XTEXT = re.compile(r"(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})*")  # RFC 3461 §4
ORCPT = re.compile(r"([A-Za-z0-9-]+);(.+)")


class Mailbox(NamedTuple):
    """An address. local: as meant, without quoting; domain: as given, "" for <Postmaster> alone."""

    local: str
    domain: str

    def __str__(self) -> str:
        local = quoted_local(self.local)
        return f"{local}@{self.domain}" if self.domain else local


class Parameters(NamedTuple):
    """What followed a path. Fields are "" or 0 where the client said nothing.

    size, body, utf8, auth, ret, envid belong to MAIL (RFC 1870, 6152, 3030, 6531, 4954, 3461), notify and orcpt to
    RCPT (3461). notify: the words in upper case; envid, orcpt: still in xtext, to be passed on as they are.
    """

    size: int = 0
    body: str = ""
    utf8: bool = False
    ret: str = ""
    envid: str = ""
    notify: frozenset[str] = frozenset()
    orcpt: str = ""


def quoted_local(local: str) -> str:
    """A local part as it is written: quoted only where it must be (RFC 5321 §4.1.2)."""
    if DOT_STRING.fullmatch(local):
        return local
    return '"' + re.sub(r'([\\"])', r"\\\1", local) + '"'


def parse_mail(text: str) -> tuple[Mailbox | None, Parameters]:
    """MAIL's arguments: FROM:<reverse-path> and parameters. None for the null path <>, which bounces have."""
    path, rest = cut_path(text, "FROM:", replies.BAD_SENDER)
    parameters = mail_parameters(rest)
    if not path:
        return None, parameters
    return ascii_or_utf8(parse_path(path, replies.BAD_SENDER), parameters.utf8), parameters


def parse_rcpt(text: str, utf8: bool) -> tuple[Mailbox, Parameters]:
    """RCPT's arguments: TO:<forward-path> and parameters. utf8: whether MAIL said SMTPUTF8."""
    path, rest = cut_path(text, "TO:", replies.BAD_RECIPIENT)
    if path.lower() == "postmaster":  # RFC 5321 §4.1.1.3: the one address without a domain
        return Mailbox(path, ""), rcpt_parameters(rest)
    return ascii_or_utf8(parse_path(path, replies.BAD_RECIPIENT), utf8), rcpt_parameters(rest)


def cut_path(text: str, keyword: str, problem: Reply) -> tuple[str, list[str]]:
    """What is in the angle brackets, and the parameters after them."""
    if text[:len(keyword)].upper() != keyword:
        raise BadArgument(f"Usage: {'MAIL' if keyword == 'FROM:' else 'RCPT'} {keyword}<address>")
    rest = text[len(keyword):]
    if rest.startswith(" "):
        raise BadArgument("No space after the colon", replies.say(problem, f"No space between {keyword} and <"))
    match = re.match(r'<((?:"(?:[^"\\]|\\.)*"|[^<>"])*)>(?: +(.*))?$', rest.rstrip(" "))
    if match is None:
        raise BadArgument("", replies.say(problem, "An address stands between < and >"))
    return match[1], (match[2] or "").split()


def parse_path(path: str, problem: Reply) -> Mailbox:
    """A path without its brackets; a source route is dropped."""
    if len(path.encode("utf-8")) > PATH - 2:
        raise BadArgument("", replies.say(problem, f"An address has at most {PATH} octets"))
    if route := SOURCE_ROUTE.match(path):
        path = path[route.end():]
    try:
        return parse_mailbox(path)
    except BadArgument as error:
        raise BadArgument("", replies.say(problem, error.sentence)) from None


def parse_mailbox(text: str) -> Mailbox:
    """Mailbox = Local-part "@" ( Domain / address-literal ), RFC 5321 §4.1.2."""
    local, at, domain = text.rpartition("@")
    if not at or not local:
        raise BadArgument("An address has a name, an @ and a domain")
    if local.startswith('"'):
        if not QUOTED_STRING.fullmatch(local):
            raise BadArgument("The quoted part before the @ is not right")
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    elif not DOT_STRING.fullmatch(local):
        raise BadArgument("The part before the @ has characters that need quoting")
    if len(local.encode("utf-8")) > LOCAL:
        raise BadArgument(f"The part before the @ has at most {LOCAL} octets")
    check_domain(domain)
    return Mailbox(local, domain)


def check_domain(domain: str) -> None:
    """A domain name, or an address in square brackets (RFC 5321 §4.1.3)."""
    if domain.startswith("[") and domain.endswith("]"):
        literal = domain[1:-1]
        try:
            if literal[:5].upper() == "IPV6:":
                ipaddress.IPv6Address(literal[5:])
            else:
                ipaddress.IPv4Address(literal)
        except ValueError:
            raise BadArgument("What is in square brackets is not an IP address") from None
    elif len(domain.encode("utf-8")) > DOMAIN or not all(map(LABEL.fullmatch, domain.split("."))):
        raise BadArgument("The part after the @ is not a domain")


def ascii_or_utf8(mailbox: Mailbox, utf8: bool) -> Mailbox:
    if not utf8 and not (mailbox.local + mailbox.domain).isascii():
        raise BadArgument("", replies.NEEDS_SMTPUTF8)  # RFC 6531 §3.5
    return mailbox


def words(parameters: list[str]) -> list[tuple[str, str | None]]:
    """esmtp-param = esmtp-keyword ["=" esmtp-value], each keyword once (RFC 5321 §4.1.1.11)."""
    found: dict[str, str | None] = {}
    for parameter in parameters:
        keyword, equals, value = parameter.partition("=")
        if not KEYWORD.fullmatch(keyword) or (equals and not VALUE.fullmatch(value)):
            raise BadArgument("Parameters are words like KEYWORD or KEYWORD=value")
        if keyword.upper() in found:
            raise BadArgument(f"{keyword.upper()} is there twice")
        found[keyword.upper()] = value if equals else None
    return list(found.items())


def mail_parameters(parameters: list[str]) -> Parameters:
    found = Parameters()
    for keyword, value in words(parameters):
        if keyword == "SIZE" and re.fullmatch("[0-9]{1,20}", value or ""):
            found = found._replace(size=int(value or 0))
        elif keyword == "BODY" and (value or "").upper() in ("7BIT", "8BITMIME", "BINARYMIME"):
            found = found._replace(body=(value or "").upper())
        elif keyword == "SMTPUTF8" and value is None:
            found = found._replace(utf8=True)
        elif keyword == "RET" and (value or "").upper() in ("FULL", "HDRS"):
            found = found._replace(ret=(value or "").upper())
        elif keyword == "ENVID" and value and len(value) <= 100 and XTEXT.fullmatch(value):
            found = found._replace(envid=value)
        elif keyword == "AUTH" and value and XTEXT.fullmatch(value):
            pass  # RFC 4954 §5: who first submitted it, a claim among servers that trust each other; none do here
        elif keyword in ("SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH"):
            raise BadArgument(f"{keyword} does not have such a value")
        else:
            raise BadArgument("", replies.say(replies.BAD_PARAMETER, f"MAIL has no parameter {keyword}"))
    return found


def rcpt_parameters(parameters: list[str]) -> Parameters:
    found = Parameters()
    for keyword, value in words(parameters):
        if keyword == "NOTIFY":
            notify = frozenset((value or "").upper().split(","))
            if not (notify == {"NEVER"} or (notify and notify <= {"SUCCESS", "FAILURE", "DELAY"})):
                raise BadArgument("NOTIFY is NEVER, or some of SUCCESS,FAILURE,DELAY")
            found = found._replace(notify=notify)
        elif keyword == "ORCPT":
            match = ORCPT.fullmatch(value or "")
            if match is None or len(value or "") > 500 or not XTEXT.fullmatch(match[2]):
                raise BadArgument("ORCPT is a type, a semicolon and an address in xtext")
            found = found._replace(orcpt=value or "")
        else:
            raise BadArgument("", replies.say(replies.BAD_PARAMETER, f"RCPT has no parameter {keyword}"))
    return found


def encode_xtext(text: str) -> str:
    """RFC 3461 §4: printable ASCII but "+" and "=" stands for itself, other octets as +HH."""
    return "".join(chr(octet) if 0x21 <= octet <= 0x7e and octet not in b"+=" else f"+{octet:02X}"
                   for octet in text.encode("utf-8"))


def decode_xtext(text: str) -> str:
    """Undecodable octets become U+FFFD: it is only shown."""
    octets = re.sub(rb"\+([0-9A-F]{2})", lambda match: bytes([int(match[1], 16)]), text.encode("utf-8"))
    return octets.decode("utf-8", "replace")
