"""FTP: RFC 959 with what was added since: 1123 §4.1, 2228 and 4217 (TLS), 2389 (FEAT), 2428 (EPRT, EPSV), 2577 (no
bounce), 2640 (UTF-8), 3659 (MLSD, SIZE, MDTM, REST).

Left out: record and page structure, block and compressed mode (no client of today has them), EBCDIC, CCC, and the
security mechanisms of RFC 2228 other than TLS. How commands and transfers go on side by side is in `dialogue`.
"""

from __future__ import annotations

import enum
import errno
import fnmatch
import os
import stat
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio

from sandbox.address import Address
from sandbox.protocols.command import BadArgument, Command, Refusal, Reply, command
from sandbox.protocols.conversation import Conversation, DataConversation
from sandbox.protocols.ftp import grammar
from sandbox.protocols.ftp.dialogue import Dialogue, Transfer
from sandbox.protocols.ftp.grammar import quoted
from sandbox.protocols.ftp.listing import FACTS, Entry, facts, long_line
from sandbox.protocols.ftp.transfer import Count, Download, Upload, size_in_ascii
from sandbox.protocols.registry import Context, Service, Tls
from sandbox.world.accounts import Accounts
from sandbox.world.paths import Names, names_of, virtual
from sandbox.world.places import Writing
from sandbox.world.tree import Tree, Trees

__all__ = ["FEATURES", "Ftp", "Server", "serve"]

FIRST_PORT = 1024
"""No data connection goes to a port below: a service is there, not a client (RFC 2577 §3)."""

GUESSES = 5
"""Wrong passwords before goodbye (RFC 2577 §5)."""

UNIQUE_TRIES = 1000
"""Names that STOU tries."""

ANONYMOUS = frozenset({"anonymous", "ftp"})

FEATURES = ("EPRT", "EPSV", "MDTM", "MFMT", "MLST", "PASV", "REST STREAM", "SIZE", "TVFS", "UTF8", "PBSZ", "PROT")
"""What FEAT lists, beside AUTH and LANG."""

CODES: dict[Refusal, tuple[str, str]] = {
    Refusal.UNKNOWN: ("500", ""), Refusal.SYNTAX: ("501", ""), Refusal.STATE: ("530", ""),
    Refusal.TOO_LONG: ("500", ""), Refusal.CHARACTERS: ("501", ""), Refusal.LINE_END: ("500", ""),
    Refusal.ERRORS: ("421", ""), Refusal.IDLE: ("421", ""), Refusal.WEB: ("421", ""), Refusal.BROKEN: ("451", ""),
}


class State(enum.Flag):
    """How far the login has come (RFC 959 §5.4, the first of its diagrams)."""

    UNKNOWN = 1
    NAMED = 2
    LOGGED_IN = 4


ANY = State.UNKNOWN | State.NAMED | State.LOGGED_IN
IN = State.LOGGED_IN


@dataclass(frozen=True, slots=True)
class Server:
    """What all sessions of a service share. upgrade: whether AUTH TLS is there."""

    accounts: Accounts
    trees: Trees
    anonymous: bool
    hostname: str
    upgrade: bool


def ok(code: str, *lines: str) -> Reply:
    return Reply(code, lines)


class Ftp(Dialogue):
    """One control connection."""

    refusals = CODES
    arguments = {"address": grammar.host_port, "net-address": grammar.extended_address, "octets": grammar.integer,
                 "time": grammar.modification_time}

    def __init__(self, conversation: Conversation, server: Server) -> None:
        super().__init__(conversation)
        self.server = server
        self.state = State.UNKNOWN
        self.forget()

    def forget(self) -> None:
        """The state after the greeting, and after REIN and AUTH."""
        self.state: State = State.UNKNOWN
        self.user = ""
        self.guesses = 0
        self.tree: Tree
        self.cwd: Names = ()
        self.ascii = True  # RFC 959 §5.1: TYPE A N is where everybody starts
        self.restart = 0
        self.renaming: Names = ()
        self.facts: tuple[str, ...] = FACTS
        self.target = 0
        """The client's port for data, 0 for passive mode or the default."""
        self.extended_only = False
        self.drop_port()

    async def greet(self) -> Reply:
        return ok("220", f"{self.server.hostname} FTP, part of the sandbox; log in, or be anonymous")

    def not_now(self, row: Command) -> str:
        return "Log in first: USER, then PASS"

    def at(self, path: str) -> Names:
        """A path as the client sees it from its working directory. Raises BadArgument."""
        try:
            return names_of(path, self.cwd)
        except ValueError as error:
            raise BadArgument(str(error), ok("553", f"That cannot be here: {error}")) from None

    # -- access control, RFC 959 §4.1.1 -----------------------------------------------------------------------

    @command("USER", states=ANY, args="name...", rfc="959 §4.1.1")
    def identify(self, name: str) -> Reply:
        """Say who you are; the password follows with PASS."""
        self.state, self.user = State.NAMED, name
        if name.lower() in ANONYMOUS and self.server.anonymous:
            return ok("331", "Anonymous is welcome; send your e-mail address as the password")
        return ok("331", f"Password for {name}?")

    @command("PASS", states=ANY, args="[password...]", rfc="959 §4.1.1", secret=0)
    async def authenticate(self, password: str = "") -> Reply:
        """Give the password for the user named before."""
        if self.state is not State.NAMED:
            return ok("503", "Send USER first")
        assert self.exchange is not None
        self.state = State.UNKNOWN
        if self.user.lower() in ANONYMOUS and self.server.anonymous:
            self.exchange.note("email", password[:100])
            self.tree = self.server.trees.anonymous()
            self.state = State.LOGGED_IN
            return ok("230", "Welcome. You can read here; people with an account can write")
        account = self.server.accounts.check(self.user, password)
        if account is None:
            self.guesses += 1
            # One sentence for both, so that nobody learns who has an account (RFC 2577 §7).
            return Reply("530", ("That user and that password do not go together",),
                         close=self.guesses >= GUESSES)
        self.exchange.note("user", account.login)
        self.tree = await trio.to_thread.run_sync(self.server.trees.person, account.login)
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
        self.forget()
        return ok("220", "Everything is forgotten; log in again")

    @command("QUIT", states=ANY, rfc="959 §4.1.1")
    def quit(self) -> Reply:
        """Say goodbye; a transfer under way is finished first."""
        return Reply("221", ("Goodbye",), close=True)

    # -- security, RFC 4217 -----------------------------------------------------------------------------------

    @command("AUTH", states=ANY, args="mechanism", rfc="4217 §4")
    def secure(self, mechanism: str) -> Reply:
        """Encrypt the control connection from here on."""
        if mechanism.upper() not in ("TLS", "TLS-C", "SSL"):
            return ok("504", "AUTH TLS is what there is")
        if self.conversation.secure or not self.server.upgrade:
            return ok("534", "This connection is encrypted already")
        self.forget()  # RFC 4217 §4: what was said in the clear counts no more
        self.protected = False
        return Reply("234", ("Start the TLS handshake now",), then=self.conversation.start_tls)

    @command("PBSZ", states=ANY, args="octets", rfc="4217 §9")
    def buffer_size(self, octets: int) -> Reply:
        """Agree on a buffer size, which TLS does not need."""
        if not self.conversation.secure:
            return ok("503", "Send AUTH TLS first")
        return ok("200", "PBSZ=0")

    @command("PROT", states=ANY, args="level", rfc="4217 §9")
    def protect(self, level: str) -> Reply:
        """Encrypt data connections (P) or not (C)."""
        if not self.conversation.secure:
            return ok("503", "Send AUTH TLS first")
        if level.upper() not in ("C", "P"):
            return ok("536" if level.upper() in ("S", "E") else "504", "PROT P encrypts everything, PROT C nothing")
        self.protected = level.upper() == "P"
        return ok("200", "Data connections are encrypted" if self.protected else
                  "Data connections are in clear text, to be read by everybody on the way")

    # -- transfer parameters, RFC 959 §4.1.2 and RFC 2428 -----------------------------------------------------

    @command("PORT", states=IN, args="address", rfc="959 §4.1.2")
    def active(self, address: Address) -> Reply:
        """Have data connections made to this port of yours."""
        return self.use_target(address)

    @command("EPRT", states=IN, args="net-address", rfc="2428 §2")
    def extended_active(self, address: Address) -> Reply:
        """Have data connections made to this port of yours, over IPv4 or IPv6."""
        return self.use_target(address)

    def use_target(self, address: Address) -> Reply:
        if self.extended_only:
            return ok("503", "After EPSV ALL there is only EPSV")
        if address.host != self.conversation.client.host:
            # RFC 2577 §3: a server that connects where it is told can be made to attack others.
            return Reply("504", ("Only to your own address; to a third one would be a bounce attack",),
                         key="situation.bounce")
        if address.port < FIRST_PORT:
            return Reply("504", ("Not to a port below 1024: those belong to services",), key="situation.bounce")
        self.drop_port()
        self.target = address.port
        return ok("200", "I will connect to you there")

    @command("PASV", states=IN, rfc="959 §4.1.2")
    def passive(self) -> Reply:
        """Open a port here, for you to connect to."""
        if self.extended_only:
            return ok("503", "After EPSV ALL there is only EPSV")
        if ":" in self.conversation.server.host:
            return ok("425", "PASV speaks of IPv4 only; send EPSV")
        if problem := self.open_port():
            return problem
        assert self.port is not None
        return ok("227", f"Entering Passive Mode ({grammar.host_port_text(self.port.address)}).")

    @command("EPSV", states=IN, args="[net]", rfc="2428 §3")
    def extended_passive(self, net: str = "") -> Reply:
        """Open a port here, for you to connect to, over IPv4 or IPv6."""
        own = "2" if ":" in self.conversation.server.host else "1"
        if net.upper() == "ALL":
            self.extended_only = True
            return ok("200", "EPSV it is, from now on")
        if net not in ("", own):
            return Reply("522", (f"Network protocol not supported, use ({own})",))
        if problem := self.open_port():
            return problem
        assert self.port is not None
        return ok("229", f"Entering Extended Passive Mode (|||{self.port.address.port}|)")

    def open_port(self) -> Reply | None:
        self.drop_port()
        self.target = 0
        try:
            self.port = self.conversation.listen()
        except OSError:
            return ok("425", "No port is free for data; try again in a moment")
        return None

    @command("TYPE", states=IN, args="type [form]", rfc="959 §4.1.2")
    def set_type(self, code: str, form: str = "") -> Reply:
        """Choose how files cross: I as they are, A as text with CRLF."""
        match code.upper(), form.upper():
            case ("I", "") | ("L", "8"):
                self.ascii = False
                return ok("200", "Files cross as they are")
            case ("A", "") | ("A", "N"):
                self.ascii = True
                return ok("200", "Files cross as lines of text")
            case ("A", "T" | "C") | ("E", _) | ("L", _):
                return ok("504", "TYPE A N and TYPE I are what there is")
        return ok("501", "TYPE is A or I")

    @command("STRU", states=IN, args="structure", rfc="959 §4.1.2")
    def set_structure(self, structure: str) -> Reply:
        """Choose the structure of files: F, a sequence of octets."""
        if structure.upper() != "F":
            return ok("504", "STRU F is what there is")
        return ok("200", "Files have no structure")

    @command("MODE", states=IN, args="mode", rfc="959 §4.1.2")
    def set_mode(self, mode: str) -> Reply:
        """Choose the mode of transfer: S, a stream."""
        return ok("200", "Data is a stream") if mode.upper() == "S" else ok("504", "MODE S is what there is")

    # -- service, RFC 959 §4.1.3 ------------------------------------------------------------------------------

    @command("RETR", states=IN, args="path...", rfc="959 §4.1.3")
    async def retrieve(self, path: str) -> Reply:
        """Send a file to you."""
        names, start = self.at(path), self.take_restart()
        if start and self.ascii:
            return ok("550", "REST counts octets; send TYPE I first")
        download = Download(self.ascii)

        def prepare() -> None:
            descriptor = self.tree.read(names)
            if start > os.fstat(descriptor).st_size:
                os.close(descriptor)
                raise OSError(errno.ESPIPE, "beyond the end")
            download.open(descriptor, start)

        try:
            await trio.to_thread.run_sync(prepare)
        except OSError as error:
            if error.errno == errno.ESPIPE:
                return ok("554", "The file is shorter than that")
            raise

        async def move(data: DataConversation) -> Reply:
            await download.send(data)
            return ok("226", f"Complete: {download.count.octets} octets")

        async def give_up() -> None:
            download.close()

        reply = self.begin_transfer("RETR", path, move, download.count, sending=True, give_up=give_up)
        return ok(reply, f"Here it comes: {download.size - start} octets of {virtual(names)}")

    @command("STOR", states=IN, args="path...", rfc="959 §4.1.3")
    async def store(self, path: str) -> Reply:
        """Take a file from you; one of that name is replaced when all of it is here."""
        return await self.receive("STOR", path, self.at(path), self.take_restart())

    @command("APPE", states=IN, args="path...", rfc="959 §4.1.3")
    async def append(self, path: str) -> Reply:
        """Take data from you, and add it to the end of a file."""
        self.take_restart()
        return await self.receive("APPE", path, self.at(path), None)

    @command("STOU", states=IN, args="[path...]", rfc="959 §4.1.3, 1123 §4.1.2.9")
    async def store_unique(self, path: str = "file") -> Reply:
        """Take a file from you, under a name that is not in use."""
        self.take_restart()
        names = self.at(path)
        for number in range(UNIQUE_TRIES):
            chosen = names if not number else (*names[:-1], f"{names[-1][:200]}.{number}")
            try:
                return await self.receive("STOU", virtual(chosen), chosen, 0, exclusive=True)
            except FileExistsError:
                continue
        return ok("553", "There are too many files of that name")

    async def receive(self, verb: str, path: str, names: Names, start: int | None, *,
                      exclusive: bool = False) -> Reply:
        """start: from where on the file is written; None for its end."""
        if start and self.ascii:
            return ok("550", "REST counts octets; send TYPE I first")

        def prepare() -> Writing:
            whole = start == 0 and not exclusive
            writing = self.tree.write(names, replace=whole, exclusive=exclusive)
            if start is not None and start > writing.size and not whole:
                writing.abandon()
                raise OSError(errno.ESPIPE, "beyond the end")
            return writing

        try:
            writing = await trio.to_thread.run_sync(prepare)
        except OSError as error:
            if error.errno == errno.ESPIPE:
                return ok("554", "The file is shorter than that")
            raise
        upload = Upload(writing, writing.size if start is None else start, self.ascii)

        def finish() -> None:
            writing.finish()
            self.tree.announce(names)

        async def move(data: DataConversation) -> Reply:
            await upload.receive(data)
            await trio.to_thread.run_sync(finish)
            return ok("226", f"Complete: {upload.count.octets} octets")

        async def give_up() -> None:
            await trio.to_thread.run_sync(writing.abandon)

        reply = self.begin_transfer(verb, path, move, upload.count, sending=False, give_up=give_up)
        # RFC 1123 §4.1.2.9 gives the words for STOU: programs read the name from them.
        return ok(reply, f"FILE: {virtual(names)}" if verb == "STOU" else f"Send it; it becomes {virtual(names)}")

    def begin_transfer(self, verb: str, asked: str, move: Callable[[DataConversation], Awaitable[Reply]],
                       count: Count, *, sending: bool,
                       give_up: Callable[[], Awaitable[None]] | None = None) -> str:
        """Have it carried as soon as this command's reply is out. Gives the code of that reply."""
        port, target = self.port, self.target
        self.port, self.target = None, 0

        async def reach() -> DataConversation:
            count.start()
            if port is not None:
                try:
                    return await port.accept()
                finally:
                    port.close()
            # RFC 959 §3.2: from the port below the control port; to the client's own control port by default.
            return await self.conversation.connect_back(target or self.conversation.client.port,
                                                        from_port=self.conversation.server.port - 1)

        self.transfer = Transfer(verb, asked, reach, move, count, sending=sending, give_up=give_up)
        return "150"

    @command("ALLO", states=IN, args="octets [R] [size]", rfc="959 §4.1.3")
    def allocate(self, octets: int, r: str = "", size: str = "") -> Reply:
        """Set room aside for a file; that is not necessary here."""
        return ok("202", "No need to reserve room here")

    @command("REST", states=IN, args="octets", rfc="3659 §5")
    def restart_at(self, octets: int) -> Reply:
        """Begin the next transfer at this octet of the file."""
        self.restart = octets
        return ok("350", f"The next transfer begins at octet {octets}; send RETR or STOR")

    def take_restart(self) -> int:
        restart, self.restart = self.restart, 0
        return restart

    @command("RNFR", states=IN, args="path...", rfc="959 §4.1.3")
    async def rename_from(self, path: str) -> Reply:
        """Name the file that is to have another name."""
        names = self.at(path)
        await trio.to_thread.run_sync(self.tree.stat, names)
        self.renaming = names
        return ok("350", "And its new name? Send RNTO")

    @command("RNTO", states=IN, args="path...", rfc="959 §4.1.3")
    async def rename_to(self, path: str) -> Reply:
        """Give the file named before this name."""
        old, self.renaming = self.renaming, ()
        if not old:
            return ok("503", "Send RNFR first")
        names = self.at(path)
        await trio.to_thread.run_sync(self.tree.rename, old, names)
        return ok("250", f"It is {virtual(names)} now")

    @command("ABOR", states=ANY, rfc="959 §4.1.3")
    async def break_off(self) -> Reply:
        """Break off the transfer that is under way."""
        self.drop_port()
        return ok("226", "Broken off" if await self.abort() else "There was nothing to break off")

    @command("DELE", states=IN, args="path...", rfc="959 §4.1.3")
    async def delete(self, path: str) -> Reply:
        """Remove a file."""
        await trio.to_thread.run_sync(self.tree.remove, self.at(path))
        return ok("250", "Removed")

    @command("RMD", states=IN, args="path...", rfc="959 §4.1.3")
    async def remove_directory(self, path: str) -> Reply:
        """Remove an empty directory."""
        await trio.to_thread.run_sync(self.tree.remove_directory, self.at(path))
        return ok("250", "Removed")

    @command("MKD", states=IN, args="path...", rfc="959 §4.1.3")
    async def make_directory(self, path: str) -> Reply:
        """Make a directory."""
        names = self.at(path)
        await trio.to_thread.run_sync(self.tree.make_directory, names)
        return ok("257", f"{quoted(virtual(names))} is made")

    @command("PWD", states=IN, rfc="959 §4.1.3")
    def print_directory(self) -> Reply:
        """Say which directory you are in."""
        return ok("257", f"{quoted(virtual(self.cwd))} is where you are")

    # -- listings, RFC 959 §4.1.3 and RFC 3659 §7 -------------------------------------------------------------

    @command("LIST", states=IN, args="[path...]", rfc="959 §4.1.3")
    async def list_long(self, path: str = "") -> Reply:
        """List a directory, for people; as `ls -l` does."""
        path = without_options(path)
        entries = await trio.to_thread.run_sync(self.look, path)
        now = time.time()
        return self.send_lines("LIST", path, lambda: [
            long_line(name, status, self.tree.owner, now) for name, status in entries])

    @command("NLST", states=IN, args="[path...]", rfc="959 §4.1.3")
    async def list_names(self, path: str = "") -> Reply:
        """List the names in a directory, for programs."""
        path = without_options(path)
        entries = await trio.to_thread.run_sync(self.look, path)
        # RFC 1123 §4.1.2.7: what is listed must be usable as a path, so a path asked for comes before each name.
        head = path.rpartition("/")[0] if "*" in path or "?" in path else path
        before = f"{head.rstrip('/')}/" if head and not (len(entries) == 1 and entries[0][0] == path) else ""
        return self.send_lines("NLST", path, lambda: [before + name for name, _ in entries])

    @command("MLSD", states=IN, args="[path...]", rfc="3659 §7")
    async def list_facts(self, path: str = "") -> Reply:
        """List a directory with facts about each file, for programs."""
        names = self.at(path)
        entries = await trio.to_thread.run_sync(self.tree.entries, names)
        return self.send_lines("MLSD", path, lambda: self.fact_lines(names, entries))

    def fact_lines(self, names: Names, entries: list[Entry]) -> list[str]:
        """In a worker thread. The directory itself first, and the one above."""
        lines = [f"{self.facts_of(self.tree.stat(names), 'cdir', names)} {virtual(names)}"]
        if names:
            lines.append(f"{self.facts_of(self.tree.stat(names[:-1]), 'pdir', names[:-1])} {virtual(names[:-1])}")
        return lines + [f"{self.facts_of(status, kind_of(status), (*names, name))} {name}"
                        for name, status in entries]

    def facts_of(self, status: os.stat_result, kind: str, names: Names) -> str:
        return facts(status, kind, self.facts, writable=self.tree.writable(names), movable=self.tree.movable(names))

    @command("MLST", states=IN, args="[path...]", rfc="3659 §7")
    async def show_facts(self, path: str = "") -> Reply:
        """Show facts about one file or directory."""
        names = self.at(path)
        status = await trio.to_thread.run_sync(self.tree.stat, names)
        return ok("250", "Facts follow", f" {self.facts_of(status, kind_of(status), names)} {virtual(names)}", "End")

    def look(self, path: str) -> list[Entry]:
        """What LIST and NLST show: a directory's entries, those that a pattern in the last name matches, or one
        file. In a worker thread."""
        head, _, pattern = path.rpartition("/")
        if "*" in pattern or "?" in pattern:
            found = self.tree.entries(self.at(head or ("/" if path.startswith("/") else "")))
            return [entry for entry in found if fnmatch.fnmatchcase(entry[0], pattern.replace("[", "[[]"))]
        names = self.at(path)
        status = self.tree.stat(names)
        return self.tree.entries(names) if stat.S_ISDIR(status.st_mode) else [(path, status)]

    def send_lines(self, verb: str, path: str, lines: Callable[[], list[str]]) -> Reply:
        """Send lines over a data connection. lines: called in a worker thread."""
        count = Count()

        def render() -> bytes:
            text = "".join(f"{line}\r\n" for line in lines()).encode("utf-8", "replace")
            count.add(text)
            return text

        async def move(data: DataConversation) -> Reply:
            text = await trio.to_thread.run_sync(render)
            view = memoryview(text)
            for start in range(0, len(text), 65536):
                await data.send(bytes(view[start:start + 65536]))
            return ok("226", "That is all")

        return ok(self.begin_transfer(verb, path, move, count, sending=True), "Here comes the list")

    @command("SIZE", states=IN, args="path...", rfc="3659 §4")
    async def size(self, path: str) -> Reply:
        """Say how many octets a file is when it crosses in the present TYPE."""
        def measure() -> int:
            descriptor = self.tree.read(self.at(path))
            try:
                return size_in_ascii(descriptor) if self.ascii else os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)

        return ok("213", str(await trio.to_thread.run_sync(measure)))

    @command("MDTM", states=IN, args="path...", rfc="3659 §3")
    async def modified(self, path: str) -> Reply:
        """Say when a file was last changed, in UTC."""
        status = await trio.to_thread.run_sync(self.tree.stat, self.at(path))
        if stat.S_ISDIR(status.st_mode):
            raise OSError(errno.EISDIR, "a directory")
        return ok("213", grammar.time_value(status.st_mtime))

    @command("MFMT", states=IN, args="time path...", rfc="3659 §3")
    async def set_modified(self, moment: float, path: str) -> Reply:
        """Set when a file was last changed."""
        await trio.to_thread.run_sync(self.tree.set_modified, self.at(path), moment)
        return ok("213", f"Modify={grammar.time_value(moment)}; {path}")

    # -- information, RFC 959 §4.1.3, 2389, 2640 --------------------------------------------------------------

    @command("SITE", states=IN, args="command [rest...]", rfc="959 §4.1.3, 1123 §4.1.2.8")
    async def site(self, word: str, rest: str = "") -> Reply:
        """Use what only this server has: CHMOD, HELP."""
        if word.upper() == "HELP":
            return ok("214", "SITE CHMOD mode path")
        if word.upper() != "CHMOD":
            return ok("504", "SITE HELP lists what there is")
        mode, _, path = rest.partition(" ")
        if not path or len(mode) > 4 or not all(digit in "01234567" for digit in mode):
            return ok("501", "SITE CHMOD wants an octal mode and a path")
        await trio.to_thread.run_sync(self.tree.set_mode, self.at(path), int(mode, 8))
        return ok("200", "The mode is set")

    @command("SYST", states=ANY, rfc="959 §4.1.3")
    def system(self) -> Reply:
        """Say what kind of system this is, so that listings can be read."""
        return ok("215", "UNIX Type: L8")

    @command("STAT", states=IN, args="[path...]", rfc="959 §4.1.3")
    async def status(self, path: str = "") -> Reply:
        """Say how things stand, or list a directory over this connection."""
        if not path:
            return ok("211", "How things stand:", *self.standing(), "End")
        entries = await trio.to_thread.run_sync(self.look, without_options(path))
        now = time.time()
        return ok("213", f"Status of {path}:",
                  *(" " + long_line(name, status, self.tree.owner, now) for name, status in entries), "End")

    def standing(self) -> list[str]:
        client = self.conversation.client
        lines = [f"Connected from {client.host}, {'encrypted' if self.conversation.secure else 'in clear text'}",
                 f"Logged in as {self.tree.owner or 'anonymous'}, in {virtual(self.cwd)}",
                 f"TYPE {'A' if self.ascii else 'I'}, STRU F, MODE S, PROT {'P' if self.protected else 'C'}"]
        if self.transfer is not None:
            lines.append(f"{self.transfer.verb} {self.transfer.asked}: {self.transfer.count.octets} octets so far")
        return lines

    @command("HELP", states=ANY, args="[command]", rfc="959 §4.1.3")
    def help(self, name: str = "") -> Reply:
        """List the commands, or explain one."""
        if not name:
            words = list(self.commands)
            return ok("214", "These commands are known:",
                      *(" ".join(words[start:start + 8]) for start in range(0, len(words), 8)),
                      "HELP NAME explains one")
        row = self.commands.get(name.upper())
        return ok("214", f"{row.usage}: {row.help}") if row else ok("501", "HELP alone lists the commands")

    @command("NOOP", states=ANY, rfc="959 §4.1.3")
    def do_nothing(self) -> Reply:
        """Do nothing; show that the connection lives."""
        return ok("200", "Still here")

    @command("FEAT", states=ANY, rfc="2389 §3")
    def features(self) -> Reply:
        """List what this server can do beyond RFC 959."""
        shown = "".join(f"{name}{'*' if name in self.facts else ''};" for name in FACTS)
        lines = [f"MLST {shown}" if word == "MLST" else word for word in FEATURES]
        if self.server.upgrade and not self.conversation.secure:
            lines.append("AUTH TLS")
        return ok("211", "Features:", *lines, "LANG EN*", "End")

    @command("OPTS", states=ANY, args="command [options...]", rfc="2389 §4")
    def set_options(self, name: str, options: str = "") -> Reply:
        """Choose how another command behaves."""
        match name.upper():
            case "UTF8":  # never an RFC, but common before RFC 2640's "UTF-8 always" was
                return ok("200", "Names are always in UTF-8") if options.upper() in ("", "ON", "NLST") else ok(
                    "504", "Names are always in UTF-8")
            case "MLST":
                wanted = [word.casefold() for word in options.split(";")]
                self.facts = tuple(fact for fact in FACTS if fact.casefold() in wanted)
                return ok("200", "MLST OPTS " + "".join(f"{fact};" for fact in self.facts))
        return ok("501", "There are options for MLST and UTF8")

    @command("LANG", states=ANY, args="[tag]", rfc="2640 §4")
    def use_language(self, tag: str = "") -> Reply:
        """Choose the language of the replies."""
        return ok("200", "English it is") if tag.lower() in ("", "en") else ok("504", "The replies are in English")


def kind_of(status: os.stat_result) -> str:
    return "dir" if stat.S_ISDIR(status.st_mode) else "file"


def without_options(path: str) -> str:
    """LIST -la: options of `ls` that some clients send; a listing here shows everything anyway."""
    while path.startswith("-"):
        path = path.partition(" ")[2]
    return path


def serve(context: Context) -> Service:
    """Build the service of `context.role`: ftp or ftps."""
    settings = context.config
    domains = context.world.domains
    server = Server(context.world.accounts, context.world.open_files(settings.files.quota, settings.files.entries),
                    settings.ftp.anonymous, f"ftp.{domains[0].name}" if domains else "ftp.sandbox.test",
                    upgrade=context.role.tls is Tls.UPGRADE)

    async def session(conversation: Conversation) -> None:
        await Ftp(conversation, server).run()

    return Service(session=session, busy=b"421 Too many connections; try again later\r\n")
