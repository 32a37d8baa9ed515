"""The situations that the knowledge explains are those the code can find."""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.explain import lookup
from sandbox.net.layers.tls import engine, handshake, names
from sandbox.net.layers.tls.handshake import CLIENT_ALERTS, SERVER_ALERTS, SITUATIONS, situation

ENGINE = Path(engine.__file__).read_text("utf-8")


def test_the_engine_finds_no_other() -> None:
    found = set(re.findall(r'situation="([a-z0-9-]+)"', ENGINE)) | set(re.findall(r'_refuse\("([a-z-]+)"', ENGINE))
    assert found
    assert found <= SITUATIONS


def test_each_can_be_found() -> None:
    from_alerts = {*CLIENT_ALERTS.values(), *SERVER_ALERTS.values(), situation("internal_error", ""),
                   situation("", "internal_error"), situation("", "")}
    assert from_alerts <= SITUATIONS
    for term in SITUATIONS - from_alerts - {"truncated"}:  # which the driver says, from Engine.truncated
        assert f'"{term}"' in ENGINE, term


def test_what_an_exchange_of_a_handshake_is_explained_by_exists() -> None:
    """The keys that the conversation gives its TLS exchanges: tls:version.X when it went well, else a situation."""
    for version in engine.OPENSSL_VERSIONS.values():
        assert lookup("tls", "version", version) is not None, version
    for term in SITUATIONS:
        assert lookup("tls", "situation", term) is not None, term


def test_alerts_that_lead_to_a_situation_exist() -> None:
    assert {*handshake.CLIENT_ALERTS, *handshake.SERVER_ALERTS} <= set(names.table("alerts").values())
