"""The guide to writing a lab tells the truth: its lab is taken, can be done, and it has every key and value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.cli import main
from sandbox.errors import UserError
from sandbox.explain import concepts
from sandbox.labs import LabError, load
from sandbox.labs.lab import Check, filled
from sandbox.labs.values import OWN, is_value
from tests.support.dashboard import live_page
from tests.support.programs import run

GUIDE = (Path(__file__).parent.parent.parent / "docs" / "how-to" / "write-a-lab.md").read_text()


def written(folder: Path, change: tuple[str, str] = ("", "")) -> Path:
    """The guide's lab as a folder, with one change."""
    lab = re.search(r"^```toml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    text = re.search(r"^````markdown\n(.*?)^````$", GUIDE, re.MULTILINE | re.DOTALL)
    assert lab
    assert text
    folder = folder / "hello-dns"
    folder.mkdir(parents=True)
    assert change[0] in lab[1] + text[1]
    (folder / "lab.toml").write_text(lab[1].replace(*change) if change[0] else lab[1])
    (folder / "text.md").write_text(text[1].replace(*change) if change[0] else text[1])
    return folder


@pytest.mark.program("dig", "bind9-dnsutils")
async def test_the_guides_lab_can_be_done_from_the_data_folder(tmp_path: Path) -> None:
    folder = written(tmp_path / "labs")
    [command] = [block.text for block in load(folder).words.steps["ask"].todo if block.kind == "command"]
    async with live_page(tmp_path, "dns", "smtp") as page:
        assert "hello-dns" in [one["name"] for one in (await page.get("labs"))["labs"]]
        await page.ask("POST", "labs/hello-dns/start", {"learner": "Ada"})
        for question, given, step in (("guess", "mx", "ask"), ("server", "10 MAIL.example.com", "read")):
            await run("sh", "-c", filled(command, concepts.places(page.sandbox.endpoints)))
            await page.sandbox.journal.settle()
            await page.ask("POST", "labs/hello-dns/answers", {"step": step, "question": question, "answer": given})
        found = await page.get("labs/hello-dns")
        assert found["lab"]["passed"] == 2, [step["reason"] for step in found["steps"]]


async def test_a_lab_that_cannot_be_used_is_said_and_harms_no_other(tmp_path: Path) -> None:
    written(tmp_path / "labs", ("verb:MX", "verv:MX"))
    async with live_page(tmp_path, "http") as page:
        found = await page.get("labs")
        assert "verv" in found["wrong"]["hello-dns"]
        assert "first-request" in [one["name"] for one in found["labs"]]


def test_the_guide_has_every_key_of_a_check() -> None:
    table = GUIDE.partition("## Checks")[2].partition("## Values")[0]
    assert {key for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)
            } == set(Check.__struct_fields__)


def test_the_guide_has_every_value() -> None:
    values = GUIDE.partition("## Values")[2].partition("## Words")[0]
    assert set(OWN) <= set(re.findall(r"`([a-z-]+)`", values))
    assert is_value("server:status code")
    assert not is_value("server:")
    assert not is_value("colour")


@pytest.mark.parametrize(("change", "said"), [
    (("verb:MX", "verv:MX"), "verb"),
    (('value = "answered"', 'value = "anwsered"'), "a value"),
    (('check = "ask"', 'check = "aks"'), "Did you mean ask?"),
    (('id = "read"', 'id = "ask"'), "a name of its own"),
    (('answer = ["mx"]', 'answer = ["txt"]'), "among the choices"),
    (("## read: Read", "## raed: Read"), "no words for the step 'read'"),
    (("### Question server", "### Question sever"), "no words for the question 'server'"),
    (("minutes = 5", "minuets = 5"), "Did you mean minutes?"),
    (('filter = \'protocol', 'after = "later"\nfilter = \'protocol'), "a check that stands before"),
    (('filter = \'protocol', 'same = "session"\nfilter = \'protocol'), "which says with what"),
])
def test_what_is_wrong_with_a_lab_is_said(change: tuple[str, str], said: str, tmp_path: Path,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path, change)
    with pytest.raises(LabError, match=re.escape(said)):
        load(folder)
    assert main(["lab", "check", str(folder)]) == 2
    assert said in capsys.readouterr().err


def test_a_lab_that_is_right_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "check", str(written(tmp_path))]) == 0
    assert "is right: 2 steps, 1 checks, 2 questions" in capsys.readouterr().out
    assert issubclass(LabError, UserError)
