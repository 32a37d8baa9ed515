"""Builds the POP3 services."""

from __future__ import annotations

from sandbox.protocols.contract.conversation import Conversation, SessionHandler
from sandbox.protocols.contract.later import Later
from sandbox.protocols.contract.registry import Context, Service, Tls

__all__ = ["serve"]


def serve(context: Context) -> Service:
    """Build the service of `context.role`: pop3 or pop3s."""
    settings = context.config.mail
    domains = [domain.name for domain in context.world.domains]
    store = context.world.open_mail(settings.durability, settings.quota)

    def build() -> SessionHandler:
        from sandbox.protocols.pop3.session import Maildrops, Pop3
        maildrops = Maildrops(
            accounts=context.world.accounts.get, store=store,
            hostname=f"mail.{domains[0]}" if domains else "mail.sandbox.test",
            upgrade=context.role.tls is Tls.UPGRADE, require_tls=settings.require_tls,
            channel_binding=settings.channel_binding)

        async def session(conversation: Conversation) -> None:
            dialogue = Pop3(conversation, maildrops)
            dialogue.mask_passwords = context.config.journal.mask_passwords
            await dialogue.run()

        return session

    return Service(session=Later(build), busy=b"-ERR [SYS/TEMP] Too many connections; try again later\r\n")
