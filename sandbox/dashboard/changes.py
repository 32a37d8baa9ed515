"""Changes of the world that somebody made over the API, told to the journal as what they are.

What looks is not recorded, so that the page does not watch itself. What changes something is: an exchange of the
service `dashboard`, in the space that was changed, with what was asked in the fact `change`. Its octets are not kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.journal.journal import Journal
from sandbox.plan import DASHBOARD
from sandbox.protocols.contract.facts import bounded
from sandbox.protocols.http.messages import Request
from sandbox.protocols.http.status import reason

__all__ = ["noted", "told"]

HIDDEN = frozenset({"password", "token", "base64", "world", "octets"})
"""Members of a request that are secret, or long."""


class Outcome:
    """status: of the answer, once there is one."""

    def __init__(self) -> None:
        self.status = 500


@contextmanager
def told(journal: Journal, request: Request, space: str) -> Iterator[Outcome]:
    """Tell the journal of a change when the block ends. space: the one that is changed."""
    started = time.time()
    outcome = Outcome()
    try:
        yield outcome
    finally:
        recorder = journal.open(service=DASHBOARD.name, protocol="http", transport="tcp", client=request.client,
                                server=request.server, space=space)
        facts = {"path": bounded(request.path), **{name: request.facts[name] for name in request.facts
                                                   if name == "change"}}
        recorder.exchange(started, request.method, bounded(request.target), str(outcome.status),
                          reason(outcome.status), "", 0, facts)
        recorder.close("client-closed")


def noted(request: Request, data: bytes) -> None:
    """Remember what a request asks, for `told`."""
    try:
        asked = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(asked, dict):
        asked = {name: "..." if name in HIDDEN and value else value for name, value in asked.items()}
    request.facts["change"] = bounded(json.dumps(asked, ensure_ascii=False))
