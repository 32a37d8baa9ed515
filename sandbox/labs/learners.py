"""Who is who: the learners of a sandbox, which exchanges are theirs, what they answered. Kept in one file.

A learner is known by the address they said their name from. Several at one address are told apart by an account or a
space of their own; without either, what comes from an address belongs to nobody else than the one learner there is.
"""

from __future__ import annotations

import hashlib
import ipaddress
from pathlib import Path

import msgspec

from sandbox.datafolder import write_whole
from sandbox.errors import UserError
from sandbox.journal.matching import Narrowing
from sandbox.journal.records import Exchange, Session
from sandbox.labs.values import Record

__all__ = ["FILE", "Learner", "Mine", "Roll", "RollError", "Work", "records_of", "word_of"]

FILE = "labs.json"
MOST = 500
NAME_LIMIT = 60
ANSWER_LIMIT = 200
ANSWERS = 400
FAR = 8
"""How many steps a cause is followed: an exchange that made the sandbox dial, and so on."""
WORDS = ("otter", "maple", "comet", "lemon", "robin", "amber", "cedar", "pearl", "tulip", "panda", "coral", "basil",
         "finch", "olive", "raven", "poppy")


class RollError(UserError):
    """What a learner asked for cannot be."""


class Work(msgspec.Struct):
    """One lab of one learner. first: the last exchange before they began; answers: by "step.question"; hints: how
    many were taken, by step."""

    first: int
    answers: dict[str, str] = {}
    hints: dict[str, int] = {}


class Learner(msgspec.Struct):
    """address: of their client, "" for every address of this machine; account, space: of their own, "" for none."""

    name: str
    address: str
    account: str = ""
    space: str = ""
    labs: dict[str, Work] = {}


class Roll:
    """Everybody who said a name. path: the file, which need not be there yet. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._all = msgspec.json.decode(path.read_bytes(), type=dict[str, Learner])
        except FileNotFoundError:
            self._all = {}
        except msgspec.DecodeError:
            raise RollError(f"{path} is no list of learners; move it away to begin anew") from None

    def __len__(self) -> int:
        return len(self._all)

    def get(self, name: str) -> Learner | None:
        return self._all.get(name.casefold().strip())

    def at(self, address: str) -> list[Learner]:
        """Those who said their name from an address, as `home` has it, the latest last."""
        return [one for one in self._all.values() if one.address == home(address)]

    def enter(self, name: str, address: str, account: str = "", space: str = "") -> Learner:
        """Somebody says who they are, once or again. Raises RollError."""
        name = " ".join(name.split())
        if not name or len(name) > NAME_LIMIT or not name.isprintable():
            raise RollError(f"A name has from 1 to {NAME_LIMIT} letters, and {name[:80]!r} does not.")
        found = self.get(name)
        if found is not None and found.address != home(address):
            raise RollError(f"{found.name} works from another address. Take another name, or ask your teacher.")
        if found is None:
            if len(self._all) >= MOST:
                raise RollError(f"There are {MOST} learners already.")
            found = self._all.setdefault(name.casefold(), Learner(name, home(address)))
        found.account, found.space = account or found.account, space or found.space
        return found

    def shares(self, learner: Learner) -> bool:
        """Whether the address of a learner is also somebody else's."""
        return len(self.at(learner.address)) > 1

    def answer(self, work: Work, question: str, given: str) -> None:
        """Raises RollError."""
        if len(given) > ANSWER_LIMIT or (question not in work.answers and len(work.answers) >= ANSWERS):
            raise RollError(f"An answer has at most {ANSWER_LIMIT} letters.")
        work.answers[question] = given.strip()

    def save(self) -> None:
        """Raises OSError."""
        write_whole(self._path, msgspec.json.encode(self._all))


def home(address: str) -> str:
    """An address as learners are kept by it: all of loopback but those people are given are this machine, ""."""
    if not address:
        return ""
    plain = ipaddress.ip_address(address.partition("%")[0])
    plain = getattr(plain, "ipv4_mapped", None) or plain
    return "" if str(plain) in ("127.0.0.1", "::1") else str(plain)


class Mine:
    """A matcher for what is a learner's. alone: whether nobody else has their address."""

    def __init__(self, learner: Learner, *, alone: bool) -> None:
        self._learner = learner
        self._alone = alone

    def matches(self, session: Session, exchange: Exchange) -> bool:
        learner = self._learner
        if learner.space:
            return session.space == learner.space
        if session.space != "main" or home(session.client.host) != learner.address:
            return False
        return self._alone or (bool(learner.account) and exchange.facts.get("account") == learner.account)

    def narrowing(self) -> Narrowing:
        return Narrowing()


def records_of(pairs: list[tuple[Session, Exchange]], mine: Mine) -> list[Record]:
    """Of exchanges in the order they ended those that are a learner's, and those the sandbox made because of them.
    With an account, all of a connection on which it is logged in is theirs."""
    ours = {exchange.session for session, exchange in pairs if not session.cause and mine.matches(session, exchange)}
    ids = {exchange.id for session, exchange in pairs if exchange.session in ours}
    caused: set[int] = set()
    for _ in range(FAR):  # what an exchange causes may end, and get its number, before it
        more = {exchange.id for session, exchange in pairs if session.cause in ids and exchange.id not in ids}
        caused |= more
        ids |= more
        if not more:
            break
    return [Record(session, exchange, exchange.id in caused) for session, exchange in pairs if exchange.id in ids]


def word_of(name: str) -> str:
    """A learner's own word, for labs in which everybody's is to be another: always the same for a name."""
    digest = hashlib.sha256(name.casefold().encode()).digest()
    return f"{WORDS[digest[0] % len(WORDS)]}{10 + digest[1] % 90}"
