"""DNS: see `ACTION`."""

from __future__ import annotations

from sandbox.faults.action import Action, Effect, always
from sandbox.protocols.contract.script import Manner, ScriptedAnswer

__all__ = ["ACTION"]

ACTION = Action(
    "truncated", "answer",
    "The answer comes empty and marked as cut short; the client shall ask over TCP.",
    "", "name:example.com truncated",
    lambda value, options: always(lambda: Effect(ScriptedAnswer("", manner=Manner.TRUNCATED))),
    protocols=frozenset({"dns"}))
