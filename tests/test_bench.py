"""The benchmarks run and end: no number is judged here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import imap, journal, mailbox
from bench.load import built_in, open_connections
from bench.peers import SANDBOX, Peer, launch, memory, missing

ROOT = Path(__file__).parent.parent


def test_the_sandbox_is_measured() -> None:
    with launch(SANDBOX) as server:
        assert built_in(server.address, 0.2) > 0
        with open_connections(server.address, 20):
            assert memory(server) > 1_000_000
    with pytest.raises(ProcessLookupError):
        os.killpg(server.pid, 0)


def test_imap_is_measured() -> None:
    with launch(imap.IMAP_PEERS[0]) as server:
        for name in imap.WORK:
            rate = imap.work(name, server.address, 0.2)
            assert rate.answered > 0, name
            assert not rate.lost, name
        with imap.idling(server.address, 10):
            assert memory(server) > 1_000_000


def test_a_large_mailbox_is_measured() -> None:
    with launch(mailbox.mailbox(50)) as server:
        assert [question.split()[0] for question, seconds in mailbox.questions(server) if seconds > 0] == [
            "FETCH", "SEARCH", "SORT", "THREAD", "FETCH", "FETCH"]


def test_what_is_not_installed_is_named() -> None:
    peer = Peer("other", lambda folder, port: [], programs={"no-such-program": "no-such-package", "sh": "dash"},
                modules={"no_such_module": "no-such-distribution"})
    assert missing(peer) == "apt-get install no-such-package and pip install no-such-distribution"


def test_a_server_that_does_not_start_says_why() -> None:
    peer = Peer("broken", lambda folder, port: ["sh", "-c", "echo no such luck; exit 3"])
    with pytest.raises(RuntimeError, match="no such luck"), launch(peer):
        pass


def test_the_command_prints_a_table() -> None:
    done = subprocess.run([sys.executable, "-m", "bench", "--only", "start"], cwd=ROOT, timeout=60, check=True,
                          capture_output=True, text=True)
    assert "From the start of the process until every service accepts" in done.stdout
    assert "sandbox" in done.stdout


def test_a_journal_is_searched(tmp_path: Path) -> None:
    path = journal.fill(tmp_path, 600)
    took = {question: found for question, seconds, found in journal.questions(path) if seconds > 0}
    assert took == {"all exchanges": 600, "the newest 50": 50, "the newest 50 of one protocol": 50,
                    "the newest 50 with a text": 50, "all of one protocol": 160,
                    "all with a text that is nowhere": 0, "what is new, when nothing is": 0}
    assert all(0 < most <= worst for _, most, worst in journal.lags(path, 0.05))
