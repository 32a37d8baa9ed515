"""DNS: see `ACTION`."""

from __future__ import annotations

from sandbox.faults.action import Action, Effect, always
from sandbox.protocols.contract.script import Manner, ScriptedAnswer

__all__ = ["ACTION"]

ACTION = Action(
    "wrong-id", "answer",
    "The answer has another number than the question, as a forged one would.",
    "", "name:example.com wrong-id",
    lambda value, options: always(lambda: Effect(ScriptedAnswer("", manner=Manner.WRONG_ID))),
    protocols=frozenset({"dns"}))
