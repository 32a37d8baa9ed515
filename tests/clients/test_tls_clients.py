"""Real programs over TLS: curl, nghttp, OpenSSL, kdig and Chromium, with the sandbox's authority trusted and not."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import trio

from sandbox.app import Sandbox
from sandbox.cli.log import find_session
from sandbox.config import Config
from sandbox.journal.records import Stream
from sandbox.pki import ca_path
from sandbox.pki.authority import Authority
from tests.support.network import reader, watching

curl_needed = pytest.mark.program("curl", "curl")
openssl_needed = pytest.mark.program("openssl", "openssl")
kdig_needed = pytest.mark.program("kdig", "knot-dnsutils")
chromium_needed = pytest.mark.program("chromium", "chromium")


@pytest.fixture
def config() -> Config:
    return Config(ports="ephemeral", services={"https-legacy": True})


async def run(*words: str, say: bytes = b"", seconds: float = 30) -> subprocess.CompletedProcess[bytes]:
    with trio.fail_after(seconds):
        return await trio.run_process(words, capture_stdout=True, capture_stderr=True, stdin=say, check=False)


async def authority(sandbox: Sandbox) -> Authority:
    """Its files are made while the first services already accept."""
    return await trio.to_thread.run_sync(Authority.open, ca_path(sandbox.data).parent)


async def curl(sandbox: Sandbox, *words: str, trust: bool = True) -> subprocess.CompletedProcess[bytes]:
    await authority(sandbox)
    host, port = sandbox.endpoints["https"]
    trusting = ["--cacert", str(ca_path(sandbox.data))] if trust else []
    return await run("curl", "-sS", "--connect-to", f"::{host}:{port}", *trusting, *words)


# -- curl -----------------------------------------------------------------------------------------------------


@curl_needed
@pytest.mark.parametrize(("words", "printed"), [
    (["--http2", "https://www.example.com/"], "2 200"), (["--http1.1", "https://www.example.com/"], "1.1 200"),
    (["--tls-max", "1.2", "https://api.example.org/"], "2 200"), (["--head", "https://example.net/"], "2 200"),
    (["--compressed", "-r0-99", "https://www.example.com/"], "2 206"),
    (["https://any.name.at.all.test/"], "2 404"), (["https://127.0.0.1/"], "2 200"),
    (["https://www.example.com/status/503"], "2 503"), (["https://www.example.com/download/3MB"], "2 200"),
    (["-X", "OPTIONS", "https://www.example.com/"], "2 204"), (["https://www.example.com/websocket/echo"], "2 426"),
])
async def test_curl_that_trusts_the_authority(sandbox: Sandbox, words: list[str], printed: str) -> None:
    done = await curl(sandbox, "-o/dev/null", "-w%{http_version} %{http_code}", *words)
    assert done.stdout.decode() == printed, done.stderr


@curl_needed
async def test_curl_uploads_over_http2(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"0123456789" * 100_000)
    done = await curl(sandbox, "--http2", "--data-binary", f"@{tmp_path / 'body'}", "-w%{http_version}",
                      "https://httpbin.example.com/post")
    assert b"0123456789" * 100_000 in done.stdout
    assert done.stdout.endswith(b"\n2")


@curl_needed
async def test_curl_that_does_not_trust_it_fails_and_the_journal_says_why(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        done = await curl(sandbox, "https://www.example.com/", trust=False)
        assert done.returncode == 60
        await watcher.wait_closed()
    [exchange] = [exchange for _, exchange in watcher.exchanges]
    assert (exchange.verb, exchange.outcome, exchange.key) == ("TLS", "failed", "tls:situation.unknown-ca")


@curl_needed
@pytest.mark.parametrize(("host", "complaint"), [
    ("expired", "certificate has expired"), ("wrong-host", "no alternative certificate subject name"),
    ("self-signed", "self-signed certificate"), ("untrusted-root", "self-signed certificate in certificate chain"),
    ("old-tls", "SSL routines"),
])
async def test_what_is_wrong_on_purpose_is_refused(sandbox: Sandbox, host: str, complaint: str) -> None:
    url = f"https://{host}.badtls.example.com/"
    done = await curl(sandbox, url)
    assert done.returncode in (35, 60)
    assert complaint in done.stderr.decode()
    done = await curl(sandbox, "-k", "--tlsv1.0", "--ciphers", "ALL:@SECLEVEL=0", url)
    page = done.stdout.decode().replace("<wbr>", "")  # a name may break after a dot
    assert f"<h1>{host}.badtls.example.com</h1>" in page, "whoever does not look, gets the page"


@curl_needed
async def test_the_authority_comes_over_http(sandbox: Sandbox, tmp_path: Path) -> None:
    host, port = sandbox.endpoints["http"]
    pem = tmp_path / "ca.pem"
    done = await run("curl", "-sS", "-o", str(pem), "-w%{content_type}", "--connect-to", f"::{host}:{port}",
                     "http://anything.test/ca.pem")
    assert done.stdout == b"application/x-pem-file"
    host, port = sandbox.endpoints["https"]
    done = await run("curl", "-sS", "--cacert", str(pem), "--connect-to", f"::{host}:{port}", "-o/dev/null",
                     "-w%{http_code}", "https://www.example.com/")
    assert done.stdout == b"200"


@pytest.mark.program("nghttp", "nghttp2-client")
async def test_nghttp_asks_for_many_things_at_once(sandbox: Sandbox) -> None:
    host, port = sandbox.endpoints["https"]
    done = await run("nghttp", "-nv", "-m", "50", f"https://{host}:{port}/delay/0.1")
    said = done.stdout.decode()
    assert said.count(":status: 200") == 50
    assert "GOAWAY" in said
    assert "PROTOCOL_ERROR" not in said


@pytest.mark.program("h2load", "nghttp2-client")
async def test_h2load_gets_every_answer(sandbox: Sandbox) -> None:
    host, port = sandbox.endpoints["https"]
    done = await run("h2load", "-n", "300", "-c", "3", "-m", "20", f"https://{host}:{port}/")
    assert "300 succeeded, 0 failed, 0 errored" in done.stdout.decode()


# -- OpenSSL --------------------------------------------------------------------------------------------------


@openssl_needed
@pytest.mark.parametrize(("service", "options", "printed"), [
    ("https", ["-tls1_3", "-servername", "www.example.com"], "New, TLSv1.3"),
    ("https", ["-tls1_2", "-servername", "www.example.com"], "New, TLSv1.2"),
    ("https", ["-tls1_2", "-noservername", "-verify_ip", "127.0.0.1"], "Verify return code: 0"),
    ("https", ["-alpn", "h2,http/1.1"], "ALPN protocol: h2"),
    ("https", ["-alpn", "http/1.1"], "ALPN protocol: http/1.1"),
    ("https", ["-alpn", "http/1.0"], "ALPN protocol: http/1.0"),
    ("https", ["-alpn", "spdy/3"], "alert number 120"),
    ("https", ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], "alert protocol version"),
    ("https-legacy", ["-tls1", "-cipher", "ALL:@SECLEVEL=0"], "Protocol  : TLSv1"),
    ("https-legacy", ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], "Protocol  : TLSv1.1"),
    ("https-legacy", ["-tls1_3"], "New, TLSv1.3"),
    ("domain-s", ["-alpn", "dot"], "ALPN protocol: dot"),
])
async def test_openssl(sandbox: Sandbox, service: str, options: list[str], printed: str) -> None:
    await authority(sandbox)
    host, port = sandbox.endpoints[service]
    done = await run("openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", str(ca_path(sandbox.data)),
                     *options, say=b"Q\n")
    assert printed in (done.stdout + done.stderr).decode()


@openssl_needed
@pytest.mark.parametrize("service", ["https", "imaps", "pop3s", "submissions", "ftps", "domain-s"])
async def test_a_session_is_resumed_by_its_id(sandbox: Sandbox, tmp_path: Path, service: str) -> None:
    """The client closes first, which is no reason to forget the session (RFC 5246 §7.2.1)."""
    await authority(sandbox)
    host, port = sandbox.endpoints[service]
    for option, expected in (("-sess_out", "New"), ("-sess_in", "Reused")):
        with watching(sandbox.journal) as watcher:
            done = await run("openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_2", "-no_ticket",
                             "-servername", "mail.example.com", option, str(tmp_path / "session"), say=b"Q\n")
            await watcher.wait_closed()
        assert f"{expected}, TLSv1.2" in done.stdout.decode()


@openssl_needed
@pytest.mark.parametrize(("service", "goodbye", "answer"), [
    ("ftp", "QUIT", "221"), ("smtp", "QUIT", "221"), ("pop3", "QUIT", "+OK"), ("imap", "a LOGOUT", "* BYE"),
])
async def test_openssl_upgrades_a_connection(sandbox: Sandbox, service: str, goodbye: str, answer: str) -> None:
    """AUTH TLS, STARTTLS and STLS, with the name of the server checked; what is said then is answered in there."""
    await authority(sandbox)
    host, port = sandbox.endpoints[service]
    done = await run("openssl", "s_client", "-connect", f"{host}:{port}", "-starttls", service, "-crlf", "-ign_eof",
                     "-servername", "mail.example.com", "-verify_hostname", "mail.example.com",
                     "-verify_return_error", "-CAfile", str(ca_path(sandbox.data)), say=f"{goodbye}\n".encode())
    said = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert "Verification: OK" in said
    assert "Verified peername: mail.example.com" in said
    assert "New, TLSv1.3" in said
    assert f"\n{answer}" in said.partition("Verification: OK")[2]


@openssl_needed
async def test_openssl_reads_the_revocations(sandbox: Sandbox, tmp_path: Path) -> None:
    host, port = sandbox.endpoints["http"]
    await run("curl", "-sS", "-o", str(tmp_path / "crl"), f"http://{host}:{port}/ca.crl")
    done = await run("openssl", "crl", "-inform", "der", "-in", str(tmp_path / "crl"), "-noout", "-CAfile",
                     str(ca_path(sandbox.data)))
    assert b"verify OK" in done.stderr


# -- names ----------------------------------------------------------------------------------------------------


@kdig_needed
@pytest.mark.parametrize(("service", "options"), [
    ("domain-s", ["+tls"]), ("https", ["+https"]), ("https", ["+https-get"]),
])
async def test_kdig_asks_over_tls(sandbox: Sandbox, service: str, options: list[str]) -> None:
    await authority(sandbox)
    host, port = sandbox.endpoints[service]
    done = await run("kdig", f"@{host}", "-p", str(port), *options, f"+tls-ca={ca_path(sandbox.data)}",
                     "+tls-hostname=ns1.example.com", "+short", "www.example.com", "A")
    assert done.stdout == b"127.0.0.1\n", done.stderr


# -- Chromium -------------------------------------------------------------------------------------------------


async def chromium(sandbox: Sandbox, folder: Path, url: str, *words: str) -> str:
    """The page as it is after its scripts have run a while."""
    pin = (await authority(sandbox)).spki_hash
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    done = await run(
        "chromium", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", *root,
        "--disable-background-networking", f"--user-data-dir={folder / 'browser'}",
        f"--ignore-certificate-errors-spki-list={pin}", "--host-resolver-rules=MAP * 127.0.0.1",
        "--virtual-time-budget=3000", *words, "--dump-dom", url, seconds=50)
    return done.stdout.decode()


@chromium_needed
async def test_chromium_loads_a_page_over_https(sandbox: Sandbox, tmp_path: Path) -> None:
    port = sandbox.endpoints["https"].port
    with watching(sandbox.journal) as watcher:
        page = await chromium(sandbox, tmp_path, f"https://www.example.com:{port}/")
        assert "Not the real www.example.com" in page
        await watcher.wait_exchanges(3)
    found = [exchange for _, exchange in watcher.exchanges]
    assert {"TLS", "PREFACE", "GET"} <= {exchange.verb for exchange in found}
    assert not [exchange for exchange in found if exchange.outcome == "failed"]


@chromium_needed
@pytest.mark.program("certutil", "libnss3-tools")
async def test_chromium_trusts_what_its_list_has(sandbox: Sandbox, tmp_path: Path) -> None:
    """As `sandbox ca` says it: the NSS database of the user."""
    await authority(sandbox)
    database = tmp_path / ".pki" / "nssdb"
    database.mkdir(parents=True)
    for words in (["-N", "--empty-password"],
                  ["-A", "-t", "C,,", "-n", "Sandbox", "-i", str(ca_path(sandbox.data))]):
        assert (await run("certutil", "-d", f"sql:{database}", *words)).returncode == 0
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    port = sandbox.endpoints["https"].port
    with trio.fail_after(50):
        done = await trio.run_process(
            ["chromium", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", *root,
             "--disable-background-networking", f"--user-data-dir={tmp_path / 'browser'}",
             "--host-resolver-rules=MAP * 127.0.0.1", "--dump-dom", f"https://www.example.com:{port}/"],
            capture_stdout=True, capture_stderr=True, check=False, env={**os.environ, "HOME": str(tmp_path)})
    assert "Not the real www.example.com" in done.stdout.decode()


@chromium_needed
async def test_chromium_says_hello_in_the_chat(sandbox: Sandbox, tmp_path: Path) -> None:
    """The page of the room, over wss:, hears its own coming in."""
    port = sandbox.endpoints["https"].port
    with watching(sandbox.journal) as watcher:
        page = await chromium(sandbox, tmp_path, f"https://www.example.com:{port}/chat?name=Ada")
        await watcher.wait_closed()
    assert "* Ada came in" in page
    assert "Connected." in page
    upgrade = next(exchange for _, exchange in watcher.exchanges
                   if exchange.asked.endswith("/websocket/chat?name=Ada"))
    assert upgrade.outcome == "101"


# -- the two views --------------------------------------------------------------------------------------------


@curl_needed
async def test_an_eavesdropper_sees_noise(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        await curl(sandbox, "-H", "X-Secret: the cake is a lie", "--http1.1", "https://www.example.com/")
        session = await watcher.wait_closed()
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        assert find_session(journal, session.id).service == "https"
        assert b"the cake" in journal.stream(session.id, Stream.CLIENT)
        wire = journal.stream(session.id, Stream.CLIENT_WIRE)
        assert b"the cake" not in wire
        assert b"www.example.com" in wire, "the name is in the ClientHello, in clear"


@pytest.mark.program("testssl", "testssl.sh")
@pytest.mark.skipif(not os.environ.get("SANDBOX_SLOW"), reason="takes some minutes: set SANDBOX_SLOW=1")
async def test_testssl_finds_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    await authority(sandbox)
    host, port = sandbox.endpoints["https"]
    report = tmp_path / "report.json"
    await run("testssl", "--quiet", "--color", "0", "--fast", "--add-ca", str(ca_path(sandbox.data)), "-p", "-s",
              "-U", "--jsonfile", str(report), f"{host}:{port}", seconds=900)
    findings = json.loads(report.read_text())
    assert findings
    bad = [finding for finding in findings if finding["severity"] in ("MEDIUM", "HIGH", "CRITICAL")]
    assert bad == []
