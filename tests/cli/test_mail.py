"""`sandbox mail`, over the mail of a sandbox that runs and of one that ran."""

from __future__ import annotations

import base64
import json
import mailbox
import re
import time
from contextlib import closing
from pathlib import Path

import pytest
import trio

from sandbox.app import running
from sandbox.cli import main
from sandbox.config import Config
from sandbox.datafolder import Folder
from sandbox.world import World
from sandbox.world.mail import Delivery
from tests.support.mail import wait_for_mail

PAGE = (Path(__file__).parent.parent.parent / "docs" / "reference" / "cli.md").read_text()

LETTER = (b"From: =?utf-8?q?M=C3=A9l?= <mel@example.net>\r\nTo: alice@example.com\r\nSubject: \x1b[2Jpictures\r\n"
          b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nFrom here\x07\r\n"
          b"--x\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=cat.png\r\n"
          b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x--\r\n")


@pytest.fixture
def past(tmp_path: Path) -> Path:
    with closing(World.load(None, tmp_path)) as world:
        world.open_mail("memory").put(LETTER, Delivery("alice")).result()
    return tmp_path


def mail(data: Path, action: str, *words: str) -> int:
    return main(["mail", action, "--data", str(data), *words])


def number_of(capsys: pytest.CaptureFixture[str], words: str) -> str:
    [line] = [line for line in capsys.readouterr().out.splitlines() if words in line]
    return line.split()[0]


def test_a_line_for_each_message(past: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mail(past, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[3].partition("/")[0] for line in lines} >= {"alice", "bob", "carol"}
    assert mail(past, "list", "--account", "alice", "--folder", "inbox") == 0
    out = capsys.readouterr().out
    assert "Mél <mel@example.net>: \\x1b[2Jpictures" in out
    assert "bob/INBOX" not in out
    assert mail(past, "list", "--folder", "Sent") == 0
    assert capsys.readouterr().out == ""


def test_one_message(past: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mail(past, "list")
    number = number_of(capsys, "pictures")
    assert mail(past, "show", number) == 0
    assert capsys.readouterr().out.splitlines() == [
        "From: Mél <mel@example.net>", "To: alice@example.com", "Subject: \\x1b[2Jpictures", "", "From here\\x07",
        "[cat.png: image/png, 3 octets]"]


def test_its_source(past: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    mail(past, "list")
    [number] = re.findall(rb"^ *(\d+) .*pictures", capfdbinary.readouterr().out, re.MULTILINE)
    assert mail(past, "show", number.decode(), "--source") == 0
    assert capfdbinary.readouterr().out == LETTER


def test_an_mbox_file(past: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = past / "mbox"
    assert mail(past, "export", "--account", "alice", "--mbox", str(file)) == 0
    with closing(mailbox.mbox(file, create=False)) as found:
        assert capsys.readouterr().out == f"{len(found)} messages in {file}\n"
        assert "\x1b[2Jpictures" in [message["Subject"] for message in found]
    assert mail(past, "export", "--mbox", str(past / "none" / "mbox")) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "said"), [
    (["show", "999999"], "there is no message 999999"),
    (["show", "1", "--raw"], "--raw goes with --json"),
    (["list", "--account", "zoe"], "nobody called 'zoe' has mail here; those who have are alice,"),
    (["send", "--from", "a@b.example", "--to", "alice@example.com", "x"], "no sandbox runs on"),
])
def test_what_cannot_be(past: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert mail(past, *words) == 2
    assert said in capsys.readouterr().err


def test_a_folder_without_mail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mail(tmp_path, "list") == 2
    assert "sandbox up" in capsys.readouterr().err
    assert not (tmp_path / "mail").exists()


async def test_sending_to_a_running_sandbox(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = Config(ports="ephemeral")
    with Folder(tmp_path) as folder:
        async with running(config, folder.path) as sandbox:
            folder.announce(sandbox.facts())
            store = sandbox.world.open_mail()

            async def send(*words: str) -> int:
                return await trio.to_thread.run_sync(mail, tmp_path, "send", *words)

            assert await send("--from", "Alice <alice@example.com>", "--to", "bob@example.org", "--subject", "Grüße",
                              "Über Land") == 0
            assert capsys.readouterr().out.startswith("submission took it from alice;")
            [(_, text)] = await wait_for_mail(store, "bob", b"Subject: =?utf-8?")
            assert text.count(b"Received: ") == 2, "it went over two servers"
            (tmp_path / "x.eml").write_bytes(b"Subject: whole\n\nas it is\n")
            assert await send("--from", "x@far.example", "--to", "carol@example.com", "--to", "zoe@example.com",
                              "--file", str(tmp_path / "x.eml")) == 1
            out, err = capsys.readouterr()
            assert out.startswith("smtp took it, as from a server elsewhere")
            assert "not for zoe@example.com: 550 5.1.1" in err
            await wait_for_mail(store, "carol", b"Subject: whole\r\n\r\nas it is\r\n")
            assert await send("--from", "x@far.example", "--to", "zoe@example.com", "hello") == 2
            assert "550 5.1.1" in capsys.readouterr().err
            assert await send("--from", "alice@example.com", "--to", "Ünal <ünal@far.example>", "hello") == 0
            [(_, text)] = await wait_for_mail(store, "catch-all", "To: Ünal <ünal@far.example>".encode())
            assert b"with UTF8SMTPS" in text
            assert await trio.to_thread.run_sync(mail, tmp_path, "list") == 0
            assert "x@far.example" not in capsys.readouterr().err


FOUND: list[tuple[bytes, list[str]]] = [
    (b"From: a@b.test\r\nSubject: heb\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-8-i\r\n"
     b"Content-Transfer-Encoding: 8bit\r\n\r\n\xf9\xec\xe5\xed\r\n", ["From: a@b.test", "Subject: heb", "", "שלום"]),
    (b"Subject: only a pdf\r\nContent-Type: application/pdf; name=\"Delivery.pdf\"\r\n"
     b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n",
     ["Subject: only a pdf", "", "[Delivery.pdf: application/pdf, 9 octets]"]),
    (b"From : a@b.test\r\nbroken line here\r\nSubject : sp\r\n\r\nbody\r\n",
     ["From: a@b.test", "Subject: sp", "", "body"]),
    ("Subject: Grüße\r\n\r\nGrüße\r\n".encode(), ["Subject: Grüße", "", "Grüße"]),
    (b"Subject: badb64\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
     b"aGVsbG8gd29ybGQ\r\n!!!trailing garbage not base64\r\n-- \r\nlist footer\r\n",
     ["Subject: badb64", "", "hello world"]),
    (b"From: <John Do>noreply@example.com\r\nTo: a@b@c, <<x@y>>, [;\r\n\r\nx\r\n",
     ["From: <John Do>noreply@example.com", "To: a@b@c, <<x@y>>, [;", "", "x"]),
    (b"Subject: odd\r\nContent-Transfer-Encoding: x-new\r\n\r\nabc", [
        "Subject: odd", "", "[no name: text/plain, 3 octets in x-new, an encoding nobody knows]"]),
    (b"Content-Type: text/plain; charset=nobody-knows\r\n\r\n\xf9\xec!", ["", "\\xf9\\xec!"]),
    (b"\r\nC:\\new \\xf9", ["", "C:\\\\new \\\\xf9"]),
    (b"Content-Type: text/html\r\n\r\n<p>Hi<br>there</p>", ["", "Hi", "there"]),
]


@pytest.mark.parametrize(("octets", "expected"), FOUND)
def test_letters_as_people_read_them(tmp_path: Path, capsys: pytest.CaptureFixture[str], octets: bytes,
                                     expected: list[str]) -> None:
    assert mail(tmp_path, "show", put(tmp_path, octets)) == 0
    assert capsys.readouterr().out.splitlines() == expected


def put(data: Path, octets: bytes) -> str:
    with closing(World.load(None, data)) as world:
        return str(world.open_mail("memory").put(octets, Delivery("alice", "alice@example.com")).result().content)


def test_two_hundred_thousand_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    number = put(tmp_path, b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 200_000)
    started = time.process_time()
    assert mail(tmp_path, "show", number) == 0
    assert time.process_time() - started < 5
    assert capsys.readouterr().out


def test_json_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    octets = (b"Return-Path: <bounce@b.test>\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@b.test>\r\nTo: a@b@c\r\n"
              b"Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nMessage-ID: <1@b.test>\r\nSubject: \x1b[2JGo\r\n"
              b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nYour code is 123456, or "
              b"https://b.test/go?x=1.\r\n--x\r\nContent-Type: text/html\r\n\r\n<a href='http://b.test/h'>h</a>\r\n"
              b"--x\r\nContent-Type: image/png; name=cat.png\r\nContent-ID: <cat>\r\n"
              b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x--\r\n")
    number = put(tmp_path, octets)
    assert mail(tmp_path, "list", "--json", "--account", "alice") == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    [row] = [row for row in map(json.loads, out.splitlines()) if row["number"] == int(number)]
    assert row["envelope"] == {"from": "bounce@b.test", "to": ["alice@example.com"]}
    assert row["from"] == [{"name": "Jürgen", "address": "j@b.test", "valid": True}]
    assert row["to"] == [{"name": "", "address": "a@b@c", "valid": False}]
    assert (row["date"], row["message_id"], row["folder"], row["size"]) == (
        "1997-11-21T09:55:06-06:00", "<1@b.test>", "INBOX", len(octets))
    assert mail(tmp_path, "show", number, "--json", "--raw") == 0
    letter = json.loads(capsys.readouterr().out)
    assert {key: letter[key] for key in ("subject", "text", "html", "links", "codes", "attachments")} == {
        "subject": "\x1b[2JGo", "text": "Your code is 123456, or https://b.test/go?x=1.",
        "html": "<a href='http://b.test/h'>h</a>", "links": ["http://b.test/h", "https://b.test/go?x=1"],
        "codes": ["123456"], "attachments": [{
            "part": "3", "type": "image/png", "name": "cat.png", "disposition": "", "content_id": "cat", "size": 3,
            "decoded": True}]}
    assert base64.b64decode(letter["raw"]) == octets
    assert [copy["account"] for copy in letter["copies"]] == ["alice"]
    section = PAGE.partition("## sandbox mail")[2].partition("## sandbox explain")[0]
    described = set(re.findall(r"`([a-z_]+)`", section))
    assert {*row, *letter, *letter["copies"][0], *letter["attachments"][0], *row["from"][0]} <= described
