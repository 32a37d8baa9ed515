"""DNS: see `ACTION`."""

from __future__ import annotations

from sandbox.faults.action import Action, Effect, always
from sandbox.protocols.contract.script import Manner, ScriptedAnswer

__all__ = ["ACTION"]

ACTION = Action(
    "lame", "answer",
    "The server answers as one that knows nothing of the zone: no records, no authority, no error.",
    "", "name:example.com lame",
    lambda value, options: always(lambda: Effect(ScriptedAnswer("", manner=Manner.LAME))),
    protocols=frozenset({"dns"}))
