"""The servers that are measured: how each is started for a run, and stopped again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from sandbox.address import Address

__all__ = [
    "DNS_PEERS", "HTTPS_PEERS", "HTTP_PEERS", "PAGE", "SANDBOX", "Peer", "Server", "launch", "memory", "missing",
]

ROOT = Path(__file__).parent.parent
READY = "ready.json"
"""The sandbox's ready file, in its folder."""
HOST = "127.0.0.1"

PAGE = ("<!doctype html>\n<title>Bench</title>\n<p>" + "Tea is ready. " * 64)[:1023].encode() + b"\n"
"""What every web server serves at /: 1,024 octets."""

START_SECONDS = 20.0
STOP_SECONDS = 10.0

QUERY = bytes.fromhex("abcd01000001000000000000") + b"\x03www\x07example\x03com\x00\x00\x01\x00\x01"
"""A of www.example.com."""


@dataclass(frozen=True)
class Peer:
    """A server. command: its words, for a folder of its own and a port; programs: each with its Debian package;
    modules: each with its package on the Python package index; root: whether it only runs as root."""

    name: str
    command: Callable[[Path, int], list[str]]
    transport: str = "tcp"
    programs: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    root: bool = False
    service: str = ""
    """The sandbox's service that is measured: its ready file says when it accepts, and where. Others are asked at
    their port until they answer."""


@dataclass(frozen=True)
class Server:
    """A running one. pid: of its first process, and the number of its process group."""

    name: str
    pid: int
    address: Address
    folder: Path


def missing(peer: Peer) -> str:
    """Why it cannot run here, in words; "" when it can."""
    lacking = [f"apt-get install {package}" for name, package in peer.programs.items() if not find(name)]
    lacking += [f"pip install {package}" for name, package in peer.modules.items() if find_spec(name) is None]
    if peer.root and os.geteuid() != 0:
        lacking.append("run as root")
    return " and ".join(lacking)


def find(program: str) -> str:
    """Its path, also where only root's own search would look; "" when it is not installed."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin") or ""


@contextlib.contextmanager
def launch(peer: Peer) -> Iterator[Server]:
    """Run it on a free port for the length of the block. Raises RuntimeError when it does not start."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)     # some servers give up root and must still read their files
        words = peer.command(folder, port)
        output = stack.enter_context((folder / "output").open("wb"))
        process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   start_new_session=True)
        try:
            server = Server(peer.name, process.pid, Address(HOST, port), folder)
            wait_until_it_answers(server, peer, process)
            if peer.service:
                service = json.loads((folder / READY).read_text())["services"][peer.service]
                server = replace(server, address=Address(service["host"], service["port"]))
            yield server
        finally:
            end(process)


def wait_until_it_answers(server: Server, peer: Peer, process: subprocess.Popen[bytes]) -> None:
    answers = answers_udp if peer.transport == "udp" else answers_tcp
    until = time.monotonic() + START_SECONDS
    while not ((server.folder / READY).exists() if peer.service else answers(server.address)):
        if process.poll() is not None or time.monotonic() > until:
            said = (server.folder / "output").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{peer.name} did not start:\n{said}")
        time.sleep(0.01)


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a process that was started here, and those it started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            if not group(process.pid):
                return


def free_port() -> int:
    """A port that is free for TCP and UDP now."""
    while True:
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
            stream.bind((HOST, 0))
            port: int = stream.getsockname()[1]
            with contextlib.suppress(OSError):
                datagram.bind((HOST, port))
                return port


def answers_tcp(address: Address) -> bool:
    try:
        socket.create_connection(address, 1).close()
    except OSError:
        return False
    return True


def answers_udp(address: Address) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)
        try:
            sock.connect(address)
            sock.send(QUERY)
            return sock.recv(512).startswith(QUERY[:2])
        except OSError:
            return False


def group(pid: int) -> list[int]:
    """The processes of a process group."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[2]) == pid:
                found.append(int(entry.name))
    return found


def memory(server: Server) -> int:
    """Resident octets of all its processes, pages that they share counted for each."""
    total = 0
    for pid in group(server.pid):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            total += next((int(line.split()[1]) * 1024 for line in status.splitlines()
                           if line.startswith("VmRSS:")), 0)
    return total


# -- The sandbox ---------------------------------------------------------------------------------------------


def sandbox(folder: Path, port: int) -> list[str]:
    """All services on, each on a port it finds itself; a world with the page as a file of a site."""
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_bytes(PAGE)
    (folder / "world.toml").write_text('[[domain]]\nname = "bench.test"\n\n'
                                       f'[[site]]\nhost = "bench.test"\nfolder = "{folder / "site"}"\n')
    return [sys.executable, "-m", "sandbox", "up", "--quiet", "--ports", "ephemeral", "--bind", HOST,
            "--world", str(folder / "world.toml"), "--data", str(folder / "data"),
            "--ready-file", str(folder / READY)]


# -- Web servers ---------------------------------------------------------------------------------------------


NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log {folder}/access.log;
    types {{ text/html html; }}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    server {{ listen {host}:{port}{ssl}; root {folder}/site; }}
}}
"""

NGINX_TLS = " ssl http2; ssl_certificate {pem}; ssl_certificate_key {pem}; ssl_session_tickets off"
"""With the same certificate as the sandbox has, and no way for a client to take a shortcut."""


def nginx(folder: Path, port: int, *, tls: bool = False) -> list[str]:
    """One worker, access log on, the page as a file."""
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_bytes(PAGE)
    ssl = ""
    if tls:
        from sandbox.pki.authority import Authority
        from sandbox.pki.leaves import Leaves

        pem = folder / "leaf.pem"
        pem.write_bytes(Leaves(Authority.open(folder / "ca"), "").get(HOST, "ec").pem)
        ssl = NGINX_TLS.format(pem=pem)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, host=HOST, port=port, ssl=ssl))
    return [find("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]


def hypercorn(folder: Path, port: int) -> list[str]:
    """One process, access log on, the page from memory."""
    return [sys.executable, "-m", "hypercorn", "--worker-class", "trio", "--bind", f"{HOST}:{port}",
            "--access-logfile", str(folder / "access.log"), "--keep-alive", "300", "bench.asgi:app"]


# -- Name servers --------------------------------------------------------------------------------------------


def dnsmasq(folder: Path, port: int, *, log: bool) -> list[str]:
    words = [find("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null",
             f"--pid-file={folder / 'pid'}", f"--port={port}", f"--listen-address={HOST}", "--bind-interfaces",
             "--no-resolv", "--no-hosts", f"--log-facility={folder / 'log'}", "--user=root"]
    words += [f"--address=/{domain}/{address}" for domain in ("example.com", "example.org", "example.net")
              for address in (HOST, "::1")]
    return [*words, "--log-queries"] if log else words


INETSIM = """
start_service dns
service_bind_address {host}
service_max_childs 10
dns_bind_port {port}
dns_default_ip {host}
"""


def inetsim(folder: Path, port: int) -> list[str]:
    (folder / "inetsim.conf").write_text(INETSIM.format(host=HOST, port=port))
    for name in ("log", "report"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
    return [find("inetsim"), f"--config={folder / 'inetsim.conf'}", f"--pidfile={folder / 'pid'}",
            f"--log-dir={folder / 'log'}", f"--report-dir={folder / 'report'}", "--data-dir=/var/lib/inetsim/"]


SANDBOX = Peer("sandbox", sandbox, service="http")

HTTP_PEERS = (
    SANDBOX,
    Peer("nginx, 1 worker, access log", nginx, programs={"nginx": "nginx-light"}),
    Peer("hypercorn on trio, access log", hypercorn, modules={"hypercorn": "hypercorn[trio]"}),
)

HTTPS_PEERS = (
    Peer("sandbox", sandbox, service="https"),
    Peer("nginx, 1 worker, access log", lambda folder, port: nginx(folder, port, tls=True),
         programs={"nginx": "nginx-light"}),
)

DNS_PEERS = (
    Peer("sandbox", sandbox, "udp", service="dns"),
    Peer("dnsmasq", lambda folder, port: dnsmasq(folder, port, log=False), "udp", {"dnsmasq": "dnsmasq-base"}),
    Peer("dnsmasq, log-queries", lambda folder, port: dnsmasq(folder, port, log=True), "udp",
         {"dnsmasq": "dnsmasq-base"}),
    Peer("INetSim", inetsim, "udp", {"inetsim": "inetsim"}, root=True),
)
