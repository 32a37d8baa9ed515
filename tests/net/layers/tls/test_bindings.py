"""Channel bindings: both ends of a connection know the same, and no other connection does."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from base64 import b64decode
from pathlib import Path

import pytest
import trio

from sandbox.net.layers.tls.bindings import exporter, logged_secret, sent_leaf
from sandbox.net.layers.tls.channel import TlsSettings
from sandbox.net.layers.tls.contexts import Contexts
from sandbox.net.layers.tls.hello import ClientHello
from sandbox.protocols.contract.conversation import Conversation
from tests.support.network import serving

KINDS = ("tls-exporter", "tls-unique", "tls-server-end-point")


async def tell(conversation: Conversation) -> None:
    """A line with each binding in hex, "-" for none."""
    found = [conversation.channel_binding(kind) for kind in KINDS]
    conversation.write(" ".join(data.hex() if data else "-" for data in found).encode() + b"\n")


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Contexts:
    folder = tmp_path_factory.mktemp("data")
    return Contexts(folder / "ca", keylog=folder / "keys.log")


async def ask(contexts: Contexts, folder: Path, client: ssl.SSLContext) -> tuple[list[str], bytes, bytes]:
    """What the server says, and the client's idea of its certificate and of tls-unique."""
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    async with serving(tell, folder, tls=TlsSettings(contexts), encrypted=True) as bench:
        stream = trio.SSLStream(await bench.connect(), client, server_hostname="www.example.com")
        async with stream:
            said = (await stream.receive_some(4096)).decode().split()
            return said, stream.getpeercert(binary_form=True), stream.get_channel_binding("tls-unique")


async def test_tls_1_3(contexts: Contexts, tmp_path: Path) -> None:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.keylog_filename = str(tmp_path / "client.log")
    said, certificate, _ = await ask(contexts, tmp_path, client)
    again, _, _ = await ask(contexts, tmp_path, client)
    lines = (tmp_path / "client.log").read_text().splitlines()
    secrets = [bytes.fromhex(line.split()[2]) for line in lines if line.startswith("EXPORTER_SECRET ")]
    assert [said[0], again[0]] == [exporter(secret).hex() for secret in secrets]
    assert said[0] != again[0]
    assert said[1] == "-", "tls-unique is not defined for TLS 1.3 (RFC 9266 §1)"
    assert said[2] == hashlib.sha256(certificate).hexdigest()


@pytest.mark.parametrize("suites", ["ECDHE+ECDSA", "ECDHE+aRSA"])
async def test_tls_1_2(contexts: Contexts, tmp_path: Path, suites: str) -> None:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(suites)
    said, certificate, unique = await ask(contexts, tmp_path, client)
    assert said == ["-", unique.hex(), hashlib.sha256(certificate).hexdigest()]


@pytest.mark.program("openssl", "openssl")
@pytest.mark.parametrize("schemes", ["ECDSA+SHA256:RSA-PSS+SHA256", "RSA-PSS+SHA256:ECDSA+SHA256", "RSA-PSS+SHA256",
                                     "RSA-PSS+SHA512:RSA-PSS+SHA256"])
async def test_the_certificate_of_tls_1_3_is_known(contexts: Contexts, tmp_path: Path, schemes: str) -> None:
    async with serving(tell, tmp_path, tls=TlsSettings(contexts), encrypted=True) as bench:
        done = await trio.run_process(
            ["openssl", "s_client", "-connect", str(bench.address), "-servername", "www.example.com", "-tls1_3",
             "-sigalgs", schemes, "-ign_eof"], stdin=b"", capture_stdout=True, stderr=subprocess.DEVNULL, check=False)
    text = done.stdout.decode()
    body = text.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END CERTIFICATE-----")[0]
    assert hashlib.sha256(b64decode(body)).hexdigest() in text.replace(body, "")


def test_what_is_not_sure_is_not_said(tmp_path: Path) -> None:
    assert sent_leaf((), ClientHello(), "TLS 1.3", "TLS_AES_256_GCM_SHA384") is None
    assert logged_secret(tmp_path / "none", ClientHello(random=bytes(32))) == b""
    (tmp_path / "keys").write_text(f"CLIENT_RANDOM {bytes(32).hex()} {'ab' * 48}\n")
    assert logged_secret(tmp_path / "keys", ClientHello(random=bytes(32))) == b""
