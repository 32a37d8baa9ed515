"""A mail server that is killed under load keeps its word: what it accepted is there, once."""

from __future__ import annotations

import os
import signal
import smtplib
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import trio

from sandbox.world.mail import MailStore
from tests.support.mail import mail_sandbox, wait_until_carried

ROUNDS = 20
CLIENTS = 4

SERVER = """
import sys, trio
from pathlib import Path
from sandbox.config import Mail
from tests.support.mail import mail_sandbox

async def main():
    async with mail_sandbox(Path(sys.argv[1]), Mail(durability=sys.argv[2])) as sandbox:
        print(sandbox.endpoints["smtp"].port, sandbox.endpoints["submission"].port, flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


@contextmanager
def server(folder: Path, durability: str) -> Iterator[list[int]]:
    child = subprocess.Popen([sys.executable, "-c", SERVER, str(folder), durability], stdout=subprocess.PIPE,
                             text=True, cwd=Path(__file__).parents[2])
    assert child.stdout is not None
    try:
        yield [int(port) for port in child.stdout.readline().split()]
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()


def send_until_it_dies(port: int, name: str, accepted: list[str], enough: threading.Event, *,
                       login: bool) -> None:
    """One client: letter after letter; `accepted` gets those that were answered with 250.

    login: whether it submits its letters, so that the queue has to carry them on.
    """
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            if login:
                client.login("carol", "melody")
            for number in range(100_000):
                letter = f"Subject: {name}-{number}\r\n\r\n" + "x" * (200_000 if number % 9 == 4 else 1000)
                client.sendmail("carol@example.com", ["alice@example.com", f"{name}-{number}@far.example"], letter)
                accepted.append(f"{name}-{number}@far.example")
                if number == 8:
                    enough.set()
    except (OSError, smtplib.SMTPException):
        pass


def kill_rounds(folder: Path) -> list[str]:
    """Twenty servers, killed one after the other; what they accepted."""
    accepted: list[str] = []
    for round_ in range(ROUNDS):
        with server(folder, "power") as ports:
            enough = threading.Event()
            clients = [threading.Thread(target=send_until_it_dies,
                                        args=(ports[number % 2], f"r{round_}c{number}", accepted, enough),
                                        kwargs={"login": number % 2 == 1})
                       for number in range(CLIENTS)]
            for client in clients:
                client.start()
            assert enough.wait(20)
        for client in clients:
            client.join()
    return accepted


async def test_what_was_accepted_is_there_once(tmp_path: Path) -> None:
    accepted = await trio.to_thread.run_sync(kill_rounds, tmp_path)
    assert len(accepted) > ROUNDS * CLIENTS
    async with mail_sandbox(tmp_path) as sandbox:
        await wait_until_carried(sandbox.world.open_mail())
    with closing(MailStore(tmp_path / "mail")) as store:
        captured = [item.recipient for item in store.items(store.find_folder("catch-all").id)]
        assert len(captured) == len(set(captured)), "none is there twice"
        assert set(accepted) <= set(captured), "none is lost"
        subjects = []
        for item in store.items(store.find_folder("alice").id):
            if not item.recipient:
                continue  # a letter the world began with
            text = b"".join(store.read(item.content))
            assert len(text) == item.size, "none is there in part"
            subjects.append(text.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode())
        assert {address.partition("@")[0] for address in accepted} <= set(subjects), "both recipients have it"
        assert len(subjects) == len(set(subjects)), "alice has none twice either"
        assert list((tmp_path / "mail" / "spool").iterdir()) == []
