"""An SSH server that speaks over conversations. Imports asyncssh; see `session` for when."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import asyncssh
from asyncssh.connection import SSHServerConnection, SSHServerConnectionOptions

from sandbox.protocols.contract.conversation import Conversation
from sandbox.protocols.contract.registry import Context
from sandbox.protocols.sftp.carrier import carry
from sandbox.protocols.sftp.log import Log
from sandbox.protocols.sftp.login import Guard

__all__ = ["Ssh"]

LOGIN_SECONDS = 120
"""For a login, as OpenSSH gives."""

CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
"""What every client has, and the processor does by itself. The client chooses, and OpenSSH's would take
chacha20-poly1305, which takes ten times as long here."""

VERSION = "Sandbox"
"""What the server calls itself (RFC 4253 §4.2)."""


class Ssh:
    """What all connections share: the host key, the algorithms, the world."""

    def __init__(self, context: Context) -> None:
        self._world = context.world
        files = context.config.files
        self._trees = context.world.open_files(files.quota, files.entries)
        self._options = SSHServerConnectionOptions(
            server_host_keys=[asyncssh.import_private_key(context.world.host_key.private)],
            server_version=VERSION, login_timeout=LOGIN_SECONDS, allow_pty=False, agent_forwarding=False,
            x11_forwarding=False, gss_kex=False, gss_auth=False, host_based_auth=False, compression_algs=["none"],
            encryption_algs=CIPHERS, line_editor=False)

    async def run(self, conversation: Conversation) -> None:
        """One connection, to its end. Raises ConversationError, and what asyncssh raises for garbage."""
        log = Log(conversation)
        guard = Guard(self._world, self._trees, log)
        options = copy.copy(self._options)
        options.protocol_factory = lambda: guard

        def build(loop: asyncio.AbstractEventLoop) -> Any:
            return SSHServerConnection(loop, options)

        await carry(conversation, build, log)
