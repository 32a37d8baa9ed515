"""The words of IMAP: what is written is read back, and garbage raises one error and nothing else."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.protocols.imap.grammar.cursor import Cursor, GrammarError, announced
from sandbox.protocols.imap.grammar.dates import expect_date, try_date_time, write_date
from sandbox.protocols.imap.grammar.fetching import Attribute, Section, expect_attribute, expect_attributes
from sandbox.protocols.imap.grammar.listing import Pattern, expect_listing
from sandbox.protocols.imap.grammar.notifying import Group, Request, expect_request
from sandbox.protocols.imap.grammar.searching import (
    BARE,
    TEXT,
    Key,
    Returns,
    Window,
    expect_keys,
    expect_return,
    expect_sort,
)
from sandbox.protocols.imap.grammar.sets import NumberSet, among, compress, expect_set
from sandbox.protocols.imap.grammar.utf7 import decode_utf7, encode_utf7
from sandbox.protocols.imap.grammar.writing import astring, internal_date, literal, mailbox, string
from sandbox.protocols.imap.results import windowed

QUICK = settings(max_examples=60, deadline=None)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=30)
NUMBERS = st.integers(0, 0xFFFF_FFFF)
SETS = st.builds(lambda ranges: NumberSet(tuple(ranges)),
                 st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5))
TEXTS = st.binary(max_size=40).map(lambda octets: octets.replace(b"\0", b""))
DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))
KEYS = st.recursive(
    st.one_of(st.sampled_from(BARE).map(Key),
              st.builds(lambda name, text: Key(name, (text,)), st.sampled_from(TEXT), TEXTS),
              DAYS.map(lambda day: Key("SENTON", (day,))), SETS.map(lambda each: Key("UID", (each,))),
              SETS.map(lambda each: Key("SET", (each,))), st.builds(lambda a, b: Key("HEADER", (a, b)), TEXTS, TEXTS),
              st.integers(0, 1 << 40).map(lambda size: Key("LARGER", (size,)))),
    lambda keys: st.one_of(
        keys.map(lambda key: Key("NOT", (key,))), st.builds(lambda a, b: Key("OR", (a, b)), keys, keys),
        st.lists(keys, min_size=1, max_size=4).map(lambda each: Key("AND", tuple(each)))), max_leaves=8)
WINDOWS = st.tuples(st.integers(1, 30), st.integers(1, 30)) | st.tuples(st.integers(-30, -1), st.integers(-30, -1))
RETURNS = st.one_of(
    st.builds(lambda words, window: Returns(frozenset(words) | {"PARTIAL"}, window),
              st.sets(st.sampled_from(("MIN", "MAX", "COUNT", "SAVE", "UPDATE", "CONTEXT"))), WINDOWS),
    st.builds(lambda words: Returns(frozenset(words)),
              st.sets(st.sampled_from(("MIN", "ALL", "COUNT", "UPDATE")), min_size=1)))
FILTERS = st.one_of(
    st.tuples(st.sampled_from(["inboxes", "personal", "subscribed"]), st.just(())),
    st.tuples(st.sampled_from(["subtree", "mailboxes"]), st.lists(st.sampled_from(["INBOX", "Größe", "a/b"]),
                                                                  min_size=1, max_size=3).map(tuple)))
HEARD = st.sampled_from([(), ("MessageNew", "MessageExpunge"), ("MessageNew", "MessageExpunge", "FlagChange")])
OPENED = st.builds(lambda kind, events, wanted: Group(kind, (), frozenset(events), wanted if events else ()),
                   st.sampled_from(["selected", "selected-delayed"]), HEARD,
                   st.sampled_from([(), (Attribute("FLAGS"), Attribute("ENVELOPE"))]))
CLOSED = st.builds(lambda kind, events, names: Group(kind[0], kind[1], frozenset(events) | names), FILTERS, HEARD,
                   st.frozensets(st.sampled_from(["MailboxName", "SubscriptionChange"])))
REQUESTS = st.just(Request()) | st.builds(
    lambda status, groups: Request(status, tuple(groups)), st.booleans(),
    st.lists(OPENED | CLOSED, min_size=1, max_size=4))
SECTIONS = st.one_of(
    st.builds(lambda part, text: Section(tuple(part), text), st.lists(st.integers(1, 99), max_size=4),
              st.sampled_from(["", "HEADER", "TEXT"])),
    st.builds(Section, st.lists(st.integers(1, 99), max_size=3).map(tuple),
              st.sampled_from(["HEADER.FIELDS", "HEADER.FIELDS.NOT"]),
              st.lists(TEXTS.filter(bool), min_size=1, max_size=3).map(tuple)))
ATTRIBUTES = st.builds(Attribute, st.just("BODY"), SECTIONS, st.booleans(),
                       st.none() | st.tuples(st.integers(0, 1 << 33), st.integers(1, 1 << 33)))


def read(data: bytes, step: Callable[[Cursor], object], *, utf8: bool = False) -> object:
    cursor = Cursor(data, utf8=utf8)
    value = step(cursor)
    cursor.expect_end()
    return value


@QUICK
@given(NAMES)
def test_modified_utf7(name: str) -> None:
    assert decode_utf7(encode_utf7(name)) == name


@pytest.mark.parametrize(("text", "name"), [
    (b"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e"),  # RFC 3501 §5.1.3
    (b"a &- b", "a & b"), (b"&AOQ-", "ä"),
])
def test_modified_utf7_by_example(text: bytes, name: str) -> None:
    assert decode_utf7(text) == name
    assert encode_utf7(name) == text


@pytest.mark.parametrize("text", [b"&", b"a&b", b"&AGE-", b"&U,BTFw-&ZeVnLIqe-", b"&2D0-", b"&A-", b"\xff"])
def test_modified_utf7_has_one_spelling(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what it says is nobody's to see
        decode_utf7(text)


@QUICK
@given(TEXTS)
def test_strings(text: bytes) -> None:
    assert read(string(text), Cursor.expect_string) == text
    assert read(astring(text) if text else b'""', Cursor.expect_astring) == text
    assert read(literal(text), Cursor.expect_astring) == text


@QUICK
@given(NAMES, st.booleans())
def test_mailboxes(name: str, utf8: bool) -> None:
    first, slash, rest = name.partition("/")
    expected = "INBOX" + slash + rest if first.upper() == "INBOX" else name
    assert read(mailbox(name, utf8=utf8), Cursor.expect_mailbox, utf8=utf8) == expected


@QUICK
@given(SETS)
def test_sets(numbers: NumberSet) -> None:
    assert read(numbers.write(), expect_set) == numbers


@QUICK
@given(st.lists(st.integers(1, 60)), st.integers(0, 40))
def test_sets_resolve_as_written_out(numbers: list[int], largest: int) -> None:
    asked = NumberSet(tuple((number, number + number % 7) for number in numbers))
    spelled = {each for low, high in asked.ranges for each in range(low, high + 1)}
    resolved = asked.resolve(largest)
    assert [each for low, high in resolved for each in range(low, high + 1)] == sorted(spelled)
    assert read(compress(sorted(spelled)) or b"1", expect_set)


@QUICK
@given(KEYS)
def test_search_keys(key: Key) -> None:
    assert read(key.write(), expect_keys) == key


@QUICK
@given(RETURNS)
def test_what_return_asks_for(returns: Returns) -> None:
    assert read(returns.write(), expect_return) == returns


@QUICK
@given(REQUESTS)
def test_what_notify_asks_for(request: Request) -> None:
    assert read(request.write(), expect_request) == request


@pytest.mark.parametrize("text", [
    "", "SET", "SET (selected)", "SET (selected (MessageNew))", "SET (personal (MessageNew FlagChange))",
    "SET (selected (MailboxName))", "SET (inboxes (MessageNew (FLAGS) MessageExpunge))", "SET (elsewhere NONE)",
    "SET (mailboxes (MessageNew MessageExpunge))", "SET (personal (Weather))", "NONE (selected NONE)",
])
def test_what_notify_cannot_ask_for(text: str) -> None:
    with pytest.raises(GrammarError):
        read(text.encode(), expect_request)


@QUICK
@given(WINDOWS, st.lists(st.integers()))
def test_windows_are_what_they_say(window: Window, results: list[int]) -> None:
    places = range(min(window), max(window) + 1)
    wanted = {place if place > 0 else len(results) + 1 + place for place in places}
    assert windowed(window, results) == [each for place, each in enumerate(results, 1) if place in wanted]


@QUICK
@given(ATTRIBUTES)
def test_attributes(attribute: Attribute) -> None:
    assert read(attribute.write(), expect_attribute) == attribute


@QUICK
@given(DAYS, st.integers(0, 4_000_000_000))
def test_dates(day: date, moment: int) -> None:
    assert read(write_date(day), expect_date) == day
    assert read(internal_date(moment), try_date_time) == moment


STEPS = [expect_set, expect_keys, expect_attributes, expect_listing, expect_date, try_date_time, expect_sort,
         expect_return, expect_request,
         Cursor.expect_mailbox, Cursor.expect_flag, Cursor.expect_tag]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(STEPS),
       st.binary(max_size=60) | st.text('()[]{}<>*%$"\\:, .1+~ABODYHEADERNOT\r\n', max_size=60).map(str.encode))
def test_garbage_raises_one_error(step: Callable[[Cursor], object], data: bytes) -> None:
    sentence = "none"
    try:
        step(Cursor(data))
    except GrammarError as error:
        sentence = error.sentence
    assert sentence
    assert sentence.isprintable()


@pytest.mark.parametrize(("line", "expected"), [
    (b"a LOGIN {5}\r\n", (5, True, False)), (b"a {12+}\r\n", (12, False, False)), (b"~{3+}\n", (3, False, True)),
    (b"a NOOP\r\n", None), (b"{5} \r\n", None), (b"{-1}\r\n", None), (b"{}\r\n", None),
])
def test_announced_literals(line: bytes, expected: tuple[int, bool, bool] | None) -> None:
    assert announced(line) == expected


def test_deep_and_long_questions_are_refused_quickly() -> None:
    started = time.perf_counter()
    for data, step in [(b"(" * 10_000, expect_keys), (b"NOT " * 10_000 + b"ALL", expect_keys),
                       (b" ".join([b"ALL"] * 16_000), expect_keys), (b"OR " * 9_000, expect_keys),
                       (b"BODY[" + b"1." * 20_000, expect_attributes)]:
        with pytest.raises(GrammarError):
            read(data, step)
    numbers = read(b",".join(b"%d" % (number * 2 + 1) for number in range(10_000)), expect_set)
    assert isinstance(numbers, NumberSet)
    assert len(numbers.ranges) == 10_000
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(("pattern", "name", "matches"), [
    ("*", "a/b", True), ("%", "a/b", False), ("%", "a", True), ("a/%", "a/b", True), ("a*", "a", True),
    ("%/b", "a/b", True), ("*b", "a/b", True), ("a%c", "abc", True), ("a%c", "a/c", False),
    ("", "", True), ("", "a", False),
    ("%*", "a/b", True), ("INBOX", "INBOX", True), ("[a]", "a", False),
])
def test_patterns(pattern: str, name: str, matches: bool) -> None:
    assert Pattern(pattern).matches(name) is matches


def test_patterns_of_many_wildcards_take_bounded_time() -> None:
    started = time.perf_counter()
    assert not Pattern("*a%" * 300 + "b").matches("a" * 500)
    assert Pattern("*%" * 400).matches("a/" * 250)
    assert time.perf_counter() - started < 2


def test_the_longest_patterns_and_names_hold_up_nobody() -> None:
    started = time.process_time()
    for letters in ("*a", "%a", "*a%"):
        pattern = Pattern((letters * 1000)[:2000] + "b")
        for _ in range(10):
            assert not pattern.matches("a" * 5000)
    assert time.process_time() - started < 2.0  # with sets of places it was half a minute


@given(st.text("ab/*%", max_size=8), st.text("ab/", max_size=8))
def test_patterns_match_as_regular_expressions_would(pattern: str, name: str) -> None:
    expected = re.fullmatch("".join({"*": ".*", "%": "[^/]*"}.get(step, step) for step in pattern), name)
    assert Pattern(pattern).matches(name) is bool(expected)


def test_a_reference_is_no_longer_than_a_pattern() -> None:
    with pytest.raises(GrammarError, match="A reference has at most 1000 characters"):
        expect_listing(Cursor(b'"' + b"*" * 1001 + b'" x'))


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), max_size=5), st.lists(st.integers(1, 30)))
def test_numbers_among_ranges(pairs: list[tuple[int, int]], numbers: list[int]) -> None:
    ranges = NumberSet(tuple(pairs)).resolve(30)
    assert among(numbers, ranges) == [each for each in numbers if any(low <= each <= high for low, high in ranges)]


def test_many_numbers_among_many_ranges_hold_up_nobody() -> None:
    """As a client says with QRESYNC what it knows of a mailbox from which much has been removed."""
    started = time.process_time()
    assert len(among(range(100_000), [(uid, uid) for uid in range(0, 20_000, 2)])) == 10_000
    assert time.process_time() - started < 2.0
