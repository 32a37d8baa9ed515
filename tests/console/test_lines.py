"""Live lines: for people in any terminal, and for programs."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.address import Address
from sandbox.console.escape import cells
from sandbox.console.lines import closing_line, duration, json_line, line
from sandbox.console.remarks import details, remark
from sandbox.journal.records import Cut, Exchange, Session

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80)
COLOR = re.compile(r"\x1b\[[0-9]+m")


def session(host: str = "127.0.0.1", service: str = "echo", end: str = "", client_port: int = 50000) -> Session:
    return Session(id=12, service=service, protocol="tcp", transport="tcp", client=Address(host, client_port),
                   server=Address("127.0.0.1", 8007), opened=1_800_000_000.0, closed=1_800_000_001.0, end=end)


def exchange(verb: str = "GET", asked: str = "/a", outcome: str = "done", answered: str = "ok", key: str = "",
             facts: dict[str, str] | None = None, cuts: list[Cut] | None = None) -> Exchange:
    return Exchange(7, 12, 1_800_000_000.25, 1_800_000_000.5, verb, asked, outcome, answered, key, (10, 15),
                    (0, 1200), facts or {}, cuts or [])


def test_one_line_where_there_is_no_terminal() -> None:
    text = line(session(), exchange(key="verb.echo"), color=False, explain=True, width=0)
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.500 127\.0\.0\.1:50000 #12  echo    GET /a → done ok  250 ms  "
                        r"Echo sends back every octet it gets \(RFC 862\)\.", text)


def test_the_explanation_stands_below_in_a_terminal() -> None:
    first, *below = line(session(), exchange(key="end.idle-timeout"), color=False, explain=True, width=60).split("\n")
    assert re.fullmatch(r"\d\d:\d\d:\d\d 127\.0\.0\.1 #12   echo    GET /a → done ok", first)
    assert " ".join(part.strip() for part in below).endswith("closed the connection (RFC 1122 §4.2.3.6).")
    assert all(part.startswith("  ") and len(part) < 60 for part in below)


def test_no_explanation_when_not_wanted() -> None:
    assert "\n" not in line(session(), exchange(verb="echo"), color=False, explain=False, width=80)
    assert "RFC" not in line(session(), exchange(verb="echo"), color=True, explain=False, width=0)


def test_what_an_application_says_is_in_the_line() -> None:
    trace = "Traceback ...\n  File\nValueError: the cause\x1b[2J\n"
    text = line(session(), exchange(facts={"traceback": trace, "errors": "first\n", "reloaded": "app.py"}),
                color=False, explain=False, width=0)
    assert "(app.py changed: loaded anew) (ValueError: the cause\\x1b[2J; --traceback shows all)" in text
    text = line(session(), exchange(facts={"errors": "first\nlast\n\n"}), color=False, explain=False, width=0)
    assert "(it says: last)" in text
    assert list(details(exchange(facts={"traceback": trace, "errors": "e"}))) == [
        "    wsgi.errors:", "    e", "    Traceback ...", "      File", "    ValueError: the cause\\x1b[2J"]
    lines = line(session(), exchange(facts={"errors": "x" * 500}), color=False, explain=False, width=80).split("\n")
    assert len(lines) <= 6
    assert all(cells(each) <= 80 for each in lines)


def test_an_unfinished_exchange() -> None:
    text = line(session(), exchange("", "rubbish", "", ""), color=False, explain=False, width=0)
    assert "(unfinished) rubbish → no answer" in text


def test_colours_only_when_wanted() -> None:
    assert "\x1b" not in line(session(), exchange(), color=False, explain=True, width=80)
    colored = line(session(), exchange(), color=True, explain=True, width=80)
    assert "\x1b[32mdone\x1b[0m" in colored
    assert COLOR.sub("", colored) == line(session(), exchange(), color=False, explain=True, width=80)


@given(verb=ANY_TEXT, asked=ANY_TEXT, outcome=ANY_TEXT, answered=ANY_TEXT, key=ANY_TEXT,
       width=st.sampled_from([0, 60, 80, 100, 140]), color=st.booleans())
def test_a_client_cannot_write_on_the_terminal(verb: str, asked: str, outcome: str, answered: str, key: str,
                                               width: int, color: bool) -> None:
    text = line(session(), exchange(verb, asked, outcome, answered, key), color=color, explain=True, width=width)
    first, *below = COLOR.sub("", text).split("\n")
    assert first.isprintable()
    assert all(part.isprintable() and part.startswith("  ") for part in below)


@given(verb=st.sampled_from(["GET", "A" * 200]), asked=ANY_TEXT, answered=ANY_TEXT,
       host=st.sampled_from(["127.0.0.1", "::1"]), width=st.integers(60, 160))
def test_a_line_stays_in_its_terminal(verb: str, asked: str, answered: str, host: str, width: int) -> None:
    text = line(session(host), exchange(verb, asked * 5, "404", answered), color=False, explain=True, width=width)
    assert all(cells(part) <= width for part in text.split("\n"))


def test_closing_line() -> None:
    text = closing_line(session(end="client-reset"), color=False, explain=True, width=0)
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.000 127\.0\.0\.1:50000 #12  echo    \(client-reset\)  "
                        r"The client broke off .*\.", text)


def test_json_line() -> None:
    cut = Cut(0, 10**9, "ab" * 32)
    data = json_line(session(), exchange("echo", facts={"account": "alice"}, cuts=[cut]))
    assert data.endswith(b"}\n")
    assert json.loads(data) == {
        "id": 7, "session": 12, "time": "2027-01-15T08:00:00.500Z", "started": 1_800_000_000.25,
        "ended": 1_800_000_000.5, "seconds": 0.25, "mood": "good", "rfc": "RFC 9293 §3.9.1.2", "encrypted": False,
        "background": False, "unfinished": False,
        "left": None, "space": "main", "parent": 0, "cause": 0, "protocol": "tcp",
        "service": "echo", "transport": "tcp", "client": {"host": "127.0.0.1", "port": 50000},
        "server": {"host": "127.0.0.1", "port": 8007}, "verb": "echo", "asked": "/a", "outcome": "done",
        "answered": "ok", "key": "",
        "explanation": "Echo sends back every octet it gets (RFC 862); done: the answer is complete "
                       "(RFC 9293 §3.9.1.2).",
        "received": 5, "sent": 1200, "facts": {"account": "alice"},
        "cuts": [{"stream": 0, "length": 10**9, "sha256": "ab" * 32}],
    }


@given(ANY_TEXT)
def test_json_lines_are_safe_to_look_at_and_lose_nothing(text: str) -> None:
    data = json_line(session(), exchange(asked=text, facts={text: text}))
    assert data[:-1].decode("ascii").isprintable()
    assert json.loads(data)["asked"] == text


@pytest.mark.parametrize(("seconds", "text"), [
    (-1.0, "0.0 ms"), (0.0004, "0.4 ms"), (0.0099, "9.9 ms"), (0.01, "10 ms"), (0.9994, "999 ms"), (1.0, "1.0 s"),
    (3600.0, "3,600.0 s"),
])
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_of_a_query_or_an_answer_is_cut(width: int) -> None:
    asked = "www.example.com/search?q=green+tea&sort=price&page=2&colour=any&from=home"
    answered = "302 Found, to http://www.example.com/somewhere/else/altogether?because=moved"
    text = line(session(), exchange(asked=asked, answered=answered), color=False, explain=False, width=width)
    assert "…" not in text
    lines = [part.strip() for part in text.split("\n")]
    assert asked in "".join(lines)
    assert answered.replace(" ", "") in "".join(lines).replace(" ", "")
    assert len(lines) > 1


def test_a_session_has_its_number_in_every_line() -> None:
    assert all("#12 " in line(session(), exchange(), color=False, explain=False, width=width)
               for width in (0, 60, 80, 120))
    assert all("#12 " in closing_line(session(end="client-reset"), color=False, explain=False, width=width)
               for width in (0, 60, 80, 120))


def test_a_warning_stands_apart_from_the_answer() -> None:
    text = line(session(), exchange("PASS", "wonderland", "230", "Welcome",
                                    facts={"warning": "password seen in clear text"}),
                color=False, explain=False, width=0)
    assert "PASS wonderland → 230 Welcome (password seen in clear text)" in text


def test_what_was_struck_on_purpose_says_so() -> None:
    said = remark(exchange(facts={"fault": "1: reply=451 text=\x1b"}))
    assert said == "(struck on purpose, 1: reply=451 text=\\x1b)"
