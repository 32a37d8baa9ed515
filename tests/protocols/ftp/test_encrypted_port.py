"""The passive port that shakes hands as soon as somebody comes, where nobody can come."""

from __future__ import annotations

import errno

import pytest
import trio

from sandbox.address import Address
from sandbox.protocols.contract.conversation import DataConversation
from sandbox.protocols.ftp.encrypted_port import EncryptedPort


class Exhausted:
    """A port of a machine that has no file descriptor left."""

    address = Address("127.0.0.1", 1)

    def accept_now(self) -> DataConversation | None:
        return None

    async def accept(self) -> DataConversation:
        await trio.lowlevel.checkpoint()
        raise OSError(errno.EMFILE, "too many open files")

    def close(self) -> None: ...


async def test_what_the_system_refuses_is_told_to_the_transfer_and_ends_nothing_else() -> None:
    async with trio.open_nursery() as nursery:
        port = EncryptedPort(Exhausted(), nursery)
        with pytest.raises(OSError, match="too many open files"):
            await port.accept()
        port.close()
