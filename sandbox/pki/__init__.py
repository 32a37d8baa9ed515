"""The sandbox's certificate authority and the certificates it issues.

One authority per data folder, made at the first start, so that a browser has to trust it only once. Certificates
are issued on demand for exactly the name (or IP address) a client asked for.

`cryptography` takes a tenth of a second to import: this module does not import it, and neither may anything that
runs before the first TLS handshake or the first look at the authority.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["ca_folder", "ca_path"]


def ca_folder(data: Path) -> Path:
    """Where the authority of a data folder keeps its files."""
    return data / "ca"


def ca_path(data: Path) -> Path:
    """The file a client has to trust: the authority's certificate, in PEM."""
    return ca_folder(data) / "ca.pem"
