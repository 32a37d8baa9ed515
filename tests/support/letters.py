"""Messages for tests of the store, and how they get in and out."""

from __future__ import annotations

from sandbox.world.mail import MailStore, Spool

SMALL = b"Subject: hello\r\n\r\nHello.\r\n"
LARGE = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 20_000


def spooled(store: MailStore, text: bytes, step: int = 10_000) -> Spool:
    spool = store.spool()
    for start in range(0, len(text), step):
        if spool.add(text[start:start + step]):
            spool.drain()
    spool.seal()
    return spool


def text_of(store: MailStore, content: int) -> bytes:
    return b"".join(store.read(content))
