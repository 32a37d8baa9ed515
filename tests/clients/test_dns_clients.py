"""dig and kdig ask a running sandbox."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from sandbox.app import Sandbox
from tests.support.network import reader, watching
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


@dig_needed
@pytest.mark.parametrize("words", [[], ["+tcp"], ["+nodnssec", "+nocookie"]])
async def test_dig_walks_down_from_the_root(sandbox: Sandbox, words: Sequence[str]) -> None:
    """+trace uses the port it was given for each step, and the address in the name of each server."""
    with watching(sandbox.journal) as watcher:
        said = await dig(sandbox, "+trace", *words, "www.example.com")
        asked = [("NS", ".", "NOERROR"), *[("A", "www.example.com", "NOERROR")] * 3]
        await told(watcher, *asked)
    await sandbox.journal.settle()
    port = sandbox.endpoints["dns"].port
    steps = [re.sub(r"\s+", " ", line) for line in said.splitlines() if line and not line.startswith(("; ", ";; g"))]
    assert [re.sub(r"Received \d+ bytes | in \d+ ms", "", line) for line in steps] == [
        ". 60 IN NS 127.53.0.1.", f";; from 127.0.0.1#{port}(127.0.0.1)",
        "com. 60 IN NS 127.53.0.2.", f";; from 127.53.0.1#{port}(127.53.0.1)",
        "example.com. 60 IN NS 127.53.0.3.", f";; from 127.53.0.2#{port}(127.53.0.2)",
        "www.example.com. 60 IN A 127.0.0.1", f";; from 127.53.0.3#{port}(127.53.0.3)"]
    with reader(sandbox) as journal:
        found = [(session.service, session.server.host, exchange.answered, exchange.key)
                 for session, exchange in journal.exchanges()]
    assert found == [
        ("dns", "127.0.0.1", "127.53.0.1.", "situation.priming"),
        ("dns-root", "127.53.0.1", "com. NS 127.53.0.2.", "situation.dns-root"),
        ("dns-tld", "127.53.0.2", "example.com. NS 127.53.0.3.", "situation.dns-tld"),
        ("dns-domains", "127.53.0.3", "127.0.0.1", "situation.dns-domains")]


@dig_needed
@pytest.mark.parametrize(("words", "last"), [
    (["-x", "127.0.0.1"], "PTR sandbox.test."),
    (["www.search-engine.dev"], "A 127.0.0.1"),
    (["anything.wildcard.sandbox.test"], "A 127.0.0.1"),
    (["alias.sandbox.test"], "CNAME www.sandbox.test."),
    (["nobody.example.com"], "SOA ns1.example.com."),
    (["example.com", "MX"], "MX 10 mail.example.com."),
    (["x.invalid"], "SOA ns1.sandbox.test."),
])
async def test_dig_walks_to_every_kind_of_name(sandbox: Sandbox, words: Sequence[str], last: str) -> None:
    said = re.sub(r"[ \t]+", " ", await dig(sandbox, "+trace", "+nodnssec", *words))
    assert last in said
    assert "couldn't" not in said


@kdig_needed
async def test_kdig_asks_each_server_of_the_tree(sandbox: Sandbox) -> None:
    """Without RA, for none of them asks on; with the glue that leads to the next."""
    port = str(sandbox.endpoints["dns"].port)
    for role, owner, flags in (("dns-root", "com.", "Flags: qr;"), ("dns-tld", "example.com.", "Flags: qr;"),
                               ("dns-domains", "www.example.com.", "Flags: qr aa;")):
        host = sandbox.endpoints[role].host
        said = re.sub(r"[ \t]+", " ", (await run("kdig", f"@{host}", "-p", port, "+norec", "www.example.com")).text)
        assert flags in said
        assert f"\n{owner} 60 IN " in said
        assert ("ADDITIONAL: 1" in said) == (role != "dns-domains"), said


NAMESPACE = """
ip link set lo up
for address in 198.41.0.4 192.5.6.30 192.0.2.53; do ip address add $address/32 dev lo; done
echo nameserver 127.0.0.1 > resolv.conf
mount --bind resolv.conf /etc/resolv.conf
"$1" -m sandbox up --ports standard --bind 127.0.0.1 --data data --quiet \\
    --set 'dns.hierarchy=["198.41.0.4","192.5.6.30","192.0.2.53"]' &
"$1" -m sandbox ready --data data --wait 30 >ready
dig +trace +nodnssec www.example.com
kill $!
wait $!
"""


@dig_needed
@pytest.mark.program("ip", "iproute2")
async def test_dig_walks_down_in_a_network_of_its_own(tmp_path: Path) -> None:
    """Unchanged and without options, as in the real internet: standard ports, the root server's own address."""
    unshare = ["unshare", "--map-root-user", "--net", "--mount", "sh", "-e"]
    if (await run(*unshare, "-c", "ip link set lo up", status=None)).status:
        pytest.skip("needs network namespaces, which this machine does not allow")
    said = (await run(*unshare, "-c", NAMESPACE, "sh", sys.executable, cwd=tmp_path, seconds=60)).text
    assert re.findall(r"NS\t(.*)|#53\((.*)\)|IN\tA\t(.*)", said) == [
        ("a.root-servers.net.", "", ""), ("", "127.0.0.1", ""),
        ("a.gtld-servers.net.", "", ""), ("", "a.root-servers.net", ""),
        ("ns1.example.com.", "", ""), ("", "a.gtld-servers.net", ""),
        ("", "", "127.0.0.1"), ("", "ns1.example.com", "")]


@dig_needed
async def test_asked_with_and_without_recursion_in_turn_each_gets_its_own_answer(sandbox: Sandbox) -> None:
    """What was kept for one is not given to the other."""
    for _ in range(3):
        assert "flags: qr aa rd ra;" in await dig(sandbox, "+nocookie", "www.example.com")
        assert "flags: qr aa ra;" in await dig(sandbox, "+nocookie", "+norec", "www.example.com")


@kdig_needed
async def test_kdig_copies_a_zone(sandbox: Sandbox) -> None:
    said = await ask("kdig", sandbox, "-t", "AXFR", "sandbox.test")
    assert said.count("SOA") == 2
