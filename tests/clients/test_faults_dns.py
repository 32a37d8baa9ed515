"""What dig says when names fail on purpose."""

from __future__ import annotations

import pytest

from sandbox.app import Sandbox
from tests.support.faults import strike
from tests.support.network import watching
from tests.support.programs import Finished, run

pytestmark = pytest.mark.program("dig", "bind9-dnsutils")


async def dig(sandbox: Sandbox, *words: str) -> Finished:
    host, port = sandbox.endpoints["dns"]
    return await run("dig", f"@{host}", "-p", str(port), "+tries=1", "+time=1", *words, status=None)


@pytest.mark.parametrize(("deed", "said", "status"), [
    ("reply=SERVFAIL", "status: SERVFAIL", 0), ("reply=REFUSED", "status: REFUSED", 0),
    ("reply=NXDOMAIN", "status: NXDOMAIN", 0), ("reply=NOTIMP", "status: NOTIMP", 0),
    ("silence", "no servers could be reached", 9), ("delay=3s", "no servers could be reached", 9),
    ("garbage", "no servers could be reached", 9), ("cut=20", "extra bytes at end", 0),
    ("truncated", ";; Truncated, retrying in TCP mode", 0), ("wrong-id", "ID mismatch", 9),
    ("stale", "(Stale Answer)", 0), ("lame", "ANSWER: 0, AUTHORITY: 0", 0), ("delay=100ms", "status: NOERROR", 0),
])
async def test_over_udp(sandbox: Sandbox, deed: str, said: str, status: int) -> None:
    strike(sandbox, f"'name:www.example.com transport:udp' {deed}")
    with watching(sandbox.journal) as watcher:
        found = await dig(sandbox, "www.example.com")
        assert said in found.text + found.errors, found.text
        assert found.status == status, found.text
        if deed != "delay=3s":  # dig has left by then
            await watcher.wait_for(lambda session, exchange: exchange.facts.get("fault") == f"1: {deed}")
    if deed in ("lame", "stale"):
        assert (" aa" in flags(found.text)) == (deed == "stale")


def flags(text: str) -> str:
    """The flags that dig prints."""
    return text.partition(";; flags:")[2].partition(";")[0]


@pytest.mark.parametrize(("deed", "said"), [
    ("reply=SERVFAIL", "SERVFAIL"), ("reset", "reset|end of file"), ("close", "end of file|reset"),
    ("cut=20", "end of file"), ("silence", "timed out|no servers"), ("garbage", "end of file|timed out|no servers"),
    ("wrong-id", "ID mismatch|no servers|unexpected"), ("half-close", "end of file"),
    ("throttle=5", "timed out|no servers"),
])
async def test_over_tcp(sandbox: Sandbox, deed: str, said: str) -> None:
    strike(sandbox, f"'name:www.example.com transport:tcp' {deed}")
    found = await dig(sandbox, "+tcp", "www.example.com")
    assert any(one in found.text + found.errors for one in said.split("|")), found.text
    strike(sandbox)
    assert "status: NOERROR" in (await dig(sandbox, "+tcp", "www.example.com")).text


@pytest.mark.parametrize(("name", "said"), [
    ("servfail.test", "status: SERVFAIL"), ("REFUSED.test", "status: REFUSED"), ("nxdomain.test", "status: NXDOMAIN"),
    ("no-answer.test", "no servers could be reached"), ("slow-dns.test", "no servers could be reached"),
    ("truncated.test", "Truncated, retrying"), ("wrong-id.test", "ID mismatch"), ("lame.test", "ANSWER: 0"),
    ("stale.test", "status:"),
])
async def test_names_that_need_no_rule(sandbox: Sandbox, name: str, said: str) -> None:
    found = await dig(sandbox, name)
    assert said in found.text + found.errors, found.text
    assert sandbox.faults.names.struck[name.lower()] >= 1
