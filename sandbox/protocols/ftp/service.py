"""Builds the FTP services."""

from __future__ import annotations

from sandbox.protocols.contract.conversation import Conversation, SessionHandler
from sandbox.protocols.contract.later import Later
from sandbox.protocols.contract.registry import Context, Service, Tls

__all__ = ["serve"]


def serve(context: Context) -> Service:
    """Build the service of `context.role`: ftp or ftps."""
    settings = context.config
    domains = context.world.domains
    files = context.world.open_files(settings.files.quota, settings.files.entries)

    def build() -> SessionHandler:
        from sandbox.protocols.ftp.session import Ftp
        from sandbox.protocols.ftp.state import FtpService
        server = FtpService(context.world.accounts, files, settings.ftp.anonymous,
                            f"ftp.{domains[0].name}" if domains else "ftp.sandbox.test",
                            upgrade=context.role.tls is Tls.UPGRADE)

        async def session(conversation: Conversation) -> None:
            dialogue = Ftp(conversation, server)
            dialogue.mask_passwords = context.config.journal.mask_passwords
            await dialogue.run()

        return session

    return Service(session=Later(build), busy=b"421 Too many connections; try again later\r\n")
