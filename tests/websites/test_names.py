"""DNS over HTTPS: both methods, what is no query, and how long an answer is fresh (RFC 8484)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import pytest

from sandbox.address import Address
from sandbox.config import Config
from sandbox.protocols.contract.registry import Context, find_role
from sandbox.websites.names import freshness
from sandbox.world import World
from tests.support.http import no_dial
from tests.support.websites import Client, websites


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Client]:
    """The websites of a world whose DNS runs beside them."""
    (tmp_path / "names").mkdir()
    world = World.load(None, tmp_path / "names")
    world.build_zones(["127.0.0.1", "::1"], {"http": Address("127.0.0.1", 8080)}, "sandbox", 60)
    protocol, role = find_role("dns")
    service = protocol.serve(Context(world, role, Config(), {}, no_dial))
    with websites(tmp_path, ask=lambda name: service.message if name == "dns" else None) as client:
        yield client
    world.close()


def query(name: str = "www.example.com", rdtype: str = "A") -> bytes:
    return dns.message.make_query(name, rdtype, id=0).to_wire()


def encoded(message: bytes) -> str:
    return base64.urlsafe_b64encode(message).rstrip(b"=").decode()


async def test_get(site: Client) -> None:
    reply = await site.get(f"http://any.host.test/dns-query?dns={encoded(query())}")
    assert (reply.status, reply.headers.get("content-type")) == (200, "application/dns-message")
    assert reply.headers.get("cache-control") == "max-age=60"
    answer = dns.message.from_wire(reply.body)
    assert answer.answer[0][0].to_text() == "127.0.0.1"
    assert site.facts["dns"] == "A www.example.com → NOERROR"


async def test_post(site: Client) -> None:
    reply = await site.post("http://www.example.com/dns-query", query(rdtype="AAAA"), "application/dns-message")
    assert dns.message.from_wire(reply.body).answer[0][0].to_text() == "::1"


async def test_an_answer_is_never_cut(site: Client) -> None:
    reply = await site.post("http://h/dns-query", query("big.sandbox.test", "TXT"), "application/dns-message")
    answer = dns.message.from_wire(reply.body)
    assert not answer.flags & dns.flags.TC
    assert len(reply.body) > 1232


async def test_what_is_not_there_is_fresh_for_as_long_as_that_stays_so(site: Client) -> None:
    reply = await site.post("http://h/dns-query", query("nobody.example.com"), "application/dns-message")
    assert dns.message.from_wire(reply.body).rcode() == dns.rcode.NXDOMAIN
    assert reply.headers.get("cache-control") == "max-age=60"


async def test_whole_zones_are_not_sent(site: Client) -> None:
    reply = await site.post("http://h/dns-query", query("example.com", "AXFR"), "application/dns-message")
    assert dns.message.from_wire(reply.body).rcode() == dns.rcode.FORMERR


@pytest.mark.parametrize(("method", "url", "body", "media", "status"), [
    ("GET", "/dns-query", b"", "", 400), ("GET", "/dns-query?dns=!", b"", "", 400),
    ("GET", "/dns-query?dns=AAAA", b"", "", 400), ("POST", "/dns-query", b"{}", "application/dns-json", 415),
    ("POST", "/dns-query", bytes(70_000), "application/dns-message", 413), ("DELETE", "/dns-query", b"", "", 405),
])
async def test_what_is_no_query(site: Client, method: str, url: str, body: bytes, media: str, status: int) -> None:
    fields = {"Content_Type": media} if media else {}
    assert (await site.ask(method, f"http://www.example.com{url}", body, **fields)).status == status


async def test_without_the_dns_service(tmp_path: Path) -> None:
    with websites(tmp_path) as site:
        assert (await site.get(f"http://h/dns-query?dns={encoded(query())}")).status == 404


def test_garbage_is_not_fresh() -> None:
    assert freshness(b"garbage") == 0
