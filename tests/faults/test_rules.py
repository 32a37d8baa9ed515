"""Rules as words and as mappings: read, written, read again; and what is wrong with those that are none."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import UserError
from sandbox.faults.actions import ACTIONS
from sandbox.faults.actions.alert import ALERTS
from sandbox.faults.actions.certificate import WRONGS
from sandbox.faults.errors import FaultError
from sandbox.faults.lazy import NAMED as LAZY
from sandbox.faults.names import NAMED, TABLE, act_of
from sandbox.faults.rule import PLACES, rule_of_mapping, rule_of_text, rule_of_words
from sandbox.faults.which import OPTIONS, Which
from sandbox.net.layers.tls.names import number_of
from sandbox.pki.bad import FAULTS

DOCS = Path(__file__).parent.parent.parent / "docs"

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=30)
FILTERS = st.sampled_from(["", "protocol:smtp verb:RCPT", 'host:"a b" or -name:x', "client:127.0.0.1"])
COUNTS = st.integers(1, 10**9).map(str)
WHICH = st.fixed_dictionaries({}, optional={
    "nth": st.lists(COUNTS, min_size=1, max_size=4).map(",".join), "every": COUNTS, "times": COUNTS})
TIMES = st.one_of(st.integers(0, 600).map(lambda n: f"{n}s"), st.integers(0, 9999).map(lambda n: f"{n}ms"))
DEEDS: st.SearchStrategy[tuple[str, str, dict[str, str]]] = st.one_of(
    st.tuples(st.just("reply"), st.sampled_from(["451", "503", "NO", "-ERR", "SERVFAIL", "FAILURE"]),
              st.fixed_dictionaries({}, optional={"text": TEXT, "body": TEXT, "detail": TEXT})),
    st.tuples(st.sampled_from(["delay", "greylist", "hold"]), TIMES.filter(lambda text: float(text.strip("ms"))),
              st.just({})),
    st.tuples(st.sampled_from(["throttle", "slices", "cut", "garbage"]), COUNTS, st.just({})),
    st.tuples(st.sampled_from(["reset", "lame", "old-tls", "silence"]), st.just(""), st.just({})))


@given(FILTERS, DEEDS, WHICH)
def test_a_rule_reads_as_it_was_written(matcher: str, deed: tuple[str, str, dict[str, str]],
                                        options: dict[str, str]) -> None:
    name, value, own = deed
    rule = rule_of_mapping({"filter": matcher, name: value, **own, **options})
    assert rule_of_text(str(rule)) == rule
    assert rule_of_mapping(rule.mapping()) == rule
    assert rule_of_mapping(msgspec.json.decode(msgspec.json.encode(rule.mapping()))) == rule
    assert rule_of_words(shlex.split(str(rule))) == rule


@given(st.one_of(TEXT, st.lists(st.sampled_from([*ACTIONS, *OPTIONS, "=", "'", "at=step", "x:y"])).map(" ".join)))
def test_any_text_is_a_rule_or_one_kind_of_error(text: str) -> None:
    with contextlib.suppress(UserError):
        rule_of_text(text)


@given(st.dictionaries(st.sampled_from([*ACTIONS, *OPTIONS, "filter", "at", "text", "odd"]),
                       st.one_of(TEXT, st.integers(), st.floats(), st.booleans()), max_size=4))
def test_any_mapping_is_a_rule_or_one_kind_of_error(values: dict[str, str]) -> None:
    with contextlib.suppress(UserError):
        rule_of_mapping(values)


@pytest.mark.parametrize(("text", "said"), [
    ("", "no rule"), ("protocol:http", "no action"), ("protocol:http replay=503", "Did you mean reply"),
    ("protocol:http reset cut=5", "2 actions"), ("protocol:http delay", "takes a time"),
    ("protocol:http old-tls=1", "takes no value"), ("protocol:http delay=2h", "up to 600s"),
    ("protocol:http reply=99", "no protocol says"), ("protocol:http reset time=2", "Did you mean times"),
    ("outcome:404 reset", "not known when something begins"), ("protocol:http reset at=moon", "one of connection"),
    ("protocol:http reset at=answer", "does not strike at the answer"), ("protocol:http reset seed=2", "no chance"),
    ("protocol:http reset chance=0", "a share"), ("protocol:http alert=oops", "RFC 8446"),
    ("protocol:http certificate=expird", "Did you mean expired"), ("'protocol:http reset", "Quotes come in pairs"),
    ("protocol:http reset reset", "twice"), ("protocol:http reply=503 field=x", "a name, a colon"),
])
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(FaultError) as raised:
        rule_of_text(text)
    assert said in str(raised.value)


@pytest.mark.parametrize(("options", "struck"), [
    ({}, [1, 2, 3, 4, 5, 6]), ({"nth": "2,5"}, [2, 5]), ({"every": "3"}, [3, 6]), ({"times": "2"}, [1, 2]),
    ({"every": "2", "times": "1"}, [2]), ({"nth": "1", "times": "9"}, [1]),
])
def test_which_are_struck(options: dict[str, str], struck: list[int]) -> None:
    which = Which(options)
    assert [number for number in range(1, 7) if which.strikes()] == struck
    assert which.spent == (options.get("times") in ("1", "2") or "nth" in options)


def test_the_dice_of_a_seed_always_fall_the_same() -> None:
    throws = [[which.strikes() for _ in range(200)] for which in
              (Which({"chance": "30%", "seed": "7"}), Which({"chance": "0.3", "seed": "7"}),
               Which({"chance": "30%", "seed": "8"}))]
    assert throws[0] == throws[1] != throws[2]
    assert 30 < sum(throws[0]) < 90


def test_words_are_those_of_the_rooms_that_act() -> None:
    assert set(WRONGS) == set(FAULTS)
    assert set(ALERTS) <= set(number_of("alerts"))
    assert LAZY == NAMED
    assert not {*OPTIONS, "at", "filter"} & ACTIONS.keys()
    assert not {option for action in ACTIONS.values() for option in action.options} & ACTIONS.keys()
    for action in ACTIONS.values():
        assert rule_of_text(action.example).action is action


def test_every_action_and_option_is_documented() -> None:
    page = (DOCS / "reference" / "faults.md").read_text()
    for action in ACTIONS.values():
        value = f"={action.value}" if action.value else ""
        shown = f"[{value}]" if action.optional else value
        protocols = ", ".join(sorted(action.protocols)) or "all"
        assert f"| `{action.name}{shown}` | {action.meaning} | {protocols} | `{action.example}` |" in page
        for name, meaning in action.options.items():
            assert f"| `{name}` | `{action.name}` | {meaning} |" in page
    for name, meaning in OPTIONS.items():
        assert f"| `{name}` | all | {meaning} |" in page
    assert all(f"`{place}`" in page for place in PLACES)
    assert page.count("\n| `") == len(ACTIONS) + len(OPTIONS) + sum(len(one.options) for one in ACTIONS.values())


def test_every_name_is_documented() -> None:
    page = (DOCS / "how-to" / "make-it-fail.md").read_text()
    for name in TABLE:
        assert f"| `{name.name}` | {name.protocol} | `{' '.join(name.words)}` |" in page
        assert act_of(name.protocol, name.name.replace("NNN", "451")) is not None
    assert page.count("\n| `") == len(TABLE)
