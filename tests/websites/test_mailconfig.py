"""Mail programs find their settings from an address alone."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from xml.etree import ElementTree

import dns.name
import dns.rdatatype
import pytest

from sandbox.address import Address
from sandbox.app import Sandbox, running
from sandbox.config import Config
from sandbox.world.names.zones import Kind
from tests.support import websites as support
from tests.support.programs import run
from tests.support.websites import Client, websites

WELL_KNOWN = ".well-known/autoconfig/mail/config-v1.1.xml"
QUESTION = b"""<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
  <Request><EMailAddress> alice@EXAMPLE.com
  </EMailAddress>
  <AcceptableResponseSchema>%s</AcceptableResponseSchema></Request></Autodiscover>"""
OUTLOOK = b"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    ports = {"pop3s": 8995, "pop3": 8110, "submission": 8587, "submissions": 8465}
    monkeypatch.setattr(support, "ENDPOINTS", {
        **support.ENDPOINTS, **{role: Address("127.0.0.1", port) for role, port in ports.items()}})
    with websites(tmp_path) as found:
        yield found


def servers(text: bytes) -> list[tuple[str, ...]]:
    """(type, host, port, socket type) of each server in a file for Thunderbird."""
    provider = ElementTree.fromstring(text)[0]
    return [(server.get("type", ""), *(server.findtext(name, "") for name in ("hostname", "port", "socketType")))
            for server in provider if server.tag.endswith("Server")]


@pytest.mark.parametrize("tag", ["EMailAddress", "AcceptableResponseSchema"])
async def test_a_question_made_to_be_slow_is_read_at_once(client: Client, tag: str) -> None:
    """It is read between all other clients' requests."""
    question = f"<{tag}>{' ' * 5_000}".encode()
    began = time.perf_counter()
    await client.post("http://example.com/autodiscover/autodiscover.xml", question, "text/xml")
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("url", [
    f"http://example.com/{WELL_KNOWN}?emailaddress=alice%40example.com",
    "http://autoconfig.example.com/mail/config-v1.1.xml",
    f"http://www.example.com/{WELL_KNOWN}?emailaddress=alice%40example.com",
    f"http://localhost/{WELL_KNOWN}?emailaddress=alice@Example.COM"])
async def test_thunderbird(client: Client, url: str) -> None:
    reply = await client.get(url)
    assert (reply.status, reply.headers.get("content-type")) == (200, "text/xml; charset=utf-8")
    assert servers(reply.body) == [
        ("pop3", "mail.example.com", "8995", "SSL"), ("pop3", "mail.example.com", "8110", "STARTTLS"),
        ("smtp", "mail.example.com", "8465", "SSL"), ("smtp", "mail.example.com", "8587", "STARTTLS")]


@pytest.mark.parametrize("url", [f"http://example.com/{WELL_KNOWN}?emailaddress=x%40far.example",
                                 f"http://nowhere.example/{WELL_KNOWN}",
                                 f"http://example.com/{WELL_KNOWN}?emailaddress=%3Cx%3E"])
async def test_mail_that_is_not_here(client: Client, url: str) -> None:
    assert (await client.get(url)).status == 404


async def test_outlook(client: Client) -> None:
    reply = await client.post("http://autodiscover.example.com/Autodiscover/Autodiscover.xml", QUESTION % OUTLOOK,
                              "text/xml")
    assert reply.status == 200
    protocols = list(ElementTree.fromstring(reply.body).iter(f"{{{OUTLOOK.decode()}}}Protocol"))
    said = [{element.tag.partition("}")[2]: element.text for element in protocol} for protocol in protocols]
    assert said[0] == {"Type": "POP3", "Server": "mail.example.com", "Port": "8995", "LoginName": "alice@EXAMPLE.com",
                       "DomainRequired": "off", "SPA": "off", "SSL": "on", "Encryption": "SSL", "AuthRequired": "on"}
    assert [(one["Type"], one["Encryption"]) for one in said] == [
        ("POP3", "SSL"), ("POP3", "TLS"), ("SMTP", "SSL"), ("SMTP", "TLS")]


@pytest.mark.parametrize(("question", "code"), [
    (QUESTION % b"http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006", b"601"),
    ((QUESTION % OUTLOOK).replace(b"EXAMPLE.com", b"far.example"), b"500"),
    ((QUESTION % OUTLOOK).replace(b"alice", b"&lt;script&gt;"), b"500"),
    (b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", b"500"), (b"\xff\xfe", b"500")])
async def test_outlook_is_told_what_is_wrong(client: Client, question: bytes, code: bytes) -> None:
    reply = await client.post("http://example.com/autodiscover/autodiscover.xml", question, "text/xml")
    assert b"<ErrorCode>%s</ErrorCode>" % code in reply.body
    ElementTree.fromstring(reply.body)


async def test_the_newer_question_leads_to_the_older(client: Client) -> None:
    url = "http://autodiscover.example.com/autodiscover/autodiscover.json?Email=alice%40example.com&Protocol="
    assert json.loads((await client.get(url + "AutodiscoverV1")).body) == {
        "Protocol": "AutodiscoverV1", "Url": "http://autodiscover.example.com/autodiscover/autodiscover.xml"}
    assert (await client.get(url + "ActiveSync")).status == 400


async def test_other_methods_are_told_which_there_are(client: Client) -> None:
    reply = await client.ask("DELETE", f"http://example.com/{WELL_KNOWN}")
    assert (reply.status, reply.headers.get("allow")) == (405, "GET, HEAD")


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    config = Config(ports="ephemeral", bind=("127.0.0.1",), services={"pop3": False, "submission": False})
    async with running(config, tmp_path) as started:
        yield started


@pytest.mark.program("curl", "curl")
async def test_everything_agrees_with_what_runs(sandbox: Sandbox) -> None:
    web = sandbox.endpoints["http"]
    done = await run("curl", "--silent", "--show-error", "--fail", "--proxy", f"http://{web}",
                     "http://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=bob@example.org")
    told = {(kind, int(port)) for kind, _, port, _ in servers(done.output)}
    named = set()
    for service in ("imaps", "imap", "pop3s", "pop3", "submissions", "submission"):
        found = sandbox.world.zones.lookup(dns.name.from_text(f"_{service}._tcp.example.org"), dns.rdatatype.SRV)
        assert found is not None
        record = next(iter(found[1].records[0]))
        if service in sandbox.endpoints:
            assert (str(record.target), record.port) == ("mail.example.org.", sandbox.endpoints[service].port)
            named.add(("smtp" if "submission" in service else service.removesuffix("s"), record.port))
        else:
            assert (str(record.target), record.port) == (".", 0)
    assert told == named
    assert {("pop3", sandbox.endpoints["pop3s"].port), ("smtp", sandbox.endpoints["submissions"].port)} <= told
    for host in ("autoconfig", "autodiscover"):
        found = sandbox.world.zones.lookup(dns.name.from_text(f"{host}.example.org"), dns.rdatatype.A)
        assert found is not None
        assert found[1].kind is Kind.ANSWER
