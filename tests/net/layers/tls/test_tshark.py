"""Wireshark's eyes on our handshakes: the key log decrypts them, and it computes the same JA3."""

from __future__ import annotations

import contextlib
import ssl
import subprocess
from pathlib import Path

import pytest

from sandbox.net.layers.tls.contexts import Contexts, site_for
from sandbox.net.layers.tls.engine import Engine, State
from sandbox.net.layers.tls.handshake import describe

pytestmark = pytest.mark.program("tshark", "tshark")

SECRET = b"GET /nobody-can-read-this HTTP/1.1\r\nHost: www.example.com\r\n\r\n"


def conversation(contexts: Contexts, context: ssl.SSLContext) -> list[tuple[str, bytes]]:
    """A handshake and a request, as segments: ("O", to the server) and ("I", to the client)."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, engine = context.wrap_bio(incoming, outgoing, server_hostname="www.example.com"), Engine()
    segments: list[tuple[str, bytes]] = []
    asked = False
    while not asked:
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
            client.write(SECRET)
            asked = True
        segments.append(("O", outgoing.read()))
        engine.receive(segments[-1][1])
        if engine.state is State.CONTEXT:
            engine.choose(contexts.get(site_for(engine.server_name, "127.0.0.1")))
        segments.append(("I", answer := engine.outgoing()))
        incoming.write(answer)
    assert engine.read() == SECRET
    return [segment for segment in segments if segment[1]]


def tshark(capture: Path, *arguments: str) -> str:
    done = subprocess.run(["tshark", "-r", str(capture), *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_key_log_decrypts_a_capture(tmp_path: Path, version: ssl.TLSVersion) -> None:
    contexts = Contexts(tmp_path, keylog=tmp_path / "keys.log")
    contexts.warm()
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    context.minimum_version = context.maximum_version = version
    segments = conversation(contexts, context)
    dump = "".join(f"{direction}\n000000 {data.hex(' ')}\n" for direction, data in segments)
    (tmp_path / "dump.txt").write_text(dump)
    capture = tmp_path / "capture.pcap"
    subprocess.run(["text2pcap", "-q", "-D", "-T", "443,50000", str(tmp_path / "dump.txt"), str(capture)], check=True,
                   capture_output=True)

    assert "nobody-can-read-this" not in tshark(capture, "-O", "http")
    keys = ("-o", f"tls.keylog_file:{tmp_path / 'keys.log'}")
    assert "nobody-can-read-this" in tshark(capture, *keys, "-O", "http")
    offer = describe(b"".join(data for direction, data in segments if direction == "O"), b"").offer
    assert offer is not None
    ja3 = tshark(capture, "-Y", "tls.handshake.ja3", "-T", "fields", "-e", "tls.handshake.ja3")
    assert ja3.split() == [offer.ja3]
