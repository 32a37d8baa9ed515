"""The key by which an SSH server is known. Made once for each data folder, and kept: clients remember it."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from sandbox.datafolder import write_whole
from sandbox.world.errors import WorldError

__all__ = ["HostKey", "load"]

ED25519 = 4
SHA256 = 2
"""Numbers of the algorithms in SSHFP records (RFC 4255 §3.1, RFC 6594, RFC 7479)."""


class HostKey(NamedTuple):
    """private: in OpenSSH's own form; public: "ssh-ed25519 AAAA...", as known_hosts has it after the name."""

    private: bytes
    public: str

    @property
    def _blob(self) -> bytes:
        return base64.b64decode(self.public.split()[1])

    @property
    def fingerprint(self) -> str:
        """Such as "SHA256:..." , as `ssh` shows it when it asks."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self._blob).digest()).decode().rstrip("=")

    @property
    def sshfp(self) -> str:
        """The data of an SSHFP record (RFC 4255)."""
        return f"{ED25519} {SHA256} {hashlib.sha256(self._blob).hexdigest()}"


def load(file: Path) -> HostKey:
    """The key of a file, made with mode 0600 where there is none. Raises WorldError for one that is no key."""
    try:
        private = file.read_bytes()
        key = load_ssh_private_key(private, None)
    except FileNotFoundError:
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        write_whole(file, private)  # through a temporary file, which is the owner's alone
    except (OSError, ValueError) as error:
        raise WorldError(str(file), found=f"something that cannot be used ({error})", expected="an SSH private key",
                         hint="Move it away to have a new one made.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise WorldError(str(file), found="a key of another kind", expected="an Ed25519 key",
                         hint="Move it away to have a new one made.")
    os.chmod(file, 0o600)
    return HostKey(private, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())
