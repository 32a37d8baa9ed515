"""Contexts: strong by default, bounded in number, and their key log for the owner alone."""

from __future__ import annotations

import contextlib
import os
import ssl
import stat
import time
from pathlib import Path

import pytest

from sandbox.net.layers.tls.contexts import Contexts, Site, Strength


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ca")


def handshake(server: ssl.SSLContext, name: str, client: ssl.SSLContext) -> ssl.SSLObject:
    """Join two ends in memory; the client's."""
    one, two = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(one, two, server_hostname=name), server.wrap_bio(two, one, server_side=True)]
    for _ in range(3):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
    return ends[0]


def test_only_strong_suites_by_default(folder: Path) -> None:
    context = Contexts(folder).get(Site("www.example.com"))
    names = [one["name"] for one in context.get_ciphers()]
    assert names
    for name in names:
        assert name.startswith(("TLS_", "ECDHE-"))
        assert "GCM" in name or "CHACHA20" in name
    for option in (ssl.OP_NO_COMPRESSION, ssl.OP_NO_RENEGOTIATION, ssl.OP_CIPHER_SERVER_PREFERENCE):
        assert context.options & option
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"])
def test_ec_and_rsa_clients_are_both_served(folder: Path, suite: str) -> None:
    contexts = Contexts(folder)
    server = contexts.get(Site("www.example.com"))
    client = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(suite)
    end = handshake(server, "www.example.com", client)
    chosen = end.cipher()
    assert chosen is not None
    assert chosen[0] == suite


def test_the_key_log_is_for_the_owner_alone_and_written_for_the_chosen_context(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "keys.log"
    log.write_text("# kept\n")
    log.chmod(0o644)
    server = Contexts(folder, keylog=log).get(Site("www.example.com", ("h2",)))
    client = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    client.set_alpn_protocols(["h2"])
    assert handshake(server, "www.example.com", client).selected_alpn_protocol() == "h2"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    lines = log.read_text().splitlines()
    assert lines[0] == "# kept"
    assert {line.split()[0] for line in lines[1:]} >= {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}


def test_file_descriptors_are_bounded(folder: Path, tmp_path: Path) -> None:
    contexts = Contexts(folder, keylog=tmp_path / "keys.log", size=4)
    contexts.get(Site("warm.example"))
    before = len(os.listdir("/proc/self/fd"))
    for number in range(20):
        contexts.get(Site(f"host{number}.example"))
    assert len(os.listdir("/proc/self/fd")) <= before + 4
    assert contexts.ready(Site("host0.example")) is None
    assert contexts.ready(Site("host19.example")) is not None


def test_what_is_used_stays(folder: Path) -> None:
    contexts = Contexts(folder, size=2)
    used = contexts.get(Site("used.example"))
    for number in range(5):
        contexts.get(Site(f"other{number}.example"))
        assert contexts.get(Site("used.example")) is used


@pytest.mark.parametrize("name", ["www.example.com", "expired.badtls.example.com"])
def test_a_context_is_made_anew_after_a_day(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    contexts = Contexts(folder)
    first = contexts.get(Site(name))
    assert contexts.get(Site(name)) is first
    later = time.time() + 86_401
    monkeypatch.setattr("time.time", lambda: later)
    assert contexts.ready(Site(name)) is None
    assert contexts.get(Site(name)) is not first


def test_one_context_for_each_list_of_protocols_and_strength(folder: Path) -> None:
    contexts = Contexts(folder)
    sites = [Site("a.example"), Site("a.example", ("h2",)), Site("a.example", (), Strength.LEGACY)]
    assert len({id(contexts.get(site)) for site in sites}) == 3


def test_nothing_of_the_key_stays_in_the_temporary_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Contexts(folder).get(Site("fresh.example"))
    assert list(tmp_path.iterdir()) == []
