"""DNS: see `ACTION`."""

from __future__ import annotations

from sandbox.faults.action import Action, Effect, always
from sandbox.protocols.contract.script import Manner, ScriptedAnswer

__all__ = ["ACTION"]

ACTION = Action(
    "stale", "answer",
    "The answer is an old one that was kept too long (RFC 8767): its time to live is 30, and it says so.",
    "", "name:example.com stale",
    lambda value, options: always(lambda: Effect(ScriptedAnswer("", manner=Manner.STALE))),
    protocols=frozenset({"dns"}))
