"""Where an accepted message goes, and what its sender is told at once."""

from __future__ import annotations

import trio

from sandbox.protocols.smtp import bounce
from sandbox.protocols.smtp.envelope import CATCH_ALL, Envelope, Office
from sandbox.protocols.threads import settled
from sandbox.world.mail import Delivery, Outbound
from sandbox.world.mail.origins import Origin

__all__ = ["places", "report_success"]


def places(envelope: Envelope) -> tuple[list[Delivery], list[Outbound]]:
    """Where a message goes: mailboxes here, and other servers."""
    deliveries: dict[tuple[str, str], Delivery] = {}
    outbound: dict[str, Outbound] = {}
    for recipient in envelope.recipients:
        address = str(recipient.mailbox)
        if recipient.account:
            key = (recipient.account, address if recipient.account == CATCH_ALL else "")
            deliveries.setdefault(key, Delivery(recipient.account, address))
        else:
            facts = bounce.Facts.of(envelope.parameters, recipient.parameters)
            outbound.setdefault(address, Outbound(envelope.return_path, address, facts.encode()))
    return list(deliveries.values()), list(outbound.values())


async def report_success(office: Office, envelope: Envelope, content: int, origin: Origin | int = 0) -> None:
    """NOTIFY=SUCCESS (RFC 3461 §5.2.2): tell the sender what arrived in mailboxes here, where that was
    wanted. origin: the exchange that the report is because of. Raises KeyError, OSError, sqlite3.Error."""
    outcomes = []
    for recipient in envelope.recipients:
        facts = bounce.Facts.of(envelope.parameters, recipient.parameters)
        if recipient.account and facts.wants("SUCCESS"):
            outcomes.append(bounce.Outcome(str(recipient.mailbox), facts, "delivered", "2.1.5"))
    if not outcomes or envelope.sender is None:
        return
    store = office.store
    original = await trio.to_thread.run_sync(lambda: next(store.read(content), b""))
    spool = store.spool()
    text = bounce.report(envelope.return_path, outcomes, original, office.hostname)
    spool.add(text)
    spool.seal()
    facts = bounce.needs(envelope.return_path, text)
    onward = Outbound("", envelope.return_path, facts.encode())
    await settled(store.store(b"", spool, [], [onward], origin=origin))
