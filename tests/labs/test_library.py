"""Each lab of the library is done with real clients: a wrong attempt passes no step and hears why, the right one
passes. Both stand beside the lab, in trial.toml."""

from __future__ import annotations

import base64
import re
import shutil
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

import sandbox.labs
from sandbox.explain import concepts
from sandbox.labs.lab import Lab, filled, library
from sandbox.labs.learners import word_of
from tests.support.dashboard import Page, live_page
from tests.support.network import watching
from tests.support.programs import run

LEARNER = "Ada Lovelace"
FOLDER = Path(sandbox.labs.__file__).parent / "library"


def trial(lab: Lab) -> dict[str, Any]:
    return tomllib.loads((FOLDER / lab.name / "trial.toml").read_text())


async def answer(page: Page, lab: Lab, step: str, answers: Mapping[str, str], where: Mapping[str, str]) -> None:
    for question, given in answers.items():
        reply = await page.ask("POST", f"labs/{lab.name}/answers", {
            "step": step, "question": question, "answer": filled(given, where)})
        assert reply.status == 200, reply.body


async def seen(page: Page, lab: Lab, number: int) -> dict[str, Any]:
    await page.sandbox.journal.settle()
    found: dict[str, Any] = (await page.get(f"labs/{lab.name}"))["steps"][number]
    return found


@pytest.mark.parametrize("lab", library().values(), ids=list(library()))
async def test_a_wrong_attempt_hears_why_and_the_right_one_passes(lab: Lab, tmp_path: Path) -> None:
    for program in lab.programs:
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    async with live_page(tmp_path, *lab.services) as page:
        where = {**concepts.places(page.sandbox.endpoints), "word": word_of(LEARNER),
                 "ca": str(tmp_path / "ca" / "ca.pem"), "folder": str(tmp_path)}
        reply = await page.ask("POST", f"labs/{lab.name}/start", {"learner": LEARNER})
        assert reply.status == 200, reply.body
        for number, (step, tried) in enumerate(trial(lab).items()):
            assert step == lab.steps[number].id
            predictions = {one.id for one in lab.steps[number].questions if one.predict}
            answers = tried.get("answers", {})
            await answer(page, lab, step, {name: answers[name] for name in predictions}, where)
            if "wrong" in tried:
                await run("sh", "-c", filled(tried["wrong"], where), status=None)
            await answer(page, lab, step, tried.get("wrong_answers", {}), where)
            reason = filled(tried["reason"], where)
            found = await settled(page, lab, number, partial(hears, reason))
            assert found["status"] == "not yet", (found["checks"], found["questions"])
            assert reason in told(found)
            assert not found["shown"]
            if "do" in tried:
                await run("sh", "-c", filled(tried["do"], where), status=None)
            where |= await read_off(page)
            await answer(page, lab, step, {name: given for name, given in answers.items()
                                           if name not in predictions}, where)
            found = await settled(page, lab, number, lambda step: step["status"] == "passed")
            assert found["status"] == "passed", (found["checks"], found["questions"])
            assert found["shown"]
        whole = await page.get(f"labs/{lab.name}")
        assert whole["lab"]["passed"] == whole["lab"]["steps"] == len(trial(lab))
        assert whole["current"] == ""


async def read_off(page: Page) -> dict[str, str]:
    """What learners read off what they did and nobody can know beforehand."""
    await page.sandbox.journal.settle()
    found: dict[str, str] = {}
    for row in (await page.get("exchanges", limit=20))["exchanges"]:
        if row["verb"] == "PASV":
            numbers = re.findall(r"\d+", row["answered"])
            found.setdefault("port", str(int(numbers[-2]) * 256 + int(numbers[-1])))
        for name in {"cipher", "message-id"} & row["facts"].keys():
            found.setdefault(name, row["facts"][name])
        if row["protocol"] == "http":
            said = (await page.get(f"exchanges/{row['id']}"))["server"]["octets"]
            for line in base64.b64decode(said).partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n"):
                name, _, value = line.partition(": ")
                if name.lower() in ("etag", "set-cookie"):
                    found.setdefault(name.lower(), value)
    return found


def hears(reason: str, step: dict[str, Any]) -> bool:
    return reason in told(step)


def told(step: dict[str, Any]) -> str:
    """Every reason that a learner hears."""
    return "\n".join([step["reason"], *(one["reason"] for one in step["checks"])])


async def settled(page: Page, lab: Lab, number: int, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """A step once it is as wanted, or as it is when the server has had the time to end all exchanges and sessions."""
    with trio.move_on_after(10):
        with watching(page.sandbox.journal) as watcher:
            while not wanted(found := await seen(page, lab, number)):
                await watcher.news()
            return found
    return await seen(page, lab, number)


@pytest.mark.parametrize("lab", library().values(), ids=list(library()))
def test_words_and_trials_are_whole(lab: Lab) -> None:
    assert lab.words.title
    assert lab.words.about
    assert list(trial(lab)) == [step.id for step in lab.steps]
    for step in lab.steps:
        words = lab.words.steps[step.id]
        assert words.hints, f"{step.id} has no hint"
        assert words.shown, f"{step.id} does not say what it showed"
        for question in step.questions:
            assert words.questions[question.id].blocks
