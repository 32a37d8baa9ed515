"""The guide for mail programs says where the services are."""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.protocols.contract.registry import PROTOCOLS, Tls

GUIDE = (Path(__file__).parent.parent / "docs" / "how-to" / "use-a-mail-program.md").read_text()

ENCRYPTION = {Tls.IMPLICIT: "SSL/TLS", Tls.UPGRADE: "STARTTLS, or none"}


def test_the_table_has_every_service_a_mail_program_uses() -> None:
    rows = re.findall(r"^\| (IMAP|POP3|SMTP)[^|]* \| (\d+) \| (.*) \| (\d+) \|$", GUIDE, re.MULTILINE)
    roles = {(protocol.name.upper(), str(role.high), ENCRYPTION[role.tls], str(role.port)) for protocol in PROTOCOLS
             for role in protocol.roles if protocol.name in ("imap", "pop3", "smtp") and role.name != "smtp"}
    assert set(rows) == roles
    assert len(rows) == len(roles)
