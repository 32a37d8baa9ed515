"""Chromium and Firefox, as the guides start them, ask for http:// pages in plain HTTP, though they trust the
authority: without the switches they go to https:// by themselves, and there is no plain GET to look at."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from sandbox.address import Address
from sandbox.app import Sandbox
from sandbox.pki.trust import KEEP_HTTP, guides
from sandbox.websites.tour import things
from tests.support.network import reader
from tests.support.programs import run

ROOT = Path(__file__).parent.parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "tutorials" / "first-steps.md")
PAC = "http://127.0.0.1:8080/proxy.pac"
NEVER_OUTSIDE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


def command(page: Path) -> list[str]:
    """The line of a page that starts Chromium."""
    (line,) = re.findall(r"^chromium (?:.*\\\n)*.*$", page.read_text(), re.MULTILINE)
    return shlex.split(line.replace("\\\n", " "))


async def told(sandbox: Sandbox) -> list[tuple[str, str]]:
    """What was asked for of the page: service, address."""
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        return [(session.service, exchange.asked) for session, exchange in journal.exchanges()
                if exchange.verb == "GET" and exchange.asked == "www.example.com/"]


async def chromium(sandbox: Sandbox, folder: Path, words: list[str]) -> list[tuple[str, str]]:
    """Run a line of the guides with a database that trusts the authority; what was asked for."""
    data = folder / "data"
    steps = next(guide for guide in guides(str(sandbox.data / "ca"), "Sandbox", "x") if guide.key == "chromium").steps
    await run("env", f"HOME={folder}", f"XDG_DATA_HOME={data}", "sh", "-ec", "\n".join(steps[1:4]))
    words = [word.replace(PAC, f"http://{sandbox.endpoints['http']}/proxy.pac")
             .replace("$(mktemp -d)", str(folder / "profile")) for word in words]
    await run("env", f"HOME={folder}", f"XDG_DATA_HOME={data}", words[0], "--headless=new", "--no-sandbox",
              "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
              "--disable-quic", NEVER_OUTSIDE, "--dump-dom", *words[1:], seconds=60)
    return await told(sandbox)


@pytest.mark.program("chromium", "chromium")
@pytest.mark.program("certutil", "libnss3-tools")
async def test_chromium_as_the_readme_starts_it(sandbox: Sandbox, tmp_path: Path) -> None:
    assert await chromium(sandbox, tmp_path, command(PAGES[0])) == [("http", "www.example.com/")]
    assert (tmp_path / "data" / "pki" / "nssdb" / "cert9.db").exists()
    assert not (tmp_path / ".pki").exists(), "it would hide the user's own certificates"


@pytest.mark.program("chromium", "chromium")
@pytest.mark.program("certutil", "libnss3-tools")
async def test_chromium_without_the_switch_goes_to_https(sandbox: Sandbox, tmp_path: Path) -> None:
    """Which is why it is there; and it shows that the steps made it trust the authority."""
    words = [word for word in command(PAGES[0]) if word != KEEP_HTTP]
    assert await chromium(sandbox, tmp_path, words) == [("https", "www.example.com/")]


@pytest.mark.program("certutil", "libnss3-tools")
async def test_the_old_list_is_used_where_there_is_one(tmp_path: Path) -> None:
    from sandbox.pki.authority import Authority
    authority = Authority.open(tmp_path / "ca")
    old = tmp_path / ".pki" / "nssdb"
    old.mkdir(parents=True)
    await run("certutil", "-d", f"sql:{old}", "-N", "--empty-password")
    (guide,) = [guide for guide in guides(str(tmp_path / "ca"), authority.name, "x") if guide.key == "chromium"]
    home = ("env", f"HOME={tmp_path}", f"XDG_DATA_HOME={tmp_path / 'data'}", "sh", "-ec")
    await run(*home, "\n".join(guide.steps[1:4]))
    assert authority.name in (await run("certutil", "-d", f"sql:{old}", "-L")).text
    assert not (tmp_path / "data").exists()
    await run(*home, guide.undo)
    assert authority.name not in (await run("certutil", "-d", f"sql:{old}", "-L")).text


PREFERENCES = """
user_pref("network.proxy.type", 2);
user_pref("network.proxy.autoconfig_url", "http://{http}/proxy.pac");
user_pref("app.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "http://localhost/");
"""


@pytest.mark.program("firefox-esr", "firefox-esr")
@pytest.mark.program("certutil", "libnss3-tools")
@pytest.mark.parametrize(("setting", "service"), [
    ('user_pref("dom.security.https_first", false);', "http"), ("", "https")])
async def test_firefox_with_the_setting_of_the_guides_and_without(sandbox: Sandbox, tmp_path: Path, setting: str,
                                                                  service: str) -> None:
    profile = tmp_path / "profile"
    profile.mkdir()
    (profile / "user.js").write_text(PREFERENCES.format(http=sandbox.endpoints["http"]) + setting)
    ca = sandbox.data / "ca" / "ca.pem"
    await run("certutil", "-d", f"sql:{profile}", "-N", "--empty-password")
    await run("certutil", "-d", f"sql:{profile}", "-A", "-t", "C,,", "-n", "sandbox", "-i", ca)
    picture = tmp_path / "page.png"
    await run("env", f"HOME={tmp_path}", "MOZ_HEADLESS=1", "firefox-esr", "--headless", "--no-remote", "--profile",
              profile, "--screenshot", picture, "http://www.example.com/", seconds=90, status=None)
    assert (await told(sandbox))[:1] == [(service, "www.example.com/")]


def test_every_line_that_starts_chromium_keeps_http_plain() -> None:
    lines = [" ".join(command(page)) for page in PAGES]
    (guide,) = [guide for guide in guides("f", "n", "s") if guide.key == "chromium"]
    lines += [step for step in guide.steps if step.startswith("  chromium ")]
    assert len(lines) == 4
    assert all(KEEP_HTTP in line for line in lines)
    for page in PAGES:
        assert "dom.security.https_first" in page.read_text()
        assert re.search(r"asks\s+(?:no\s+)?DNS", page.read_text()), "with a proxy there is no question to see"
    script = (ROOT / "sandbox" / "dashboard" / "page" / "js" / "clients.js").read_text()
    assert all(KEEP_HTTP in line for line in script.splitlines() if "`chromium " in line)


async def test_the_tour_too(sandbox: Sandbox) -> None:
    endpoints = {"http": Address("127.0.0.1", 8080)}
    lines = [one.command for one in things(endpoints, sandbox.world, "sandbox.test")
             if one.command.startswith("chromium ")]
    assert lines
    assert all(KEEP_HTTP in line for line in lines)
