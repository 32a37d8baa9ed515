"""Every name the handshake can show has its sentence, and every sentence is about something that can be shown."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import sandbox.protocols.tls
from sandbox.net.tls import engine, handshake, names

KNOWLEDGE = tomllib.loads((Path(sandbox.protocols.tls.__file__).parent / "knowledge.toml").read_text("utf-8"))

PARTS = [names.suite_parts(name) for name in names.table("suites").values()]


@pytest.mark.parametrize(("kind", "terms"), [
    ("extension", {*names.table("extensions").values(), "GREASE"}),
    ("group", {*names.table("groups").values(), "GREASE"}),
    ("scheme", {*names.table("schemes").values(), "GREASE"}),
    ("alert", set(names.table("alerts").values())),
    ("version", {*names.VERSIONS.values(), "GREASE"}),
    ("outcome", {*engine.OPENSSL_VERSIONS.values(), "failed"}),
    ("exchange", {part.exchange for part in PARTS} - {""}),
    ("authentication", {part.authentication for part in PARTS} - {""}),
    ("cipher", {part.cipher for part in PARTS} - {""}),
    ("mode", {part.mode for part in PARTS} - {""}),
    ("hash", {part.hash for part in PARTS} - {""}),
    ("suite", {name for name in names.table("suites").values() if name.endswith("_SCSV")} | {"GREASE"}),
])
def test_every_name_is_explained_and_nothing_else(kind: str, terms: set[str]) -> None:
    assert set(KNOWLEDGE[kind]) == terms


def test_every_situation_is_explained_and_can_arise() -> None:
    text = Path(engine.__file__).read_text("utf-8") + Path(handshake.__file__).read_text("utf-8")
    known = set(KNOWLEDGE["situation"])
    assert {*handshake.CLIENT_ALERTS.values(), *handshake.SERVER_ALERTS.values()} <= known
    for term in known - {"truncated"}:  # which is an end of the connection, not of the handshake
        assert f'"{term}"' in text, term
    assert set(handshake.CLIENT_ALERTS) | set(handshake.SERVER_ALERTS) <= set(KNOWLEDGE["alert"])


def test_entries_are_sentences_with_their_source() -> None:
    for kind, entries in KNOWLEDGE.items():
        for term, entry in entries.items():
            assert set(entry) <= {"name", "text", "more", "rfc"}, (kind, term)
            assert entry["text"].endswith("."), (kind, term)
            assert len(entry["text"]) <= 140, (kind, term)
            assert entry["rfc"].startswith(("RFC ", "draft-", "ETSI ")), (kind, term)
