"""What the journal says of a login."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from sandbox.app import running
from sandbox.config import Config, Journal
from tests.support.network import watching


@pytest.mark.parametrize(("mask", "asked"), [(False, "alice wonderland"), (True, "alice ********")])
async def test_a_password_that_anybody_could_read_is_shown_unless_told_otherwise(mask: bool, asked: str,
                                                                                 tmp_path: Path) -> None:
    config = Config(ports="ephemeral", journal=Journal(mask_passwords=mask))
    async with running(config, tmp_path) as started:
        with watching(started.journal) as watcher:
            async with await trio.open_tcp_stream(*started.endpoints["imap"]) as stream:
                await stream.send_all(b"a LOGIN alice wonderland\r\nb LOGOUT\r\n")
                async for _ in stream:
                    pass
            await watcher.wait_closed()
        assert [one.asked for _, one in watcher.exchanges if one.verb == "LOGIN"] == [asked]
