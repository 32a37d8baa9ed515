"""A recorded TLS handshake in words: what the client offered, what was chosen, and what each part of it means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sandbox.explain import lookup

if TYPE_CHECKING:
    from sandbox.net.layers.tls.handshake import Choice, HandshakeFacts, Offer

__all__ = ["tell"]

KINDS = {"tls": "a TLS handshake", "sslv2": "an SSL 2.0 hello", "sslv3": "an SSL 3.0 hello"}
PARTS = {"exchange": "key exchange", "authentication": "authentication", "cipher": "cipher", "mode": "mode",
         "hash": "hash"}
"""The parts of a suite's name, as the knowledge has them, and how people call them."""
WIDTH = 24


def tell(facts: HandshakeFacts) -> Iterator[str]:
    """The lines for one handshake."""
    if not facts.kind:
        yield "no TLS handshake is in the bytes of this session"
    else:
        yield f"{KINDS[facts.kind]}, as anyone on the wire could read it"
    if facts.offer is not None:
        yield from offered(facts.offer)
    if facts.choice is not None:
        yield from chosen(facts.choice)
    if facts.alerts or facts.situation:
        yield ""
        yield "What went wrong, or ended it"
    for alert in facts.alerts:
        yield row(f"{alert.sender}: {alert.level} alert".replace("  ", " "), explained("alert", alert.name))
    if facts.situation:
        yield row(facts.situation.replace("-", " "), meaning("situation", facts.situation))


def offered(offer: Offer) -> Iterator[str]:
    yield ""
    yield "The client offers (ClientHello)"
    yield row("server name", offer.server_name or "none: it connected to an address, or hides it")
    yield row("record, hello version", f"{offer.record_version or 'none'}, {offer.version}")
    if offer.versions:
        yield row("versions", ", ".join(offer.versions))
    yield row("application protocols", ", ".join(offer.alpn) or "none named")
    yield row("random", offer.random)
    yield row("JA3", f"{offer.ja3}")
    yield row("JA4", offer.ja4)
    yield f"  cipher suites ({len(offer.suites)}, in the client's order)"
    for suite in offer.suites:
        yield f"    {explained('suite', suite)}"
    for title, kind, terms in (("groups", "group", offer.groups), ("signature schemes", "scheme", offer.schemes)):
        if terms:
            yield f"  {title} ({len(terms)})"
            yield from (f"    {explained(kind, term)}" for term in terms)
    if offer.key_shares:
        yield row("key shares", ", ".join(offer.key_shares))
    yield f"  extensions ({len(offer.extensions)})"
    for extension in offer.extensions:
        yield f"    {explained('extension', extension.name)}"
        if extension.value:
            yield f"      = {extension.value}"


def chosen(choice: Choice) -> Iterator[str]:
    yield ""
    yield "The server chooses (ServerHello)"
    yield row("version", explained("version", choice.version))
    yield row("suite", choice.suite)
    for part, title in PARTS.items():
        if term := choice.parts.get(part, ""):
            yield row(f"  its {title}", explained(part, term))
    if choice.group:
        yield row("group", explained("group", choice.group))
    yield row("application protocol", choice.alpn or ("not to be seen: TLS 1.3 encrypts it"
                                                      if choice.version == "TLS 1.3" else "none"))
    if choice.retried:
        yield row("retried", "the server first asked for a key share of another group (HelloRetryRequest)")
    if choice.certificates:
        yield row("certificates", f"{len(choice.certificates)} in clear, the first of "
                                  f"{len(choice.certificates[0]):,} octets")
    else:
        yield row("certificates", "not to be seen: TLS 1.3 encrypts them" if choice.version == "TLS 1.3" else "none")


def row(name: str, value: str) -> str:
    return f"  {name:<{WIDTH}}{value}"


def meaning(kind: str, term: str) -> str:
    entry = lookup("tls", kind, term)
    return f"{entry.text} ({entry.rfc})" if entry is not None else ""


def explained(kind: str, term: str) -> str:
    """A term with its sentence, where there is one."""
    text = meaning(kind, term)
    return f"{term}: {text}" if text else term
