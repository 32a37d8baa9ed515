"""Each action, in every protocol it can strike, as curl tells it: by its exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.app import Sandbox
from sandbox.faults.actions import ACTIONS
from sandbox.faults.actions.certificate import WRONGS
from sandbox.faults.rule import rule_of_text
from sandbox.journal.records import Exchange, Session
from tests.support.faults import Client, strike
from tests.support.network import watching

pytestmark = pytest.mark.program("curl", "curl")

PATIENT = "10"

QUESTION = {"http": "GET", "https": "GET", "smtp": "RCPT", "submissions": "RCPT", "pop3": "RETR", "imap": "SELECT",
            "ftp": "TYPE", "sftp": "REALPATH"}
"""A question that curl asks of each."""

TIME_OUT, CONNECT, TLS, CERTIFICATE, RECEIVE, EMPTY, WELL = 28, 7, 35, 60, 56, 52, 0
LOST = {"http": {EMPTY}, "https": {18, RECEIVE}, "sftp": {79}}
"""What it says where the connection ends before the answer; elsewhere RECEIVE."""

OCTETS: dict[str, dict[str, set[int]]] = {"delay=9s": {}, "throttle=3": {},
    "silence": {},
          "cut=10": LOST, "half-close=5": LOST, "close": LOST,
          "reset": {"https": {55, RECEIVE}, "sftp": {79}},
          "garbage": {"http": {1}, "https": {16, EMPTY, RECEIVE}, "sftp": {79}}}
WAITS = {"delay=9s", "throttle=3", "silence"}

ANSWERS = [
    ("http", "reply=503", 22, "503"), ("https", "reply=404", 22, "404"),
    ("smtp", "reply=451", 55, "RCPT failed: 451"),
    ("submissions", "reply=550", 55, "550"), ("pop3", "reply=-ERR", 8, ""), ("imap", "reply=NO", 67, ""),
    ("imap", "reply=BAD", 67, ""), ("imap", "reply=BYE", RECEIVE, ""), ("ftp", "reply=550", 17, ""),
    ("sftp", "reply=PERMISSION_DENIED", 9, ""),
]


def struck_by(deed: str) -> Callable[[Session, Exchange], bool]:
    return lambda session, exchange: exchange.facts.get("fault", "").endswith(f": {deed}")


@pytest.mark.parametrize("service", QUESTION)
async def test_octets_in_every_protocol(sandbox: Sandbox, tmp_path: Path, service: str) -> None:
    curl = Client(sandbox, tmp_path)
    protocol = {"https": "http", "submissions": "smtp"}.get(service, service)
    assert (await curl.meets(service, patience=PATIENT)).status == WELL, "what the first client makes is there now"
    with watching(sandbox.journal) as watcher:
        for deed, codes in OCTETS.items():
            strike(sandbox, f"'protocol:{protocol} verb:{QUESTION[service]}' {deed}")
            said = await curl.meets(service)
            other = TIME_OUT if deed == "garbage" or deed in WAITS else RECEIVE
            assert said.status in codes.get(service, {other}), (deed, said.errors)
            struck = await watcher.wait_for(struck_by(deed))
            assert struck.verb == QUESTION[service] or (service == "sftp" and struck.verb == "disconnect")
    strike(sandbox)
    assert (await curl.meets(service, patience=PATIENT)).status == WELL


@pytest.mark.parametrize(("service", "deed", "code", "words"), ANSWERS)
async def test_answers(sandbox: Sandbox, tmp_path: Path, service: str, deed: str, code: int, words: str) -> None:
    strike(sandbox, f"'service:{service} verb:{QUESTION[service]}' {deed}")
    said = await Client(sandbox, tmp_path).meets(service, patience=PATIENT)
    assert said.status == code, said.errors
    assert words in said.errors


@pytest.mark.parametrize("service", ["https", "submissions", "pop3s", "imaps", "ftps"])
async def test_handshakes(sandbox: Sandbox, tmp_path: Path, service: str) -> None:
    curl = Client(sandbox, tmp_path)
    expected = {**{f"certificate={wrong}": CERTIFICATE for wrong in WRONGS}, "alert=internal_error": TLS,
                "old-tls": TLS, "handshake-stops": TIME_OUT}
    assert (await curl.meets(service, patience=PATIENT)).status == WELL
    for deed, code in expected.items():
        strike(sandbox, f"service:{service} {deed}")
        said = await curl.meets(service, patience=PATIENT if code != TIME_OUT else "0.6")
        assert said.status == code, (deed, said.errors)
    strike(sandbox)
    assert (await curl.meets(service, patience=PATIENT)).status == WELL


@pytest.mark.parametrize("service", ["http", "smtp", "pop3", "imap", "ftp", "sftp", "https"])
async def test_a_connection_is_struck_before_a_word(sandbox: Sandbox, tmp_path: Path, service: str) -> None:
    curl = Client(sandbox, tmp_path)
    assert (await curl.meets(service, patience=PATIENT)).status == WELL
    strike(sandbox, f"service:{service} reset at=connection")
    with watching(sandbox.journal) as watcher:
        said = await curl.meets(service)
        assert said.status in {"sftp": (2, CONNECT), "https": (TLS, CONNECT)}.get(service, (CONNECT, 55, RECEIVE))
        struck = await watcher.wait_for(lambda session, exchange: "fault" in exchange.facts)
        assert (struck.verb, struck.key) == ("connection", "end.server-reset")


async def test_the_data_connection_never_opens(sandbox: Sandbox, tmp_path: Path) -> None:
    strike(sandbox, "protocol:ftp no-data")
    assert (await Client(sandbox, tmp_path).meets("ftp", patience=PATIENT)).status == CONNECT


async def test_a_data_connection_is_struck(sandbox: Sandbox, tmp_path: Path) -> None:
    strike(sandbox, "service:ftp-data cut=10 at=connection")
    said = await Client(sandbox, tmp_path).meets("ftp", patience=PATIENT)
    assert said.output == b"drwxr-xr-x"[:10] or len(said.output) == 10


async def test_who_is_turned_away_comes_again(sandbox: Sandbox, tmp_path: Path) -> None:
    curl = Client(sandbox, tmp_path)
    strike(sandbox, "service:smtp greylist")
    assert [(await curl.meets("smtp", patience=PATIENT)).status for _ in range(2)] == [55, WELL]


async def test_times_and_order(sandbox: Sandbox, tmp_path: Path) -> None:
    curl = Client(sandbox, tmp_path)
    strike(sandbox, "service:http reply=503 times=2", "'service:http path:/' reply=404 nth=2,3")
    codes = [(await curl.meets("http", "--write-out", "%{http_code}", patience=PATIENT)).text[-3:] for _ in range(4)]
    assert codes == ["503", "503", "404", "200"]
    assert [one.rule.which.struck for one in sandbox.faults.rules.values()] == [2, 2]


async def test_slices_change_nothing_but_the_time(sandbox: Sandbox, tmp_path: Path) -> None:
    curl = Client(sandbox, tmp_path)
    whole = await curl.meets("pop3", patience=PATIENT)
    strike(sandbox, "'service:pop3 verb:RETR' slices=20 pause=1ms")
    sliced = await curl.meets("pop3", "--write-out", "%{time_total}", patience=PATIENT)
    assert sliced.output.startswith(whole.output)
    assert float(sliced.output[len(whole.output):]) > len(whole.output) / 20 * 0.001


@pytest.mark.parametrize(("host", "code"), [("status-418.test", 22), ("reset.test", RECEIVE), ("close.test", EMPTY),
                                            ("cut.test", 18), ("garbage.test", 1), ("silent.test", TIME_OUT),
                                            ("slow.test", TIME_OUT), ("slow-body.test", TIME_OUT)])
async def test_names_that_need_no_rule(sandbox: Sandbox, tmp_path: Path, host: str, code: int) -> None:
    curl = Client(sandbox, tmp_path)
    assert (await curl.meets("http", patience=PATIENT)).status == WELL
    curl.words["http"][-2:] = [*(["--fail"] if "status" in host else []), f"http://{host}/"]
    assert (await curl.meets("http")).status == code


def test_every_action_is_met_here_or_by_another_program() -> None:
    here = {rule_of_text(f"'' {deed}").action.name for deed in (
        *OCTETS, *(answer[1] for answer in ANSWERS), "certificate=expired", "alert=internal_error", "old-tls",
        "handshake-stops", "no-data", "greylist", "slices=1")}
    elsewhere = {"hold": "test_faults_held.py", "truncated": "test_faults_dns.py", "wrong-id": "test_faults_dns.py",
                 "lame": "test_faults_dns.py", "stale": "test_faults_dns.py", "uidvalidity": "test_faults_mail.py"}
    assert here | elsewhere.keys() == ACTIONS.keys()
    for file in elsewhere.values():
        assert (Path(__file__).parent / file).exists()
