"""Where things are in the data folder.

    world.sqlite3       what was changed while the sandbox ran: people
    resources.sqlite3   the REST resources
    mail/               everybody's mail
    sites/HOST/         the pages of a site that has no folder of its own elsewhere
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["Files"]


class Files:
    """The paths of one data folder. They need not exist yet."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.store = data / "world.sqlite3"
        self.mail = data / "mail"
        self.resources = data / "resources.sqlite3"

    def site(self, host: str) -> Path:
        """The folder of a site's pages. host: a checked host name, so that it cannot lead elsewhere."""
        assert "/" not in host
        assert not host.startswith(".")
        return self.data / "sites" / host
