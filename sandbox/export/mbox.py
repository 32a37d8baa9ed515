"""Mail as an mbox file (RFC 4155, with the quoting that is called mboxrd, which loses nothing)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import IO

__all__ = ["entry"]

FROM_LINE = re.compile(rb"^(>*From )", re.MULTILINE)
SENDER = re.compile(rb"\AReturn-Path: <([^<>\s]*)>\r\n")


def entry(pieces: Iterable[bytes], received: float, file: IO[bytes]) -> None:
    """Append one message. pieces: its octets, cut anywhere; received: seconds since the epoch."""
    held = b"".join(pieces).replace(b"\r\n", b"\n")
    match = SENDER.match(held.replace(b"\n", b"\r\n", 1))
    sender = match[1] if match is not None and match[1] else b"MAILER-DAEMON"
    moment = time.asctime(time.gmtime(received)).encode("ascii")
    file.write(b"From " + sender + b" " + moment + b"\n")
    file.write(FROM_LINE.sub(rb">\1", held))
    file.write(b"\n" if held.endswith(b"\n") else b"\n\n")
