"""Files: the clients that send, fetch and list over FTP and SFTP, and the servers they are measured with."""

from __future__ import annotations

import contextlib
import ftplib
import os
import pwd
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from bench.load import Rate
from bench.peers import HOST, Peer, Server, find, sandbox

__all__ = ["FTP_PEERS", "FTP_TESTS", "SFTP_PEERS", "TESTS", "ftp", "sftp"]

BIG = 200_000_000
SMALL = 2_000
"""Octets of the two kinds of files."""
CONNECTIONS = 4
"""For small files and listings; a big file has one."""
ENTRIES = 100
"""Files in the folder that is listed."""
FRESH = 6
"""Files of the first kind that are fetched once each."""
MOST = 800
"""Small files or listings of one measurement: after each transfer a port rests for a minute, and there are 28,000."""
BATCH = 200
"""Small files or listings of one run of the sftp program."""
PIECE = 1_048_576
USER, PASSWORD = "ftp", "bench"
"""The name that vsftpd knows as anonymous; a person's for the others."""
FOLDER = "pub"

TESTS = {
    "up": f"MB a second sent, one file of {BIG // 1_000_000} MB after the other",
    "down": f"MB a second fetched, one file of {BIG // 1_000_000} MB again and again",
    "put": f"Files of {SMALL:,} octets sent, a second",
    "get": f"Files of {SMALL:,} octets fetched, a second",
    "list": f"Listings of a folder of {ENTRIES} files, a second",
}

FTP_TESTS = {**TESTS, "first": f"MB a second fetched, files of {BIG // 1_000_000} MB that nobody has fetched before"}


# -- FTP, by Python's ftplib ---------------------------------------------------------------------------------


def ftp(server: Server, seconds: float, what: str) -> Rate:
    """One of FTP_TESTS."""
    if what == "first":
        put_there(server)
    # In a process of its own: the load must not share an interpreter with anything else.
    words = [sys.executable, "-m", "bench.files", what, server.address.host, str(server.address.port), str(seconds)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, timeout=seconds + 60, check=True).stdout.split()
    return Rate(float(done[0]), int(done[1]), int(done[2]))


def put_there(server: Server) -> None:
    """Files that come to the server by another way than FTP."""
    places = (server.folder / "data" / "homes" / USER / FOLDER, server.folder / "files" / FOLDER)
    folder = next(place for place in places if place.is_dir())
    piece = os.urandom(PIECE)
    for number in range(FRESH):
        with (folder / f"fresh{number}").open("wb") as file:
            for start in range(0, BIG, PIECE):
                file.write(piece[:BIG - start])
    time.sleep(0.2)


class Client:
    """One connection, logged in, with what it fetches or lists already there."""

    def __init__(self, host: str, port: int, what: str, number: int) -> None:
        self.ftp = ftplib.FTP()
        self.ftp.connect(host, port, 20)
        self.ftp.login(USER, PASSWORD)
        self.ftp.cwd(FOLDER)
        self.ftp.voidcmd("TYPE I")
        self.name = f"{what}{number}"
        self.small = os.urandom(SMALL)
        self.big = memoryview(os.urandom(PIECE))
        self.buffer = bytearray(PIECE)
        self.work = getattr(self, what)
        self.fetched = 0
        if what == "down":
            self.up()
        elif what == "get":
            self.put()
        elif what == "list":
            with contextlib.suppress(ftplib.error_perm):
                self.ftp.mkd(self.name)
            self.ftp.cwd(self.name)
            for entry in range(ENTRIES):
                self.name = f"file{entry}"
                self.put()

    def up(self) -> float:
        with self.ftp.transfercmd(f"STOR {self.name}") as data:
            for start in range(0, BIG, PIECE):
                data.sendall(self.big[:BIG - start])
        self.ftp.voidresp()
        return BIG / 1e6

    def first(self) -> float:
        self.name = f"fresh{self.fetched}"
        self.fetched += 1
        return self.down()

    def down(self) -> float:
        found = 0
        with self.ftp.transfercmd(f"RETR {self.name}") as data:
            while received := data.recv_into(self.buffer):
                found += received
        self.ftp.voidresp()
        if found != BIG:
            raise OSError(f"{found} octets came instead of {BIG}")
        return BIG / 1e6

    def put(self) -> float:
        with self.ftp.transfercmd(f"STOR {self.name}") as data:
            data.sendall(self.small)
        self.ftp.voidresp()
        return 1

    def get(self) -> float:
        if len(self.read(f"RETR {self.name}")) != SMALL:
            raise OSError("the file is not whole")
        return 1

    def list(self) -> float:
        if self.read("LIST").count(b"\r\n") < ENTRIES:
            raise OSError("the listing is not whole")
        return 1

    def read(self, command: str) -> bytes:
        with self.ftp.transfercmd(command) as data, data.makefile("rb") as stream:
            found = stream.read()
        self.ftp.voidresp()
        return found


def load(what: str, host: str, port: int, seconds: float) -> Rate:
    """So many connections at once, a thread each; the time runs when all are ready."""
    connections = 1 if what in ("up", "down", "first") else CONNECTIONS
    most = FRESH if what == "first" else MOST / connections
    ready = threading.Barrier(connections + 1)
    units, counts, lost = [0.0] * connections, [0] * connections, []

    def one(number: int) -> None:
        try:
            client = Client(host, port, what, number)
            ready.wait(60)
            until = time.perf_counter() + seconds
            while time.perf_counter() < until and counts[number] < most:
                units[number] += client.work()
                counts[number] += 1
        except (OSError, EOFError, ftplib.Error, threading.BrokenBarrierError) as error:
            lost.append(str(error))
            print(repr(error), file=sys.stderr)
            ready.abort()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    with contextlib.suppress(threading.BrokenBarrierError):
        ready.wait(60)
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return Rate(sum(units) / (time.perf_counter() - began), sum(counts), len(lost))


# -- SFTP, by OpenSSH's program ------------------------------------------------------------------------------


def sftp(server: Server, seconds: float, what: str) -> Rate:
    """One of TESTS: as many runs of the program as begin in the time, each with its login."""
    local = server.folder / "local"
    if not local.exists():
        local.mkdir()
        (local / "small").write_bytes(os.urandom(SMALL))
        with (local / "big").open("wb") as big:
            for start in range(0, BIG, PIECE):
                big.write(os.urandom(min(PIECE, BIG - start)))
        run_sftp(server, ["mkdir many", *(f"put {local}/small many/file{entry}" for entry in range(ENTRIES)),
                          f"put {local}/big big", f"put {local}/small small"])
    batch, each = {
        "up": ([f"put {local}/big up"], BIG / 1e6),
        "down": ([f"get big {local}/down"], BIG / 1e6),
        "put": ([f"put {local}/small file{number % ENTRIES}" for number in range(BATCH)], float(BATCH)),
        "get": ([f"get small {local}/got{number % ENTRIES}" for number in range(BATCH)], float(BATCH)),
        "list": (["ls -l many"] * BATCH, float(BATCH)),
    }[what]
    units, answered, lost = 0.0, 0, 0
    began = time.perf_counter()
    while time.perf_counter() < began + seconds:
        try:
            run_sftp(server, batch)
            units, answered = units + each, answered + len(batch)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            lost += 1
            print(error, error.stderr, file=sys.stderr)
            break
    return Rate(units / (time.perf_counter() - began), answered, lost)


def run_sftp(server: Server, commands: list[str]) -> None:
    subprocess.run(["sftp", "-q", "-b", "-", "-F", "/dev/null", "-i", str(server.folder / "key"),
                    "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                    "-P", str(server.address.port), f"{login()}@{server.address.host}"],
                   input="\n".join(commands), text=True, capture_output=True, timeout=60, check=True)


def login() -> str:
    """Who runs this: sshd lets nobody else in without root."""
    return pwd.getpwuid(os.geteuid()).pw_name


# -- The servers ---------------------------------------------------------------------------------------------


def ftp_sandbox(folder: Path, port: int) -> list[str]:
    """The sandbox with a person of vsftpd's anonymous name, and a big enough home."""
    words = sandbox(folder, port)
    with (folder / "world.toml").open("a") as world:
        world.write(f'[people.{USER}]\npassword = "{PASSWORD}"\n')
    (folder / "data" / "homes" / USER / FOLDER).mkdir(parents=True)
    return [*words, "--set", "ftp.anonymous=false", "--set", "files.quota=4000000000"]


def pyftpdlib(folder: Path, port: int) -> list[str]:
    """One process, as its command line starts it; it prints a line for each transfer."""
    (folder / "files" / FOLDER).mkdir(parents=True)
    return [sys.executable, "-m", "pyftpdlib", "-i", HOST, "-p", str(port), "-w", "-d", str(folder / "files"),
            "-u", USER, "-P", PASSWORD]


VSFTPD = """
background=NO
listen=YES
listen_address={host}
listen_port={port}
anonymous_enable=YES
anon_root={folder}/files
anon_umask=022
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
write_enable=YES
xferlog_enable=YES
vsftpd_log_file={folder}/log
secure_chroot_dir={folder}/empty
"""


def vsftpd(folder: Path, port: int) -> list[str]:
    """A process for each connection, with its log."""
    for name in ("empty", f"files/{FOLDER}"):
        (folder / name).mkdir(parents=True)
    shutil.chown(folder / "files" / FOLDER, "ftp")
    (folder / "vsftpd.conf").write_text(VSFTPD.format(folder=folder, host=HOST, port=port))
    return [find("vsftpd"), str(folder / "vsftpd.conf")]


def new_key(path: Path) -> str:
    """Make a key; its public half as a line."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text().strip()


def sftp_sandbox(folder: Path, port: int) -> list[str]:
    words = sandbox(folder, port)
    with (folder / "world.toml").open("a") as world:
        world.write(f'[people.{login()}]\npassword = "{PASSWORD}"\nssh_keys = ["{new_key(folder / "key")}"]\n')
    return [*words, "--set", "files.quota=4000000000"]


SSHD = """
ListenAddress {host}:{port}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/key.pub
StrictModes no
PermitRootLogin yes
UsePAM no
Subsystem sftp {program} -l INFO -d {folder}/files
"""
SFTP_SERVER = "/usr/lib/openssh/sftp-server"


def openssh(folder: Path, port: int) -> list[str]:
    """sshd with its sftp-server, which logs each file."""
    (folder / "files").mkdir()
    new_key(folder / "host")
    new_key(folder / "key")
    Path("/run/sshd").mkdir(exist_ok=True)
    (folder / "sshd.conf").write_text(SSHD.format(folder=folder, host=HOST, port=port, program=SFTP_SERVER))
    return [find("sshd"), "-D", "-e", "-f", str(folder / "sshd.conf")]


FTP_PEERS = (
    Peer("sandbox", ftp_sandbox, service="ftp"),
    Peer("vsftpd, log", vsftpd, programs={"vsftpd": "vsftpd"}, root=True),
    Peer("pyftpdlib, log", pyftpdlib, modules={"pyftpdlib": "pyftpdlib"}),
)

SFTP_PEERS = (
    Peer("sandbox", sftp_sandbox, programs={"sftp": "openssh-client"}, service="sftp"),
    Peer("OpenSSH's sftp-server, log", openssh, programs={"sshd": "openssh-server", SFTP_SERVER:
                                                          "openssh-sftp-server"}, root=True),
)


if __name__ == "__main__":
    print(*load(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
