"""FTP: RFC 959 with what was added since: 1123 §4.1, 2228 and 4217 (TLS), 2389 (FEAT), 2428 (EPRT, EPSV), 2577 (no
bounce), 2640 (UTF-8), 3659 (MLSD, SIZE, MDTM, REST).

Left out: record and page structure, block and compressed mode (no client of today has them), EBCDIC, CCC, and the
security mechanisms of RFC 2228 other than TLS. How commands and transfers go on side by side is in `dialogue`,
what a connection remembers in `state`, and the commands are in `commands`, by what they are for.
"""

from __future__ import annotations

from sandbox.protocols.ftp.commands.access import Access
from sandbox.protocols.ftp.commands.files import FileCommands
from sandbox.protocols.ftp.commands.information import Information
from sandbox.protocols.ftp.commands.listings import Listings
from sandbox.protocols.ftp.commands.parameters import Parameters
from sandbox.protocols.ftp.commands.security import Security
from sandbox.protocols.ftp.commands.transfers import Transfers

__all__ = ["Ftp"]


class Ftp(Access, Security, Parameters, Transfers, FileCommands, Listings, Information):
    """One control connection."""
