"""The pretend internet: accounts, zones, sites, files. Synchronous; knows no protocol word on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.world.zones import Zones

__all__ = ["World"]


class World:
    """Everything the protocols serve. (Grows with each room of the world.)"""

    zones: Zones
