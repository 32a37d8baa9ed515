"""The dialogue of FTP, by transcripts against a running sandbox."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from sandbox.app import Sandbox, running
from sandbox.config import Config, Files, Ftp, Journal, Limits
from sandbox.journal.records import Stream
from tests.support.ftp import FtpClient, ftp
from tests.support.network import reader, watching

OFF = {
    "https": False,
    "dns": False,
    "domain-s": False,
    "sftp": False,
    "smtp": False,
    "submission": False,
    "submissions": False,
    "pop3": False,
    "pop3s": False,
    "echo": False,
    "discard": False,
    "daytime": False,
    "qotd": False,
    "chargen": False,
    "time": False,
}


@pytest.fixture
def config() -> Config:
    return Config(
        ports="ephemeral",
        services=dict(OFF),
        limits=Limits(grace=0.1),
        ftp=Ftp(accept_seconds=0.3),
        files=Files(quota=5_000_000, entries=20_000),
    )


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[FtpClient]:
    async with ftp(sandbox) as connected:
        await connected.login()
        yield connected


# -- logging in -------------------------------------------------------------------------------------------------


async def test_login(sandbox: Sandbox) -> None:
    async with ftp(sandbox) as client:
        await client.expect(
            ("PWD", "530"),
            ("PASS wonderland", "503 Send USER first"),
            ("USER alice", "331"),
            ("PASS wrong", "530"),
            ("USER nobody", "331"),
            ("PASS wonderland", "530"),
            ("USER alice@example.com", "331"),
            ("PASS wonderland", "230 Welcome, Alice"),
            ("PWD", '257 "/"'),
            ("ACCT x", "202"),
            ("REIN", "220"),
            ("PWD", "530"),
            ("QUIT", "221"),
        )
        assert await client.closed()


async def test_wrong_passwords_tell_nothing_and_have_an_end(sandbox: Sandbox) -> None:
    async with ftp(sandbox) as client:
        said = set()
        for name in ("alice", "nobody", "alice", "root", "bob"):
            assert (await client.ask(f"USER {name}")).startswith("331")
            said.add(await client.ask("PASS guess"))
        assert len(said) == 1
        assert await client.closed()


async def test_to_begin_again_is_no_fresh_start_for_a_guesser(sandbox: Sandbox) -> None:
    async with ftp(sandbox) as client:
        for _ in range(4):
            await client.expect(("USER alice", "331"), ("PASS guess", "530"), ("REIN", "220"))
        await client.expect(("USER alice", "331"), ("PASS guess", "530"))
        assert await client.closed()


async def test_anonymous_reads_and_does_not_write(sandbox: Sandbox) -> None:
    async with ftp(sandbox) as client:
        await client.login("anonymous", "me@example.com")
        assert b"public files" in await client.fetch("RETR welcome.txt")
        await client.expect(
            ("MKD x", "550"),
            ("DELE welcome.txt", "550"),
            ("STOR x", "550"),
            ("APPE welcome.txt", "550"),
            ("RNFR welcome.txt", "350"),
            ("RNTO x", "550"),
            ("SITE CHMOD 777 welcome.txt", "550"),
            ("MFMT 20200101000000 welcome.txt", "550"),
        )


async def test_anonymous_can_be_kept_out(tmp_path: Path) -> None:
    config = Config(ports="ephemeral", services=dict(OFF), ftp=Ftp(anonymous=False))
    async with running(config, tmp_path) as started, ftp(started) as client:
        await client.expect(("USER anonymous", "331"), ("PASS a@b", "530"))


@pytest.mark.parametrize(("mask", "asked"), [(False, "wonderland"), (True, "********")])
async def test_a_password_that_anybody_could_read_is_shown_unless_told_otherwise(mask: bool, asked: str,
                                                                                 tmp_path: Path) -> None:
    config = Config(ports="ephemeral", services=dict(OFF), journal=Journal(mask_passwords=mask))
    async with running(config, tmp_path) as started:
        with watching(started.journal) as watcher:
            async with ftp(started) as client:
                await client.login()
            await watcher.wait_closed()
            shown = [exchange for _, exchange in watcher.exchanges if exchange.verb == "PASS"]
            assert [exchange.asked for exchange in shown] == [asked]
            assert shown[0].facts["warning"] == "password seen in clear text"


# -- files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 12, 524_288, 524_289, 1_500_000])
async def test_a_file_comes_back_as_it_went(client: FtpClient, size: int) -> None:
    content = os.urandom(size)
    await client.give("STOR file.bin", content)
    assert await client.ask("SIZE file.bin") == f"213 {size}"
    assert await client.fetch("RETR file.bin") == content


@pytest.mark.parametrize(
    "name", ["with spaces.txt", " leading", "trailing ", "ünïcödé 日本.txt", 'quo"te', "-la", "a;b=c", "%2e"]
)
async def test_names(client: FtpClient, name: str) -> None:
    await client.give(f"STOR {name}", b"x")
    assert await client.fetch(f"RETR {name}") == b"x"
    assert (await client.fetch("NLST")).decode().splitlines() == sorted([name, "public", "sites", "www"])
    assert (await client.ask(f"MKD d{name}")).startswith('257 "/d' + name.replace('"', '""') + '"')
    await client.expect((f"RMD d{name}", "250"), (f"DELE {name}", "250"), (f"SIZE {name}", "550"))


async def test_directories(client: FtpClient) -> None:
    await client.expect(
        ("MKD a", '257 "/a"'),
        ("MKD /a/b", '257 "/a/b"'),
        ("MKD a", "550"),
        ("CWD a/b", "250"),
        ("PWD", '257 "/a/b"'),
        ("CDUP", "250"),
        ("PWD", '257 "/a"'),
        ("XPWD", '257 "/a"'),
        ("CWD ../../..", "250"),
        ("PWD", '257 "/"'),
        ("RMD a", "550"),
        ("CWD nothing", "550"),
        ("CWD public/welcome.txt", "550"),
        ("RMD a/b", "250"),
        ("RMD a", "250"),
        ("RMD public", "550"),
        ("SMNT x", "502"),
        ("ALLO 10", "202"),
    )


async def test_renaming(client: FtpClient) -> None:
    await client.give("STOR a", b"a")
    await client.give("STOR b", b"b")
    await client.expect(
        ("RNTO c", "503"),
        ("RNFR nothing", "550"),
        ("RNTO c", "503"),
        ("RNFR a", "350"),
        ("RNTO www/index.html", "250"),
        ("RNTO x", "503"),
        ("RNFR b", "350"),
        ("RNTO nowhere/b", "550"),
        ("RNFR /", "550"),
    )
    assert await client.fetch("RETR /www/index.html") == b"a"


async def test_restart_append_and_unique(client: FtpClient) -> None:
    await client.give("STOR f", b"0123456789")
    await client.expect(("REST 4", "350"))
    assert await client.fetch("RETR f") == b"456789"
    assert await client.fetch("RETR f") == b"0123456789", "REST counts for one transfer"
    await client.expect(("REST 5", "350"))
    await client.give("STOR f", b"abc")
    assert await client.fetch("RETR f") == b"01234abc", "what comes replaces the rest"
    await client.give("APPE f", b"!")
    await client.give("APPE new", b"made")
    assert await client.fetch("RETR f") + await client.fetch("RETR new") == b"01234abc!made"
    await client.expect(
        ("REST 100", "350"), ("RETR f", "554"), ("REST 100", "350"), ("STOR f", "554"), ("REST x", "501")
    )
    assert await client.give("STOU f", b"u") == "150 FILE: /f.1"
    assert await client.fetch("RETR f.1") == b"u"
    assert await client.give("STOU www", b"w") == "150 FILE: /www.1", "a folder's name is in use too"


async def test_an_upload_replaces_at_its_end(client: FtpClient, sandbox: Sandbox) -> None:
    page = sandbox.data / "homes" / "alice" / "www" / "index.html"
    await client.give("STOR www/index.html", b"old")
    data = await client.open()
    await client.expect(("STOR www/index.html", "150"))
    await data.send_all(b"half")
    assert page.read_bytes() == b"old"
    await data.aclose()
    assert (await client.reply()).startswith("226")
    assert page.read_bytes() == b"half"


async def test_a_page_uploaded_is_on_the_web(client: FtpClient, sandbox: Sandbox) -> None:
    await client.give("STOR www/index.html", b"<h1>hello</h1>")
    stream = await trio.open_tcp_stream(*sandbox.endpoints["http"])
    async with stream:
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: alice.example.com\r\nConnection: close\r\n\r\n")
        answer = b"".join([piece async for piece in stream])
    assert answer.endswith(b"<h1>hello</h1>")


async def test_text_crosses_with_crlf(client: FtpClient, sandbox: Sandbox) -> None:
    await client.expect(("TYPE A", "200"))
    await client.give("STOR t.txt", b"one\r\ntwo\r\n")
    assert (sandbox.data / "homes" / "alice" / "t.txt").read_bytes() == b"one\ntwo\n"
    assert await client.fetch("RETR t.txt") == b"one\r\ntwo\r\n"
    await client.expect(
        ("SIZE t.txt", "213 10"), ("REST 2", "501"), ("REST 0", "350"), ("TYPE I", "200"), ("SIZE t.txt", "213 8"),
        ("REST 2", "350"), ("TYPE A", "200"), ("RETR t.txt", "550")
    )


async def test_the_folder_can_be_full(client: FtpClient) -> None:
    data = await client.open()
    await client.expect(("STOR big", "150"))
    try:
        for _ in range(100):
            await data.send_all(bytes(100_000))
    except trio.BrokenResourceError:
        pass
    await data.aclose()
    assert (await client.reply()).startswith("552")
    # What has arrived stays, for REST; it may have filled the folder to the last octet.
    await client.expect(("DELE big", "250"))
    await client.give("STOR small", b"fits")


# -- listings ---------------------------------------------------------------------------------------------------


async def test_listings(client: FtpClient) -> None:
    await client.give("STOR a b.txt", b"12345")
    assert b"alice    users             5 " in await client.fetch("LIST -la")
    assert [line[-7:] for line in (await client.fetch("LIST *.txt")).split(b"\r\n")[:-1]] == [b"a b.txt"]
    assert await client.fetch("NLST public") == b"public/welcome.txt\r\n"
    assert await client.fetch("NLST a b.txt") == b"a b.txt\r\n"
    await client.expect(
        ("LIST nothing", "550"), ("NLST nothing", "550"), ("MLSD nothing", "550"), ("MLSD a b.txt", "501")
    )
    facts = dict(line.partition(" ")[::2] for line in (await client.fetch("MLSD")).decode().splitlines())
    assert sorted(facts.values()) == ["a b.txt", "public", "sites", "www"]
    status = await client.ask("STAT /public")
    assert "welcome.txt" in status
    assert status.startswith("213-")


async def test_facts(client: FtpClient) -> None:
    await client.give("STOR f", b"12345")
    await client.expect(
        ("MFMT 20200102030405 f", "213 Modify=20200102030405; f"),
        ("MDTM f", "213 20200102030405"),
        ("MDTM www", "550"),
        ("SIZE www", "550"),
        ("MFMT x f", "501"),
        ("MLST nothing", "550"),
    )
    assert (
        (await client.ask("MLST f")).splitlines()[1].startswith(" type=file;size=5;modify=20200102030405;perm=rawdf;")
    )
    await client.give("STOR www/page.html", b"123")
    await client.expect(("OPTS MLST type", "200"))
    # Go's FTP library takes the directory itself, under its whole path, for a folder of that name in it.
    assert await client.fetch("MLSD www") == b"type=file; page.html\r\n"
    await client.expect(("OPTS MLST size;nonsense;type", "200 MLST OPTS type;size;"))
    assert (await client.ask("MLST f")).splitlines()[1] == " type=file;size=5; /f"
    assert "MLST type*;size*;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;" in await client.ask("FEAT")
    await client.expect(("OPTS MLST unix.group;unix.owner", "200 MLST OPTS UNIX.owner;UNIX.group;"))
    assert (await client.ask("MLST f")).splitlines()[1] == " UNIX.owner=alice;UNIX.group=users; /f"


async def test_ten_thousand_files_in_a_folder(client: FtpClient, sandbox: Sandbox) -> None:
    folder = sandbox.data / "homes" / "alice" / "many"
    folder.mkdir()
    for number in range(10_000):
        os.close(os.open(folder / f"file {number:05}.txt", os.O_CREAT))
    for command in ("LIST many", "NLST many", "MLSD many"):
        lines = (await client.fetch(command)).splitlines()
        assert len(lines) >= 10_000
        assert lines[-1].endswith(b"file 09999.txt")


# -- data connections -------------------------------------------------------------------------------------------


async def test_active_mode(client: FtpClient) -> None:
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    for line in (f"PORT 127,0,0,1,{port // 256},{port % 256}", f"EPRT |1|127.0.0.1|{port}|"):
        await client.expect((line, "200"))
        await client.send("NLST public")
        with trio.fail_after(5):
            data = await listener.accept()
        assert (await client.reply()).startswith("150")
        async with data:
            assert b"".join([piece async for piece in data]) == b"public/welcome.txt\r\n"
        assert (await client.reply()).startswith("226")
    await listener.aclose()
    await client.expect((f"EPRT |1|127.0.0.1|{port}|", "200"), ("NLST", "150"))
    assert (await client.reply()).startswith("425"), "nobody listens any more"


@pytest.mark.parametrize(
    "line",
    [
        "PORT 10,0,0,1,200,1",
        "PORT 127,0,0,2,200,1",
        "EPRT |1|192.0.2.1|5000|",
        "EPRT |2|::1|5000|",
        "PORT 127,0,0,1,0,25",
        "EPRT |1|127.0.0.1|22|",
    ],
)
async def test_no_bounce(client: FtpClient, line: str) -> None:
    assert (await client.ask(line)).startswith("504")


async def test_nobody_else_may_come_to_the_data_port(client: FtpClient, sandbox: Sandbox) -> None:
    reply = await client.ask("PASV")
    port = int(reply.split(",")[4]) * 256 + int(reply.split(",")[5].partition(")")[0])
    thief = socket.socket()
    thief.setblocking(False)
    thief.bind(("127.0.0.2", 0))
    with trio.socket.from_stdlib_socket(thief) as stolen:
        await stolen.connect(("127.0.0.1", port))
        await client.expect(("NLST public", "150"))
        try:
            heard = await stolen.recv(100)
        except ConnectionResetError:
            heard = b""
        assert not heard
    data = await trio.open_tcp_stream("127.0.0.1", port)
    async with data:
        assert b"".join([piece async for piece in data]) == b"public/welcome.txt\r\n"
    assert (await client.reply()).startswith("226")


async def test_nobody_comes(client: FtpClient) -> None:
    await client.expect(("EPSV", "229"), ("NLST", "150"))
    assert (await client.reply()).startswith("425")
    await client.expect(("NLST", "150"))
    assert (await client.reply()).startswith("425"), "without PASV or PORT nobody listens at the default port"


async def test_epsv(client: FtpClient) -> None:
    await client.expect(
        ("EPSV 1", "229"),
        ("EPSV 2", "522"),
        ("EPSV 3", "522"),
        ("EPRT |3|x|1|", "522"),
        ("EPSV ALL", "200"),
        ("PASV", "503"),
        ("PORT 127,0,0,1,200,1", "503"),
        ("EPSV", "229"),
    )


async def test_over_ipv6(sandbox: Sandbox) -> None:
    async with ftp(sandbox, host="::1") as client:
        await client.login()
        await client.expect(("PASV", "425"), ("EPSV 1", "522"))
        await client.give("STOR six", b"6")
        assert await client.fetch("RETR six") == b"6"


async def test_the_passive_range_and_the_advertised_address(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    settings = Ftp(passive_ports=(free, free), advertise="192.0.2.9", accept_seconds=0.2)
    config = Config(ports="ephemeral", services=dict(OFF), ftp=settings)
    async with running(config, tmp_path) as started, ftp(started) as client, ftp(started) as other:
        await client.login()
        await other.login()
        assert await client.ask("PASV") == f"227 Entering Passive Mode (192,0,2,9,{free >> 8},{free & 255})."
        await other.expect(("PASV", "425"))
        await client.expect(("ABOR", "226"))
        await other.expect(("PASV", "227"))


async def test_ten_transfers_at_once(sandbox: Sandbox) -> None:
    async def one(number: int) -> None:
        content = os.urandom(200_000 + number)
        async with ftp(sandbox) as client:
            await client.login()
            await client.give(f"STOR f{number}", content)
            assert await client.fetch(f"RETR f{number}") == content

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(one, number)


# -- beside a transfer ------------------------------------------------------------------------------------------


async def stalled(client: FtpClient, sandbox: Sandbox) -> trio.abc.Stream:
    """A download that waits for its client to read."""
    (sandbox.data / "homes" / "alice" / "huge").write_bytes(b"")
    os.truncate(sandbox.data / "homes" / "alice" / "huge", 1_000_000_000)
    data = await client.open()
    await client.expect(("RETR huge", "150"))
    return data


@pytest.mark.parametrize("signal", [b"ABOR", b"\xff\xf4\xff\xf2ABOR"])
async def test_abort_in_mid_transfer(client: FtpClient, sandbox: Sandbox, signal: bytes) -> None:
    data = await stalled(client, sandbox)
    assert (await client.ask(signal)).startswith("426")
    assert (await client.reply()).startswith("226")
    await data.aclose()
    await client.expect(("NOOP", "200"), ("ABOR", "226"))
    assert await client.fetch("NLST public") == b"public/welcome.txt\r\n"


async def test_abort_as_urgent_data(client: FtpClient, sandbox: Sandbox) -> None:
    """As ftplib and the BSD clients send it: the last octet out of band."""
    data = await stalled(client, sandbox)
    assert isinstance(client.stream, trio.SocketStream)
    await client.stream.socket.send(b"ABOR\r\n", socket.MSG_OOB)
    assert (await client.reply()).startswith("426")
    assert (await client.reply()).startswith("226")
    await data.aclose()


async def test_status_and_noop_in_mid_transfer(client: FtpClient, sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        data = await stalled(client, sandbox)
        assert "RETR huge" in await client.ask("STAT")
        await client.expect(("NOOP", "200"))
        await data.aclose()
        assert (await client.reply()).startswith("426")
        await client.expect(("PWD", "257"))
        await client.ask("QUIT")
        await watcher.wait_closed(2)
    said = [(exchange.verb, exchange.outcome) for session, exchange in watcher.exchanges if session.service == "ftp"]
    assert said[-6:] == [
        ("RETR", "150"),
        ("STAT", "211"),
        ("NOOP", "200"),
        ("transfer", "426"),
        ("PWD", "257"),
        ("QUIT", "221"),
    ]


async def test_commands_sent_ahead_wait_for_the_transfer(client: FtpClient) -> None:
    data = await client.open()
    await client.send("NLST public\r\nPWD\r\nQUIT")
    async with data:
        assert b"".join([piece async for piece in data]) == b"public/welcome.txt\r\n"
    assert [(await client.reply())[:3] for _ in range(4)] == ["150", "226", "257", "221"]
    assert await client.closed()


async def test_a_client_that_leaves_in_mid_upload_leaves_what_it_sent(client: FtpClient, sandbox: Sandbox) -> None:
    data = await client.open()
    await client.expect(("STOR part", "150"))
    with watching(sandbox.journal) as watcher:
        await data.send_all(b"x" * 1000)
        await client.stream.aclose()
        await data.aclose()
        await watcher.wait_closed(2)
    assert not [name for name in os.listdir(sandbox.data / "homes" / "alice") if name.startswith(".")]


async def test_a_transfer_is_one_exchange_with_its_data(client: FtpClient, sandbox: Sandbox) -> None:
    content = os.urandom(70_000)
    with watching(sandbox.journal) as watcher:
        await client.give("STOR f", content)
        assert await client.fetch("RETR f") == content
        await client.ask("QUIT")
        await watcher.wait_closed(3)
    control = {exchange.verb: exchange for session, exchange in watcher.exchanges if session.service == "ftp"}
    data = {
        exchange.verb: (session, exchange) for session, exchange in watcher.exchanges if session.service == "ftp-data"
    }
    digest = hashlib.sha256(content).hexdigest()
    for verb in ("STOR", "RETR"):
        assert control[verb].outcome == "226"
        session, exchange = data[verb]
        assert exchange.outcome == "complete"
        assert exchange.facts["sha256"] == control[verb].facts["sha256"] == digest
        assert exchange.facts["octets"] == "70000"
        assert session.parent == control[verb].session
    await sandbox.journal.settle()
    with reader(sandbox) as journal:
        assert journal.stream(data["STOR"][0].id, Stream.CLIENT) == content
        assert journal.stream(data["RETR"][0].id, Stream.SERVER) == content


# -- TLS --------------------------------------------------------------------------------------------------------


async def test_explicit_tls(sandbox: Sandbox) -> None:
    async with ftp(sandbox) as client:
        await client.expect(("PBSZ 0", "503"), ("PROT P", "503"), ("AUTH KERBEROS", "504"))
        await client.secure()
        await client.login()
        await client.expect(("AUTH TLS", "534"), ("PROT S", "536"), ("PROT X", "504"), ("PROT P", "200"))
        await client.give("STOR f", b"secret" * 100_000)
        assert await client.fetch("RETR f") == b"secret" * 100_000
        assert "f" in (await client.fetch("NLST")).decode().splitlines()
        client.protected = False
        await client.expect(("PROT C", "200"))
        assert await client.fetch("RETR f") == b"secret" * 100_000


async def test_implicit_tls(sandbox: Sandbox) -> None:
    async with ftp(sandbox, "ftps") as client:
        await client.login()
        client.protected = True  # aioftp, as IIS and its clients, takes that for settled
        await client.give("STOR f", b"secret")
        await client.expect(("PBSZ 0", "200"), ("PROT P", "200"))
        assert await client.fetch("RETR f") == b"secret"
        client.protected = False
        await client.expect(("PROT C", "200"))
        assert await client.fetch("RETR f") == b"secret"


async def test_what_is_sent_before_tls_does_not_count(sandbox: Sandbox) -> None:
    async with ftp(sandbox) as client:
        await client.login()
        await client.send("AUTH TLS\r\nDELE public/welcome.txt")
        assert (await client.reply()).startswith("234")
        await client.start_tls()
        await client.expect(("PWD", "530"), ("SYST", "215"))
        await client.login()
        await client.expect(("SIZE public/welcome.txt", "213"))


@pytest.mark.parametrize("early", [True, False], ids=["before the command", "after it"])
async def test_the_data_connection_is_encrypted_whenever_the_client_begins(sandbox: Sandbox, early: bool) -> None:
    """RFC 4217 §7 lets the client begin at once; aioftp does, and says nothing more before it is done."""
    async with ftp(sandbox) as client:
        await client.secure()
        await client.login()
        for _ in range(2):
            data = await client.open()
            if early:
                with trio.fail_after(5):
                    data = await client.dressed(data)
            await client.expect(("STOR f", "150"))
            async with data if early else await client.dressed(data) as stream:
                await stream.send_all(b"secret")
            assert (await client.reply()).startswith("226")
        assert await client.fetch("RETR f") == b"secret"


async def test_who_is_met_and_then_not_needed_is_let_go(sandbox: Sandbox) -> None:
    async with ftp(sandbox) as client:
        await client.secure()
        await client.login()
        for _ in range(2):
            async with await client.dressed(await client.open()) as data:
                await client.expect(("EPSV", "229"))
                with pytest.raises(trio.BrokenResourceError):
                    await data.receive_some()


@pytest.mark.parametrize("then", ["EPSV", "PASV", "ABOR", "REIN", "QUIT"])
async def test_a_passive_port_that_nobody_comes_to_ends_quietly(sandbox: Sandbox, then: str) -> None:
    """Sent together, so that the port is closed before anybody has begun to wait at it."""
    async with ftp(sandbox) as client:
        await client.secure()
        await client.login()
        await client.send(f"EPSV\r\n{then}\r\nNOOP" if then != "QUIT" else "EPSV\r\nQUIT")
        assert (await client.reply()).startswith("229")
        assert (await client.reply())[:1] == "2"
        if then == "QUIT":
            assert await client.closed()
        else:
            assert (await client.reply()).startswith("200")


async def test_data_without_tls_where_it_was_promised(sandbox: Sandbox) -> None:
    async with ftp(sandbox) as client:
        await client.secure()
        await client.login()
        data = await client.open()
        await client.expect(("STOR f", "150"))
        await data.send_all(b"in the clear")
        await data.aclose()
        assert (await client.reply()).startswith("522")


# -- the rest ---------------------------------------------------------------------------------------------------


async def test_parameters(client: FtpClient) -> None:
    await client.expect(
        ("TYPE A N", "200"),
        ("TYPE L 8", "200"),
        ("TYPE E", "504"),
        ("TYPE A C", "504"),
        ("TYPE X", "501"),
        ("STRU F", "200"),
        ("STRU R", "504"),
        ("MODE S", "200"),
        ("MODE Z", "504"),
        ("SYST", "215 UNIX Type: L8"),
        ("NOOP", "200"),
        ("HELP", "214-"),
        ("HELP retr", "214 RETR path"),
        ("HELP x", "501"),
        ("SITE HELP", "214"),
        ("SITE EXEC x", "504"),
        ("SITE CHMOD 9 x", "501"),
        ("OPTS UTF8 ON", "200"),
        ("OPTS UTF8 OFF", "504"),
        ("OPTS X", "501"),
        ("LANG en", "200"),
        ("LANG de", "504"),
        ("NONSENSE", "500"),
        ("RETR", "501"),
        ("STAT", "211-"),
        ("CCC", "500"),
    )


async def test_site_chmod(client: FtpClient, sandbox: Sandbox) -> None:
    await client.give("STOR f", b"x")
    await client.expect(
        ("SITE CHMOD 755 f", "200"),
        ("SITE CHMOD 644 nothing", "550"),
        ("SITE CHMOD 4755 f", "504"),
        ("SITE CHMOD 000 f", "504"),
        ("SITE CHMOD 644 www", "504"),
    )
    assert os.stat(sandbox.data / "homes" / "alice" / "f").st_mode & 0o7777 == 0o755
    await client.expect(("SITE CHMOD 444 f", "200"), ("STOR f", "550"), ("APPE f", "550"), ("SIZE f", "213"))


@pytest.mark.parametrize(
    "line",
    [
        b"CWD \xff\xff\xfe",
        b"CWD a\x00b",
        b"MKD a\x1bb",
        b"RETR " + b"a/" * 200,
        b"MKD " + b"a" * 300,
        b"STOR ../x\x7f",
        b"CWD " + b"x" * 10_000,
        b"\x80\x81",
        b"MKD a\rb",
        b"STOR .sandbox-upload-x",
    ],
)
async def test_bad_lines_are_answered(client: FtpClient, line: bytes) -> None:
    assert (await client.ask(line))[0] in "5"
    await client.expect(("NOOP", "200"))


ATTACKS = [
    "../../../etc/passwd",
    "/../../etc/passwd",
    "/etc/passwd",
    "out/passwd",
    "www/../out/passwd",
    "out",
    "..\\..\\x",
    "%2e%2e/%2e%2e/etc/passwd",
    "\uff0e\uff0e/etc/passwd",
    "homes/bob",
    "/homes/bob/www",
    "../bob/www",
    "~root/.bashrc",
    "/proc/self/environ",
    "key",
    "public/../../bob",
    "sites/../../../world.sqlite3",
    "OUT/passwd",
]


@pytest.mark.parametrize("path", ATTACKS)
async def test_nothing_outside_is_read_written_or_revealed(client: FtpClient, sandbox: Sandbox, path: str) -> None:
    home = sandbox.data / "homes" / "alice"
    (home / "out").symlink_to("/etc")
    (home / "key").symlink_to(sandbox.data / "world.sqlite3")
    await client.give("STOR mine", b"mine")
    for command in ("RETR", "SIZE", "MDTM", "MLST", "CWD", "LIST", "NLST", "MLSD", "STAT", "RNFR"):
        assert (await client.ask(f"{command} {path}")).startswith("5"), command
    await client.expect(("RNFR mine", "350"))
    for command in ("RNTO", "MKD", "APPE"):
        reply = await client.ask(f"{command} {path}/x")
        assert reply.startswith("5"), f"{command}: {reply}"
    assert sorted(os.listdir(home)) == ["key", "mine", "out", "www"]


async def test_silence_ends_with_a_word(tmp_path: Path) -> None:
    async with running(
        Config(ports="ephemeral", services=dict(OFF), limits=Limits(idle=0.3, grace=0.1)), tmp_path
    ) as started, ftp(started) as client:
        assert (await client.reply()).startswith("421")
        assert await client.closed()


async def test_who_waits_for_a_transfer_is_not_idle(tmp_path: Path) -> None:
    config = Config(ports="ephemeral", services=dict(OFF), limits=Limits(idle=0.6, grace=0.1))
    async with running(config, tmp_path) as started, ftp(started) as client:
        await client.login()
        data = await client.open()
        await client.expect(("STOR slow", "150"))
        async with data:
            for _ in range(8):
                await data.send_all(b"x")
                await trio.sleep(0.2)  # the passing of time is what is tested
        assert (await client.reply()).startswith("226")
