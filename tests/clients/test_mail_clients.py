"""Real mail programs as clients: they send, the mail travels, and they fetch it."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from sandbox.app import Sandbox
from sandbox.config import Mail
from sandbox.console.lines import line
from sandbox.pki import ca_folder, ca_path
from sandbox.pki.authority import Authority
from tests.support.mail import letters, mail_sandbox, wait_for_mail
from tests.support.network import reader


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with mail_sandbox(tmp_path / "data") as started:
        yield started


async def run(*command: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> str:
    """What a program prints; it must succeed."""
    with trio.fail_after(40):
        done = await trio.run_process(list(command), stdin=stdin, capture_stdout=True, stderr=subprocess.STDOUT,
                                      check=False, env=env)
    text = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, text
    return text


def server(sandbox: Sandbox, service: str) -> str:
    return str(sandbox.endpoints[service])


@pytest.mark.program("swaks", "swaks")
@pytest.mark.parametrize(("service", "options"), [
    ("smtp", []),
    ("smtp", ["--tls", "--pipeline"]),
    ("submission", ["--auth", "PLAIN", "--tls"]),
    ("submission", ["--auth", "LOGIN"]),
    ("submission", ["--auth", "CRAM-MD5"]),
    ("submissions", ["--auth", "PLAIN", "--tls-on-connect"]),
])
async def test_swaks(sandbox: Sandbox, service: str, options: list[str]) -> None:
    login = ["--auth-user", "alice", "--auth-password", "wonderland"] if "--auth" in options else []
    await run("swaks", "--server", server(sandbox, service), "--from", "alice@example.com", "--to", "bob@example.com",
              "--body", "a letter by swaks", *options, *login)
    await wait_for_mail(sandbox.world.open_mail(), "bob", b"a letter by swaks")


@pytest.mark.program("swaks", "swaks")
@pytest.mark.parametrize(("options", "seen"), [([], True), (["--tls"], False)])
async def test_a_password_in_clear_text_is_marked(sandbox: Sandbox, options: list[str], *, seen: bool) -> None:
    await run("swaks", "--server", server(sandbox, "submission"), "--to", "bob@example.com", "--auth", "PLAIN",
              "--auth-user", "alice", "--auth-password", "wonderland", *options)
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        [(session, login)] = [found for found in journal.exchanges(service="submission") if found[1].verb == "AUTH"]
    assert ("warning" in login.facts) == seen
    shown = line(session, login, color=False, explain=True, width=0)
    assert ("password seen in clear text" in shown) == seen
    assert ("The password crossed the wire readable" in shown) == seen
    assert "wonderland" not in shown


@pytest.mark.program("swaks", "swaks")
async def test_swaks_is_refused_with_a_wrong_password(sandbox: Sandbox) -> None:
    done = await trio.run_process(
        ["swaks", "--server", server(sandbox, "submission"), "--to", "bob@example.com", "--auth", "PLAIN",
         "--auth-user", "alice", "--auth-password", "wrong"], capture_stdout=True, check=False)
    assert done.returncode == 28, "swaks says: authentication failed"
    assert b"535 5.7.8 Wrong name or password" in done.stdout


@pytest.mark.program("curl", "curl")
@pytest.mark.parametrize(("service", "options"), [
    ("smtp://{submission}", ["--ssl-reqd", "--insecure"]),
    ("smtps://{submissions}", ["--insecure"]),
    ("smtp://{submission}", ["--login-options", "AUTH=CRAM-MD5"]),
    ("smtp://{submission}", ["--login-options", "AUTH=LOGIN"]),
])
async def test_curl_sends(sandbox: Sandbox, service: str, options: list[str]) -> None:
    url = service.format(**{name: str(address) for name, address in sandbox.endpoints.items()})
    await run("curl", "--silent", "--show-error", url, *options, "--user", "alice:wonderland", "--mail-from",
              "alice@example.com", "--mail-rcpt", "bob@example.org", "--upload-file", "-",
              stdin=b"Subject: by curl\r\n\r\n.a line with a dot\r\n")
    ((_, text),) = await wait_for_mail(sandbox.world.open_mail(), "bob", b"by curl")
    assert text.endswith(b"\r\n\r\n.a line with a dot\r\n")


@pytest.mark.program("curl", "curl")
@pytest.mark.parametrize(("service", "options"), [
    ("pop3://{pop3}", []),
    ("pop3://{pop3}", ["--ssl-reqd", "--insecure"]),
    ("pop3s://{pop3s}", ["--insecure"]),
    ("pop3://{pop3}", ["--login-options", "AUTH=+APOP"]),
    ("pop3://{pop3}", ["--login-options", "AUTH=CRAM-MD5"]),
])
async def test_curl_fetches(sandbox: Sandbox, service: str, options: list[str]) -> None:
    store = sandbox.world.open_mail()
    url = service.format(**{name: str(address) for name, address in sandbox.endpoints.items()})
    found = letters(store, "alice")
    assert found, "the world begins with a letter for alice"
    listing = await run("curl", "--silent", "--show-error", f"{url}/", *options, "--user", "alice:wonderland")
    assert listing.split() == [str(part) for number, (item, _) in enumerate(found, 1) for part in (number, item.size)]
    text = await run("curl", "--silent", "--show-error", f"{url}/1", *options, "--user", "alice:wonderland")
    assert text.replace("\r\n", "\n") == found[0][1].decode().replace("\r\n", "\n")


@pytest.mark.program("fetchmail", "fetchmail")
async def test_fetchmail(sandbox: Sandbox, tmp_path: Path) -> None:
    store = sandbox.world.open_mail()
    count = len(letters(store, "alice"))
    address = sandbox.endpoints["pop3"]
    mbox = tmp_path / "mbox"
    rcfile = tmp_path / "fetchmailrc"
    rcfile.write_text(f'poll 127.0.0.1 service {address.port} protocol pop3 uidl user "alice" password "wonderland" '
                      f"sslproto '' nokeep mda \"cat >> {mbox}; echo >> {mbox}\"\n")
    rcfile.chmod(0o600)
    await run("fetchmail", "-f", str(rcfile), "--pidfile", str(tmp_path / "pid"), "--idfile", str(tmp_path / "ids"),
              "--nosyslog", env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C", "USER": "root"})
    assert mbox.read_text().count("Message-ID:") == count
    assert letters(store, "alice") == [], "fetchmail deletes, and says QUIT"


@pytest.mark.program("mutt", "mutt")
async def test_mutt_sends_an_attachment(sandbox: Sandbox, tmp_path: Path) -> None:
    attachment = tmp_path / "data.bin"
    attachment.write_bytes(bytes(range(256)) * 400)
    settings = "set ssl_starttls=no ssl_force_tls=no smtp_authenticators=plain from=alice@example.com copy=no"
    url = f"smtp://alice:wonderland@{server(sandbox, 'submission')}"
    await run("mutt", "-n", "-F", "/dev/null", "-e", f"set smtp_url={url}", "-e", settings,
              "-s", "by mutt", "-a", str(attachment), "--", "bob@example.com", stdin=b"A letter by mutt.\n",
              env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "TERM": "dumb"})
    ((_, text),) = await wait_for_mail(sandbox.world.open_mail(), "bob", b"A letter by mutt.")
    assert b"data.bin" in text


@pytest.mark.program("msmtp", "msmtp")
@pytest.mark.parametrize(("service", "options"), [
    ("submission", ["--tls=on", "--tls-starttls=on", "--auth=scram-sha-256"]),
    ("submission", ["--tls=off", "--auth=cram-md5"]),
    ("submissions", ["--tls=on", "--tls-starttls=off", "--auth=plain"]),
])
async def test_msmtp(sandbox: Sandbox, service: str, options: list[str]) -> None:
    address = sandbox.endpoints[service]
    trust = [f"--tls-trust-file={ca_path(sandbox.data)}"]
    await trio.to_thread.run_sync(Authority.open, ca_folder(sandbox.data))
    await run("msmtp", "--file=/dev/null", f"--host={address.host}", f"--port={address.port}", *options, *trust,
              "--user=alice", "--passwordeval=echo wonderland", "--from=alice@example.com",
              "--dsn-notify=failure", "bob@example.org", stdin=b"Subject: by msmtp\n\n.a dot, and From here\n")
    ((_, text),) = await wait_for_mail(sandbox.world.open_mail(), "bob", b"by msmtp")
    assert text.endswith(b"\r\n\r\n.a dot, and From here\r\n")


@pytest.mark.program("s-nail", "s-nail")
async def test_s_nail(sandbox: Sandbox, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    url = f"smtp://alice:wonderland@{server(sandbox, 'submission')}"
    await trio.to_thread.run_sync(Authority.open, ca_folder(sandbox.data))
    settings = ["v15-compat", f"mta={url}", "smtp-auth=plain", f"tls-ca-file={ca_path(sandbox.data)}",
                "from=alice@example.com", "ttycharset=utf-8", "DEAD=/dev/null"]
    await run("s-nail", "-:/", *(word for setting in settings for word in ("-S", setting)), "-s", "by s-nail",
              "carol@example.net", stdin="Grüße\n".encode(), env=home)
    ((_, text),) = await wait_for_mail(sandbox.world.open_mail(), "carol", b"by s-nail")
    assert "Grüße".encode() in text or b"Gr=C3=BC=C3=9Fe" in text


@pytest.mark.program("getmail", "getmail6")
@pytest.mark.parametrize("encrypted", [False, True])
async def test_getmail(sandbox: Sandbox, tmp_path: Path, *, encrypted: bool) -> None:
    found = letters(sandbox.world.open_mail(), "carol")
    assert found
    address = sandbox.endpoints["pop3s" if encrypted else "pop3"]
    (tmp_path / "getmailrc").write_text(
        f"[retriever]\ntype = SimplePOP3{'SSL' if encrypted else ''}Retriever\nserver = {address.host}\n"
        f"port = {address.port}\nusername = carol\npassword = melody\n"
        "[destination]\ntype = MDA_external\npath = /usr/bin/tee\nallow_root_commands = true\n"
        f'arguments = ("-a", "{tmp_path}/got")\n'
        "[options]\nread_all = true\ndelete = false\ndelivered_to = false\nreceived = false\n")
    await run("getmail", f"--getmaildir={tmp_path}", "--rcfile=getmailrc",
              env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    got = (tmp_path / "got").read_bytes().replace(b"\r\n", b"\n")
    for _, text in found:
        assert text.replace(b"\r\n", b"\n").partition(b"\n\n")[2] in got


@pytest.mark.program("gsasl", "gsasl")
@pytest.mark.parametrize("priority", ["NORMAL", "NORMAL:-VERS-TLS1.3"])
async def test_gsasl_binds_its_login_to_the_tls_connection(tmp_path: Path, priority: str) -> None:
    """SCRAM-SHA-256-PLUS with tls-exporter over TLS 1.3, with tls-unique before: computed by GnuTLS on its side."""
    async with mail_sandbox(tmp_path / "data", Mail(durability="memory", channel_binding=True)) as sandbox:
        await trio.to_thread.run_sync(Authority.open, ca_folder(sandbox.data))
        said = await run("gsasl", "--smtp", "--connect", server(sandbox, "submission"), "--starttls",
                         f"--x509-ca-file={ca_path(sandbox.data)}", f"--priority={priority}",
                         "--mechanism", "SCRAM-SHA-256-PLUS", "--authentication-id", "alice",
                         "--authorization-id", "alice", "--password", "wonderland")
    assert "235 2.7.0" in said
    assert "server trusted" in said


@pytest.mark.program("smtp-source", "postfix")
async def test_smtp_source(sandbox: Sandbox) -> None:
    """Eight connections at once, two hundred letters: each is there once."""
    await run("smtp-source", "-d", "-s", "8", "-m", "200", "-l", "5000", "-S", "by smtp-source",
              "-f", "load@far.example", "-t", "bob@example.com", server(sandbox, "smtp"))
    found = await wait_for_mail(sandbox.world.open_mail(), "bob", b"by smtp-source", 200)
    assert len({item.content for item, _ in found}) == 200
