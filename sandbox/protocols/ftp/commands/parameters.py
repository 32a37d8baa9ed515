"""How data is to cross: RFC 959 §4.1.2 and RFC 2428."""

from __future__ import annotations

from sandbox.address import Address
from sandbox.protocols.ftp import grammar
from sandbox.protocols.ftp.encrypted_port import EncryptedPort
from sandbox.protocols.ftp.state import IN, Stateful, ok
from sandbox.protocols.lines.command import Reply, command

__all__ = ["Parameters"]

FIRST_PORT = 1024
"""No data connection goes to a port below: a service is there, not a client (RFC 2577 §3)."""


class Parameters(Stateful):
    """Where the data connection is, and the form of what passes over it."""

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
            port = self.conversation.listen()
        except OSError:
            return ok("425", "No port is free for data; try again in a moment")
        self.port = EncryptedPort(port, self.nursery) if self.protected else port
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
