"""What octets pass on their way: nothing is invented, nothing lost that shall arrive, whatever the pieces."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.address import Address
from sandbox.app import StartError, running
from sandbox.config import Config
from sandbox.config.load import load
from sandbox.faults.rule import rule_of_text
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.contract.strike import End, Stage
from sandbox.spaces import SpaceSpec

PIECES = st.lists(st.binary(min_size=1, max_size=200), max_size=8)
SESSION = Session(id=1, service="imap", protocol="imap", transport="tcp", client=Address("127.0.0.1", 40000),
                  server=Address("127.0.0.1", 143), opened=1.0)
QUESTION = Exchange(0, 1, 1.0, 1.0, "SELECT", "INBOX", "", "", "", (0, 0), (0, 0))


def stage_of(deed: str) -> Stage:
    effect = rule_of_text(f"'' {deed}").act(SESSION, QUESTION)
    assert effect is not None
    assert effect.stage is not None
    return effect.stage


def passed(stage: Stage, pieces: list[bytes]) -> bytes:
    """All that leaves, ever."""
    for piece in pieces:
        stage.take(piece)
    stage.finish()
    left = bytearray()
    for step in stage.steps:
        if step.wait == math.inf:
            break
        left += step.data
        if step.end is not End.NONE:
            break
    return bytes(left)


@given(PIECES, st.sampled_from(["delay=3s", "throttle=7", "throttle=1MB", "slices=1", "slices=70 pause=1s"]))
def test_what_is_slowed_arrives_whole(pieces: list[bytes], deed: str) -> None:
    assert passed(stage_of(deed), pieces) == b"".join(pieces)


@given(PIECES, st.integers(0, 300), st.sampled_from(["cut", "close", "reset", "half-close", "silence"]))
def test_what_ends_lets_so_many_pass(pieces: list[bytes], length: int, deed: str) -> None:
    stage = stage_of(f"{deed}={length}")
    assert passed(stage, pieces) == b"".join(pieces)[:length]
    ended = any(step.end is not End.NONE for step in stage.steps)
    assert ended == (deed != "silence" and len(b"".join(pieces)) >= length)


@given(PIECES, st.integers(0, 300))
def test_what_was_silent_is_all_there_when_it_is_released(pieces: list[bytes], length: int) -> None:
    stage = stage_of(f"silence={length}")
    for piece in pieces:
        stage.take(piece)
    stage.release()
    stage.take(b"more")
    assert b"".join(step.data for step in stage.steps) == b"".join(pieces) + b"more"


@given(PIECES, st.integers(1, 100))
def test_noise_is_as_long_as_it_shall_be_and_ends_a_line(pieces: list[bytes], length: int) -> None:
    noise = passed(stage_of(f"garbage={length}"), pieces)
    assert len(noise) == (length if pieces else 0)
    assert length < 2 or not pieces or noise.endswith(b"\r\n")


@given(st.lists(st.sampled_from([b"* OK [UIDVALIDITY 17] ok\r\n", b"* 3 EXISTS\r\n", b"a OK done\r\n"])),
       st.integers(1, 30))
def test_a_uidvalidity_is_another_wherever_it_is_cut(lines: list[bytes], size: int) -> None:
    data = b"".join(lines)
    pieces = [data[start:start + size] for start in range(0, len(data), size)]
    assert passed(stage_of("uidvalidity"), pieces) == data.replace(b"UIDVALIDITY 17", b"UIDVALIDITY 18")


@given(st.binary(min_size=1, max_size=100))
def test_datagrams(data: bytes) -> None:
    assert stage_of("delay=3s").datagram(data) == (3.0, data)
    assert stage_of("cut=5").datagram(data)[1] == data[:5]
    assert stage_of("reset").datagram(data) == stage_of("silence").datagram(data) == (math.inf, None)


async def test_rules_of_a_configuration_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text('ports = "ephemeral"\n[[faults]]\nfilter = "protocol:smtp verb:RCPT"\nreply = "451"\ntimes = 2\n'
                    '[[faults]]\nfilter = "host:shop.example"\nreset = true\nchance = "20%"\nseed = 7\n')
    async with running(load(file), tmp_path) as sandbox:
        assert [(str(one.rule), one.origin) for one in sandbox.faults.rules.values()] == [
            ("'protocol:smtp verb:RCPT' reply=451 times=2", "configuration"),
            ("host:shop.example reset chance=20% seed=7", "configuration")]


async def test_rules_of_a_world_strike_in_it_alone(tmp_path: Path) -> None:
    world = tmp_path / "world.toml"
    world.write_text('[[faults]]\nfilter = "verb:RCPT or verb:DATA"\nreply = "451"\n')
    (tmp_path / "data").mkdir()
    async with running(Config(ports="ephemeral", world=str(world)), tmp_path / "data") as sandbox:
        assert [str(one.rule) for one in sandbox.faults.rules.values()] == [
            "'space:main (verb:RCPT or verb:DATA)' reply=451"]
        await sandbox.spaces.open(SpaceSpec("other", world=str(world)))
        assert [one.origin for one in sandbox.faults.rules.values()] == ["world of main", "world of other"]
        await sandbox.spaces.close("other")
        assert [one.origin for one in sandbox.faults.rules.values()] == ["world of main"]


async def test_a_wrong_rule_ends_the_start_and_says_which(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"faults\[1\].*no action(.|\n)*Did you mean reset"):
        async with running(Config(ports="ephemeral", faults=({"filter": "", "rest": True},)), tmp_path):
            pass
