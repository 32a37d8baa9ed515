"""Runs the benchmarks and prints the results side by side.

    python -m bench                    everything, about ten minutes
    python -m bench --only dns         one part
    python -m bench --rounds 1 --seconds 1

Servers are measured in turns (A B C A B C ...), so that a busy moment of the machine strikes all of them; the median
of the rounds counts. A server that is not installed is named and left out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench import files, imap, journal, mail, mailbox, page, spaces, suite
from bench.load import Rate, dns, handshakes, http, http2, http_client, https, open_connections
from bench.peers import DNS_PEERS, HTTP_PEERS, HTTPS_PEERS, SANDBOX, Peer, Server, end, launch, memory, missing
from sandbox.address import Address
from sandbox.journal.reader import Reader

PARTS = ("http", "tls", "dns", "smtp", "pop3", "imap", "mailbox", "ftp", "sftp", "journal", "page", "start", "spaces",
         "suite", "memory", "idle")
WARM_UP = 0.5
CONNECTIONS = 1000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; may be repeated")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each measurement (default: 4)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each server (default: 3)")
    args = parser.parse_args()
    print(machine())
    for part in args.only or PARTS:
        print()
        if part == "http":
            http_rates(args.rounds, args.seconds)
        elif part == "tls":
            tls_rates(args.rounds, args.seconds)
        elif part == "dns":
            dns_rates(args.rounds, args.seconds)
        elif part == "smtp":
            smtp_rates(args.rounds, args.seconds)
        elif part == "pop3":
            pop3_rates(args.rounds, args.seconds)
        elif part in ("ftp", "sftp"):
            file_rates(part, args.rounds, args.seconds)
        elif part == "imap":
            imap_rates(args.rounds, args.seconds)
        elif part == "mailbox":
            mailbox_times()
        elif part == "journal":
            journal_times()
        elif part == "page":
            page_costs(args.rounds, args.seconds)
        elif part == "start":
            start_times(args.rounds)
        elif part == "spaces":
            space_times(args.rounds)
        elif part == "suite":
            suite_times(args.rounds)
        elif part == "memory":
            memories()
        else:
            idle_memory()
    return 0


def machine() -> str:
    """What the numbers were measured on."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        return (f"{datetime.now(UTC):%Y-%m-%d}, {model}, {os.cpu_count()} cores, {platform.system()} "
                f"{platform.release()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    return f"{datetime.now(UTC):%Y-%m-%d}, {platform.platform()}, Python {platform.python_version()}"


def present(peers: Iterable[Peer]) -> list[Peer]:
    """Those that can run here; says why the others cannot."""
    found = []
    for peer in peers:
        lacking = missing(peer)
        if lacking:
            print(f"  {peer.name}: left out ({lacking})")
        else:
            found.append(peer)
    return found


def http_rates(rounds: int, seconds: float) -> None:
    print(f"HTTP/1.1 keep-alive GETs of a page of 1,024 octets, a second; 16 connections, by {http_client()}")
    compare(present(HTTP_PEERS), rounds, lambda server: http(server.address, seconds),
            lambda server: http(server.address, WARM_UP))


def tls_rates(rounds: int, seconds: float) -> None:
    for program, package, title, measure in (
            ("openssl", "openssl", "New TLS 1.3 connections a second, one after the other, by openssl s_time",
             handshakes),
            ("wrk", "wrk", "HTTPS keep-alive GETs of the page a second; 16 connections, by wrk", https),
            ("h2load", "nghttp2-client", "HTTP/2 GETs of the page a second; 16 connections, 10 streams each, by "
             "h2load", http2)):
        print(title)
        if shutil.which(program) is None:
            print(f"  left out (apt-get install {package})")
            continue
        compare(present(HTTPS_PEERS), rounds, partial(at_address, measure, seconds),
                partial(at_address, measure, WARM_UP))


def at_address(measure: Callable[[Address, float], Rate], seconds: float, server: Server) -> Rate:
    return measure(server.address, seconds)


def dns_rates(rounds: int, seconds: float) -> None:
    print("DNS queries over UDP a second; 30 different ones, 100 under way, by dnsperf")
    if shutil.which("dnsperf") is None:
        print("  left out (apt-get install dnsperf)")
        return
    compare(present(DNS_PEERS), rounds, lambda server: dns(server.address, seconds, server.folder),
            lambda server: dns(server.address, WARM_UP, server.folder))


def smtp_rates(rounds: int, seconds: float) -> None:
    peers = None
    for size in mail.SIZES:
        print(f"Messages of {size:,} octets taken over SMTP, a second; {mail.CONNECTIONS} connections")
        peers = present(mail.SMTP_PEERS) if peers is None else peers
        compare(peers, rounds, partial(mail.send, size, seconds), partial(mail.send, size, WARM_UP))


def pop3_rates(rounds: int, seconds: float) -> None:
    print(f"Messages of {mail.SIZES[0]:,} octets fetched over POP3, a second; {mail.CONNECTIONS} connections")
    compare(present(mail.POP3_PEERS), rounds, partial(mail.fetch, seconds), partial(mail.fetch, WARM_UP))


def file_rates(part: str, rounds: int, seconds: float) -> None:
    measure, servers, tests, client = (
        (files.ftp, files.FTP_PEERS, files.FTP_TESTS, "FTP by Python's ftplib") if part == "ftp" else
        (files.sftp, files.SFTP_PEERS, files.TESTS, "SFTP by OpenSSH's sftp"))
    peers = None
    for what, title in tests.items():
        print(f"{title}; {client}")
        peers = present(servers) if peers is None else peers
        compare(peers, rounds, lambda server, what=what: measure(server, seconds, what),  # type: ignore[misc]
                lambda server, what=what: measure(server, 0.1, what))  # type: ignore[misc]


def imap_rates(rounds: int, seconds: float) -> None:
    peers = None
    for name, (title, _) in imap.WORK.items():
        print(f"{title}; {mail.CONNECTIONS} connections")
        peers = present(imap.IMAP_PEERS) if peers is None else peers
        compare(peers, rounds, lambda server, name=name: imap.work(name, server.address, seconds),  # type: ignore[misc]
                lambda server, name=name: imap.work(name, server.address, WARM_UP))  # type: ignore[misc]


def mailbox_times() -> None:
    print(f"Seconds until the answer is there, of a mailbox of {mailbox.MESSAGES:,} messages, over IMAP")
    with launch(mailbox.mailbox()) as server:
        for question, seconds in mailbox.questions(server):
            print(f"  {question:<60} {seconds:>6.2f}")


def journal_times() -> None:
    print(f"Seconds until a journal of {journal.EXCHANGES:,} exchanges, in 200,000 sessions, is searched")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        path = journal.fill(Path(name))
        for question, seconds, found in journal.questions(path):
            print(f"  {question:<60} {seconds:>8.3f}  ({found:,} found)")
        print("How late a loop's turns are while threads search that journal, in ms: 99 of 100 at most, the worst")
        for question, most, worst in journal.lags(path):
            print(f"  {question:<60} {most * 1000:>6.1f}  {worst * 1000:>6.1f}")


def page_costs(rounds: int, seconds: float) -> None:
    print(f"The live page at {page.RATE:,} exchanges a second: the loop's share of a processor; what other clients "
          "wait, in ms, half of them and 99 of 100 at most")
    for _ in range(rounds):
        for pages in (0, page.PAGES):
            found = page.watched(pages, seconds)
            print(f"  {pages:>2} pages watch{'':<17} {found.loop:>10.1%}  {found.usual * 1000:>6.1f}  "
                  f"{found.late * 1000:>6.1f}  at {found.rate:,.0f} a second")
    before, after = page.memories()
    print(f"Resident memory in MB, idle: {before / 1e6:.1f}; once somebody has looked at the page: {after / 1e6:.1f}")
    print(f"Seconds until the API has searched a journal of {journal.EXCHANGES:,} exchanges")
    for question, took, told in page.searches():
        print(f"  {question:<60} {took:>8.3f}  ({told})")


def compare(peers: Sequence[Peer], rounds: int, measure: Callable[[Server], Rate],
            warm_up: Callable[[Server], Rate]) -> None:
    """Measure the servers in turns, and print what came out. The first is the sandbox."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(launch(peer)) for peer in peers]
        rates: dict[str, list[Rate]] = {server.name: [] for server in servers}
        for server in servers:
            warm_up(server)
        for _ in range(rounds):
            for server in servers:
                rates[server.name].append(measure(server))
        medians = {name: statistics.median(rate.per_second for rate in found) for name, found in rates.items()}
        own = medians[servers[0].name]
        for name, found in rates.items():
            low, high = min(rate.per_second for rate in found), max(rate.per_second for rate in found)
            lost = sum(rate.lost for rate in found)
            note = f"  {lost:,} without a good answer" if lost else ""
            ratio = "" if name == servers[0].name else f"  sandbox is {own / medians[name]:.2f} times that"
            print(f"  {name:<30} {medians[name]:>10,.0f}  ({low:,.0f} to {high:,.0f}){ratio}{note}")
        answered = sum(rate.answered for rate in rates[servers[0].name])
        print(f"  The sandbox's journal has {recorded(servers[0]):,} exchanges; {answered:,} answers were counted, "
              "without those of the warm-up.")


def recorded(server: Server) -> int:
    """How many exchanges the journal of a running sandbox has."""
    with Reader(server.folder / "data" / "journal.sqlite3") as reader:
        return sum(1 for _ in reader.exchanges())


def start_times(rounds: int) -> None:
    print("From the start of the process until every service accepts, in seconds")
    found = [start_time() for _ in range(max(rounds, 3))]
    print(f"  {'sandbox':<30} {statistics.median(found):>10.3f}  ({min(found):.3f} to {max(found):.3f})")


def start_time() -> float:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        ready = Path(name) / "ready.json"
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "up", "--quiet", "--ports", "ephemeral", "--data", f"{name}/data",
             "--ready-file", str(ready)], stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            while not ready.exists():
                if process.poll() is not None or time.perf_counter() > began + 20:
                    raise RuntimeError("the sandbox did not start")
                time.sleep(0.001)
            took = time.perf_counter() - began
            assert json.loads(ready.read_text())["services"]
            return took
        finally:
            end(process)


def space_times(rounds: int) -> None:
    count = 100 * rounds
    print(f"A space opened and closed {count} times in a running sandbox, every service on: milliseconds (medians)")
    for kind, spec in spaces.KINDS.items():
        found = spaces.cost(spec, count)
        print(f"  {kind:<30} {found.opening * 1e3:>10.1f} to open  {found.closing * 1e3:.1f} to close  "
              f"({found.kept[0] / 1e6:+.1f} MB and {found.kept[1]:+d} descriptors after all)")


def suite_times(rounds: int) -> None:
    print("What a test suite pays for a sandbox in its own process: milliseconds (medians)")
    for what, seconds in suite.costs(rounds).items():
        print(f"  {what:<40} {seconds * 1e3:>10.1f}")


def memories() -> None:
    print(f"Resident memory in MB: idle, after a first page, with {CONNECTIONS:,} connections that had one each")
    for peer in present((SANDBOX, *HTTP_PEERS[1:])):
        with launch(peer) as server:
            idle = memory(server)
            with open_connections(server.address, 1):
                first = memory(server)
            with open_connections(server.address, CONNECTIONS):
                full = memory(server)
            print(f"  {peer.name:<30} {idle / 1e6:>10.1f}  {first / 1e6:>6.1f}  {full / 1e6:>6.1f}  "
                  f"({(full - first) / CONNECTIONS / 1e3:.1f} kB a connection)")


def idle_memory() -> None:
    print(f"Resident memory in MB: with one connection in IDLE, with {imap.IDLERS:,}")
    with launch(imap.IMAP_PEERS[0]) as server:
        with imap.idling(server.address, 1):
            first = memory(server)
        with imap.idling(server.address, imap.IDLERS):
            full = memory(server)
        print(f"  {server.name:<30} {first / 1e6:>10.1f}  {full / 1e6:>6.1f}  "
              f"({(full - first) / (imap.IDLERS - 1) / 1e3:.1f} kB a connection)")


if __name__ == "__main__":
    sys.exit(main())
