"""Where things are in the data folder.

    world.sqlite3       what was changed while the sandbox ran: people
    resources.sqlite3   the REST resources
    mail/               everybody's mail
    sites/HOST/         the pages of a site that has no folder of its own elsewhere
    homes/LOGIN/        the files of one person; www/ in it is their website
    public/             the files that everybody sees
    ssh_host_ed25519_key    by which SSH clients know this sandbox
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["MEMORY", "Files"]

MEMORY = ":memory:"
"""SQLite's name for a database that is in no file."""


class Files:
    """The paths of one data folder. They need not exist yet. kept: else databases are in memory,
    for a world that is thrown away."""

    def __init__(self, data: Path, *, kept: bool = True) -> None:
        self.data = data
        self.store: Path | str = data / "world.sqlite3" if kept else MEMORY
        self.mail = data / "mail"
        self.resources: Path | str = data / "resources.sqlite3" if kept else MEMORY
        self.public = data / "public"
        self.host_key = data / "ssh_host_ed25519_key"

    def site(self, host: str) -> Path:
        """The folder of a site's pages. host: a checked host name, so that it cannot lead elsewhere."""
        assert "/" not in host
        assert not host.startswith(".")
        return self.data / "sites" / host

    def home(self, login: str) -> Path:
        """The folder of one person's files. login: a checked one, so that it cannot lead elsewhere."""
        assert "/" not in login
        assert not login.startswith(".")
        return self.data / "homes" / login

    def make_home(self, login: str) -> None:
        """Make somebody's home with an empty website in it, where it is missing."""
        (self.home(login) / "www").mkdir(parents=True, exist_ok=True)
