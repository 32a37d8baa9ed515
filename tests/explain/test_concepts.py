"""The concepts: what their files hold, and how they are found."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sandbox.address import Address
from sandbox.explain.concepts import Concept, about, concepts, filled, find, get, parse, places, suggest
from sandbox.explain.knowledge import KnowledgeError, entries
from sandbox.filter import parse as parse_filter
from sandbox.journal.reader import Reader
from sandbox.journal.store import FILE


@pytest.mark.parametrize("word", ["status-code", "Status Code", "STATUS CODES", "response code", "status"])
def test_a_concept_is_found_by_any_of_its_names(word: str) -> None:
    assert get("status-code") in find(word)


def test_what_is_none() -> None:
    assert [find(word) for word in ("xyzzy", "", "s")] == [[], [], []]
    assert get("Status code") is None
    assert suggest("statuscode")[0] == "Status code"


def test_a_word_of_the_wire_leads_to_its_concepts() -> None:
    assert "status-code" in [concept.name for concept in about("http", "status", "404")]
    assert about("http", "nothing", "404") == []


def test_places_are_those_of_the_sandbox_that_runs() -> None:
    where = places({"dns": Address("::1", 53)}, {"login": "zoe"})
    command = "dig @{dns.host} -p {dns.port}; curl -w '%{http_code}' {http} {login}@{domain} {nobody}"
    assert filled(command, where) == (
        "dig @::1 -p 53; curl -w '%{http_code}' 127.0.0.1:8080 zoe@example.com {nobody}")
    assert places()["https"] == "127.0.0.1:8443"


@pytest.mark.parametrize(("text", "says"), [
    ("[Status]\ntitle = 'x'", "[Status]: expected a name of small letters"),
    ("[a]\ntitle = 'x'", "web.toml: [a]: Object missing required field `text`"),
    ("[a]\ntitle = 'x'\ntext = 'x'\nrfc = []\nrelated = []\nfoo = 1", "unknown field `foo`"),
    ("a = 1", "[a]: Expected `object`"),
    ("[a", "web.toml: "),
])
def test_a_file_that_breaks_the_schema(text: str, says: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        parse("web", text, "web.toml")
    assert says in str(caught.value)


def test_they_are_kept() -> None:
    assert concepts() is concepts()


COURSE = """
    HTTP, HTTPS, client, server, client and server, method, methods, status code, status codes, header, header fields,
    query, query string, body, TCP/IP, DNS, FTP, SFTP, SSL, TLS, SMTP, POP3, IMAP, TCP, IP, UDP, port, proxy, cookie,
    certificate, SNI, three-way handshake, URL, MX, relay, mailbox, encoding, request, response, resolver, zone,
    record, TTL, SSH, certificate authority, cipher, public key, session, packet, socket, firewall, NAT, localhost,
    domain, host, caching, redirect, authentication, MIME, attachment, spam, SPF, envelope, bounce, queue,
    active mode, passive mode, active/passive mode, stateless, spam/SPF
"""


@pytest.mark.parametrize("word", [" ".join(word.split()) for word in COURSE.split(",")])
def test_the_words_of_a_course_are_known(word: str) -> None:
    assert find(word)


def test_all_meanings_of_a_word_are_found() -> None:
    assert {concept.name for concept in find("encoding")} == {"character-encoding", "content-coding",
                                                              "transfer-encoding"}
    assert len(find("session")) == len(find("handshake")) == len(find("header")) == 2


def test_names_are_unique() -> None:
    names = [concept.name for concept in concepts()]
    assert len(set(names)) == len(names)


EACH = [pytest.param(concept, id=concept.name) for concept in concepts()]


@pytest.mark.parametrize("concept", EACH)
def test_a_concept_is_short_and_whole(concept: Concept) -> None:
    said = re.split(r"(?<=[.?!]) (?=[^a-z])", concept.text)
    assert 3 <= len(said) <= 8
    assert concept.text.endswith(".")
    assert "!" not in concept.text
    assert max(len(each.split()) for each in said) <= 35
    assert concept.rfc
    assert all(re.fullmatch(r"RFC [1-9]\d*( §[A-Z0-9][0-9.]*)?|draft-[a-z0-9-]+", rfc) for rfc in concept.rfc)
    assert all(trial.see.endswith(".") for trial in concept.trials)


@pytest.mark.parametrize("concept", EACH)
def test_what_a_concept_leads_to_is_there(concept: Concept) -> None:
    assert concept.related
    assert all(get(name) and name != concept.name for name in concept.related)
    parse_filter(concept.filter)
    for entry in concept.entries:
        protocol, _, rest = entry.partition(":")
        kind, dot, term = rest.partition(".")
        assert any(known.kind == kind and (not dot or known.term == term) for known in entries(protocol)), entry


def test_every_concept_is_led_to() -> None:
    led_to = {name for concept in concepts() for name in concept.related}
    assert {concept.name for concept in concepts()} - led_to == set()


PROGRAMS = {"curl": "curl", "dig": "bind9-dnsutils", "nc": "netcat-openbsd", "swaks": "swaks", "openssl": "openssl",
            "xxd": "xxd"}
OURS = {"sandbox", "printf", "echo", "head", "cat"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A sandbox with all its services, whose data folder is where commands look for it."""
    home = tmp_path_factory.mktemp("concepts")
    environment = {**os.environ, "XDG_DATA_HOME": str(home), "HOME": str(home),
                   "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ready = home / "ready.json"
    with subprocess.Popen(["sandbox", "up", "--quiet", "--ports", "ephemeral", "--ready-file", ready],
                          env=environment) as process:
        subprocess.run(["sandbox", "ready", "--wait", "30"], env=environment, check=True, stdout=subprocess.DEVNULL)
        services = json.loads(ready.read_bytes())["services"]
        yield World(home / "sandbox" / FILE, environment,
                    places({name: Address(**address) for name, address in services.items()}))
        process.terminate()


class World(NamedTuple):
    journal: Path
    environment: dict[str, str]
    where: dict[str, str]

    def last(self) -> int:
        with Reader(self.journal) as reader:
            return reader.last()

    def finds(self, text: str, after: int) -> bool:
        with Reader(self.journal) as reader:
            return any(piece.exchanges for piece in reader.search(parse_filter(text), after=after))


@pytest.mark.parametrize("concept", EACH)
def test_its_commands_run_and_its_filter_finds_what_they_did(concept: Concept, world: World) -> None:
    before = world.last()
    for trial in concept.trials:
        command = filled(trial.command, world.where)
        used = set(re.findall(r"(?:^|[|(&;] *)([a-z]+)", re.sub(r"'[^']*'", "", command)))
        assert used <= PROGRAMS.keys() | OURS
        for program in used & PROGRAMS.keys():
            if not shutil.which(program):
                pytest.skip(f"needs {program}: apt-get install {PROGRAMS[program]}")
        done = subprocess.run(["bash", "-c", command], env=world.environment, timeout=30, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True)
        assert done.returncode == trial.status, f"{command}\n{done.stdout!r}\n{done.stderr!r}"
        assert done.stdout or done.stderr or concept.filter
    if concept.filter and concept.trials:
        until = time.monotonic() + 10  # what a command did is in the store some hundredths of a second later
        while not world.finds(concept.filter, before):
            assert time.monotonic() < until, f"{concept.filter} finds nothing"
