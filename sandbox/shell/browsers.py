"""Browsers: which one is there, and the command that starts it inside the sandbox's internet."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.shell.profiles import FIREFOX, mozilla, nss_database

__all__ = ["BROWSERS", "Start", "chosen", "prepare"]

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "brave-browser",
            "microsoft-edge")
MOZILLA = ("firefox", "firefox-esr", "librewolf")
BROWSERS = (*CHROMIUM, *MOZILLA)
"""Looked for in this order."""

PLAIN = "HttpsUpgrades,HttpsFirstBalancedMode,HttpsFirstBalancedModeAutoEnable,OptimizationHints,MediaRouter"
"""What turns http:// into https:// by itself, and what asks on its own account."""
FLAGS = ("--no-first-run", "--no-default-browser-check", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-quic", "--disable-default-apps",
         "--disable-domain-reliability",
         f"--disable-features={PLAIN}")


@dataclass
class Start:
    """A program to be started. notes: what a person should know, such as a certificate that is not trusted; files:
    those of the profile that teach something, by name."""

    command: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


def chosen(wanted: str = "", *, which: object = shutil.which) -> str:
    """The browser to start, "" where none is there. wanted: its name, or the path of its program."""
    assert callable(which)
    return next((found for name in ([wanted] if wanted else BROWSERS) if (found := which(name))), "")


def is_snap(program: str) -> bool:
    """Whether it is packed as a snap: such a program sees neither /tmp nor folders that begin with a dot."""
    return os.path.realpath(program).startswith("/snap/") or os.path.realpath(program) == "/usr/bin/snap"


def profile_folder(program: str, usual: Path, *, home: Path | None = None) -> Path:
    """Where a profile can be."""
    if not is_snap(program):
        return usual
    return (home or Path.home()) / "snap" / Path(program).name / "common" / usual.name


def prepare(program: str, urls: Sequence[str], folder: Path, ca: str, *, pac: str = "", spki: str = "",
            root: bool = False) -> Start:
    """Make a profile, and say how to start.

    folder: for the profile; ca: the file with the authority, "" for none; pac: the address of a proxy configuration,
    where the browser has no internet of its own; spki: the authority's hash, for when there is no certutil; root:
    whether it is started by root, as which Chromium's own sandbox does not work.
    """
    folder = profile_folder(program, folder)
    if Path(program).name in MOZILLA:
        return prepare_mozilla(program, urls, folder, ca, pac)
    start = Start([program, f"--user-data-dir={folder}", *FLAGS])
    start.variables["XDG_DATA_HOME"] = str(folder / "data")
    if ca and not nss_database(folder / "data" / "pki" / "nssdb", ca):
        start.command.append(f"--ignore-certificate-errors-spki-list={spki}")
        start.notes.append("certutil is missing (Debian: libnss3-tools): the sandbox's authority is let pass instead "
                           "of trusted, and certificates that are wrong on purpose look right.")
    if pac:
        start.command.append(f"--proxy-pac-url={pac}")
    if root:
        start.command.append("--no-sandbox")
    start.command += urls
    return start


def prepare_mozilla(program: str, urls: Sequence[str], folder: Path, ca: str, pac: str) -> Start:
    some: Mapping[str, object] = dict(FIREFOX)
    if pac:
        some = {**some, "network.proxy.type": 2, "network.proxy.autoconfig_url": pac}
    trusted = mozilla(folder, some, ca)
    start = Start([program, "--no-remote", "--profile", str(folder), *urls])
    start.files["user.js"] = (folder / "user.js").read_text()
    if ca and not trusted:
        start.notes.append("certutil is missing (Debian: libnss3-tools): import the authority yourself, under "
                           "Settings, Certificates, or https:// pages show a warning.")
    return start
