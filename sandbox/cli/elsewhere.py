"""A sandbox elsewhere, asked by the API of its live page: what commands show of it is what they show of one here."""

from __future__ import annotations

import argparse
import http.client
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec

from sandbox.errors import UserError
from sandbox.explain.rows import Row, records
from sandbox.journal.records import Exchange, Session
from sandbox.testing.api import Api, ApiError, problem_of
from sandbox.world.mail import Folder, Item

__all__ = ["Elsewhere", "ElsewhereMail"]

SECONDS = 60.0
"""How long a stream may say nothing: it has a heartbeat."""
PAGE = 1_000
"""Exchanges asked for at a time."""
LETTERS = 200


class Rows(msgspec.Struct):
    exchanges: list[Row]
    next: int | None


class Elsewhere:
    """The sandbox that --url and --token name. The token may stand in the URL, as the start prints it: #token=...

    Every method raises UserError where it does not answer, or says no.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._token = args.token or parse_qs(urlsplit(args.url).fragment).get("token", [""])[0]
        self.api = Api(args.url, self._token)

    def rows(self, **query: Any) -> Rows:
        try:
            return msgspec.json.decode(self.api.octets("GET", "exchanges", **query), type=Rows)
        except msgspec.MsgspecError:
            raise UserError(f"what answers at {self.api.url} is no live page, or one of another version") from None

    def exchanges(self, text: str, *, after: int = 0) -> Iterator[tuple[Session, Exchange]]:
        """All that a filter means, the oldest first."""
        while True:
            found = self.rows(filter=text, limit=PAGE, after=after, order="oldest")
            yield from map(records, found.exchanges)
            if found.next is None:
                return
            after = found.next

    def last(self) -> int:
        """The id of the latest exchange, 0 for none."""
        return max((row.id for row in self.rows(limit=1).exchanges), default=0)

    def newest(self, text: str, limit: int) -> list[tuple[Session, Exchange]]:
        """The last of them, the oldest first."""
        rows: list[Row] = []
        before: int | None = 0
        while before is not None and len(rows) < limit:
            found = self.rows(filter=text, limit=min(PAGE, limit - len(rows)), before=before)
            rows += found.exchanges
            before = found.next
        return [records(row) for row in reversed(rows)]

    def follow(self, text: str, after: int) -> Iterator[tuple[Session, Exchange]]:
        """What happens from then on, until the sandbox stops."""
        where = urlsplit(self.api.url)
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        with closing(http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=SECONDS)) as client:
            try:
                client.request("GET", f"/api/v1/events?{urlencode({'filter': text, 'after': after})}", None, headers)
                response = client.getresponse()
                if response.status != 200:
                    raise ApiError(response.status, problem_of(response.read()))
                name = ""
                for line in response:
                    field, _, value = line.decode().rstrip("\n").partition(": ")
                    if field == "event":
                        name = value
                    elif field == "data" and name == "exchanges":
                        yield from map(records, msgspec.json.decode(value, type=list[Row]))
            except (OSError, http.client.HTTPException) as error:
                raise UserError(f"nobody answers at {self.api.url} any more ({error})") from None


class ElsewhereMail:
    """The mail of a sandbox elsewhere, as `MailReader` shows that of one here."""

    def __init__(self, elsewhere: Elsewhere) -> None:
        self._api = elsewhere.api
        people: list[dict[str, Any]] = self._api.get("mail")["people"]
        self._people = {one["login"]: [folder["name"] for folder in one["folders"]] for one in people}
        self._folders: list[tuple[str, str]] = []
        self._paths: dict[int, str] = {}
        """Of a copy of each letter, by its number."""

    def close(self) -> None:
        """Nothing is open between two questions."""

    def accounts(self) -> list[str]:
        return list(self._people)

    def folders(self, account: str) -> list[Folder]:
        start = len(self._folders)
        self._folders += [(account, name) for name in self._people[account]]
        return [Folder(start + at, account, name, "", 0, 0, 0, 0, subscribed=True)
                for at, name in enumerate(self._people[account])]

    def items(self, folder: int) -> list[Item]:
        account, name = self._folders[folder]
        path = f"mail/{quote(account, safe='')}/{quote(name, safe='')}"
        items: list[Item] = []
        before: int | None = 2**32
        while before is not None:
            found = self._api.get(path, limit=LETTERS, before=before)
            for one in found["letters"]:
                self._paths[one["number"]] = f"{path}/{one['uid']}"
                items.append(Item(one["uid"], one["size"], one["number"], 0, one["received"], " ".join(one["flags"]),
                                  one["recipient"]))
            before = found["next"]
        return items[::-1]

    def read(self, content: int) -> Iterator[bytes]:
        """Raises KeyError for a letter that is in no folder."""
        if content not in self._paths:
            for account in self.accounts():
                for folder in self.folders(account):
                    self.items(folder.id)
        return iter([self._api.octets("GET", f"{self._paths[content]}/source")])
