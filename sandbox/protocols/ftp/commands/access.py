"""Who is there, and in which directory: RFC 959 §4.1.1."""

from __future__ import annotations

import errno
import stat

import trio

from sandbox.protocols.ftp.state import ANY, IN, State, Stateful, ok
from sandbox.protocols.lines.command import Reply, command
from sandbox.world.files.paths import virtual

__all__ = ["Access"]

GUESSES = 5
"""Wrong passwords before goodbye (RFC 2577 §5)."""

ANONYMOUS = frozenset({"anonymous", "ftp"})


class Access(Stateful):
    """Login, working directory, goodbye."""

    @command("USER", states=ANY, args="name...", rfc="959 §4.1.1")
    def identify(self, name: str) -> Reply:
        """Say who you are; the password follows with PASS."""
        self.state, self.user = State.NAMED, name
        if name.lower() in ANONYMOUS and self.service.anonymous:
            return ok("331", "Anonymous is welcome; send your e-mail address as the password")
        return ok("331", f"Password for {name}?")

    @command("PASS", states=ANY, args="[password...]", rfc="959 §4.1.1", secret=0)
    async def authenticate(self, password: str = "") -> Reply:
        """Give the password for the user named before."""
        if self.state is not State.NAMED:
            return ok("503", "Send USER first")
        assert self.exchange is not None
        self.state = State.UNKNOWN
        if self.user.lower() in ANONYMOUS and self.service.anonymous:
            self.exchange.note("email", password[:100])
            self.tree = self.service.trees.anonymous()
            self.state = State.LOGGED_IN
            return ok("230", "Welcome. You can read here; people with an account can write")
        account = self.service.accounts.check(self.user, password)
        if account is None:
            self.guesses += 1
            # One sentence for both, so that nobody learns who has an account (RFC 2577 §7).
            return Reply("530", ("That user and that password do not go together",),
                         close=self.guesses >= GUESSES)
        self.login = account.login
        self.exchange.note("account", account.login)
        self.tree = await trio.to_thread.run_sync(self.service.trees.person, account.login)
        self.state = State.LOGGED_IN
        return ok("230", f"Welcome, {account.name}. What you put into /www is your website")

    @command("ACCT", states=IN, args="account...", rfc="959 §4.1.1")
    def account(self, account: str) -> Reply:
        """Name an account to charge; there is none to charge here."""
        return ok("202", "No account is needed here")

    @command("CWD", states=IN, args="path...", rfc="959 §4.1.1")
    async def change_directory(self, path: str) -> Reply:
        """Go to another directory."""
        names = self.at(path)
        if not stat.S_ISDIR((await trio.to_thread.run_sync(self.tree.stat, names)).st_mode):
            raise OSError(errno.ENOTDIR, "not a directory")
        self.cwd = names
        return ok("250", f"You are in {virtual(names)}")

    @command("CDUP", states=IN, rfc="959 §4.1.1")
    def change_up(self) -> Reply:
        """Go to the directory above."""
        self.cwd = self.cwd[:-1]
        return ok("250", f"You are in {virtual(self.cwd)}")

    @command("SMNT", states=IN, args="path...", rfc="959 §4.1.1")
    def mount(self, path: str) -> Reply:
        """Mount another file system; there is only this one."""
        return ok("502", "There is nothing to mount here")

    @command("REIN", states=ANY, rfc="959 §4.1.1")
    def reinitialize(self) -> Reply:
        """Forget who you are, and begin again."""
        guesses = self.guesses
        self.forget()
        self.guesses = guesses  # or a guesser would only have to send REIN now and then (RFC 2577 §5)
        return ok("220", "Everything is forgotten; log in again")

    @command("QUIT", states=ANY, rfc="959 §4.1.1")
    def quit(self) -> Reply:
        """Say goodbye; a transfer under way is finished first."""
        return Reply("221", ("Goodbye",), close=True)
