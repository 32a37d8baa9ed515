"""A running sandbox that speaks mail, for tests with real clients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from sandbox.app import Sandbox, running
from sandbox.config import Config, Mail
from sandbox.protocols.contract.registry import PROTOCOLS
from sandbox.world.mail import QUEUE, Item, MailStore

__all__ = ["letters", "mail_sandbox", "wait_for_mail", "wait_until_carried"]

SERVICES = frozenset({"dns", "smtp", "submission", "submissions", "pop3", "pop3s"})


@asynccontextmanager
async def mail_sandbox(folder: Path, mail: Mail | None = None) -> AsyncIterator[Sandbox]:
    """DNS, SMTP and POP3 on free ports."""
    await trio.Path(folder).mkdir(exist_ok=True)
    services = {role.name: False for protocol in PROTOCOLS for role in protocol.roles if role.name not in SERVICES}
    config = Config(ports="ephemeral", bind=("127.0.0.1",), services=dict(services),
                    mail=mail or Mail(durability="memory"))
    async with running(config, folder) as sandbox:
        yield sandbox


def letters(store: MailStore, account: str) -> list[tuple[Item, bytes]]:
    """What is in an account's inbox."""
    if account not in store.accounts():
        return []
    return [(item, b"".join(store.read(item.content))) for item in store.items(store.find_folder(account).id)]


async def wait_until_carried(store: MailStore) -> None:
    """Wait until nothing is in the queue."""
    token = trio.lowlevel.current_trio_token()
    news = trio.Event()
    stop = store.watch(QUEUE, lambda _: token.run_sync_soon(news.set))
    try:
        with trio.fail_after(20):
            while store.next_due() is not None:
                await news.wait()
                news = trio.Event()
    finally:
        stop()


async def wait_for_mail(store: MailStore, account: str, words: bytes, count: int = 1) -> list[tuple[Item, bytes]]:
    """Wait until an account has so many letters with these words in them."""
    token = trio.lowlevel.current_trio_token()
    news = trio.Event()
    await trio.to_thread.run_sync(lambda: store.require_account(account).result())
    stop = store.watch(store.find_folder(account).id, lambda _: token.run_sync_soon(news.set))
    try:
        with trio.fail_after(20):
            while len(found := [one for one in letters(store, account) if words in one[1]]) < count:
                await news.wait()
                news = trio.Event()
    finally:
        stop()
    return found
