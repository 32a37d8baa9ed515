"""The resolver asks its way down from the root, remembers, and everything it asks has its cause in the journal."""

from __future__ import annotations

from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import pytest
import trio
from dns.message import Message
from hypothesis import given
from hypothesis import strategies as st

from sandbox.app import Sandbox, running
from sandbox.config import Config, Dns
from sandbox.journal.records import Exchange, Session
from sandbox.protocols.dns.resolver import plain
from tests.support.network import reader

SERVICES = dict.fromkeys(("http", "https", "smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps",
                          "ftp", "ftps", "sftp", "domain-s"), False)


@pytest.fixture
def config() -> Config:
    return Config(ports="ephemeral", services={**SERVICES, "resolver": True}, dns=Dns(ttl=300))


async def ask(sandbox: Sandbox, name: str, rdtype: str = "A", *, service: str = "resolver", flags: int = 0x0100,
              tcp: bool = False) -> Message:
    query = dns.message.make_query(name, rdtype, flags=flags)
    with trio.fail_after(20):
        if tcp:
            async with await trio.open_tcp_stream(*sandbox.endpoints[service]) as stream:
                packet = query.to_wire()
                await stream.send_all(len(packet).to_bytes(2) + packet)
                data = b""
                while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2]):
                    data += await stream.receive_some()
            data = data[2:]
        else:
            with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as sock:
                await sock.sendto(query.to_wire(), tuple(sandbox.endpoints[service]))
                data = await sock.recv(4096)
    answer = dns.message.from_wire(data)
    assert query.is_response(answer)
    return answer


def told(answer: Message) -> list[str]:
    return sorted(f"{found.name} {item}" for found in answer.answer for item in found)


async def journal(sandbox: Sandbox) -> list[tuple[Session, Exchange]]:
    await sandbox.journal.settle()
    with reader(sandbox) as found:
        return list(found.exchanges())


async def walked(sandbox: Sandbox) -> list[list[tuple[str, str, str]]]:
    """For each question of a client of the resolver, what it asked: service, type, name."""
    found = await journal(sandbox)
    return [[(session.service, exchange.verb, exchange.asked) for session, exchange in found
             if session.cause == question.id] for asker, question in found if asker.service == "resolver"]


@pytest.mark.parametrize("tcp", [False, True])
async def test_it_asks_its_way_down_and_remembers_each_part(sandbox: Sandbox, tcp: bool) -> None:
    """RFC 1034 §5.3.3."""
    for name in ("www.example.com", "www.example.com", "mail.example.com", "www.shop.com"):
        answer = await ask(sandbox, name, tcp=tcp)
        assert told(answer) == [f"{name}. 127.0.0.1"]
        assert answer.flags & dns.flags.RA
        assert not answer.flags & dns.flags.AA, "it is nobody's keeper"
    name = "www.example.com"
    assert await walked(sandbox) == [
        [("dns-root", "A", name), ("dns-tld", "A", name), ("dns-domains", "A", name)],
        [],
        [("dns-domains", "A", "mail.example.com")],
        [("dns-tld", "A", "www.shop.com"), ("dns-domains", "A", "www.shop.com")]]
    keys = [exchange.key for session, exchange in await journal(sandbox) if session.service == "resolver"]
    assert keys == ["situation.walked", "situation.remembered", "situation.walked", "situation.walked"]


async def test_a_change_is_seen_when_the_time_to_live_is_over(sandbox: Sandbox) -> None:
    """RFC 1035 §7.4: until then the resolver says what it remembers, while the keeper says what is."""
    assert told(await ask(sandbox, "www.example.com")) == ["www.example.com. 127.0.0.1"]
    sandbox.world.zones.replace("www.example.com", "A", ["192.0.2.1"])
    again = await ask(sandbox, "www.example.com")
    assert told(again) == ["www.example.com. 127.0.0.1"]
    assert again.answer[0].ttl <= 300
    keeper = await ask(sandbox, "www.example.com", service="dns-domains", flags=0)
    assert told(keeper) == ["www.example.com. 192.0.2.1"]
    sandbox.world.zones.replace("brief.example.com", "A", ["192.0.2.1"], ttl=0)
    assert told(await ask(sandbox, "brief.example.com")) == ["brief.example.com. 192.0.2.1"]
    sandbox.world.zones.replace("brief.example.com", "A", ["192.0.2.2"], ttl=0)
    assert told(await ask(sandbox, "brief.example.com")) == ["brief.example.com. 192.0.2.2"]


@pytest.mark.parametrize(("name", "rdtype", "rcode", "zone"), [
    ("nobody.example.com", "A", dns.rcode.NXDOMAIN, "example.com."),
    ("www.example.com", "MX", dns.rcode.NOERROR, "example.com."),
    ("x.invalid", "A", dns.rcode.NXDOMAIN, "."),
    ("dangling.sandbox.test", "A", dns.rcode.NXDOMAIN, "sandbox.test."),
])
async def test_what_is_not_there_is_remembered_too(sandbox: Sandbox, name: str, rdtype: str, rcode: dns.rcode.Rcode,
                                                   zone: str) -> None:
    """RFC 2308 §5."""
    for _ in range(2):
        answer = await ask(sandbox, name, rdtype)
        assert answer.rcode() == rcode
        assert [found.name.to_text() for found in answer.authority] == [zone]
    first, second = await walked(sandbox)
    assert first
    assert second == []
    # What has come meanwhile is not seen yet.
    if zone == "example.com.":
        sandbox.world.zones.add(name, rdtype, "192.0.2.1" if rdtype == "A" else "5 mail.example.com.")
        assert not told(await ask(sandbox, name, rdtype))


async def test_aliases_and_addresses_back_to_names(sandbox: Sandbox) -> None:
    assert told(await ask(sandbox, "alias.sandbox.test")) == [
        "alias.sandbox.test. www.sandbox.test.", "www.sandbox.test. 127.0.0.1"]
    assert told(await ask(sandbox, "1.0.0.127.in-addr.arpa", "PTR")) == ["1.0.0.127.in-addr.arpa. sandbox.test."]
    assert (await ask(sandbox, "loop.sandbox.test")).rcode() == dns.rcode.SERVFAIL


async def test_without_a_wish_for_recursion_it_says_what_it_knows(sandbox: Sandbox) -> None:
    assert (await ask(sandbox, "www.example.com", flags=0)).rcode() == dns.rcode.REFUSED
    await ask(sandbox, "www.example.com")
    assert told(await ask(sandbox, "www.example.com", flags=0)) == ["www.example.com. 127.0.0.1"]


async def test_the_servers_of_a_domain_are_found_though_the_domain_names_others(sandbox: Sandbox) -> None:
    """The zone's own NS record names a host within the zone, to which only the parent's glue leads."""
    assert told(await ask(sandbox, "example.com", "NS")) == ["example.com. ns1.example.com."]
    assert told(await ask(sandbox, "www.example.com")) == ["www.example.com. 127.0.0.1"]


async def test_a_server_that_is_not_on_this_machine_is_not_asked(sandbox: Sandbox) -> None:
    sandbox.world.zones.add("far.example.com", "NS", "ns.far.example.com.")
    sandbox.world.zones.add("ns.far.example.com", "A", "192.0.2.53")
    assert (await ask(sandbox, "www.far.example.com")).rcode() == dns.rcode.SERVFAIL
    assert [exchange.key for session, exchange in await journal(sandbox) if session.service == "resolver"] == [
        "situation.no-way"]


async def test_without_servers_to_ask_it_says_that_it_cannot(tmp_path: Path) -> None:
    config = Config(ports="ephemeral", services={**SERVICES, "resolver": True}, dns=Dns(hierarchy=()))
    async with running(config, tmp_path) as sandbox:
        assert (await ask(sandbox, "www.example.com")).rcode() == dns.rcode.SERVFAIL


@given(st.binary(max_size=80))
def test_any_octets_are_a_question_or_none(data: bytes) -> None:
    plain(data)
    plain(b"\0\1\1\0\0\1\0\0\0\0\0\0" + data)
