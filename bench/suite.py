"""What a test suite pays for a sandbox: a start and a stop in its own process, a space, a wait that ends at once."""

from __future__ import annotations

import smtplib
import statistics
import time
from collections.abc import Callable

from sandbox.testing import InProcess, Space

__all__ = ["costs"]


def costs(rounds: int) -> dict[str, float]:
    """Seconds for each, the medians. rounds: how often each is done, times ten."""
    count = 10 * rounds
    InProcess().close()  # what is imported and made once is
    found = {"a sandbox started and stopped": median(count, lambda: InProcess().close())}
    server = InProcess()
    try:
        found["a space opened and closed"] = median(count, lambda: Space.open(server).close())
        space = Space.open(server)
        with smtplib.SMTP(**space.settings.smtplib()) as client:
            client.sendmail("a@example.org", ["bob@example.com"], "Subject: Hello\r\n\r\nHello.\r\n")
        space.mail.wait_for(to="bob")
        found["a wait for an exchange that is there"] = median(count, lambda: space.wait("protocol:smtp"))
        found["a wait for a letter that is there"] = median(count, lambda: space.mail.wait_for(to="bob"))
    finally:
        server.close()
    return found


def median(count: int, work: Callable[[], object]) -> float:
    took = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took)
