"""Labs: which there are, one with its progress, who does it, answers and hints."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sandbox.dashboard.answers import ProblemError, as_json, body_of
from sandbox.dashboard.operations import Call, Operations, Query
from sandbox.explain import concepts
from sandbox.labs import Lab
from sandbox.labs.checking import CheckResult, LabResult, QuestionResult, Status, StepResult
from sandbox.labs.lab import filled
from sandbox.labs.learners import Learner, Roll, RollError, Work, word_of
from sandbox.labs.text import Block
from sandbox.protocols.http.messages import Response

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()
LEARNER = Query("learner", "Whose progress; by default of whoever said a name from the asker's address last.", "Ada")


class Who(msgspec.Struct):
    """word: a word of their own, that some labs ask for."""

    name: str
    account: str
    space: str
    word: str


class LabRow(msgspec.Struct):
    """missing: services that it needs and that do not run."""

    name: str
    title: str
    about: list[Block]
    minutes: int
    programs: list[str]
    missing: list[str]
    steps: int
    passed: int
    begun: bool


class Labs(msgspec.Struct):
    """wrong: labs of the teacher's own that cannot be used, with the reason."""

    learner: Who | None
    labs: list[LabRow]
    wrong: dict[str, str]


class QuestionText(msgspec.Struct):
    """choices: what to say, and what it means; none where an answer is written. result: null before the lab is
    begun."""

    id: str
    text: list[Block]
    choices: list[tuple[str, str]]
    predict: bool
    result: QuestionResult | None


class StepText(msgspec.Struct):
    """hints: those taken; more_hints: how many are left; shown: what it showed, once it is passed."""

    id: str
    title: str
    status: str
    reason: str
    todo: list[Block]
    questions: list[QuestionText]
    checks: list[CheckResult]
    hints: list[list[Block]]
    more_hints: int
    shown: list[Block]


class OneLab(msgspec.Struct):
    learner: Who | None
    lab: LabRow
    steps: list[StepText]
    current: str


class Entering(msgspec.Struct, forbid_unknown_fields=True):
    """learner: a name, "" for who said one before; account, space: of their own, where several share an address;
    again: forget what was done of this lab."""

    learner: str = ""
    account: str = ""
    space: str = ""
    again: bool = False


class Answering(msgspec.Struct, forbid_unknown_fields=True):
    step: str
    question: str
    answer: str
    learner: str = ""


class Hinting(msgspec.Struct, forbid_unknown_fields=True):
    step: str
    learner: str = ""


@OPERATIONS.add("GET", "labs", "The labs there are, with a learner's progress.", Labs, LEARNER)
async def every(call: Call) -> Response:
    found, wrong = await call.board.labwork.labs()
    learner = await who(call, call.query.text("learner"))
    results = await results_of(call, learner, list(found.values()))
    return as_json(Labs(shown(learner), [row(call, lab, learner, results.get(lab.name)) for lab in found.values()],
                        dict(wrong) if call.asker.sees_all else {}))


@OPERATIONS.add("GET", "labs/{name}", "One lab with its words, filled in, and what a learner has passed of it.",
                OneLab, LEARNER)
async def one(call: Call, name: str) -> Response:
    return await told(call, await lab_called(call, name), await who(call, call.query.text("learner")))


@OPERATIONS.add("POST", "labs/{name}/start", "Begin a lab, and say who does.", OneLab, takes=Entering)
async def start(call: Call, name: str) -> Response:
    lab = await lab_called(call, name)
    asked = await body_of(call.request, Entering)
    learner = await entered(call, asked)
    if asked.again or name not in learner.labs:
        learner.labs[name] = Work(call.board.last_exchange)
        await call.board.labwork.save()
    return await told(call, lab, learner)


@OPERATIONS.add("POST", "labs/{name}/answers", "Answer a question of a lab.", OneLab, takes=Answering)
async def answer(call: Call, name: str) -> Response:
    lab = await lab_called(call, name)
    asked = await body_of(call.request, Answering)
    learner, work = await begun(call, name, asked.learner)
    if not any(step.id == asked.step and any(question.id == asked.question for question in step.questions)
               for step in lab.steps):
        raise ProblemError(404, "No such question", f"{name} has no question {asked.question[:60]!r} at the step "
                                                    f"{asked.step[:60]!r}.")
    try:
        (await roll_of(call)).answer(work, f"{asked.step}.{asked.question}", asked.answer)
    except RollError as error:
        raise ProblemError(422, "Not such an answer", str(error)) from None
    await call.board.labwork.save()
    return await told(call, lab, learner)


@OPERATIONS.add("POST", "labs/{name}/hints", "Take one more hint for a step.", OneLab, takes=Hinting)
async def hint(call: Call, name: str) -> Response:
    lab = await lab_called(call, name)
    asked = await body_of(call.request, Hinting)
    learner, work = await begun(call, name, asked.learner)
    words = lab.words.steps.get(asked.step)
    if words is None:
        raise ProblemError(404, "No such step", f"{name} has no step {asked.step[:60]!r}.")
    work.hints[asked.step] = min(len(words.hints), work.hints.get(asked.step, 0) + 1)
    await call.board.labwork.save()
    return await told(call, lab, learner)


async def lab_called(call: Call, name: str) -> Lab:
    found, wrong = await call.board.labwork.labs()
    if name not in found:
        raise ProblemError(404, "No such lab", wrong.get(name) or f"There is no lab {name[:60]!r}.",
                           "labs lists those there are.")
    return found[name]


async def roll_of(call: Call) -> Roll:
    try:
        return await call.board.labwork.roll()
    except RollError as error:
        raise ProblemError(409, "No list of learners", str(error)) from None


async def who(call: Call, name: str) -> Learner | None:
    """The learner that is meant. Raises ProblemError for one who is not there, or not the asker's to see."""
    roll = await roll_of(call)
    if not name:
        return next(reversed(roll.at(call.asker.address)), None)
    found = roll.get(name)
    if found is None or not (call.asker.sees_all or found in roll.at(call.asker.address)):
        raise ProblemError(404, "No such learner", f"Nobody here is called {name[:60]!r}.",
                           "Whoever begins a lab says a name.")
    return found


async def entered(call: Call, asked: Entering) -> Learner:
    """Who begins a lab. Raises ProblemError."""
    roll = await roll_of(call)
    learner = None if asked.learner else await who(call, "")
    if learner is not None:
        return learner
    if not asked.learner:
        raise ProblemError(422, "Who are you?", "Nobody has said a name from here yet.",
                           "Say yours: sandbox lab start LAB --learner NAME, or on the page.")
    if (asked.account or asked.space) and not call.asker.sees_all:
        raise ProblemError(403, "Not for visitors", "A visitor is known by the address and nothing else.")
    try:
        return roll.enter(asked.learner, call.asker.address, asked.account, asked.space)
    except RollError as error:
        raise ProblemError(422, "Not such a name", str(error)) from None


async def begun(call: Call, name: str, learner: str) -> tuple[Learner, Work]:
    found = await who(call, learner)
    if found is None or name not in found.labs:
        raise ProblemError(409, "Not begun", f"The lab {name[:60]} has not been begun yet.",
                           f"Begin it: sandbox lab start {name[:60]}, or on the page.")
    return found, found.labs[name]


def places(call: Call, learner: Learner | None) -> Mapping[str, str]:
    """What stands for the places of texts and filters."""
    found = concepts.places(call.board.place(call.request), call.board.cast_for(call.asker)._asdict())
    own = call.board.world.accounts.get(learner.account) if learner and learner.account else None
    if own is not None:
        found |= {"login": own.login, "password": own.password if call.asker.sees_all else "PASSWORD"}
    return found | {"word": word_of(learner.name) if learner else "yourword"}


async def results_of(call: Call, learner: Learner | None, labs: list[Lab]) -> Mapping[str, LabResult]:
    if learner is None:
        return {}
    return await call.board.labwork.results(learner, labs, places(call, learner), call.board.last_exchange)


async def told(call: Call, lab: Lab, learner: Learner | None) -> Response:
    result = (await results_of(call, learner, [lab])).get(lab.name)
    work = learner.labs.get(lab.name) if learner else None
    where = places(call, learner)
    by_step = {step.id: step for step in result.steps} if result else {}
    steps = [step_text(lab, number, by_step.get(step.id), work, where) for number, step in enumerate(lab.steps)]
    return as_json(OneLab(shown(learner), row(call, lab, learner, result), steps, result.current if result else ""))


def step_text(lab: Lab, number: int, result: StepResult | None, work: Work | None,
              where: Mapping[str, str]) -> StepText:
    step, words = lab.steps[number], lab.words.steps[lab.steps[number].id]
    taken = work.hints.get(step.id, 0) if work else 0
    answered = {one.id: one for one in result.questions} if result else {}
    questions = [QuestionText(one.id, in_place(words.questions[one.id].blocks, where),
                              list(words.questions[one.id].choices.items()), one.predict, answered.get(one.id))
                 for one in step.questions]
    passed = result is not None and result.status is Status.PASSED
    return StepText(step.id, words.title, result.status.value if result else "", result.reason if result else "",
                    in_place(words.todo, where), questions, list(result.checks) if result else [],
                    [in_place(some, where) for some in words.hints[:taken]], len(words.hints) - taken,
                    in_place(words.shown, where) if passed else [])


def in_place(blocks: tuple[Block, ...], where: Mapping[str, str]) -> list[Block]:
    return [Block(block.kind, filled(block.text, where)) for block in blocks]


def row(call: Call, lab: Lab, learner: Learner | None, result: LabResult | None) -> LabRow:
    running = call.board.sandbox.endpoints
    return LabRow(lab.name, lab.words.title, list(lab.words.about), lab.minutes, list(lab.programs),
                  [name for name in lab.services if name not in running], len(lab.steps),
                  result.passed if result else 0, learner is not None and lab.name in learner.labs)


def shown(learner: Learner | None) -> Who | None:
    return None if learner is None else Who(learner.name, learner.account, learner.space, word_of(learner.name))
