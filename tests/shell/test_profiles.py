"""Profiles and commands of browsers and mail programs, as files."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.datafolder import Endpoint
from sandbox.errors import UserError
from sandbox.pki import ca_path
from sandbox.pki.authority import Authority
from sandbox.shell import browsers, mailers
from sandbox.shell.mailers import Mailbox
from sandbox.shell.profiles import nss_database

PERSON = Mailbox("Alice Example", "alice", "wonderland", "alice@example.com")
SERVICES = {"imaps": Endpoint("mail.example.com", 993), "submissions": Endpoint("mail.example.com", 465)}


@pytest.fixture
def ca(tmp_path: Path) -> str:
    Authority.open(tmp_path / "ca")
    return str(tmp_path / "ca" / "ca.pem")


def test_the_first_browser_there_is_is_chosen() -> None:
    there = {"firefox-esr": "/usr/bin/firefox-esr", "google-chrome": "/usr/bin/google-chrome"}
    assert browsers.chosen(which=there.get) == "/usr/bin/google-chrome"
    assert browsers.chosen("firefox-esr", which=there.get) == "/usr/bin/firefox-esr"
    assert browsers.chosen(which=lambda name: None) == ""


def test_without_certutil_the_authority_is_let_pass_and_it_is_said(
        tmp_path: Path, ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.shell.profiles.shutil.which", lambda name: None)
    start = browsers.prepare("/usr/bin/chromium", ["http://a/"], tmp_path / "p", ca, spki="abc=", root=True)
    assert "--ignore-certificate-errors-spki-list=abc=" in start.command
    assert "--no-sandbox" in start.command
    assert any("certutil is missing" in note for note in start.notes)
    fox = browsers.prepare("/usr/bin/firefox", ["http://a/"], tmp_path / "f", ca, pac="http://h/proxy.pac")
    assert 'user_pref("network.proxy.autoconfig_url", "http://h/proxy.pac");' in fox.files["user.js"]
    assert 'user_pref("dom.security.https_first", false);' in fox.files["user.js"]
    assert any("certutil is missing" in note for note in fox.notes)


@pytest.mark.program("certutil", "libnss3-tools")
def test_the_authority_is_in_the_database(tmp_path: Path, ca: str) -> None:
    assert nss_database(tmp_path / "db", ca)
    listed = subprocess.run(["certutil", "-L", "-d", f"sql:{tmp_path / 'db'}"], capture_output=True, text=True,
                            check=True)
    assert "Sandbox" in listed.stdout
    start = browsers.prepare("/usr/bin/chromium", [], tmp_path / "p", ca)
    assert start.notes == []
    assert start.variables == {"XDG_DATA_HOME": str(tmp_path / "p" / "data")}


def test_a_snap_gets_a_profile_it_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "realpath", lambda path: "/usr/bin/snap")
    folder = browsers.profile_folder("/snap/bin/firefox", Path("/tmp/x/profile"), home=tmp_path)
    assert folder == tmp_path / "snap" / "firefox" / "common" / "profile"


@pytest.mark.parametrize(("program", "file", "said"), [
    ("mutt", "muttrc", 'set imap_pass = "wonderland"'), ("neomutt", "muttrc", "smtps://alice@mail.example.com:465/"),
    ("aerc", "accounts.conf", "imaps://alice:wonderland@mail.example.com:993"),
    ("thunderbird", "user.js", 'user_pref("mail.server.server1.port", 993);')])
def test_mail_programs_get_an_account(tmp_path: Path, ca: str, program: str, file: str, said: str) -> None:
    start = mailers.prepare(f"/usr/bin/{program}", PERSON, SERVICES, tmp_path / "p", ca)
    assert said in start.files[file]


def test_a_sandbox_without_mail_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="imaps"):
        mailers.prepare("/usr/bin/mutt", PERSON, {}, tmp_path, "")


@pytest.mark.program("mutt", "mutt")
def test_mutt_takes_its_settings(tmp_path: Path, ca: str) -> None:
    start = mailers.prepare(shutil.which("mutt") or "mutt", PERSON, SERVICES, tmp_path / "p", ca)
    said = subprocess.run([*start.command, "-Q", "from"], capture_output=True, text=True, check=True,
                          env=os.environ | {"HOME": str(tmp_path)})
    assert said.stdout.strip() == 'from="alice@example.com"'


def test_the_authoritys_file_is_the_one_of_the_data_folder(tmp_path: Path) -> None:
    assert ca_path(tmp_path).name == "ca.pem"
