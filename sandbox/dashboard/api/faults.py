"""Faults: the rules there are, more of them, fewer, and what waits to be told to go on."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from sandbox.dashboard.answers import ProblemError, as_json, body_of
from sandbox.dashboard.operations import Call, Operations
from sandbox.errors import UserError
from sandbox.explain.rows import Place, place
from sandbox.faults.actions import ACTIONS
from sandbox.faults.errors import FaultError
from sandbox.faults.faults import Standing
from sandbox.faults.held import Held
from sandbox.faults.names import TABLE
from sandbox.faults.rule import rule_of_mapping, rule_of_text
from sandbox.filter.errors import FilterError
from sandbox.protocols.contract.script import ScriptedAnswer
from sandbox.protocols.http.messages import Response

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()
NEW: Any = dict[str, str | bool | int | float]
"""A rule as it is given: the filter, an action with its value, options."""


class Fault(msgspec.Struct):
    """A rule. text: as it stands on a command line; words: its filter as a sentence; rule: as it was given; meant:
    how many its filter meant; struck: how many it struck; spent: whether it strikes no more; origin: where it came
    from."""

    id: int
    text: str
    filter: str
    words: str
    action: str
    rule: dict[str, str]
    meant: int
    struck: int
    spent: bool
    origin: str


class HeldRow(msgspec.Struct):
    """Something that waits. step: "connection", "handshake", "question" or "answer"; until: when it goes on by
    itself; octets: what is about to leave, as base64."""

    id: int
    fault: int
    step: str
    protocol: str
    service: str
    client: Place
    session: int
    verb: str
    asked: str
    facts: dict[str, str]
    since: float
    until: float
    octets: str


class Faults(msgspec.Struct):
    """named: how often each name that needs no rule was asked for."""

    faults: list[Fault]
    held: list[HeldRow]
    named: dict[str, int]


class ActionRow(msgspec.Struct):
    name: str
    kind: str
    meaning: str
    value: str
    example: str
    options: dict[str, str]
    protocols: list[str]


class Actions(msgspec.Struct):
    """names: those that need no rule, each with its protocol and its action."""

    actions: list[ActionRow]
    names: list[dict[str, str]]


class NewReply(msgspec.Struct, forbid_unknown_fields=True):
    """What is said instead. Fields as the options of the action `reply`."""

    code: str
    text: str = ""
    detail: str = ""
    body: str = ""


class GoOn(msgspec.Struct, forbid_unknown_fields=True):
    """held: one of those that wait, 0 for all of the rule; reply: what is said instead of answering, for a question;
    octets: what leaves instead, as base64, for an answer."""

    held: int = 0
    reply: NewReply | None = None
    octets: str | None = None


class Went(msgspec.Struct):
    """How many were let go, or removed."""

    count: int


def fault(standing: Standing) -> Fault:
    rule = standing.rule
    return Fault(standing.id, str(rule), str(rule.filter), rule.filter.words(), rule.deed(), rule.mapping(),
                 rule.which.seen, rule.which.struck, rule.which.spent, standing.origin)


def held_row(held: Held) -> HeldRow:
    session, exchange = held.session, held.exchange
    return HeldRow(held.id, held.rule, held.step, session.protocol, session.service, place(session.client),
                   session.id, exchange.verb, exchange.asked, exchange.facts, held.since, held.until,
                   base64.b64encode(held.octets).decode())


@OPERATIONS.add("GET", "faults", "The rules that make things fail, how often each struck, and what is held.", Faults)
async def faults(call: Call) -> Response:
    found = call.board.sandbox.faults
    return as_json(Faults([fault(one) for one in found.rules.values()],
                          [held_row(one) for one in found.waiting if call.asker.may_see(one.session)],
                          dict(found.names.struck)))


@OPERATIONS.add("GET", "faults/actions", "Every action a rule can have, and the names that need no rule.", Actions)
async def actions(call: Call) -> Response:
    rows = [ActionRow(one.name, one.kind, one.meaning, one.value, one.example, dict(one.options),
                      sorted(one.protocols)) for one in ACTIONS.values()]
    return as_json(Actions(rows, [{"name": one.name, "protocol": one.protocol, "action": " ".join(one.words)}
                                  for one in TABLE]))


@OPERATIONS.add("POST", "faults", "Add a rule: a filter, an action with its value, options; or its words as text.",
                Fault, takes=NEW, changes=True)
async def add(call: Call) -> Response:
    asked: dict[str, Any] = await body_of(call.request, NEW)
    try:
        rule = rule_of_text(str(asked["text"])) if set(asked) == {"text"} else rule_of_mapping(asked)
        return as_json(fault(call.board.sandbox.faults.add(rule)))
    except UserError as error:
        raise unfit(error) from None


def unfit(error: UserError) -> ProblemError:
    if isinstance(error, FilterError):
        return ProblemError(422, "Not a filter", f"The filter has {error.found} at character {error.position + 1}.",
                            error.suggestion, position=error.position, found=error.found, expected=error.expected)
    if isinstance(error, FaultError):
        return ProblemError(422, "Not a rule", error.detail, error.hint)
    return ProblemError(422, "Not a rule", str(error))


@OPERATIONS.add("DELETE", "faults", "Remove all rules; what they hold back leaves.", Went, changes=True)
async def clear(call: Call) -> Response:
    found = call.board.sandbox.faults
    count = len(found.rules)
    found.clear()
    return as_json(Went(count))


@OPERATIONS.add("DELETE", "faults/{number}", "Remove a rule; what it holds back leaves.", Fault, changes=True)
async def remove(call: Call, number: str) -> Response:
    return as_json(fault(call.board.sandbox.faults.remove(known(call, number))))


@OPERATIONS.add("POST", "faults/{number}/go-on", "Let go what a rule holds.", Went, takes=GoOn, changes=True)
async def go_on(call: Call, number: str) -> Response:
    asked = await body_of(call.request, GoOn)
    waiting = call.board.sandbox.faults.waiting
    rule = known(call, number)
    found = [one for one in waiting if one.rule == rule and asked.held in (0, one.id)]
    if asked.held and not found:
        raise ProblemError(404, "Nothing waits", f"Nothing with the number {asked.held} waits for the rule {rule}.",
                           "It may have gone on by itself: each waits so long at most.")
    reply, octets = scripted(asked.reply), octets_of(asked.octets)
    for one in found:
        one.go_on(reply, octets)
    return as_json(Went(len(found)))


def scripted(reply: NewReply | None) -> ScriptedAnswer | None:
    if reply is None:
        return None
    from sandbox.faults.actions.reply import spoken
    if not spoken(reply.code):
        raise ProblemError(422, "Not a reply", f"No protocol says {reply.code[:40]!r}.")
    return ScriptedAnswer(reply.code, reply.text.replace("\r", ""), reply.detail, body=reply.body.encode())


def octets_of(text: str | None) -> bytes | None:
    try:
        return None if text is None else base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ProblemError(422, "Not base64", "The octets are not in base64 (RFC 4648 §4).") from None


def known(call: Call, number: str) -> int:
    if not (number.isascii() and number.isdecimal() and int(number[:12]) in call.board.sandbox.faults.rules):
        raise ProblemError(404, "No such rule", f"There is no rule {number[:40]!r}.", "GET faults lists them.")
    return int(number)
