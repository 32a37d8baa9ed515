"""The sandbox dials itself: the session at the other end knows which exchange made it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.address import Address
from sandbox.journal import causes
from sandbox.journal.journal import Journal
from sandbox.journal.reader import Reader
from sandbox.journal.recorder import Recorder
from tests.support.journal import NAME, SERVER, journal_at

LOCAL = Address("127.0.0.1", 50_000)


def under_way() -> Any:
    return SimpleNamespace(id=0, started=1.0, verb="CONNECT", asked="www.example.com:80", facts={})


def dialled(journal: Journal, client: Address = LOCAL) -> Recorder:
    return journal.open(service="http", protocol="http", transport="tcp", client=client, server=SERVER)


async def test_by_number(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        journal.expect(LOCAL, 7)
        sessions = [dialled(journal, Address("127.0.0.1", 50_001)), dialled(journal), dialled(journal)]
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert [session.cause for session in reader.sessions()] == [0, 7, 0], "it is expected once"
        assert [recorder.session.cause for recorder in sessions] == [0, 7, 0]


async def test_the_other_end_was_faster(tmp_path: Path) -> None:
    async with journal_at(tmp_path) as journal:
        dialled(journal)
        journal.expect(LOCAL, 7)
        dialled(journal)
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert [session.cause for session in reader.sessions()] == [7, 0]


@pytest.mark.parametrize("closes", ["before", "after"])
async def test_an_exchange_that_ends_later_is_the_cause_from_then_on(tmp_path: Path, closes: str) -> None:
    async with journal_at(tmp_path) as journal:
        cause = under_way()
        journal.expect(LOCAL, cause)
        recorder = dialled(journal)
        if closes == "before":
            recorder.close("client-closed")
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert [session.cause for session in reader.sessions()] == [0]
        cause.id = 3
        journal.count(0)
        await journal.settle()
        with Reader(tmp_path / NAME) as reader:
            assert [session.cause for session in reader.sessions()] == [3]
        assert recorder.session.cause == 3


async def test_what_nobody_claims_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port of this machine may be somebody else's, and the local port is given out again."""
    now = 100.0
    monkeypatch.setattr(causes, "monotonic", lambda: now)
    async with journal_at(tmp_path) as journal:
        journal.expect(LOCAL, 7)
        now += causes.EXPECT_SECONDS + 1
        assert dialled(journal).session.cause == 0
        for port in range(causes.EXPECTED + 1):
            journal.expect(Address("127.0.0.1", port), 7)
        assert dialled(journal, Address("127.0.0.1", 0)).session.cause == 0
        assert dialled(journal, Address("127.0.0.1", 1)).session.cause == 7
