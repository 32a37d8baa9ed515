"""Mail: the client that sends or fetches over eight connections, and the servers it is measured with."""

from __future__ import annotations

import functools
import os
import pwd
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.load import Rate
from bench.peers import HOST, Peer, Server, find, sandbox
from sandbox.address import Address

__all__ = [
    "CONNECTIONS", "LETTERS", "PASSWORD", "PEOPLE", "POP3_PEERS", "SIZES", "SMTP_PEERS", "dovecot", "fetch",
    "mail_sandbox", "run", "send", "text",
]

CONNECTIONS = 8
SIZES = (2_000, 50_000)
"""Octets of a message: a letter, and one with a small picture."""
LETTERS = 100
"""In each person's maildrop, of the smaller size."""
PEOPLE = [f"user{number}" for number in range(CONNECTIONS)]
PASSWORD = "bench"
LINE = "All work and no play makes a dull test, and a long one makes a test that nobody runs."


def send(size: int, seconds: float, server: Server) -> Rate:
    """Messages accepted: each connection sends one after the other, and waits for every answer."""
    return measure("send", server.address, seconds, size)


def fetch(seconds: float, server: Server) -> Rate:
    """Messages fetched with RETR: each connection has logged in to a maildrop of its own."""
    return measure("fetch", server.address, seconds, 0)


def measure(what: str, address: Address, seconds: float, size: int) -> Rate:
    # In a process of its own: the load must not share an interpreter with anything else.
    words = [sys.executable, "-m", "bench.mail", what, address.host, str(address.port), str(seconds), str(size)]
    said = subprocess.run(words, capture_output=True, text=True, timeout=seconds + 30, check=True).stdout.split()
    return Rate(float(said[0]), int(said[1]), int(said[2]))


def text(size: int) -> str:
    """A body of about so many octets."""
    return f"{LINE}\r\n" * (size // (len(LINE) + 2))


def send_some(address: Address, until: float, size: int, number: int) -> int:
    """One connection: how many messages the server took. Raises OSError, RuntimeError."""
    letter = f"Subject: bench\r\nFrom: a@far.example\r\n\r\n{text(size)}.\r\n".encode()
    with socket.create_connection(address, 20) as sock, sock.makefile("rb") as lines:

        def say(command: bytes, wanted: bytes) -> None:
            if command:
                sock.sendall(command)
            while (line := lines.readline())[3:4] == b"-":
                pass
            if not line.startswith(wanted):
                raise RuntimeError(f"{command[:60]!r} was answered {line!r}")

        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        say(b"", b"220")
        say(b"EHLO bench.test\r\n", b"250")
        count = 0
        while time.perf_counter() < until:
            say(b"MAIL FROM:<a@far.example>\r\n", b"250")
            say(f"RCPT TO:<{PEOPLE[number]}@bench.test>\r\n".encode(), b"250")
            say(b"DATA\r\n", b"354")
            say(letter, b"250")
            count += 1
        return count


def fetch_some(address: Address, until: float, size: int, number: int) -> int:
    """One connection: how many messages came. Raises OSError, RuntimeError."""
    with socket.create_connection(address, 20) as sock, sock.makefile("rb") as lines:

        def say(command: str) -> None:
            if command:
                sock.sendall(f"{command}\r\n".encode())
            line = lines.readline()
            if not line.startswith(b"+OK"):
                raise RuntimeError(f"{command!r} was answered {line!r}")

        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for command in ("", f"USER {PEOPLE[number]}", f"PASS {PASSWORD}"):
            say(command)
        count = 0
        while time.perf_counter() < until:
            say(f"RETR {count % LETTERS + 1}")
            while lines.readline() != b".\r\n":
                pass
            count += 1
        return count


def run(work: Callable[[Address, float, int, int], int], address: Address, seconds: float, size: int) -> Rate:
    """So many connections at once, a thread each."""
    counts = [0] * CONNECTIONS
    lost: list[str] = []
    began = time.perf_counter()

    def one(number: int) -> None:
        try:
            counts[number] = work(address, began + seconds, size, number)
        except (OSError, RuntimeError) as error:
            lost.append(str(error))
            print(error, file=sys.stderr)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Rate(sum(counts) / (time.perf_counter() - began), sum(counts), len(lost))


# -- The servers ---------------------------------------------------------------------------------------------


def mail_sandbox(folder: Path, port: int, service: str) -> list[str]:
    """The sandbox with a person and a full maildrop for each connection."""
    words = sandbox(folder, port)
    with (folder / "world.toml").open("a") as world:
        for person in PEOPLE:
            world.write(f'[people.{person}]\npassword = "{PASSWORD}"\n')
        if service in ("pop3", "imap"):
            body = text(SIZES[0]).replace("\r\n", "\\n")
            for person in PEOPLE * LETTERS:
                world.write(f'[[mail]]\nto = "{person}"\nfrom = "a@far.example"\ntext = "{body}"\n')
    return [*words, "--set", "mail.quota=0"]


def aiosmtpd(folder: Path, port: int) -> list[str]:
    """Throws every message away, as its tests do."""
    return [sys.executable, "-m", "aiosmtpd", "--nosetuid", "--listen", f"{HOST}:{port}",
            "--class", "aiosmtpd.handlers.Sink"]


POSTFIX = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/state
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = {host}
inet_protocols = ipv4
myhostname = mail.bench.test
mydestination =
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = bench.test
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
"""
MASTER = """
{host}:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def postfix(folder: Path, port: int) -> list[str]:
    """As it comes: a message is accepted when its queue file is safe, and goes on to a maildir."""
    owner = pwd.getpwnam("postfix")
    for name in ("queue", "state", "mail", "etc"):
        (folder / name).mkdir()
    for name in ("state", "mail"):
        os.chown(folder / name, owner.pw_uid, owner.pw_gid)
    (folder / "etc" / "main.cf").write_text(POSTFIX.format(folder=folder, host=HOST, uid=owner.pw_uid,
                                                           gid=owner.pw_gid))
    (folder / "etc" / "master.cf").write_text(MASTER.format(host=HOST, port=port))
    # `postfix start` would begin a session of its own, and outlive this one.
    subprocess.run([find("postfix"), "-c", str(folder / "etc"), "check"], check=True, capture_output=True)
    return ["/usr/lib/postfix/sbin/master", "-c", str(folder / "etc"), "-d"]


INETSIM = """
start_service smtp
service_bind_address {host}
service_max_childs 20
smtp_bind_port {port}
"""


def inetsim(folder: Path, port: int) -> list[str]:
    (folder / "inetsim.conf").write_text(INETSIM.format(host=HOST, port=port))
    for name in ("log", "report"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
    return [find("inetsim"), f"--config={folder / 'inetsim.conf'}", f"--pidfile={folder / 'pid'}",
            f"--log-dir={folder / 'log'}", f"--report-dir={folder / 'report'}", "--data-dir=/var/lib/inetsim/"]


DOVECOT = """
protocols = {protocol}
listen = {host}
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service {protocol}-login {{
  inet_listener {protocol} {{
    port = {port}
  }}
  inet_listener {protocol}s {{
    port = 0
  }}
}}
"""


def dovecot(folder: Path, port: int, protocol: str) -> list[str]:
    """As it comes, over maildirs."""
    owner = pwd.getpwnam("dovenull")
    head = "From: a@far.example\r\nTo: user@bench.test\r\nSubject:\r\nDate: Mon, 23 Nov 2026 11:00:00 +0000\r\n"
    letter = f"{head}\r\n{text(SIZES[0])}".encode()
    for person in PEOPLE:
        for name in ("", "/cur", "/new", "/tmp"):
            path = folder / f"mail/{person}{name}"
            path.mkdir(parents=True)
            os.chown(path, owner.pw_uid, owner.pw_gid)
        for number in range(LETTERS):
            path = folder / f"mail/{person}/cur/{number}.bench,S={len(letter)},W={len(letter)}:2,"
            path.write_bytes(letter)
            os.chown(path, owner.pw_uid, owner.pw_gid)
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    (folder / "dovecot.conf").write_text(DOVECOT.format(
        folder=folder, host=HOST, port=port, protocol=protocol, password=PASSWORD, uid=owner.pw_uid,
        gid=owner.pw_gid))
    return [find("dovecot"), "-F", "-c", str(folder / "dovecot.conf")]


SMTP_PEERS = (
    Peer("sandbox", functools.partial(mail_sandbox, service="smtp"), service="smtp"),
    Peer("Postfix", postfix, programs={"postfix": "postfix"}, root=True),
    Peer("aiosmtpd, throws it away", aiosmtpd, modules={"aiosmtpd": "aiosmtpd"}),
    Peer("INetSim", inetsim, programs={"inetsim": "inetsim"}, root=True),
)

POP3_PEERS = (
    Peer("sandbox", functools.partial(mail_sandbox, service="pop3"), service="pop3"),
    Peer("Dovecot", functools.partial(dovecot, protocol="pop3"), programs={"dovecot": "dovecot-pop3d"}, root=True),
)


if __name__ == "__main__":
    chosen = {"send": send_some, "fetch": fetch_some}[sys.argv[1]]
    print(*run(chosen, Address(sys.argv[2], int(sys.argv[3])), float(sys.argv[4]), int(sys.argv[5])))
