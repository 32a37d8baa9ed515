"""Encryption: AUTH, PBSZ and PROT of RFC 4217."""

from __future__ import annotations

from sandbox.protocols.ftp.state import ANY, Stateful, ok
from sandbox.protocols.lines.command import Reply, command

__all__ = ["Security"]


class Security(Stateful):
    """TLS for the control connection and for data connections."""

    @command("AUTH", states=ANY, args="mechanism", rfc="4217 §4")
    def secure(self, mechanism: str) -> Reply:
        """Encrypt the control connection from here on."""
        if mechanism.upper() not in ("TLS", "TLS-C", "SSL"):
            return ok("504", "AUTH TLS is what there is")
        if self.conversation.secure or not self.service.upgrade:
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
