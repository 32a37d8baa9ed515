"""`field:` looks at what was said, where a reader gives it, and is asked last."""

from __future__ import annotations

import pytest

from sandbox.app import Sandbox
from sandbox.faults.errors import FaultError
from sandbox.faults.rule import rule_of_mapping
from sandbox.filter import FilterError, parse
from sandbox.journal.asking import Asking
from sandbox.journal.matching import SIDES
from tests.support.programs import run
from tests.support.records import exchange, session

REQUEST = b"GET / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: curl/8\r\n\r\n"
RESPONSE = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\nno"


@pytest.mark.parametrize(("text", "holds"), [
    ("field:user-agent=curl", True), ("field:User-Agent=CURL", True), ("field:user-agent=wget", False),
    ("field:content-type=text/html", True), ("field:content-type=text*l", True), ("field:status-code=404", True),
    ("field:method", True), ("field:cookie", False), ("-field:cookie", True), ("field:method=GET verb:POST", False)])
def test_a_part_of_what_was_said(text: str, holds: bool) -> None:
    token = SIDES.set(lambda session, exchange: (REQUEST, RESPONSE))
    try:
        found = parse(text)
        assert found.reads_octets
        assert found.matches(session(), exchange()) is holds
        assert str(parse(str(found))) == str(found)
    finally:
        SIDES.reset(token)


def test_it_is_asked_last_and_never_without_octets() -> None:
    def fail(*_: object) -> tuple[bytes, bytes]:
        raise AssertionError("it was asked although another term had failed")

    assert not parse("field:method").matches(session(), exchange())
    token = SIDES.set(fail)
    try:
        assert not parse("field:method verb:NEVER").matches(session(), exchange())
    finally:
        SIDES.reset(token)


def test_what_it_does_not_understand_is_said() -> None:
    with pytest.raises(FilterError, match="the name of a part"):
        parse("field:=x")
    with pytest.raises(FaultError, match="field is not known when something begins"):
        rule_of_mapping({"filter": "field:method", "reset": True})


@pytest.mark.program("curl", "curl")
async def test_history_and_what_comes(sandbox: Sandbox) -> None:
    """The same answer from the store and, for who waits, of what has just happened."""
    url = f"http://{sandbox.endpoints['http']}/status/418"
    await run("curl", "-s", "-A", "teapot/1", url)
    asking = Asking(sandbox.journal)
    wanted = parse("field:user-agent=teapot")
    (first,) = await asking.newest(wanted, count=5)
    assert first[1].outcome == "418"
    await run("curl", "-s", "-A", "kettle/1", url)
    await run("curl", "-s", "-A", "teapot/2", url)
    found = await asking.first(wanted, count=1, after=first[1].id, timeout=10)
    assert found[0][1].facts["agent"] == "teapot/2"
