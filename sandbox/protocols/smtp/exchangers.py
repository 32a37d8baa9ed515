"""Which servers take mail for a domain: a real question to the sandbox's own DNS (RFC 5321 §5.1, 7505).

It goes over TCP (RFC 7766), so that it is in the journal as any client's is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from sandbox.address import Address
from sandbox.protocols.contract.conversation import Cause, Closed, Dial

if TYPE_CHECKING:
    import dns.message

__all__ = ["Exchangers", "NoExchanger"]

SECONDS = 10
MOST = 10  # servers of one domain that are tried


class NoExchanger(Exception):
    """Nobody takes mail for this domain. status: the enhanced code; lasting: whether to give up at once."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.lasting = status.startswith("5")


class Exchangers:
    """Asks one DNS server. dial: opens a connection to it."""

    def __init__(self, dial: Dial, server: Address) -> None:
        self._dial = dial
        self._server = server

    async def find(self, domain: str, cause: Cause | int = 0) -> list[tuple[str, str]]:
        """(name, IP address) of each server that takes mail for a domain, the best first. cause: the exchange that
        makes us ask. Raises NoExchanger."""
        if domain.startswith("["):  # RFC 5321 §4.1.3
            literal = domain.strip("[]")
            return [(domain, literal[5:] if literal.lower().startswith("ipv6:") else literal)]
        answer = await self._ask(domain, "MX", cause)
        if answer.rcode() == 3:
            raise NoExchanger("5.1.2", f"there is no domain {domain}")
        records = sorted((record.preference, record.exchange.to_text(omit_final_dot=True))
                         for rrset in answer.answer if rrset.rdtype == 15 for record in rrset)
        if records and records[0][1] in ("", "."):
            raise NoExchanger("5.1.10", f"{domain} takes no mail")  # RFC 7505 §3
        names = [name for _, name in records[:MOST]] or [domain]  # RFC 5321 §5.1: no MX, then the host itself
        found = [(name, address) for name in names for kind in ("A", "AAAA")
                 for address in self._addresses(await self._ask(name, kind, cause))]
        if not found:
            raise NoExchanger("5.4.4", f"no server of {domain} has an address")
        return found

    def _addresses(self, answer: dns.message.Message) -> list[str]:
        return [record.address for rrset in answer.answer if rrset.rdtype in (1, 28) for record in rrset]

    async def _ask(self, name: str, kind: str, cause: Cause | int) -> dns.message.Message:
        import dns.exception
        import dns.message
        try:
            query = dns.message.make_query(name.encode("idna").decode() if not name.isascii() else name, kind)
            with trio.fail_after(SECONDS):
                wire = await self._dial(self._server, cause)
                try:
                    packet = query.to_wire()
                    await wire.send(len(packet).to_bytes(2, "big") + packet)
                    buffer = bytearray()
                    while len(buffer) < 2 or len(buffer) < 2 + int.from_bytes(buffer[:2], "big"):
                        data = await wire.receive()
                        if not data:
                            raise Closed
                        buffer += data
                finally:
                    await wire.aclose()
            answer = dns.message.from_wire(bytes(buffer[2:]))
        except (OSError, Closed, trio.TooSlowError, dns.exception.DNSException) as error:
            raise NoExchanger("4.4.3", f"DNS does not answer: {error}") from None
        except UnicodeError:
            raise NoExchanger("5.1.2", f"{name} cannot be a domain") from None
        if answer.rcode() not in (0, 3):
            raise NoExchanger("4.4.3", f"DNS cannot say where mail for {name} goes")
        return answer
