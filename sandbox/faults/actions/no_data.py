"""FTP: the data connection never opens."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.action import Act, Action, Effect
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.script import ScriptedAnswer

__all__ = ["ACTION"]

NOBODY = 1
"""A port on which nobody listens."""


def make(value: str, options: Mapping[str, str]) -> Act:
    def act(session: Session, exchange: Exchange) -> Effect | None:
        if exchange.verb == "EPSV":
            return Effect(ScriptedAnswer("229", f"Entering Extended Passive Mode (|||{NOBODY}|)"))
        if exchange.verb == "PASV":
            host = session.server.host.removeprefix("::ffff:").replace(".", ",")
            return Effect(ScriptedAnswer("227", f"Entering Passive Mode ({host},0,{NOBODY})"))
        if exchange.verb in ("PORT", "EPRT"):
            return Effect(ScriptedAnswer("425", "The data connection cannot be opened"))
        return None

    return act


ACTION = Action("no-data", "answer", "The client is sent to a port where nobody listens.", "",
                "protocol:ftp no-data", make, protocols=frozenset({"ftp"}))
