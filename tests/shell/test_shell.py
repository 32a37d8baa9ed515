"""`sandbox shell` for real: namespaces, real programs in them, a running sandbox that is joined."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cli.background import sandbox_on
from sandbox.datafolder import Running


def allowed() -> bool:
    """Whether this system lets a process make namespaces."""
    return shutil.which("unshare") is not None and subprocess.run(
        ["unshare", "--user", "--net", "--mount", "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not allowed(), reason="this system does not let a process make namespaces")

HOST = Path(sys.executable).parent / "sandbox"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Running]]:
    data = tmp_path_factory.mktemp("data")
    with sandbox_on(data, quiet=True) as found:
        yield data, found


def sandbox(*words: str, data: Path, status: int = 0) -> str:
    """What a command says, on both of its streams."""
    done = subprocess.run([sys.executable, "-m", "sandbox", words[0], "--data", str(data), *words[1:]],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == status, done.stdout
    return done.stdout


def inside(data: Path, script: str, *options: str, status: int = 0) -> str:
    return sandbox("shell", *options, "--", "sh", "-c", script, data=data, status=status)


def logged(data: Path, *filters: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in sandbox("log", "--json", *filters, data=data).splitlines()]


@pytest.mark.program("curl", "curl")
def test_every_name_and_every_address_leads_here(running: tuple[Path, Running]) -> None:
    data, _ = running
    said = inside(data, """
        for url in http://www.example.com/ https://www.example.com/ http://93.184.216.34/ 'http://[2001:db8::5]/' \\
                   https://accounts.real-bank.com/; do
            curl -s -o /dev/null -w '%{http_code} ' "$url"
        done
        curl -s -u alice:wonderland ftp://ftp.example.com/ -o /dev/null -w 'passive %{http_code} '
        curl -s -P - -u alice:wonderland ftp://ftp.example.com/ -o /dev/null -w 'active %{http_code} '
        hostname""")
    assert said.split() == ["200", "200", "200", "200", "404", "passive", "226", "active", "226", "sandbox"], said
    assert {found["asked"] for found in logged(data, "protocol:http", "verb:GET")} >= {
        "www.example.com/", "93.184.216.34/", "accounts.real-bank.com/"}


@pytest.mark.program("dig", "bind9-dnsutils")
def test_any_name_server_is_ours(running: tuple[Path, Running]) -> None:
    data, _ = running
    said = inside(data, "dig +short +tries=1 @8.8.8.8 www.example.com;"
                        "dig +short +tries=1 +tcp @2001:db8::53 www.example.com;"
                        "dig +short +tries=1 www.example.com AAAA")
    assert said.split() == ["127.0.0.1", "127.0.0.1", "::1"]


@pytest.mark.program("dig", "bind9-dnsutils")
def test_the_tree_of_names_has_its_servers(running: tuple[Path, Running]) -> None:
    """At addresses of their own, though every address is answered."""
    data, _ = running
    for words in ("", " +tcp"):
        said = inside(data, f"dig +trace +nodnssec +tries=1{words} www.example.com")
        assert [line.split()[-1] for line in said.splitlines() if "\tIN\t" in line] == [
            "127.53.0.1.", "127.53.0.2.", "127.53.0.3.", "127.0.0.1"], said
    asked = [found["service"] for found in logged(data, "protocol:dns") if str(found["service"]).startswith("dns-")]
    assert asked == ["dns-root", "dns-tld", "dns-domains"] * 2


@pytest.mark.program("lftp", "lftp")
@pytest.mark.program("swaks", "swaks")
@pytest.mark.program("sshpass", "sshpass")
def test_mail_and_files_on_the_standard_ports(running: tuple[Path, Running], tmp_path: Path) -> None:
    data, _ = running
    (tmp_path / "page.html").write_text("hello\n")
    said = inside(data, f"""
        lftp -u alice,wonderland -e 'put -O /www {tmp_path}/page.html; ls /www; bye' ftp.example.com | grep -c page
        swaks --to someone@real-bank.com --from a@example.org --server mx.real-bank.com | grep -c ' 250 '
        echo ls | sshpass -p wonderland sftp -q -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \\
            alice@sandbox.test | grep -c www""")
    assert [int(line) > 0 for line in said.split()] == [True] * 3, said


def test_programs_believe_its_certificates(running: tuple[Path, Running]) -> None:
    data, _ = running
    said = inside(data, f'{sys.executable} -c "import urllib.request as r; '
                        'print(r.urlopen(\'https://www.example.com/\').status)"')
    assert said.strip() == "200"
    if shutil.which("node"):
        said = inside(data, "node -e \"fetch('https://www.example.com/').then(r => console.log(r.status))\"")
        assert said.strip() == "200"


def test_nothing_of_outside_is_reached(running: tuple[Path, Running]) -> None:
    """Neither a listener of the machine itself nor its helpers' local sockets."""
    data, _ = running
    with socket.create_server(("127.0.0.1", 0)) as outside:
        outside.settimeout(0.2)
        port = outside.getsockname()[1]
        said = inside(data, f"""{sys.executable} - <<'END'
import os, socket
try:
    socket.create_connection(("127.0.0.1", {port}), 1)
    print("reached")
except OSError as error:
    print(type(error).__name__)
print([name for name in ("/run/dbus/system_bus_socket", "/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve")
       if os.path.exists(name)])
END""")
        assert said.split()[0] == "ConnectionRefusedError", said
        assert "[]" in said
        with pytest.raises(TimeoutError):
            outside.accept()


def test_the_status_is_passed_on_and_nothing_is_left(running: tuple[Path, Running]) -> None:
    data, found = running

    def descriptors() -> int:
        return len(os.listdir(f"/proc/{found.pid}/fd"))

    inside(data, "exit 0")
    before = descriptors()
    inside(data, "exit 7", status=7)
    inside(data, "kill -TERM $$", status=128 + 15)
    assert "cannot be run" in sandbox("shell", "--", "/no/such/program", data=data, status=2)
    for _ in range(100):
        if descriptors() <= before:
            break
        inside(data, "true")      # the sandbox notices an end at once, but not before its turn
    assert descriptors() <= before


@pytest.mark.program("tshark", "tshark")
@pytest.mark.program("curl", "curl")
def test_real_packets_are_captured(running: tuple[Path, Running], tmp_path: Path) -> None:
    data, _ = running
    inside(data, "curl -s -o /dev/null http://www.example.com/captured", "--capture", str(tmp_path / "a.pcapng"))

    def shown(what: str, *fields: str) -> str:
        words = ["tshark", "-r", str(tmp_path / "a.pcapng"), "-Y", what]
        return subprocess.run([*words, *fields], capture_output=True, text=True, check=True).stdout

    assert "www.example.com" in shown("dns", "-T", "fields", "-e", "dns.qry.name")
    assert "/captured" in shown("http.request", "-T", "fields", "-e", "http.request.uri")
    assert len(shown("tcp.flags.syn == 1 and tcp.flags.ack == 0").splitlines()) == 1, "each packet once"


def test_a_stopped_sandbox_is_told(tmp_path: Path) -> None:
    with sandbox_on(tmp_path, quiet=True) as found:
        process = subprocess.Popen([sys.executable, "-m", "sandbox", "shell", "--data", str(tmp_path), "--", "cat"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("inside\n")
        process.stdin.flush()
        assert process.stdout.readline() == "inside\n"
        assert found.pid
    assert process.stderr is not None
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(iter(process.stderr.readline, "")))  # type: ignore[union-attr]
    reader.start()
    process.stdin.close()
    assert process.wait(20) == 0
    reader.join(10)
    process.stdout.close()
    process.stderr.close()
    assert any("has stopped" in line for line in said)


def test_without_namespaces_there_are_variables(running: tuple[Path, Running]) -> None:
    data, found = running
    said = inside(data, "env", "--proxy")
    variables = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    http = found.services["http"]
    assert variables["http_proxy"] == f"http://{http.host}:{http.port}"
    assert variables["SANDBOX_SHELL"] == "proxy"
    assert inside(data, f'{sys.executable} -c "import urllib.request as r; '
                        'print(r.urlopen(\'http://www.example.com/\').status)"', "--proxy").strip() == "200"


@pytest.mark.program("chromium", "chromium")
@pytest.mark.program("certutil", "libnss3-tools")
def test_a_browser_inside_asks_the_name_server_first(running: tuple[Path, Running]) -> None:
    """And plain HTTP stays plain, and https:// is trusted."""
    from sandbox.shell.browsers import prepare
    data, found = running
    with pytest.MonkeyPatch.context() as patch:
        folder = data / "profile"
        start = prepare("/usr/bin/chromium", ["http://www.example.org/"], folder, found.ca, root=os.geteuid() == 0)
        for name, value in start.variables.items():
            patch.setenv(name, value)
        for url in ("http://www.example.org/", "https://www.example.org/secure"):
            dom = sandbox("shell", "--", *start.command[:-1], "--headless", "--disable-gpu", "--dump-dom", url,
                          data=data)
            assert "This page comes from a sandbox" in dom or "in the Sandbox</title>" in dom, dom[-500:]
    asked = logged(data, "host:www.example.org or name:www.example.org")
    kinds = [str(found["verb"]) for found in asked]
    assert set(kinds) >= {"A", "AAAA", "HTTPS", "TLS", "GET"}
    assert kinds.index("A") < kinds.index("GET")
    assert ("http", "www.example.org/") in {(found["service"], found["asked"]) for found in asked}
    assert ("https", "www.example.org/secure") in {(found["service"], found["asked"]) for found in asked}
