"""Names that need no rule: whoever asks for one has the fault that it is called after.

They are for a first try, for clients that cannot reach the API, and for documents that show a fault. `TABLE` has them
all, docs/how-to/make-it-fail.md as well.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from sandbox.faults.action import Act, Effect
from sandbox.faults.actions import ACTIONS
from sandbox.faults.rule import rule_of_words
from sandbox.journal.records import Exchange, Session

__all__ = ["NAMED", "TABLE", "Name", "Names"]


class Name(NamedTuple):
    """name: what is asked for, NNN for any code; protocol: which answers; words: the action, NNN likewise."""

    name: str
    protocol: str
    words: tuple[str, ...]


TABLE = (
    # websites
    Name("status-NNN.test", "http", ("reply=NNN",)),
    Name("slow.test", "http", ("delay=3s",)),
    Name("slow-body.test", "http", ("throttle=200",)),
    Name("slices.test", "http", ("slices=5", "pause=20ms")),
    Name("cut.test", "http", ("cut=900",)),
    Name("close.test", "http", ("close",)),
    Name("reset.test", "http", ("reset",)),
    Name("silent.test", "http", ("silence",)),
    Name("garbage.test", "http", ("garbage",)),
    # names
    Name("servfail.test", "dns", ("reply=SERVFAIL",)),
    Name("nxdomain.test", "dns", ("reply=NXDOMAIN",)),
    Name("refused.test", "dns", ("reply=REFUSED",)),
    Name("no-answer.test", "dns", ("silence",)),
    Name("slow-dns.test", "dns", ("delay=2s",)),
    Name("truncated.test", "dns", ("truncated",)),
    Name("wrong-id.test", "dns", ("wrong-id",)),
    Name("lame.test", "dns", ("lame",)),
    Name("stale.test", "dns", ("stale",)),
    # recipients of mail
    Name("NNN@error.test", "smtp", ("reply=NNN",)),
    Name("full-mailbox@error.test", "smtp", ("reply=452", "detail=4.2.2", "text=The mailbox is full")),
    Name("unknown-user@error.test", "smtp", ("reply=550", "detail=5.1.1", "text=There is nobody of that name")),
    Name("greylisted@error.test", "smtp", ("greylist=1s",)),
    Name("slow@error.test", "smtp", ("delay=3s",)),
    Name("reset@error.test", "smtp", ("reset",)),
)
"""Every name."""

NAMED = frozenset(name.protocol for name in TABLE)

WHOLE = {(name.protocol, name.name): name for name in TABLE if "NNN" not in name.name}
ANY_CODE = {
    "http": (re.compile(r"status-([2-5][0-9]{2})\.test"), TABLE[0]),
    "smtp": (re.compile(r"([45][0-9]{2})@error\.test"), next(one for one in TABLE if one.name == "NNN@error.test")),
}
RECIPIENT = re.compile(r"TO:\s*<([^<>\s@]{1,64}@error\.test)>", re.IGNORECASE)


class Names:
    """Finds them. struck: how often each was asked for; there are no more than the table and its codes make."""

    def __init__(self) -> None:
        self.struck: Counter[str] = Counter()

    def find(self, session: Session, exchange: Exchange) -> tuple[str, Effect] | None:
        """The name that was asked for, and what then happens."""
        name = name_of(session.protocol, exchange.verb, exchange.asked, exchange.facts)
        act = act_of(session.protocol, name) if name else None
        effect = act(session, exchange) if act is not None else None
        if effect is None:
            return None
        self.struck[name] += 1
        return name, effect


def name_of(protocol: str, verb: str, asked: str, facts: Mapping[str, str]) -> str:
    """What may be a name of the table, in small letters; "" for nothing."""
    if protocol == "http":
        return facts.get("host", "").lower().rstrip(".")
    if protocol == "dns":
        return asked.lower().rstrip(".")
    if protocol == "smtp" and verb == "RCPT" and (found := RECIPIENT.search(asked)):
        return found[1].lower()
    return ""


@lru_cache(maxsize=1024)
def act_of(protocol: str, name: str) -> Act | None:
    found, code = WHOLE.get((protocol, name)), ""
    if found is None and protocol in ANY_CODE:
        pattern, made = ANY_CODE[protocol]
        if match := pattern.fullmatch(name):
            found, code = made, match[1]
    if found is None:
        return None
    words = [word.replace("NNN", code) if code else word for word in found.words]
    rule = rule_of_words(["", *words])
    assert rule.action.name in ACTIONS
    return rule.act
