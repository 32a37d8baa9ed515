"""SFTP: files over SSH (RFC 4251 to 4254, 4256, 8332, 8709; draft-ietf-secsh-filexfer-02).

SSH itself is asyncssh's work: key exchange, ciphers, signatures and channels are for a well-kept library. Ours is
who may come in (`login`), what the files are (`files`), and that every byte passes our own conversation (`carrier`).
Left out: shells, commands, tunnels and agents, which would reach out of the sandbox; each gets a refusal.

asyncssh takes a tenth of a second to import, so it is loaded when the first client comes.
"""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

import trio

from sandbox.protocols.contract.conversation import Conversation, ConversationError
from sandbox.protocols.contract.registry import Context, Service

if TYPE_CHECKING:
    from sandbox.protocols.sftp.server import Ssh

__all__ = ["serve"]

logging.getLogger("asyncssh").setLevel(logging.CRITICAL)  # what it would say is in the journal


class Lazy:
    """The SSH server, made when it is first needed, and once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = trio.Lock()
        self._server: Ssh | None = None

    async def get(self) -> Ssh:
        async with self._lock:
            if self._server is None:
                self._server = await trio.to_thread.run_sync(self._make)
            return self._server

    def _make(self) -> Ssh:
        from sandbox.protocols.sftp.server import Ssh
        return Ssh(self._context)


def serve(context: Context) -> Service:
    """Build the service of `context.role`: sftp."""
    server = Lazy(context)

    async def session(conversation: Conversation) -> None:
        ssh = await server.get()
        try:
            await ssh.run(conversation)
        except ConversationError:
            raise
        except Exception as error:  # asyncssh raises many things for garbage
            exchange = conversation.begin("disconnect")
            exchange.note("traceback", "".join(traceback.format_exception(error)))
            exchange.end("failed", "The client does not speak SSH as it should")

    return Service(session=session, busy=b"Too many connections; try again later\r\n")
