"""Filling in a command's places: where services are, and who lives in the world."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.address import Address
from sandbox.protocols.contract.registry import PROTOCOLS

__all__ = ["filled", "places"]

PLACE = re.compile(r"\{([a-z][a-z0-9.-]*)\}")

CAST: Mapping[str, str] = {"login": "alice", "password": "wonderland", "other": "bob", "domain": "example.com",
                           "elsewhere": "example.org"}
"""Those of the built-in world."""


def places(endpoints: Mapping[str, Address] | None = None, cast: Mapping[str, str] | None = None) -> dict[str, str]:
    """What stands for each place. endpoints: where the services are that run, by role; those that do not, and all
    without them, stand for their high port on this machine; cast: as CAST."""
    found = {**CAST, **(cast or {})}
    for protocol in PROTOCOLS:
        for role in protocol.roles:
            address = (endpoints or {}).get(role.name) or Address("127.0.0.1", role.high)
            found |= {role.name: str(address), f"{role.name}.host": address.host,
                      f"{role.name}.port": str(address.port)}
    return found


def filled(command: str, where: Mapping[str, str]) -> str:
    """A command with its places filled in; what is no place, such as curl's %{http_code}, stays."""
    return PLACE.sub(lambda match: where.get(match[1], match[0]), command)
