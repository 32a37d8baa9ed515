"""The engine behind a real socket, with OpenSSL's own client on the other side."""

from __future__ import annotations

import queue
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.net.layers.tls.contexts import Contexts, Strength, site_for
from sandbox.net.layers.tls.engine import Engine, State
from sandbox.net.layers.tls.handshake import HandshakeFacts, describe

pytestmark = pytest.mark.program("openssl", "openssl")


class Server:
    """Answers one connection after the other: each line of plain text comes back in capitals."""

    def __init__(self, contexts: Contexts, strength: Strength) -> None:
        self.contexts, self.strength = contexts, strength
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.ended: queue.SimpleQueue[tuple[Engine, HandshakeFacts]] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                self.converse(connection)

    def converse(self, connection: socket.socket) -> None:
        engine, came, went = Engine(), b"", b""
        while engine.state is not State.FAILED and not engine.peer_closed:
            data = connection.recv(65536)
            if not data:
                engine.receive_end()
                break
            came += data
            engine.receive(data)
            if engine.state is State.CONTEXT:
                engine.choose(self.contexts.get(site_for(engine.server_name, "127.0.0.1", (), self.strength)))
            if plain := engine.read():
                engine.write(plain.upper())
            out = engine.outgoing()
            went += out
            connection.sendall(out)
        engine.close()
        failure = engine.failure
        self.ended.put((engine, describe(came, went, cause=failure.situation if failure else "",
                                         alert=failure.received if failure else "")))
        if out := engine.outgoing():
            connection.sendall(out)

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ca")


@pytest.fixture(scope="module")
def contexts(folder: Path) -> Contexts:
    contexts = Contexts(folder)
    contexts.warm()  # the client reads ca.pem before the first handshake
    return contexts


@pytest.fixture(params=[Strength.MODERN])
def server(contexts: Contexts, request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(contexts, request.param)
    yield server
    server.close()


legacy = pytest.mark.parametrize("server", [Strength.LEGACY], indirect=True)


def s_client(server: Server, folder: Path, *arguments: str, said: str = "") -> str:
    """Everything OpenSSL's client prints."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", str(folder / "ca.pem"),
         *arguments], input=said, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("named", [
    ("-servername", "www.example.com", "-verify_hostname", "www.example.com"),
    ("-noservername", "-verify_ip", "127.0.0.1"),
])
def test_the_chain_verifies_with_and_without_a_name(
    server: Server, folder: Path, version: str, named: tuple[str, ...],
) -> None:
    printed = s_client(server, folder, version, "-verify_return_error", "-x509_strict", *named, said="hello\nQ\n")
    assert "Verify return code: 0 (ok)" in printed
    assert "HELLO" in printed or "DONE" in printed  # it may leave at Q before the answer came
    assert f"New, TLSv1.{version[-1]}" in printed


def test_a_session_is_resumed(server: Server, folder: Path, tmp_path: Path) -> None:
    for option, expected in (("-sess_out", "New"), ("-sess_in", "Reused")):
        printed = s_client(server, folder, "-tls1_2", "-servername", "a.example", option, str(tmp_path / "s"),
                           said="Q\n")
        assert f"{expected}, TLSv1.2" in printed


def test_renegotiation_is_refused(server: Server, folder: Path) -> None:
    printed = s_client(server, folder, "-tls1_2", "-servername", "www.example.com", said="R\n")
    assert "RENEGOTIATING" in printed
    assert "no renegotiation" in printed


@pytest.mark.parametrize(("arguments", "situation", "complaint"), [
    (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "no-common-version", "alert protocol version"),
    (("-tls1_2", "-cipher", "AES128-SHA"), "no-common-suite", "alert handshake failure"),
    (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"), "no-common-suite", "alert handshake failure"),
])
def test_what_is_weak_is_refused_with_an_alert_that_arrives(
    server: Server, folder: Path, arguments: tuple[str, ...], situation: str, complaint: str,
) -> None:
    assert complaint in s_client(server, folder, *arguments)
    engine, facts = server.ended.get(timeout=10)
    assert engine.failure is not None
    assert engine.failure.situation == facts.situation == situation


@legacy
@pytest.mark.parametrize(("option", "version"), [
    ("-tls1", "TLSv1"), ("-tls1_1", "TLSv1.1"), ("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3"),
])
def test_the_legacy_listener_speaks_every_tls(server: Server, folder: Path, option: str, version: str) -> None:
    printed = s_client(server, folder, option, "-cipher", "ALL:@SECLEVEL=0", "-servername", "old.example", said="Q\n")
    assert f"Protocol  : {version}\n" in printed or f"New, {version}," in printed


@legacy
def test_the_legacy_listener_has_suites_without_curves(server: Server, folder: Path) -> None:
    printed = s_client(server, folder, "-tls1_2", "-cipher", "AES128-SHA", "-servername", "old.example", said="Q\n")
    assert "Cipher is AES128-SHA" in printed
