"""The forward proxy: CONNECT leads into the sandbox, and nowhere else."""

from __future__ import annotations

import dataclasses

import trio

from sandbox.address import Address
from sandbox.config import Config, Http
from sandbox.protocols.contract.conversation import Cause, Closed, Wire
from sandbox.protocols.contract.registry import Context
from sandbox.protocols.http.session import HttpService
from tests.support.conversation import MemoryConversation
from tests.support.http import ask, context, converse, hello, read_replies

DNS = Address("127.0.0.1", 8053)


class MemoryWire:
    """A service that answers each message in capitals, until its client has said all."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._news = trio.Event()
        self._over = False
        self.closed = False

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def send(self, data: bytes) -> None:
        if self.closed:
            raise Closed("closed")
        self._waiting.append(data.upper())
        self._tell()
        await trio.lowlevel.checkpoint()

    async def receive(self, limit: int = 65536) -> bytes:
        while not self._waiting and not self._over:
            await self._news.wait()
        return self._waiting.pop(0) if self._waiting else b""

    async def start_tls(self, server_name: str) -> None:
        raise Closed("there is no TLS in memory")

    async def end_writing(self) -> None:
        self._over = True
        self._tell()

    async def aclose(self) -> None:
        self.closed = self._over = True
        self._tell()


def dialing(wire: MemoryWire) -> Context:
    async def dial(address: Address, cause: Cause | int = 0) -> Wire:
        assert address == DNS
        return wire

    return dataclasses.replace(context(), endpoints={"http": Address("127.0.0.1", 8080), "dns": DNS}, dial=dial)


async def test_a_tunnel_to_port_80_is_answered_here() -> None:
    talk = await converse([b"CONNECT www.example.com:80 HTTP/1.1\r\nHost: www.example.com:80\r\n\r\n",
                           b"GET /a HTTP/1.1\r\nHost: www.example.com\r\n\r\n"])
    established, _, rest = talk.sent.partition(b"\r\n\r\n")
    assert established.startswith(b"HTTP/1.1 200 Connection established\r\n")
    assert b"Content-Length" not in established
    assert b"Transfer-Encoding" not in established
    assert read_replies(rest)[0].status == 200
    assert [(e.verb, e.asked, e.outcome) for e in talk.exchanges] == [
        ("CONNECT", "www.example.com:80", "200"), ("GET", "www.example.com/a", "200")]


async def test_a_tunnel_to_another_service_carries_both_ways() -> None:
    wire = MemoryWire()
    talk = MemoryConversation([b"CONNECT ns1.example.com:53 HTTP/1.1\r\nHost: x\r\n\r\n", b"one", b"two"])
    with trio.fail_after(5):
        await HttpService(dialing(wire), hello).session(talk)
    assert talk.sent.endswith(b"\r\n\r\nONETWO")
    assert wire.closed
    assert [(e.verb, e.asked, e.outcome, e.answered) for e in talk.exchanges][1] == (
        "tunnel", "ns1.example.com:53", "closed", "6 octets there, 6 back")


async def test_a_client_that_leaves_its_tunnel_closes_it() -> None:
    wire = MemoryWire()
    talk = MemoryConversation([b"CONNECT x:53 HTTP/1.1\r\nHost: x\r\n\r\n", b"one"], gone_after=200, ending="silence")
    with trio.fail_after(5):
        await HttpService(dialing(wire), hello).session(talk)
    assert wire.closed


async def test_a_port_without_a_service_is_403() -> None:
    reply = await ask(b"CONNECT www.example.com:5432 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert reply.status == 403
    assert b"only into the sandbox" in reply.body


async def test_a_service_that_does_not_answer_is_502() -> None:
    async def dial(address: Address, cause: Cause | int = 0) -> Wire:
        raise ConnectionRefusedError("refused")

    server = HttpService(dataclasses.replace(context(), endpoints={"dns": DNS}, dial=dial), hello)
    talk = await converse([b"CONNECT x:53 HTTP/1.1\r\nHost: x\r\n\r\n"], server=server)
    assert talk.sent.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")


async def test_the_proxy_can_be_off() -> None:
    talk = await converse([b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n"], config=Config(http=Http(proxy=False)))
    assert talk.sent.startswith(b"HTTP/1.1 405 ")
