"""Profiles of browsers and mail programs, made for one run: the authority trusted, background traffic off."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

__all__ = ["FIREFOX", "THUNDERBIRD", "mozilla", "nss_database", "preferences"]

QUIET: Mapping[str, object] = {
    "app.normandy.enabled": False, "app.update.auto": False, "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False, "browser.newtabpage.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False, "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False, "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore", "browser.topsites.contile.enabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False, "dom.push.connection.enabled": False,
    "extensions.getAddons.cache.enabled": False, "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False, "geo.enabled": False, "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False, "network.prefetch-next": False, "network.trr.mode": 5,
    "services.settings.server": "http://localhost/", "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.unified": False, "trailhead.firstrun.didSeeAboutWelcome": True,
}
"""What Mozilla's programs do on their own account, turned off."""

FIREFOX: Mapping[str, object] = {
    **QUIET, "dom.security.https_first": False, "dom.security.https_first_schemeless": False,
    "dom.security.https_only_mode": False,
    "browser.fixup.fallback-to-https": False,
}
"""Plain HTTP stays plain, so that it can be seen."""

THUNDERBIRD: Mapping[str, object] = {
    **QUIET, "mail.shell.checkDefaultClient": False, "mail.spotlight.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    "mail.provider.suppress_dialog_on_startup": True, "mail.rights.version": 1, "app.donation.eoy.version.viewed": 99,
}


def preferences(some: Mapping[str, object]) -> str:
    """As user.js has them."""
    return "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in some.items())


def mozilla(profile: Path, some: Mapping[str, object], ca: str) -> bool:
    """Make a profile. Whether the authority could be put into it."""
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "user.js").write_text(preferences(some))
    return nss_database(profile, ca)


def nss_database(folder: Path, ca: str) -> bool:
    """A certificate database that trusts the authority. False where certutil (libnss3-tools) is missing or failed."""
    certutil = shutil.which("certutil")
    if certutil is None or not ca:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    where = ["-d", f"sql:{folder}"]
    for words in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "Sandbox", "-i", ca]):
        if subprocess.run([certutil, *where, *words], capture_output=True, check=False, timeout=30).returncode:
            return False
    return True
