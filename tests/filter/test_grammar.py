"""The text of a filter: what it prints as, and what is wrong with one that is none."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.filter import KEYS, Condition, Filter, FilterError, Key, Value, parse
from sandbox.filter.grammar import DEPTH, LENGTH, TERMS
from sandbox.journal.facts import FACTS
from tests.support.records import exchange, session

PIECES = st.sampled_from([*(f"{name}:" for name in KEYS), *(key.example for key in KEYS.values()), "or", "and", "-",
                          "(", ")", '"', "\\", " ", "  ", "\n", "*", ":", "a", "Ä", "10m", "5xx", "12..20",
                          "\x1b[31m", '"a b"', '"\\""', "OR", "x-y", "http://", "🏖"])


@pytest.mark.parametrize(("text", "normal"), [
    ("", ""), ("   ", ""), ("a  b", "a b"), ("a and b", "a b"), ("a AND b OR c", "a b or c"),
    ("(a b) or c", "a b or c"), ("a (b or c)", "a (b or c)"), ("((a))", "a"), ("a (b c)", "a b c"),
    ("a or (b or c)", "a or b or c"), ("--a", "a"), ("-(a)", "-a"), ("-(a b)", "-(a b)"), ("-(a or b)", "-(a or b)"),
    ('"plain"', "plain"), ('"or"', '"or"'), ('"a:b"', '"a:b"'), ("12:30", "12:30"), ('"-x"', '"-x"'),
    ('"*"', '"*"'), ("a*b", "a*b"), ("HOST:Example.com", "host:Example.com"), ("id:3", "exchange:3"),
    ('host:"example.com"', "host:example.com"), ('asked:"a \\"b\\" \\\\"', 'asked:"a \\"b\\" \\\\"'),
    ("client:::1", "client:::1"), ("since:2026-01-31T10:00", "since:2026-01-31T10:00"), ('a"b"', "a b"),
    ("x-y", "x-y"), ("is:ERROR", "is:ERROR"),
])
def test_a_filter_has_a_normal_form(text: str, normal: str) -> None:
    assert str(parse(text)) == normal
    assert str(parse(normal)) == normal


@given(st.lists(PIECES, max_size=12).map("".join))
@example('"a""b"')
@example("-(-(a))")
def test_what_is_printed_means_the_same(text: str) -> None:
    found = read(text)
    if isinstance(found, FilterError):
        assert 0 <= found.position <= len(text)
        assert found.found
        assert found.expected
        assert all(line.isprintable() for line in str(found).split("\n"))
        return
    assert parse(str(found), now=0.0) == found
    assert found.words().isprintable()
    found.matches(session(), exchange())


@given(st.text(max_size=200))
def test_any_text_is_a_filter_or_an_error(text: str) -> None:
    found = read(text)
    assert isinstance(found, FilterError) or parse(str(found), now=0.0) == found


def read(text: str) -> Filter | FilterError:
    try:
        return parse(text, now=0.0)
    except FilterError as error:
        return error


@pytest.mark.parametrize(("text", "position", "found", "expected", "suggestion"), [
    ("verb:GET prtocol:http", 9, '"prtocol", which is no key', "a key such as", "Did you mean protocol?"),
    ("http://x", 0, '"http", which is no key', "quotation marks", ""),
    ("host:", 5, "nothing after host:", "host:example.com", ""),
    ('host:""', 5, "nothing after host:", "host:example.com", ""),
    ("is:eror", 3, '"eror"', "one of encrypted, error", "Did you mean error?"),
    ("has:tracebak", 4, '"tracebak"', "the name of a fact", "Did you mean traceback?"),
    ("client:nobody", 7, '"nobody"', "an address such as", ""),
    ("session:x", 8, '"x"', "a number such as 12", ""), ("session:9..3", 8, '"9..3"', "a range", ""),
    ("since:yesterday", 6, '"yesterday"', "10m", ""), ("longer:3", 7, '"3"', "a time such as 200ms", ""),
    ("larger:big", 7, '"big"', "a size such as", ""),
    ("(a", 2, "the end", 'a ")" for the "(" at character 1', ""), ("a)", 1, '")"', "or the end", ""),
    ("a or", 4, "the end", "a word", ""), ("or a", 0, '"or"', "in quotation marks", ""),
    ("()", 1, '")"', "a word", ""),
    ("- a", 2, '"a"', 'right after the "-"', ""), ("-", 1, "the end", "a word", ""),
    ('a "b', 2, "a quotation mark that is not closed", "another", ""),
    ('verb:"b', 5, "a quotation mark that is not closed", "another", ""),
    ("*", 0, '"*"', "a word", ""), ('""', 0, '"\\"\\""', "a word", ""),
])
def test_an_error_says_what_was_wrong(text: str, position: int, found: str, expected: str, suggestion: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    error = caught.value
    assert (error.position, error.found, error.suggestion) == (position, found, suggestion)
    assert expected in error.expected


def test_an_error_reads_well() -> None:
    with pytest.raises(FilterError) as caught:
        parse("verb:GET prtocol:http")
    assert str(caught.value) == """\
the filter, character 10
  verb:GET prtocol:http
           ^
  found:    "prtocol", which is no key
  expected: a key such as protocol, host or verb, or the whole in quotation marks as a text
  Did you mean protocol?"""


@pytest.mark.parametrize("text", [
    "a" * (LENGTH + 1), "a " * (TERMS + 1), "(" * 900 + "a" + ")" * 900, "-" * 1999 + "a", "(" * LENGTH, '"' * 999,
    "a or " * (TERMS + 1) + "a", "-(" * (DEPTH // 2 + 1) + "a" + ")" * (DEPTH // 2 + 1),
])
def test_what_is_too_much_is_refused(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize("text", ["a" * LENGTH, "a " * TERMS, "(" * DEPTH + "a" + ")" * DEPTH])
def test_what_is_just_enough_is_not(text: str) -> None:
    assert parse(text).matches(session(), exchange(asked="a" * LENGTH))


@pytest.mark.parametrize(("text", "words"), [
    ("", "All exchanges."),
    ("verb:GET", "Exchanges whose verb is GET."),
    ("protocol:http is:error -host:example.com",
     "Exchanges whose protocol is http and that went wrong, but none whose host is example.com or below it."),
    ("-is:background -has:warning", "All exchanges, but none that browsers and systems make by themselves, and none "
                                    "that have the fact warning."),
    ('"not found" or verb:A', 'Exchanges with "not found" in what was asked or answered or whose verb is A.'),
    ("since:10m (verb:A or -verb:B longer:1s)", "Exchanges that ended in the last 10m and (whose verb is A or (not "
                                                "whose verb is B and that took longer than 1s))."),
    ("until:10m", "Exchanges that ended more than 10m ago."),
    ("larger:500 message:3", "Exchanges larger than 500 octets and about the message 3."),
    ("asked:\x1b[31m", 'Exchanges whose question has "\\U0000001b[31m" in it.'),
])
def test_a_filter_says_itself_in_words(text: str, words: str) -> None:
    assert parse(text).words() == words


def test_whoever_knows_more_adds_a_key() -> None:
    """As for fields of a dissected message, which the records do not have."""
    def field(value: Value, now: float) -> Condition:
        return Condition(lambda session, exchange: value.text == "ttl", f"with the field {value.text}")

    found = parse("field:ttl", keys={**KEYS, "field": Key("field", "A field.", "field:ttl", field)})
    assert found.matches(session(), exchange())
    assert found.words() == "Exchanges with the field ttl."


def test_every_fact_is_a_key_and_no_key_hides_one() -> None:
    shaped = {"host", "name", "path", "file", "account", "message"}
    assert KEYS.keys() >= FACTS.keys()
    assert {name for name in FACTS if KEYS[name].example != f"{name}:*"} == shaped
