"""`sandbox mail`, over the mail of a sandbox that runs and of one that ran."""

from __future__ import annotations

import mailbox
import re
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
