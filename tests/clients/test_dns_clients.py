"""dig and kdig ask a running sandbox."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sandbox.app import Sandbox
from tests.support.network import watching
from tests.support.programs import run, told

dig_needed = pytest.mark.program("dig", "bind9-dnsutils")
kdig_needed = pytest.mark.program("kdig", "knot-dnsutils")


async def ask(program: str, sandbox: Sandbox, *words: str) -> str:
    """What a program prints. `words` follow the server's address and port."""
    host, port = sandbox.endpoints["dns"]
    return (await run(program, f"@{host}", "-p", str(port), *words)).text


async def dig(sandbox: Sandbox, *words: str) -> str:
    return await ask("dig", sandbox, "+time=5", "+tries=1", *words)


async def short(sandbox: Sandbox, *words: str) -> list[str]:
    return sorted((await dig(sandbox, "+short", *words)).splitlines())


@dig_needed
@pytest.mark.parametrize(("words", "expected"), [
    (["www.example.com", "A"], ["127.0.0.1"]),
    (["www.example.com", "AAAA"], ["::1"]),
    (["alias.sandbox.test"], ["127.0.0.1", "www.sandbox.test."]),
    (["example.org", "NS"], ["ns1.example.org."]),
    (["-x", "127.0.0.1"], ["sandbox.test."]),
    (["-x", "::1"], ["sandbox.test."]),
    (["anything.wildcard.sandbox.test"], ["127.0.0.1"]),
    (["www.search-engine.dev"], ["127.0.0.1"]),
    (["nowhere.example.com"], []),
    (["-c", "CH", "-t", "TXT", "id.server"], ['"sandbox"']),
    (["example.com", "CAA"], ['0 iodef "mailto:hostmaster@example.com"', '0 issue "sandbox.test"']),
])
@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
async def test_dig_gets_answers(sandbox: Sandbox, words: Sequence[str], expected: list[str], transport: str) -> None:
    assert await short(sandbox, transport, *words) == expected


@dig_needed
async def test_dig_sees_the_port_of_the_web_service(sandbox: Sandbox) -> None:
    assert await short(sandbox, "_http._tcp.example.com", "SRV") == [
        f"0 1 {sandbox.endpoints['http'].port} www.example.com."]


@dig_needed
@pytest.mark.parametrize(("words", "expected"), [
    (["nowhere.example.com"], ["status: NXDOMAIN", "SOA\tns1.example.com."]),
    (["www.example.com", "MX"], ["status: NOERROR", "ANSWER: 0", "SOA\tns1.example.com."]),
    (["www.example.com", "TYPE65280"], ["status: NOERROR", "ANSWER: 0"]),
    (["+cookie", "www.example.com"], ["(good)"]),
    (["+edns=1", "+noednsnegotiation", "www.example.com"], ["status: BADVERS", "EDNS: version: 0"]),
    (["+ednsopt=65001:abcd", "+ednsflags=0x80", "www.example.com"], ["status: NOERROR", "ANSWER: 1"]),
    (["+noedns", "+opcode=9", "www.example.com"], ["status: NOTIMP", "opcode: RESERVED9"]),
    (["+dnssec", "www.example.com"], ["flags: do;", "status: NOERROR"]),
    (["+nsid", "www.example.com"], ['("sandbox")']),
    (["+zflag", "+cdflag", "www.example.com"], ["flags: qr aa rd ra cd;"]),
    (["+subnet=192.0.2.0/24", "www.example.com"], ["status: NOERROR"]),
    (["-c", "HS", "www.example.com"], ["status: REFUSED"]),
    (["+ignore", "big.sandbox.test", "TXT"], ["flags: qr aa tc rd ra;"]),
    (["+bufsize=512", "big.sandbox.test", "TXT"], ["Truncated, retrying in TCP mode", "ANSWER: 20"]),
    (["loop.sandbox.test"], ["status: SERVFAIL"]),
    (["www.search-engine.dev"], ["EDE: 4 (Forged Answer)"]),
    (["+notcp", "example.com", "ANY"], ["RFC8482"]),
    (["+tcp", "example.com", "ANY"], ["CAA", "NS\tns1.example.com."]),
    (["-y", "hmac-sha256:k:c2VjcmV0LXNlY3JldC1zZWNyZXQtMzI=", "www.example.com"], ["status: NOTAUTH", "BADKEY"]),
])
async def test_dig_gets_the_right_answer_to_the_unusual(sandbox: Sandbox, words: Sequence[str],
                                                        expected: Sequence[str]) -> None:
    said = await dig(sandbox, *words)
    assert all(part in said for part in expected), said


@dig_needed
async def test_dig_copies_a_zone(sandbox: Sandbox) -> None:
    said = await dig(sandbox, "sandbox.test", "AXFR")
    assert said.count("SOA") == 2
    assert "*.wildcard.sandbox.test." in said
    assert "XFR size" in said
    zone = sandbox.world.zones.zone_at("sandbox.test")
    assert zone is not None
    assert "XFR size: 1 records" in await dig(sandbox, "sandbox.test", f"IXFR={zone.serial}")


@dig_needed
async def test_a_change_is_seen_at_once(sandbox: Sandbox) -> None:
    assert await short(sandbox, "+nocookie", "new.example.com") == []
    sandbox.world.zones.add("new.example.com", "A", "192.0.2.1")
    assert await short(sandbox, "+nocookie", "new.example.com") == ["192.0.2.1"]


@dig_needed
async def test_what_dig_asks_is_in_the_journal(sandbox: Sandbox) -> None:
    with watching(sandbox.journal) as watcher:
        await dig(sandbox, "WWW.Example.com")
        await dig(sandbox, "+tcp", "nowhere.example.com")
        found = await told(watcher, ("A", "WWW.Example.com", "NOERROR"), ("A", "nowhere.example.com", "NXDOMAIN"))
    assert [item.answered for item in found] == ["127.0.0.1", ""]


@kdig_needed
@pytest.mark.parametrize("words", [[], ["+tcp"], ["+bufsize=4096"], ["+cookie"], ["+padding"], ["+dnssec"],
                                   ["+tcp", "+keepopen", "www.example.org"]])
async def test_kdig_gets_answers(sandbox: Sandbox, words: Sequence[str]) -> None:
    said = await ask("kdig", sandbox, "www.example.com", *words)
    assert "status: NOERROR" in said
    assert "127.0.0.1" in said
    assert "WARNING" not in said


@kdig_needed
async def test_kdig_copies_a_zone(sandbox: Sandbox) -> None:
    said = await ask("kdig", sandbox, "-t", "AXFR", "sandbox.test")
    assert said.count("SOA") == 2
