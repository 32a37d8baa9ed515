"""Who may come in over SSH, and what they may do there: use SFTP, and nothing else.

A person shows who they are by password, by keyboard-interactive (the same password, asked for as a question, RFC
4256), or by a key (RFC 4252 §7) whose public half is in .ssh/authorized_keys of their home or in the world file.
"""

from __future__ import annotations

import os
from typing import Any

import asyncssh

from sandbox.protocols.sftp.channel import Channel
from sandbox.protocols.sftp.files import Files
from sandbox.protocols.sftp.handles import in_thread
from sandbox.protocols.sftp.log import Log
from sandbox.world import Account, World
from sandbox.world.files.tree import Trees

__all__ = ["REFUSAL", "Guard", "answer_shell", "refuse_forwarding"]

KEYS = (".ssh", "authorized_keys")
KEYS_LIMIT = 262_144
"""Octets of authorized_keys that are read."""

REFUSAL = ("This is the sandbox: there are files here, and no shell. Use sftp, scp or a file manager; "
           "what you put into /www is your website.")

CLIENT_LIMIT = 100
"""Characters of the client's name for itself that are noted (RFC 4253 §4.2 allows 255)."""


class Guard(asyncssh.SSHServer):
    """One connection's login. tree: set for the account that came in."""

    def __init__(self, world: World, trees: Trees, log: Log) -> None:
        self._world = world
        self._trees = trees
        self._log = log
        self._connection: Any = None
        self._host = ""
        self._shaken = False
        self._account: Account | None = None
        self._keys: list[asyncssh.SSHAuthorizedKeys] = []
        self._noted = False
        self._offered: asyncssh.SSHKey | None = None

    def connection_made(self, conn: Any) -> None:
        self._connection = conn
        self._host = conn.get_extra_info("peername")[0]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._shaken:
            self._log.note("handshake", self._client, "failed", str(exc or "The client left")[:200])
        elif isinstance(exc, asyncssh.DisconnectError) and not isinstance(exc, asyncssh.ConnectionLost):
            self._log.note("disconnect", "", "failed", str(exc)[:200])
        else:
            self._log.note("disconnect", "", "closed")

    @property
    def _client(self) -> str:
        return str(self._connection.get_extra_info("client_version", ""))[:CLIENT_LIMIT]

    async def begin_auth(self, username: str) -> bool:
        """Encryption is there. RFC 4252 §5: nothing says yet whether there is such a person."""
        if not self._shaken:
            self._shaken = True
            info = self._connection.get_extra_info
            self._log.note("handshake", self._client, "encrypted", str(info("send_cipher", "")),
                           cipher=str(info("send_cipher", "")), mac=str(info("send_mac", "")), agent=self._client)
            self._log.known["encrypted"] = "SSH"
        self._account = self._world.accounts.get(username)
        self._keys = []
        if self._account is not None:
            lines = list(self._world.ssh_keys.get(self._account.login, ()))
            lines += (await in_thread(self._read_keys, self._account.login)).splitlines()
            self._keys = [keys for line in lines if (keys := parsed(line))]
        return True

    def _read_keys(self, login: str) -> str:
        """In a worker thread; found as any other file of theirs, so no link leads out here either."""
        try:
            descriptor = self._trees.person(login).read(KEYS)
        except OSError:
            return ""
        try:
            return os.pread(descriptor, KEYS_LIMIT, 0).decode("utf-8", "replace")
        finally:
            os.close(descriptor)

    # -- ways in ----------------------------------------------------------------------------------------------

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return self._judge("password", username, self._world.accounts.check(username, password) is not None)

    def kbdint_auth_supported(self) -> bool:
        return True

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        return "The sandbox", "", "en", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: Any) -> bool:
        right = len(responses) == 1 and self._world.accounts.check(username, responses[0]) is not None
        return self._judge("keyboard-interactive", username, right)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Called to ask whether a key would do, and again when its owner has signed with it."""
        right = any(keys.validate(key, self._host, self._host) is not None for keys in self._keys)
        if not right:
            self._judge("publickey", username, right)
        self._offered = key
        return right

    def _judge(self, method: str, username: str, right: bool) -> bool:
        if right and self._account is not None:
            self._log.known["account"] = self._account.login
        self._log.note("login", f"{username[:64]} by {method}", "accepted" if right else "refused")
        self._noted = right
        return right

    def auth_completed(self) -> None:
        if not self._noted and self._account is not None and self._offered is not None:
            self._log.known["account"] = self._account.login
            self._log.note("login", f"{self._account.login} by publickey", "accepted",
                           self._offered.get_fingerprint())

    # -- what there is ----------------------------------------------------------------------------------------

    def session_requested(self) -> Any:
        return Channel(self.answer, self.files)

    async def files(self, channel: Any) -> Files:
        """An SFTP session of the one who came in."""
        assert self._account is not None
        return Files(channel, await in_thread(self._trees.person, self._account.login), self._log)

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> Any:
        """A tunnel would make the sandbox connect for others."""
        return refuse_forwarding(self._log, "tunnel", f"{dest_host}:{dest_port}")

    def server_requested(self, listen_host: str, listen_port: int) -> Any:
        refuse_forwarding(self._log, "tunnel", f"{listen_host}:{listen_port}")
        return False

    async def answer(self, process: Any) -> None:
        """A shell, a command, or another subsystem: a friendly sentence, and goodbye."""
        await answer_shell(self._log, process)


def refuse_forwarding(log: Log, verb: str, asked: str) -> bool:
    log.note(verb, asked[:200], "refused", "Nothing is passed on from here")
    return False


async def answer_shell(log: Log, process: Any) -> None:
    """process: asyncssh's SSHServerProcess."""
    asked = process.command or process.subsystem or ""
    verb = "exec" if process.command else "subsystem" if process.subsystem else "shell"
    log.note(verb, str(asked)[:200], "refused", REFUSAL)
    try:
        process.stderr.write(REFUSAL + "\r\n")
        process.exit(1)
    except (OSError, asyncssh.Error):
        pass  # gone already


def parsed(line: str) -> asyncssh.SSHAuthorizedKeys | None:
    """One line of authorized_keys; None for a comment, or one that is broken."""
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    try:
        return asyncssh.import_authorized_keys(line)
    except (ValueError, asyncssh.KeyImportError):
        return None
