"""What a term comes to: a test on one exchange, its words, and what a reader may look for first.

The functions here make tests of one kind each; `keys` says which key is of which kind.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from sandbox.filter.errors import quoted
from sandbox.filter.values import Value, duration, fold, moment, numbers, size
from sandbox.journal.facts import FACTS
from sandbox.journal.matching import EVERYTHING, Narrowing
from sandbox.journal.records import Exchange, Session
from sandbox.journal.traits import TRAITS
from sandbox.toml import keys, nearest

__all__ = ["Build", "Condition", "Unfit", "anywhere", "client", "column", "domain", "fact", "has", "larger", "listed",
           "longer", "number", "outcome", "part", "since", "trait", "tree", "until", "whole"]

Pick = Callable[[Session, Exchange], str]
"""Where a text is taken from; "" where there is none."""


@dataclass(frozen=True)
class Condition:
    """matches: whether an exchange is meant, never raises; words: a relative clause ("whose verb is GET");
    reads_octets: whether it looks at what was said (`sandbox.journal.matching.SIDES`)."""

    matches: Callable[[Session, Exchange], bool]
    words: str
    narrowing: Narrowing = EVERYTHING
    reads_octets: bool = False


Build = Callable[[Value, float], Condition]
"""From a value, and the time now in seconds since the epoch. Raises Unfit."""


class Unfit(ValueError):
    """A value that does not fit its key. expected: a phrase; suggestion: a sentence, or ""."""

    def __init__(self, expected: str, suggestion: str = "") -> None:
        super().__init__(expected, suggestion)
        self.expected = expected
        self.suggestion = suggestion


def shown(value: Value) -> str:
    """A value in a sentence."""
    return value.text if re.fullmatch(r"[^\s\"',]+", value.text) and value.text.isprintable() else quoted(value.text)


# -- texts ------------------------------------------------------------------------------------------------------


def anywhere(value: Value, now: float) -> Condition:
    """A word alone: in what was asked and answered."""
    found = value.part()

    def matches(session: Session, exchange: Exchange) -> bool:
        return (found(exchange.asked) or found(exchange.answered) or found(exchange.verb) or found(exchange.outcome)
                or found(exchange.facts.get("host", "")))

    return Condition(matches, f"with {quoted(value.text)} in what was asked or answered", Narrowing(value.literals()))


def part(clause: str, pick: Pick) -> Build:
    """Somewhere in a text."""
    def build(value: Value, now: float) -> Condition:
        found = value.part()
        return Condition(_where(pick, found), f"{clause} has {shown(value)} in it",
                         Narrowing(value.literals()))

    return build


def whole(clause: str, pick: Pick) -> Build:
    """The whole of a text."""
    def build(value: Value, now: float) -> Condition:
        found = value.whole()
        return Condition(_where(pick, found), f"{clause} is {shown(value)}",
                         Narrowing(value.literals()))

    return build


def _where(pick: Pick, found: Callable[[str], bool]) -> Callable[[Session, Exchange], bool]:
    """A test of a text that is there: `host:*` means that there is one."""
    return lambda session, exchange: bool(text := pick(session, exchange)) and found(text)


def fact(name: str) -> Build:
    """Somewhere in a fact."""
    return part(f"whose {name}", lambda session, exchange: exchange.facts.get(name, ""))


def listed(clause: str, name: str) -> Build:
    """One of the values of a fact that is a list."""
    def build(value: Value, now: float) -> Condition:
        found = value.whole()
        return Condition(lambda session, exchange: any(map(found, exchange.facts.get(name, "").split())),
                         f"{clause} {shown(value)}", Narrowing(value.literals()))

    return build


def domain(clause: str, pick: Pick) -> Build:
    """A host or domain name, or one below it. The dot at a name's end makes no difference."""
    def build(value: Value, now: float) -> Condition:
        if value.pattern:
            return whole(clause, pick)(value, now)
        name = fold(value.text).strip(".")
        below = "." + name

        def matches(session: Session, exchange: Exchange) -> bool:
            if not (text := pick(session, exchange)):
                return False
            text = fold(text).rstrip(".")
            return text == name or (bool(name) and text.endswith(below))

        words = f"{clause} is {shown(value)} or below it" if name else f"{clause} is the root"
        return Condition(matches, words, Narrowing(Value(name).literals()))

    return build


def tree(clause: str, pick: Pick) -> Build:
    """A path, or one below it."""
    def build(value: Value, now: float) -> Condition:
        if value.pattern:
            return whole(clause, pick)(value, now)
        name = fold(value.text)
        below = name.rstrip("/") + "/"

        def matches(session: Session, exchange: Exchange) -> bool:
            text = fold(pick(session, exchange))
            return bool(text) and (text == name or text.startswith(below))

        return Condition(matches, f"{clause} is {shown(value)} or below it",
                         Narrowing(Value(name.rstrip("/")).literals()))

    return build


def column(name: str) -> Build:
    """What a session has one of, in small letters."""
    def build(value: Value, now: float) -> Condition:
        words = f"whose {name} is {shown(value)}"
        if value.pattern:
            found = value.whole()
            return Condition(lambda session, exchange: found(str(getattr(session, name))), words)
        wanted = fold(value.text)
        return Condition(lambda session, exchange: getattr(session, name) == wanted, words,
                         Narrowing(columns={name: frozenset((wanted,))}))

    return build


def outcome(value: Value, now: float) -> Condition:
    """A code, or a family of them: 404, 5xx, NXDOMAIN."""
    if not value.pattern and re.fullmatch(r"[1-5][xX]{2}", value.text):
        digit = value.text[0]
        return Condition(lambda session, exchange: len(exchange.outcome) == 3 and exchange.outcome.isdecimal()
                         and exchange.outcome[0] == digit, f"whose outcome is {digit}xx")
    return whole("whose outcome", lambda session, exchange: exchange.outcome)(value, now)


# -- addresses and numbers ----------------------------------------------------------------------------------------


def client(value: Value, now: float) -> Condition:
    """An address, a network as 10.0.0.0/8, or "localhost"."""
    text, words = fold(value.text.strip("[]")), f"whose client is {shown(value)}"
    if value.pattern:
        found = value.whole()
        return Condition(lambda session, exchange: found(session.client.host), words)
    if text == "localhost":
        return Condition(lambda session, exchange: _loopback(session.client.host), words)
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Unfit("an address such as 127.0.0.1 or ::1, a network such as 10.0.0.0/8, or localhost") from None
    if network.num_addresses == 1:
        address = network.network_address
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        host = str(mapped or address)
        forms = frozenset((host, f"::ffff:{host}")) if "." in host else frozenset((host,))
        return Condition(lambda session, exchange: session.client.host in forms, words,
                         Narrowing(columns={"client": forms}))

    def matches(session: Session, exchange: Exchange) -> bool:
        address = _address(session.client.host)
        return address is not None and address in network

    return Condition(matches, words)


@lru_cache(maxsize=1024)
def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.removeprefix("::ffff:"))
    except ValueError:
        return None


def _loopback(host: str) -> bool:
    address = _address(host)
    return address is not None and address.is_loopback


def number(clause: str, pick: Callable[[Session, Exchange], int], *, of_session: bool = False) -> Build:
    """A number, or a range of them: 12, 12..20."""
    def build(value: Value, now: float) -> Condition:
        found = numbers(value.text)
        if found is None:
            raise Unfit("a number such as 12, or a range such as 12..20")
        first, last = found
        words = f"{clause} is {first}" if first == last else f"{clause} is from {first} to {last}"
        narrowing = Narrowing(sessions=frozenset((first,))) if of_session and first == last else EVERYTHING
        return Condition(lambda session, exchange: first <= pick(session, exchange) <= last, words, narrowing)

    return build


def since(value: Value, now: float) -> Condition:
    """From a moment on."""
    found = _moment(value, now)
    return Condition(lambda session, exchange: exchange.ended >= found,
                     f"that ended {_when(value, 'in the last', 'since')}", Narrowing(since=found))


def until(value: Value, now: float) -> Condition:
    """Up to a moment."""
    found = _moment(value, now)
    return Condition(lambda session, exchange: exchange.ended <= found,
                     f"that ended {_when(value, 'more than', 'until', ' ago')}", Narrowing(until=found))


def _moment(value: Value, now: float) -> float:
    found = moment(value.text, now)
    if found is None:
        raise Unfit("30s, 10m, 2h or 1d ago, or a date such as 2026-01-31T10:00")
    return found


def _when(value: Value, span: str, date: str, ago: str = "") -> str:
    return f"{span} {value.text}{ago}" if value.text[-1] in "smhd" else f"{date} {value.text}"


def longer(value: Value, now: float) -> Condition:
    """What took its time."""
    found = duration(value.text)
    if found is None:
        raise Unfit("a time such as 200ms, 1.5s or 2m")
    return Condition(lambda session, exchange: exchange.ended - exchange.started > found,
                     f"that took longer than {value.text}")


def larger(value: Value, now: float) -> Condition:
    """What is large, both sides together."""
    found = size(value.text)
    if found is None:
        raise Unfit("a size such as 500, 64KiB or 1MB")
    unit = " octets" if value.text.isdigit() else ""
    return Condition(lambda session, exchange: exchange.client[1] - exchange.client[0] + exchange.server[1]
                     - exchange.server[0] > found, f"larger than {value.text}{unit}")


# -- words --------------------------------------------------------------------------------------------------------


def trait(value: Value, now: float) -> Condition:
    """What an exchange is."""
    word = fold(value.text)
    if word not in TRAITS:
        raise Unfit(keys(TRAITS), nearest(word, TRAITS))
    return Condition(TRAITS[word].holds, TRAITS[word].meaning)


def has(value: Value, now: float) -> Condition:
    """What an exchange has: a fact, or a password in its octets."""
    word = fold(value.text)
    if word == "password":
        return Condition(lambda session, exchange: exchange.facts.get("secret") == "password",
                         "with a password in readable octets", Narrowing(("password",)))
    if word not in FACTS:
        raise Unfit("password, or the name of a fact such as traceback, warning, account",
                    nearest(word, ["password", *FACTS]))
    return Condition(lambda session, exchange: word in exchange.facts, f"that have the fact {word}")
