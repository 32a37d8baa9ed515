"""Builds the SMTP services: the mail exchanger with the queue's carrier, and the submission servers."""

from __future__ import annotations

from sandbox.protocols.contract.conversation import Conversation, SessionHandler
from sandbox.protocols.contract.later import Later
from sandbox.protocols.contract.registry import Context, Service, Tls

__all__ = ["serve"]

BUSY = b"421 4.3.2 Too many connections; try again later\r\n"


def serve(context: Context) -> Service:
    """Build the service of `context.role`: smtp, submission or submissions."""
    world, settings = context.world, context.config.mail
    store = world.open_mail(settings.durability, settings.quota)
    domains = world.domain_names
    hostname = f"mail.{domains[0]}" if domains else "mail.sandbox.test"

    def build() -> SessionHandler:
        from sandbox.protocols.smtp.envelope import Office
        from sandbox.protocols.smtp.session import Smtp
        office = Office(
            accounts=world.accounts.get, store=store, domains=domains, hostname=hostname,
            submission=context.role.name != "smtp", catch_all=settings.catch_all,
            upgrade=context.role.tls is Tls.UPGRADE, require_tls=settings.require_tls,
            channel_binding=settings.channel_binding, size=settings.size)

        async def session(conversation: Conversation) -> None:
            dialogue = Smtp(conversation, office)
            dialogue.mask_passwords = context.config.journal.mask_passwords
            await dialogue.run()

        return session

    async def carry() -> None:
        # Imported when all listeners accept already; and the endpoints are complete only now.
        from sandbox.protocols.smtp.exchangers import Exchangers
        from sandbox.protocols.smtp.queue import Carrier
        exchangers = Exchangers(context.dial, context.endpoints["dns"])
        await Carrier(store, exchangers, context.dial, context.endpoints["smtp"].port, hostname, settings.retry).run()

    carries = context.role.name == "smtp" and "dns" in context.endpoints
    return Service(session=Later(build), busy=BUSY, task=carry if carries else None)
