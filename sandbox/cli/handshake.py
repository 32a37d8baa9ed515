"""How a recorded session began, in words: the TCP connection, then TLS: in short first, then every part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sandbox.console.escape import escape
from sandbox.console.folding import fill
from sandbox.explain import lookup
from sandbox.journal.records import Session
from sandbox.protocols.tcp.syn import read_syn

if TYPE_CHECKING:
    from sandbox.net.layers.tls.handshake import Choice, HandshakeFacts, Offer

__all__ = ["opening", "short", "tell"]

KINDS = {"tls": "a TLS handshake", "sslv2": "an SSL 2.0 hello", "sslv3": "an SSL 3.0 hello"}
PARTS = {"exchange": "key exchange", "authentication": "authentication", "cipher": "cipher", "mode": "mode",
         "hash": "hash"}
"""The parts of a suite's name, as the knowledge has them, and how people call them."""
WIDTH = 24
OPTIONS = {2: ("fact", "mss"), 3: ("option", "window_scaling"), 4: ("option", "sack"), 8: ("option", "timestamps")}
"""The options of a SYN that the knowledge has, by their numbers."""


def opening(session: Session) -> Iterator[str]:
    """The lines for the TCP handshake, from the client's SYN as the kernel kept it."""
    facts = {name: value for when in ("close", "open") for name, value in session.facts.get(when, {}).items()}
    packet = facts.get("syn", b"")
    syn = read_syn(packet) if isinstance(packet, bytes) else None
    yield "The TCP handshake: SYN, SYN and ACK, ACK (RFC 9293 §3.5)"
    if syn is None:
        yield "  This system has not kept the client's SYN."
        return
    yield row("the client's SYN", f"from port {session.client.port} to port {session.server.port} by IPv{syn.ip}, "
                                  f"octets counted from {syn.sequence:,}")
    yield row("window", f"{syn.window:,} octets may be on the way to it unconfirmed")
    for number in syn.options:
        kind, term = OPTIONS.get(number, ("option", ""))
        times = 1 << min(max(0, syn.scale), 14)     # RFC 7323 §2.3: no more than 14
        value = {2: f"{syn.mss:,} octets", 3: f"the window, times {times:,}"}.get(number, "offered")
        said = meaning("tcp", kind, term) if term else ""
        yield row(f"option {term or number}".replace("_", " "), f"{value}. {said}".strip() if said else value)
    if syn.ecn:
        yield row("ECN", f"offered. {meaning('tcp', 'option', 'ecn')}")
    rtt = facts.get("rtt_us")
    if isinstance(rtt, int) and rtt:
        yield row("there and back", f"{rtt / 1000:.3f} ms. {meaning('tcp', 'fact', 'rtt_us')}")


def short(facts: HandshakeFacts, noted: Mapping[str, str], server: str) -> Iterator[str]:
    """The few lines that matter. noted: what the engine alone could know; server: its address and port."""
    yield "In short"
    offer, choice = facts.offer, facts.choice
    if facts.situation:
        said = meaning("tls", "situation", facts.situation)
        yield row("what went wrong", f"{facts.situation.replace('-', ' ')}. {said}".rstrip(". "))
    if offer is not None:
        yield row("server name", offer.server_name or "none: the client went to an address, or hides the name")
    if choice is None:
        return
    yield row("version", explained("version", choice.version))
    if cipher := choice.parts.get("cipher", ""):
        yield row("cipher", explained("cipher", cipher))
    if choice.group:
        yield row("key agreed on by", explained("group", choice.group))
    if protocol := choice.alpn or noted.get("alpn", ""):
        hidden = "" if choice.alpn else "; on the wire it is encrypted, the sandbox knows"
        yield row("then they speak", f"{protocol}{hidden}")
    if choice.certificates:
        yield from certificate(choice.certificates[0])
    elif choice.version == "TLS 1.3":
        name = f" -servername {offer.server_name}" if offer is not None and offer.server_name else ""
        yield row("certificate", "TLS 1.3 encrypts it, so that nobody on the way learns who is asked. To see it, ask "
                                 f"yourself: openssl s_client -connect {server}{name}")


def certificate(der: bytes) -> Iterator[str]:
    """What the server's certificate says (RFC 5280 §4.1)."""
    from cryptography import x509

    try:
        found = x509.load_der_x509_certificate(der)
        subject, issuer = found.subject.rfc4514_string(), found.issuer.rfc4514_string()
        since, until = found.not_valid_before_utc, found.not_valid_after_utc
        try:
            names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            meant = ", ".join([*names.get_values_for_type(x509.DNSName),
                               *map(str, names.get_values_for_type(x509.IPAddress))])
        except x509.ExtensionNotFound:
            meant = "no names; browsers do not look at the subject any more (RFC 9525 §2)"
    except ValueError as error:
        yield row("certificate", f"cannot be read: {error}")
        return
    yield row("certificate", f"for {subject or 'no subject'}")
    yield row("  its names", meant)
    yield row("  signed by", issuer)
    yield row("  valid", f"from {since:%Y-%m-%d} to {until:%Y-%m-%d}")
    yield row("  number", f"{found.serial_number:x}")


def tell(facts: HandshakeFacts) -> Iterator[str]:
    """The lines for one handshake, part by part."""
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
        yield row(facts.situation.replace("-", " "), meaning("tls", "situation", facts.situation))


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
        yield item(explained("suite", suite))
    for title, kind, terms in (("groups", "group", offer.groups), ("signature schemes", "scheme", offer.schemes)):
        if terms:
            yield f"  {title} ({len(terms)})"
            yield from (item(explained(kind, term)) for term in terms)
    if offer.key_shares:
        yield row("key shares", ", ".join(offer.key_shares))
    yield f"  extensions ({len(offer.extensions)})"
    for extension in offer.extensions:
        yield item(explained("extension", extension.name))
        if extension.value:
            yield item(f"= {extension.value}", "      ")


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
    return fill(escape(value), " " * (2 + WIDTH), first=f"  {name}".ljust(2 + WIDTH))


def item(text: str, indent: str = "    ") -> str:
    return fill(escape(text), f"{indent}  ", first=indent)


def meaning(protocol: str, kind: str, term: str) -> str:
    entry = lookup(protocol, kind, term)
    return f"{entry.text} ({entry.rfc})" if entry is not None else ""


def explained(kind: str, term: str) -> str:
    """A term with its sentence, where there is one."""
    text = meaning("tls", kind, term)
    return f"{term}: {text}" if text else term
