"""What of a lab is passed: records in, results out. Pure: it asks nobody and keeps nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

import msgspec

from sandbox.labs.candidates import Candidates, Evidence
from sandbox.labs.lab import Check, Lab, Question, Step
from sandbox.labs.nearest import nearest
from sandbox.labs.values import Octets, Record, alike, value

__all__ = ["CheckResult", "LabResult", "QuestionResult", "Status", "StepResult", "check"]


class Status(Enum):
    PASSED = "passed"
    NOT_YET = "not yet"
    BLOCKED = "blocked"


class CheckResult(msgspec.Struct, frozen=True):
    """evidence: ids of exchanges; near: the exchange that came nearest, 0 for none; reason: a sentence."""

    name: str
    status: Status
    reason: str
    evidence: tuple[int, ...] = ()
    near: int = 0


class QuestionResult(msgspec.Struct, frozen=True):
    """status: open; kept, predicted and not judged yet; right; wrong; blocked, until the step's checks hold."""

    id: str
    status: str
    given: str
    reason: str
    predict: bool


class StepResult(msgspec.Struct, frozen=True):
    id: str
    status: Status
    reason: str
    checks: tuple[CheckResult, ...]
    questions: tuple[QuestionResult, ...]


class LabResult(msgspec.Struct, frozen=True):
    """passed: how many steps are; current: the id of the first that is not, "" at the end."""

    name: str
    passed: int
    steps: tuple[StepResult, ...]
    current: str


def check(lab: Lab, records: Sequence[Record], answers: Mapping[str, str], octets: Octets,
          where: Mapping[str, str]) -> LabResult:
    """records: the learner's, in the order they ended; answers: by question, as "step.question"; octets: of an
    exchange; where: what stands for the places of filters."""
    candidates = Candidates(lab, records, where, octets)
    evidence = candidates.evidence()
    steps = tuple(step_result(step, candidates, evidence, records, answers, octets) for step in lab.steps)
    current = next((step.id for step in steps if step.status is not Status.PASSED), "")
    return LabResult(lab.name, sum(step.status is Status.PASSED for step in steps), steps, current)


def step_result(step: Step, candidates: Candidates, evidence: Evidence, records: Sequence[Record],
                answers: Mapping[str, str], octets: Octets) -> StepResult:
    checks = tuple(check_result(one, candidates, evidence, records) for one in step.checks)
    done = all(one.status is Status.PASSED for one in checks)
    questions = tuple(question_result(one, answers.get(f"{step.id}.{one.id}", ""), evidence, octets, done=done)
                      for one in step.questions)
    missing = [one for one in checks if one.status is not Status.PASSED]
    if missing:
        first = next((one for one in missing if one.status is Status.NOT_YET), missing[0])
        return StepResult(step.id, first.status, first.reason, checks, questions)
    unanswered = [one for one in questions if one.status in ("open", "blocked") or
                  (one.status == "wrong" and not one.predict)]
    if unanswered:
        return StepResult(step.id, Status.NOT_YET, unanswered[0].reason, checks, questions)
    return StepResult(step.id, Status.PASSED, "Done.", checks, questions)


def check_result(one: Check, candidates: Candidates, evidence: Evidence, records: Sequence[Record]) -> CheckResult:
    found = evidence.get(one.name)
    if found is not None:
        ids = tuple(record.exchange.id for record in found)
        return CheckResult(one.name, Status.PASSED, "It happened.", ids)
    if one.other and one.other not in evidence:
        return CheckResult(one.name, Status.BLOCKED, f"First comes what “{one.other}” asks for.")
    own = candidates.of[one.name]
    if own and one.other:
        return unfit(one, own[-1], candidates, evidence[one.other][-1])
    if own and len(own) < one.count:
        return CheckResult(one.name, Status.NOT_YET, f"{len(own)} of {one.count} so far.",
                           tuple(record.exchange.id for record in own))
    if spoilt := candidates.spoilt.get(one.name):
        number = spoilt[-1].exchange.id
        return CheckResult(one.name, Status.NOT_YET, f"Exchange {number} is right, but on its connection came also "
                           "what this step does not want.", near=number)
    near = nearest(candidates.filters[one.name],
                   [record for record in records if record.caused == (one.by == "sandbox")])
    if near is None:
        return CheckResult(one.name, Status.NOT_YET, "Nothing like it has been seen yet.")
    return CheckResult(one.name, Status.NOT_YET, f"The nearest so far is exchange {near.record.exchange.id}: "
                       f"{near.words}.", near=near.record.exchange.id)


def unfit(one: Check, record: Record, candidates: Candidates, other: Record) -> CheckResult:
    """It was done, but not where it belongs."""
    number = record.exchange.id
    why = candidates.why_not(one, record, other)
    if why == "order":
        reason = f"Exchange {number} is right, but it came {'before' if one.after else 'after'} “{one.other}”."
    elif why == "session":
        reason = f"Exchange {number} is right, but it was on another connection than “{one.other}”."
    elif why:
        reason = f"Exchange {number} is right, but its {why.partition(':')[2] or why} is not that of “{one.other}”."
    else:
        reason = "So far not often enough." if one.count > 1 else "The rest of this attempt is missing."
    return CheckResult(one.name, Status.NOT_YET, reason, near=number)


def question_result(one: Question, given: str, evidence: Evidence, octets: Octets, *, done: bool) -> QuestionResult:
    def result(status: str, reason: str) -> QuestionResult:
        return QuestionResult(one.id, status, given, reason, one.predict)

    if not given:
        if one.predict or done:
            return result("open", "Predict first: answer before you try." if one.predict else "Answer the question.")
        return result("blocked", "Do the step first; the answer is in what you did.")
    if one.predict and not done:
        return result("kept", "Kept. Do the step and see whether you were right.")
    proof = evidence.get(one.check, ()) if one.value else ()
    if one.value and not proof:
        return result("blocked", "Do the step first; the answer is in what you did.")
    right = one.answer or tuple(value(one.value, record, octets) for record in proof)
    if any(alike(given, each) for each in right):
        return result("right", "Right.")
    if one.predict:
        return result("wrong", "It went otherwise than you predicted. Read why below.")
    if proof:
        return result("wrong", f"Exchange {proof[0].exchange.id} says something else. Look at it again.")
    return result("wrong", "Not that. Look at what happened, or take a hint.")
