"""Builds the IMAP services."""

from __future__ import annotations

from sandbox.protocols.contract.conversation import Conversation, SessionHandler
from sandbox.protocols.contract.later import Later
from sandbox.protocols.contract.registry import Context, Service, Tls

__all__ = ["serve"]


def serve(context: Context) -> Service:
    """Build the service of `context.role`: imap or imaps."""
    settings = context.config.mail
    domains = [domain.name for domain in context.world.domains]
    store = context.world.open_mail(settings.durability, settings.quota)

    def build() -> SessionHandler:
        from sandbox.protocols.imap.dialogue import ImapDialogue
        from sandbox.protocols.imap.library import Library
        from sandbox.protocols.imap.session import Mailboxes
        mailboxes = Mailboxes(
            accounts=context.world.accounts.get, store=store, library=Library(store),
            hostname=f"mail.{domains[0]}" if domains else "mail.sandbox.test",
            upgrade=context.role.tls is Tls.UPGRADE, require_tls=settings.require_tls,
            channel_binding=settings.channel_binding, size=settings.size)

        async def session(conversation: Conversation) -> None:
            dialogue = ImapDialogue(conversation, mailboxes)
            dialogue.mask_passwords = context.config.journal.mask_passwords
            await dialogue.run()

        return session

    return Service(session=Later(build), busy=b"* BYE [UNAVAILABLE] Too many connections; try again later\r\n")

