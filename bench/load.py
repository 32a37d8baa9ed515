"""The clients: how many requests or queries a second a server answers."""

from __future__ import annotations

import contextlib
import re
import resource
import selectors
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.peers import PAGE
from sandbox.address import Address

__all__ = ["Rate", "dns", "handshakes", "http", "http2", "http_client", "https", "open_connections"]

CONNECTIONS = 16
DNS_CLIENTS = 8

REQUEST = b"GET / HTTP/1.1\r\nHost: bench.test\r\n\r\n"


class Rate(NamedTuple):
    """Answers a second, how many there were, and how many questions got no good answer."""

    per_second: float
    answered: int
    lost: int


def http_client() -> str:
    """Which client measures HTTP."""
    return "wrk" if shutil.which("wrk") else "the built-in client (apt-get install wrk for a faster one)"


def http(address: Address, seconds: float) -> Rate:
    """Keep-alive GETs of the page over 16 connections, each waiting for its answer before it asks again."""
    if shutil.which("wrk") is None:
        # In a process of its own, as wrk would be: the load must not share an interpreter with anything else.
        said = run([sys.executable, "-m", "bench.load", address.host, str(address.port), str(seconds)], seconds)
        return Rate(float(said), int(float(said) * seconds), 0)
    return by_wrk(f"http://{address}/", seconds)


def by_wrk(url: str, seconds: float) -> Rate:
    duration = f"{max(1, round(seconds))}s"
    said = run(["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", duration,
                "--header", "Host: bench.test", url], seconds)
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    lost = sum(int(found) for match in (errors, broken) if match for found in match.groups())
    return Rate(number(r"Requests/sec:\s+([\d.]+)", said), int(number(r"(\d+) requests in", said)), lost)


def https(address: Address, seconds: float) -> Rate:
    """Keep-alive GETs over TLS, otherwise as `http`."""
    return by_wrk(f"https://{address}/", seconds)


def http2(address: Address, seconds: float) -> Rate:
    """GETs over HTTP/2: 16 connections with 10 streams each, by h2load."""
    said = run(["h2load", "-D", str(max(1, round(seconds))), "-c", str(CONNECTIONS), "-m", "10", "-H",
                ":authority: bench.test", f"https://{address}/"], seconds + 10)
    done = int(number(r"(\d+) succeeded", said))
    return Rate(number(r"finished in [\d.]+m?s, ([\d.]+) req/s", said), done,
                int(number(r"(\d+) failed", said)))


def handshakes(address: Address, seconds: float) -> Rate:
    """New TLS connections, one after the other, none resumed, by OpenSSL."""
    said = run(["openssl", "s_time", "-connect", str(address), "-new", "-time", str(max(1, round(seconds)))],
               seconds + 10)
    count = number(r"(\d+) connections in \d+ real seconds", said)
    return Rate(count / number(r"\d+ connections in (\d+) real seconds", said), int(count), 0)


def dns(address: Address, seconds: float, folder: Path) -> Rate:
    """Queries over UDP by dnsperf, 100 under way at a time."""
    queries = folder / "queries"
    queries.write_text("".join(f"{host}.example.{top} {rdtype}\n" for rdtype in ("A", "AAAA")
                               for top in ("com", "org", "net") for host in ("www", "mail", "ftp", "api", "ns1")))
    said = run(["dnsperf", "-s", address.host, "-p", str(address.port), "-d", str(queries), "-l", str(seconds),
                "-c", str(DNS_CLIENTS), "-T", "1", "-q", "100", "-t", "1"], seconds)
    codes = re.search(r"Response codes:\s+(.*)", said)
    good = sum(int(count) for count in re.findall(r"NOERROR (\d+)", codes[1])) if codes else 0
    sent = int(number(r"Queries sent:\s+(\d+)", said))
    return Rate(number(r"Queries per second:\s+([\d.]+)", said), good, sent - good)


def run(words: list[str], seconds: float) -> str:
    """What a client prints. It ends by itself; ten seconds more and it is stopped."""
    return subprocess.run(words, capture_output=True, text=True, timeout=seconds + 10, check=True).stdout


def number(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"no {pattern!r} in:\n{text}")
    return float(match[1])


@contextlib.contextmanager
def open_connections(address: Address, count: int) -> Iterator[None]:
    """So many connections, each of which has had one page and stays open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count + 100:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 100, hard), hard))
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            sock = stack.enter_context(socket.create_connection(address, 10))
            sock.sendall(REQUEST)
            read_response(sock)
        yield


def read_response(sock: socket.socket) -> int:
    """Its length in octets."""
    data = b""
    while not data.endswith(PAGE):
        piece = sock.recv(65536)
        if not piece:
            raise RuntimeError(f"the server closed after {data[:200]!r}")
        data += piece
    return len(data)


def built_in(address: Address, seconds: float) -> float:
    """Requests a second: 16 connections, one loop. All answers have the length of the first one."""
    selector = selectors.DefaultSelector()
    waiting: dict[socket.socket, int] = {}
    with contextlib.ExitStack() as stack:
        for _ in range(CONNECTIONS):
            sock = stack.enter_context(socket.create_connection(address, 5))
            sock.sendall(REQUEST)
            length = read_response(sock)
            selector.register(sock, selectors.EVENT_READ)
            sock.sendall(REQUEST)
            waiting[sock] = length
        done = 0
        began = time.perf_counter()
        while (now := time.perf_counter()) < began + seconds:
            for key, _ in selector.select(1):
                assert isinstance(key.fileobj, socket.socket)
                sock = key.fileobj
                waiting[sock] -= len(sock.recv(65536))
                if waiting[sock] <= 0:
                    done += 1
                    waiting[sock] = length
                    sock.send(REQUEST)
        return done / (now - began)


if __name__ == "__main__":
    print(built_in(Address(sys.argv[1], int(sys.argv[2])), float(sys.argv[3])))
