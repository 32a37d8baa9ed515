"""A client of a running sandbox's API: blocking, on the standard library alone. Commands and tests use it."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox.datafolder import read_running
from sandbox.errors import UserError

__all__ = ["Api", "ApiError"]

SECONDS = 30.0
"""How long an answer may take that waits for nothing."""


class ApiError(UserError):
    """The sandbox said no. status: of HTTP, 0 where nobody answered; problem: as the API gave it (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        said = [str(problem.get(name, "")) for name in ("detail", "hint")]
        super().__init__(" ".join(text for text in said if text) or f"the API answered {status}")
        self.status = status
        self.problem = problem


class Api:
    """url: of the live page, such as http://127.0.0.1:8000/; token: the teacher's, needed from elsewhere. Any thread
    may use it; each has a connection of its own."""

    def __init__(self, url: str, token: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise UserError(f"{url[:200]!r} is not the address of a live page, such as http://127.0.0.1:8000/")
        self.url = f"http://{parts.netloc}/"
        self._host, self._port = parts.hostname, parts.port or 80
        self._token = token
        self._local = threading.local()
        self._open: set[http.client.HTTPConnection] = set()

    @classmethod
    def of(cls, data: Path) -> Api:
        """Of the sandbox that runs on a data folder. Raises UserError."""
        running = read_running(data)
        if running is None:
            raise UserError(f"no sandbox runs on {data}; start one with `sandbox up`, or name its folder with --data "
                            "or its live page with --url")
        if running.dashboard is None:
            raise UserError(f"the sandbox on {data} has no live page, which answers for it; start it with one")
        return cls(running.dashboard.url, running.dashboard.token)

    def get(self, path: str, /, **query: Any) -> Any:
        return self.call("GET", path, **query)

    def post(self, path: str, body: object, /, *, wait: float = 0.0, **query: Any) -> Any:
        """wait: seconds it may take beyond the usual."""
        return self.call("POST", path, body, wait=wait, **query)

    def delete(self, path: str, /, **query: Any) -> Any:
        return self.call("DELETE", path, **query)

    def call(self, method: str, path: str, body: object = None, /, *, wait: float = 0.0, **query: Any) -> Any:
        """The JSON of an answer. path: below /api/v1/. Raises ApiError."""
        said = self.octets(method, path, body, wait=wait, **query)
        return json.loads(said) if said else None

    def octets(self, method: str, path: str, body: object = None, /, *, wait: float = 0.0, **query: Any) -> bytes:
        """An answer's octets. Raises ApiError."""
        asked = {name: value for name, value in query.items() if value not in ("", None)}
        target = f"/api/v1/{path}" + (f"?{urlencode(asked)}" if asked else "")
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            status, said = self._exchange(method, target, data, headers, SECONDS + wait)
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(0, {"detail": f"Nobody answers at {self.url} ({error}).",
                               "hint": "Is the sandbox still running?"}) from None
        if status >= 400:
            raise ApiError(status, problem_of(said))
        return said

    def _exchange(self, method: str, target: str, data: bytes | None, headers: dict[str, str],
                  seconds: float) -> tuple[int, bytes]:
        """A connection that was kept may have been closed meanwhile: then it is asked again on a new one, as no
        answer began (RFC 9110 §9.2.2)."""
        kept = getattr(self._local, "connection", None)
        if kept is not None:
            try:
                return self._ask(kept, method, target, data, headers, seconds)
            except (ConnectionError, http.client.RemoteDisconnected, http.client.CannotSendRequest):
                self._drop(kept)
        made = http.client.HTTPConnection(self._host, self._port, timeout=seconds)
        self._local.connection = made
        self._open.add(made)
        try:
            return self._ask(made, method, target, data, headers, seconds)
        except BaseException:
            self._drop(made)
            raise

    def _ask(self, connection: http.client.HTTPConnection, method: str, target: str, data: bytes | None,
             headers: dict[str, str], seconds: float) -> tuple[int, bytes]:
        connection.timeout = seconds
        if connection.sock is not None:
            connection.sock.settimeout(seconds)
        connection.request(method, target, data, headers)
        response = connection.getresponse()
        return response.status, response.read()

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        connection.close()
        self._open.discard(connection)
        self._local.connection = None

    def close(self) -> None:
        """Close every connection."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.close()
        self._open.clear()


def problem_of(said: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(said)
    except ValueError:
        return {"detail": said[:500].decode("utf-8", "replace")}
    return found if isinstance(found, dict) else {}
