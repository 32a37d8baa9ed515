"""The pure checker: records in, results out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.address import Address
from sandbox.journal.records import Exchange, Session
from sandbox.labs import Lab, LabError, check, load
from sandbox.labs.checking import LabResult, Status
from sandbox.labs.values import Record, alike

HERE = Address("127.0.0.1", 40000)
WORDS = """# A lab
About it.
## one: One
Do it.
### Question which
Which?
"""


def lab(folder: Path, checks: str, question: str = "") -> Lab:
    folder = folder / "a-lab"
    folder.mkdir(exist_ok=True)
    (folder / "lab.toml").write_text(f'minutes = 1\n[[step]]\nid = "one"\n{checks}\n{question}')
    (folder / "text.md").write_text(WORDS)
    return load(folder)


def said(*exchanges: tuple[int, str] | tuple[int, str, str], caused: bool = False) -> list[Record]:
    """(session, verb, asked) each, in this order."""
    found = []
    for number, (session, verb, *asked) in enumerate(exchanges, 1):
        one = Session(id=session, service="smtp", protocol="smtp", transport="tcp", client=HERE, server=HERE,
                      opened=1.0, closed=2.0)
        found.append(Record(one, Exchange(number, session, number, number, verb, "".join(asked), "250", "", "",
                                          (0, 0), (0, 0)), caused))
    return found


def judged(lab: Lab, records: list[Record], **answers: str) -> LabResult:
    return check(lab, records, {f"one.{name}": given for name, given in answers.items()},
                 lambda session, exchange, client: b"", {})


CHAIN = """
[[step.check]]
name = "mail"
filter = "verb:MAIL"
[[step.check]]
name = "rcpt"
filter = "verb:RCPT"
after = "mail"
same = "session"
[[step.check]]
name = "data"
filter = "verb:DATA"
after = "rcpt"
same = "session"
"""


def test_the_attempt_that_got_furthest_counts_not_the_first(tmp_path: Path) -> None:
    attempts = said((1, "MAIL"), (1, "RCPT"), (2, "MAIL"), (2, "RCPT"), (2, "DATA"), (3, "MAIL"))
    found = judged(lab(tmp_path, CHAIN), attempts)
    assert [one.evidence for one in found.steps[0].checks] == [(3,), (4,), (5,)]
    assert (found.passed, found.current) == (1, "")


def test_what_does_not_belong_together_does_not_count_together(tmp_path: Path) -> None:
    (step,) = judged(lab(tmp_path, CHAIN), said((1, "MAIL"), (2, "RCPT"), (1, "DATA"))).steps
    assert [one.status for one in step.checks] == [Status.PASSED, Status.NOT_YET, Status.BLOCKED]
    assert step.checks[1].reason == "Exchange 2 is right, but it was on another connection than “mail”."
    assert step.checks[1].near == 2
    assert "rcpt" in step.checks[2].reason
    assert step.status is Status.NOT_YET


def test_before_and_after(tmp_path: Path) -> None:
    checks = '[[step.check]]\nname = "a"\nfilter = "verb:A"\n[[step.check]]\nname = "b"\nfilter = "verb:B"\n{} = "a"'
    for word, order in (("after", "AB"), ("before", "BA")):
        own = lab(tmp_path, checks.format(word))
        assert judged(own, said(*((1, verb) for verb in order))).passed == 1
        (step,) = judged(own, said(*((1, verb) for verb in reversed(order)))).steps
        assert step.status is Status.NOT_YET
        assert f"came {'before' if word == 'after' else 'after'} “a”" in step.reason


def test_so_many_are_so_many(tmp_path: Path) -> None:
    own = lab(tmp_path, '[[step.check]]\nfilter = "verb:A"\ncount = 3')
    (step,) = judged(own, said((1, "A"), (1, "B"), (2, "A"))).steps
    assert (step.status, step.reason) == (Status.NOT_YET, "2 of 3 so far.")
    assert judged(own, said((1, "A"), (1, "A"), (2, "A"))).steps[0].checks[0].evidence == (1, 2, 3)


def test_what_the_sandbox_does_itself_counts_only_where_it_is_asked_for(tmp_path: Path) -> None:
    for by, caused, passed in (("learner", True, 0), ("learner", False, 1), ("sandbox", True, 1),
                               ("sandbox", False, 0)):
        own = lab(tmp_path, f'[[step.check]]\nfilter = "verb:A"\nby = "{by}"')
        assert judged(own, said((1, "A"), caused=caused)).passed == passed


def test_what_a_connection_may_not_have(tmp_path: Path) -> None:
    own = lab(tmp_path, '[[step.check]]\nfilter = "verb:A"\nwithout = "verb:B"')
    assert judged(own, said((1, "A"), (2, "B"))).passed == 1
    (step,) = judged(own, said((1, "A"), (1, "B"))).steps
    assert (step.status, step.checks[0].near) == (Status.NOT_YET, 1)
    open_still = said((1, "A"))
    open_still[0].session.closed = 0.0
    assert judged(own, open_still).passed == 0


def test_a_question_about_what_was_done(tmp_path: Path) -> None:
    own = lab(tmp_path, '[[step.check]]\nfilter = "verb:A"',
              '[[step.question]]\nid = "which"\nvalue = "asked"\ncheck = "one"')
    done = said((1, "A", "Big Horse."))

    def status(records: list[Record], answer: str) -> str:
        return judged(own, records, which=answer).steps[0].questions[0].status

    assert status([], "big horse") == "blocked"
    assert [status(done, given) for given in ("", " big  HORSE", "cow")] == ["open", "right", "wrong"]


def test_a_prediction_is_judged_after_and_need_not_be_right(tmp_path: Path) -> None:
    own = lab(tmp_path, '[[step.check]]\nfilter = "verb:A"',
              '[[step.question]]\nid = "which"\npredict = true\nanswer = ["yes"]')
    assert judged(own, [], which="no").steps[0].questions[0].status == "kept"
    assert judged(own, said((1, "A"))).passed == 0, "it was not answered"
    found = judged(own, said((1, "A")), which="no")
    assert (found.passed, found.steps[0].questions[0].status) == (1, "wrong")


def test_a_nearest_miss_is_of_the_same_protocol_and_misses_least(tmp_path: Path) -> None:
    own = lab(tmp_path, '[[step.check]]\nfilter = "protocol:smtp verb:A outcome:250 asked:horse"')
    (step,) = judged(own, said((1, "B", "cow"), (1, "A", "cow"), (1, "C", "cow"))).steps
    assert step.checks[0].near == 2
    assert "its asked is not horse" in step.reason
    dns = lab(tmp_path, '[[step.check]]\nfilter = "protocol:dns verb:B"')
    assert judged(dns, said((1, "B"))).steps[0].reason == "Nothing like it has been seen yet."


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return lab(tmp_path_factory.mktemp("chain"), CHAIN)


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["MAIL", "RCPT", "DATA", "NOOP"])), max_size=30))
def test_a_chain_holds_where_any_connection_has_it_in_order(chain: Lab, exchanges: list[tuple[int, str]]) -> None:
    expected = False
    for session in range(1, 5):
        verbs = iter(verb for number, verb in exchanges if number == session)
        expected = expected or all(wanted in verbs for wanted in ("MAIL", "RCPT", "DATA"))
    assert (judged(chain, said(*exchanges)).passed == 1) == expected


def test_many_attempts_cost_little(tmp_path: Path) -> None:
    own = lab(tmp_path, CHAIN)
    records = said(*((number // 3, ("MAIL", "RCPT", "NOOP")[number % 3]) for number in range(5000)))
    assert judged(own, records).passed == 0


@pytest.mark.parametrize(("given", "right", "same"), [
    ("200", "200", True), (' "AbC" ', "abc", True), ("a  b", "a b", True),
    ("ns1.example.com", "ns1.example.com.", True),
    ("", "", False), ("20", "200", False)])
def test_answers_are_forgiven_what_does_not_matter(given: str, right: str, same: bool) -> None:
    assert alike(given, right) is same


def test_a_lab_without_a_step_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "lab.toml").write_text("minutes = 1\nstep = []\n")
    (folder / "text.md").write_text("")
    with pytest.raises(LabError, match="from 1 to 30"):
        load(folder)
