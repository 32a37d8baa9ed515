"""A space of a sandbox, as a test sees it: its services, what is in its world, and what happened in it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from sandbox.testing.api import Api, ApiError
from sandbox.testing.letters import Letter
from sandbox.testing.report import lines, near_misses
from sandbox.testing.running import InProcess, Server
from sandbox.testing.settings import Settings

__all__ = ["Dns", "Faults", "Files", "Http", "Mail", "People", "Space"]

PATIENCE = 10.0
"""Seconds that a wait lasts unless told otherwise."""
SHOWN = 50
"""Exchanges that a report shows, the last ones."""


class Space:
    """See the module. name: of the space; url: of the live page with what happened here; services: by name, (host,
    port); settings: for programs and libraries; api: for all that is not here.

    Waits end when what is waited for has happened; after `timeout` seconds they raise AssertionError, with what came
    nearest and why it was not that.
    """

    def __init__(self, server: Server, row: Mapping[str, Any]) -> None:
        self._server = server
        self.api: Api = server.api
        self.name: str = row["name"]
        self.services: Mapping[str, tuple[str, int]] = {
            name: (where["host"], where["port"]) for name, where in row["services"].items()}
        self.url = f"{self.api.url}?filter={quote(f'space:{self.name}')}"
        self.mail = Mail(self)
        self.dns = Dns(self)
        self.http = Http(self)
        self.files = Files(self)
        self.people = People(self)
        self.faults = Faults(self)

    @classmethod
    def open(cls, server: Server, name: str = "", **asked: Any) -> Space:
        """Open a space of its own. asked: as `POST spaces` takes it. Raises ApiError."""
        return cls(server, server.api.post("spaces", {"name": name, **asked}))

    def close(self) -> None:
        """Close it; nothing is left but the journal."""
        self.faults.clear()
        self.api.delete(f"spaces/{self.name}")

    @property
    def settings(self) -> Settings:
        return Settings(self.services, self.ca)

    @property
    def ca(self) -> Path:
        """The file with the certificate that clients have to trust."""
        return self._server.ca  # type: ignore[attr-defined, no-any-return]

    @property
    def function_place(self) -> InProcess:
        """Where a function can be called. Raises TypeError for a sandbox in another process."""
        if not isinstance(self._server, InProcess):
            raise TypeError("a function can answer only where the sandbox runs in the process of the test; give the "
                            "answers themselves, or a template")
        return self._server

    # -- what happened ------------------------------------------------------------------------------------------

    def requests(self, filter: str = "", *, limit: int = 1000) -> Sequence[Mapping[str, Any]]:  # noqa: A002
        """The exchanges of HTTP so far, oldest first, as the API's rows."""
        return self.exchanges(f"protocol:http {narrower(filter)}", limit=limit)

    def exchanges(self, filter: str = "", *, limit: int = 1000) -> Sequence[Mapping[str, Any]]:  # noqa: A002
        """The last exchanges of this space that a filter means, oldest first."""
        found = self.api.get("exchanges", filter=self._within(filter), limit=limit)
        rows: list[Mapping[str, Any]] = found["exchanges"]
        return rows[::-1]

    def wait(self, filter: str = "", *, count: int = 1, since: int = 0,  # noqa: A002
             timeout: float = PATIENCE) -> Sequence[Mapping[str, Any]]:
        """The first exchanges that a filter means, as soon as there are `count`. since: the id of an exchange."""
        asked = {"filter": self._within(filter), "count": count, "since": since, "timeout": timeout}
        try:
            found: Sequence[Mapping[str, Any]] = self.api.post("wait", asked, wait=timeout)["exchanges"]
        except ApiError as error:
            in_vain(error, f"waiting for {filter!r}")
        return found

    def assert_nothing(self, filter: str = "") -> None:  # noqa: A002
        """Nothing that a filter means has happened here so far. Raises AssertionError with what has."""
        if found := self.exchanges(filter, limit=SHOWN):
            raise AssertionError("\n".join([f"something has happened that {filter!r} means:", *lines(found)]))

    def report(self) -> str:
        """What happened here, for people."""
        found = self.exchanges(limit=SHOWN)
        return "\n".join([*(lines(found) if found else ["nothing has happened"]), f"the live page: {self.url}"])

    def content(self, row: Mapping[str, Any], side: str = "client") -> bytes:
        """The octets of one exchange as they passed, of the client or the server."""
        found = self.api.get(f"exchanges/{row['id']}")[side]
        return base64.b64decode(found["octets"])

    # -- the world as a whole -----------------------------------------------------------------------------------

    def populate(self, world: str) -> None:
        """Add what the text of a world file says; what is there already stays as it is."""
        self.api.post("populate", {"world": world}, space=self.name)

    def reset(self, *parts: str) -> None:
        """As it was at its beginning: all, or some of people, names, routes, files, mail."""
        self.api.post("reset", {"parts": list(parts)}, space=self.name)

    def snapshot(self, name: str) -> None:
        """Keep its state by a name."""
        self.api.post("snapshots", {"name": name}, space=self.name)

    def restore(self, name: str, *parts: str) -> None:
        """As it was kept: all, or some parts."""
        self.api.post(f"snapshots/{name}/restore", {"parts": list(parts)}, space=self.name)

    def _within(self, text: str) -> str:
        """What happened here; what the test itself has changed over the API is not meant."""
        return f"space:{self.name} -service:dashboard {narrower(text)}"


class Part:
    """What the parts of a space share."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._api = space.api

    def _post(self, path: str, body: object) -> Any:
        return self._api.post(path, body, space=self._space.name)

    def _delete(self, path: str, /, **query: Any) -> Any:
        return self._api.delete(path, **query, space=self._space.name)


class Mail(Part):
    """Letters."""

    def wait_for(self, to: str = "", subject: str = "", *, sender: str = "", text: str = "", since: int = 0,
                 timeout: float = PATIENCE) -> Letter:
        """The first letter that fits, as soon as it has arrived. Each a text in it, in any case; since: the id of an
        exchange, of a letter's `exchange` for one that comes after it."""
        return self.wait_for_all(1, to, subject, sender=sender, text=text, since=since, timeout=timeout)[0]

    def wait_for_all(self, count: int, to: str = "", subject: str = "", *, sender: str = "", text: str = "",
                     since: int = 0, timeout: float = PATIENCE) -> Sequence[Letter]:
        """As `wait_for`, until there are `count`."""
        terms = {"to": to, "subject": subject, "from": sender, "text": text}
        asked = {"space": self._space.name, "count": count, "since": since, "timeout": timeout, "raw": True,
                 "letter": terms}
        try:
            found = self._api.post("wait/letters", asked, wait=timeout)["letters"]
        except ApiError as error:
            in_vain(error, f"waiting for a letter with {({k: v for k, v in terms.items() if v})}")
        return [Letter(each) for each in found]

    def send(self, sender: str, to: str | Sequence[str], subject: str = "", text: str = "") -> None:
        """Hand a letter over, by real SMTP. Raises ApiError with what SMTP said."""
        self._post("mail", {"from": sender, "to": [to] if isinstance(to, str) else list(to), "subject": subject,
                            "text": text})


class Dns(Part):
    """Names."""

    def add(self, *records: str, replace: bool = False) -> None:
        """Records as zone files write them: `api.shop.test A 127.0.0.1`. replace: those of the same name and type."""
        self._post("names", {"records": "\n".join(records), "replace": replace})

    def remove(self, name: str, type: str = "", value: str = "") -> None:  # noqa: A002
        """A name, or its records of one type, or one of them."""
        self._delete("names", name=name, type=type, value=value)


class Http(Part):
    """Routes: what web servers answer."""

    def route(self, host: str, path: str = "/*", *, method: str = "", status: int = 200, body: str | bytes = "",
              json: Any = None, fields: Mapping[str, str] | None = None, times: int = 0, template: bool = False,
              answers: Sequence[Mapping[str, Any]] = (), function: Callable[[Any], Any] | None = None) -> int:
        """Have this answered, before any website. Gives its number.

        path: segments such as {id} stand for any one, a star at the end for all that is left; times: how often, 0 for
        always; template: whether {query.name}, {form.name}, {part.id}, {field.accept}, {json.user.name}, {body} in
        the body stand for what was asked; answers: several, in turn, each with status, body, json, fields; function:
        called with what was asked, gives the body, or (status, body), or (status, body, fields).
        """
        if function is not None:
            from sandbox.world.routes import Route, RouteAnswer
            world = self._space.function_place.sandbox.spaces.get(self._space.name).world
            answer = RouteAnswer(status, tuple((fields or {}).items()), function=function)
            return world.routes.add(Route(method, host, path, (answer,), times)).number
        one: dict[str, Any] = {"status": status, "fields": dict(fields or {}), "template": template}
        if json is not None:
            one["json"] = json
        elif isinstance(body, bytes):
            one["base64"] = base64.b64encode(body).decode()
        else:
            one["body"] = body
        number: int = self._post("routes", {"host": host, "path": path, "method": method, "times": times,
                                            "answers": list(answers), **one})["number"]
        return number

    def remove(self, number: int) -> None:
        self._delete(f"routes/{number}")


class Files(Part):
    """Files, as FTP, SFTP and HTTP find them. place: `homes/alice`, `public` or `sites/HOST`."""

    def put(self, place: str, path: str, content: str | bytes) -> None:
        """Put a file there, with the folders on its way."""
        data = content.encode() if isinstance(content, str) else content
        self._post("files", {"place": place, "path": path, "base64": base64.b64encode(data).decode()})

    def read(self, place: str, path: str) -> bytes:
        return self._api.octets("GET", "files/content", place=place, path=path, space=self._space.name)

    def names(self, place: str, path: str = "") -> Sequence[str]:
        """What is in a folder."""
        found = self._api.get("files", place=place, path=path, space=self._space.name)
        return [entry["name"] for entry in found["entries"]]

    def remove(self, place: str, path: str) -> None:
        self._delete("files", place=place, path=path)


class People(Part):
    """Who can log in."""

    def add(self, login: str, password: str, name: str = "") -> None:
        self._post("people", {"login": login, "password": password, "name": name})

    def remove(self, login: str) -> None:
        self._delete(f"people/{login}")


class Faults(Part):
    """What goes wrong here on purpose."""

    def __init__(self, space: Space) -> None:
        super().__init__(space)
        self._added: list[int] = []

    def add(self, filter: str = "", **rule: Any) -> int:  # noqa: A002
        """What a filter means gets one action, by its name, and options: `add("verb:RCPT", reply=451, times=2)`. An
        action without a value gets True. Gives the rule's number."""
        within = f"space:{self._space.name} {narrower(filter)}".strip()
        said = {name.replace("_", "-"): value for name, value in rule.items()}
        number: int = self._api.post("faults", {"filter": within, **said})["id"]
        self._added.append(number)
        return number

    def struck(self, number: int) -> int:
        """How often a rule has struck."""
        rules = self._api.get("faults")["faults"]
        return next((int(rule["struck"]) for rule in rules if rule["id"] == number), 0)

    def go_on(self, number: int) -> None:
        """Let go what a rule holds."""
        self._api.post(f"faults/{number}/go-on", {})

    def remove(self, number: int) -> None:
        """Take a rule away; what it holds goes on."""
        self._added.remove(number)
        self._api.delete(f"faults/{number}")

    def clear(self) -> None:
        """Take away what was added here."""
        for number in list(self._added):
            self.remove(number)


def narrower(text: str) -> str:
    """A filter within another: what has an `or` stands in brackets."""
    return f"({text})" if text.strip() else ""


def in_vain(error: ApiError, doing: str) -> NoReturn:
    """A wait that is over, as a test reads it. Raises AssertionError, or the error where it is another one."""
    if error.status != 408:
        raise error
    near = list(near_misses(error.problem))
    said = f"{doing}: {error.problem['detail']}"
    told = ["what came nearest:", *near] if near else ["nothing came near"]
    raise AssertionError("\n".join([said, *told])) from None
