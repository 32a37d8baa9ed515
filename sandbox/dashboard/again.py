"""The command that would do the same again, as far as one exchange says."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import msgspec

from sandbox.address import Address
from sandbox.journal.records import Exchange, Session

__all__ = ["Again", "again", "shell"]

MOST = 2_000
"""Characters of a command worth copying."""


class Again(msgspec.Struct, frozen=True):
    """title: the program's name."""

    title: str
    command: str


def again(session: Session, exchange: Exchange, services: Mapping[str, Address]) -> list[Again]:
    """services: where each is, as the reader reaches it. What a client sent is quoted for a shell."""
    address = services.get(session.service)
    maker = MAKERS.get(session.protocol)
    if address is None or maker is None or exchange.verb in ("", "TLS"):
        return []
    found = maker(session, exchange, address)
    return [Again(found.split(" ", 1)[0], found)] if found and len(found) < MOST else []


def http(session: Session, exchange: Exchange, address: Address) -> str:
    facts = exchange.facts
    host, path = facts.get("host", ""), facts.get("path", "/") or "/"
    if not path.startswith("/") or exchange.verb == "CONNECT":
        return ""
    secure = session.service.startswith("https")
    query = f"?{facts['query']}" if facts.get("query") else ""
    method = "" if exchange.verb == "GET" else "-I " if exchange.verb == "HEAD" else f"-X {shell(exchange.verb)} "
    if not host:
        return f"curl -i {method}{shell(f'http://{address}{path}{query}')}"
    if secure:
        return (f'curl -i {method}--cacert "$(sandbox ca --path)" --connect-to ::{address} '
                f"{shell(f'https://{host}{path}{query}')}")
    return f"curl -i {method}-x http://{address} {shell(f'http://{host}{path}{query}')}"


def dns(session: Session, exchange: Exchange, address: Address) -> str:
    if not exchange.asked:
        return ""
    program = "kdig +tls" if session.service == "domain-s" else "dig"
    tcp = " +tcp" if session.transport == "tcp" and program == "dig" else ""
    return f"{program} @{address.host} -p {address.port}{tcp} {shell(exchange.asked)} {shell(exchange.verb)}"


def smtp(session: Session, exchange: Exchange, address: Address) -> str:
    sender, recipients = exchange.facts.get("sender", ""), exchange.facts.get("recipients", "")
    if exchange.verb not in ("message", "DATA", "BDAT", "RCPT"):
        return ""
    tls = {"submissions": "--tls-on-connect ", "submission": "--tls "}.get(session.service, "")
    to = recipients.replace(" ", "") or exchange.asked
    return f"swaks --server {address.host} --port {address.port} {tls}--from {shell(sender or '<>')} --to {shell(to)}"


def mailbox(session: Session, exchange: Exchange, address: Address) -> str:
    account = exchange.facts.get("account", "")
    return f"curl -u {shell(account or 'alice')}:PASSWORD {session.service}://{address}/"


def sftp(session: Session, exchange: Exchange, address: Address) -> str:
    return f"sftp -P {address.port} {shell(exchange.facts.get('account', '') or 'alice')}@{address.host}"


def small(session: Session, exchange: Exchange, address: Address) -> str:
    udp = "-u " if session.transport == "udp" else ""
    return f"nc {udp}-w 1 {address.host} {address.port}"


MAKERS = {"http": http, "dns": dns, "smtp": smtp, "pop3": mailbox, "imap": mailbox, "ftp": mailbox, "sftp": sftp,
          "tcp": small}


def shell(text: str) -> str:
    """For a shell, on one line: what cannot be printed is left out."""
    return shlex.quote("".join(character for character in text if character.isprintable()))
