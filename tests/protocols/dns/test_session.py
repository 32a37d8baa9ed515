"""DNS over UDP and TCP: framing, order, the cache, and what is recorded."""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import dns.message
import dns.rcode
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.config import Config
from sandbox.protocols.contract.registry import Context, find_role
from sandbox.protocols.dns.responder import Responder
from sandbox.protocols.dns.service import serve
from sandbox.protocols.dns.session import IDLE, datagram_handler, session_handler
from sandbox.world import World
from sandbox.world.names.zones import Zones
from tests.support.conversation import MemoryConversation, as_conversation
from tests.support.names import CLIENT, make_responder, make_zones, query
from tests.support.network import narrowed, serving


def framed(*messages: bytes) -> bytes:
    return b"".join(struct.pack("!H", len(message)) + message for message in messages)


def unframed(stream: bytes) -> list[bytes]:
    found = []
    while stream:
        (length,) = struct.unpack_from("!H", stream)
        found.append(stream[2:2 + length])
        assert len(found[-1]) == length
        stream = stream[2 + length:]
    return found


async def talk(steps: list[bytes], zones: Zones | None = None, ending: str = "close") -> MemoryConversation:
    zones = zones or make_zones()
    conversation = MemoryConversation(steps, ending=ending, service="dns")
    await session_handler(zones, make_responder(zones))(as_conversation(conversation))
    await conversation.finish()
    return conversation


ASKED = [query("www.example.com", id=1).to_wire(), query("nobody.zone.test", id=2).to_wire(),
         b"too short", query("many.zone.test", "TXT", id=3).to_wire(), b"",
         query("www.example.com", id=4).to_wire(), query("zone.test", "AXFR", id=5).to_wire()]


@given(st.lists(st.integers(1, 60), max_size=12))
@settings(max_examples=40)
def test_any_chunking_gives_the_same_answers(sizes: list[int]) -> None:
    """RFC 7766 §8: a length may come apart from its message. What is no message gets silence, not a close."""
    stream, steps = framed(*ASKED), []
    for size in sizes:
        steps.append(stream[:size])
        stream = stream[size:]
    conversation = trio.run(talk, [*steps, stream])
    answers = [dns.message.from_wire(data) for data in unframed(conversation.sent)]
    assert [answer.id for answer in answers] == [1, 2, 3, 4, 5]
    assert [exchange.outcome for exchange in conversation.exchanges] == [
        "NOERROR", "NXDOMAIN", "", "NOERROR", "", "NOERROR", "NOERROR"]
    assert b"".join(exchange.client for exchange in conversation.exchanges) == framed(*ASKED)
    assert b"".join(exchange.server for exchange in conversation.exchanges) == conversation.sent


async def test_pipelined_answers_leave_together() -> None:
    """RFC 7766 §6.2.1.1, §8: many questions without waiting, answers in few segments."""
    conversation = await talk([framed(*(query("www.example.com", id=number).to_wire() for number in range(100)))])
    assert [dns.message.from_wire(data).id for data in unframed(conversation.sent)] == list(range(100))
    assert len(conversation.segments) <= 5


async def test_several_questions_on_one_connection() -> None:
    """RFC 7766 §6.2.1: the connection stays open after an answer."""
    wire = framed(query("www.example.com").to_wire())
    conversation = await talk([wire, wire, wire])
    assert len(conversation.exchanges) == 3


async def test_an_unfinished_message_ends_quietly() -> None:
    for ending in ("close", "silence"):
        conversation = await talk([framed(query("www.example.com").to_wire())[:-1]], ending=ending)
        assert (conversation.sent, conversation.exchanges) == (b"", [])


async def test_an_idle_client_is_waited_for_not_for_ever() -> None:
    """RFC 7766 §6.2.3."""
    conversation = await talk([framed(query("www.example.com").to_wire())], ending="silence")
    assert len(conversation.exchanges) == 1
    assert all(until <= trio.current_time() + IDLE for until in conversation.waited_until)


async def test_notes_are_recorded() -> None:
    conversation = await talk([framed(query("zone.test", "AXFR").to_wire())])
    (exchange,) = conversation.exchanges
    assert (exchange.verb, exchange.asked, exchange.key) == ("AXFR", "zone.test", "situation.transfer")
    assert exchange.facts == {"serial": "7"}


async def test_a_change_is_seen_on_an_open_connection() -> None:
    zones = make_zones()
    wire = framed(query("www.example.com").to_wire())

    def change(_: bytes) -> bytes:
        zones.replace("www.example.com", "A", ["192.0.2.200"])
        return wire

    conversation = await talk([wire, cast(bytes, change)], zones)
    assert [exchange.answered for exchange in conversation.exchanges] == ["127.0.0.1", "192.0.2.200"]


# UDP

class Counting(Responder):
    """Counts what the cache did not answer."""

    calls = 0

    def respond(self, *args: object) -> object:  # type: ignore[override]
        self.calls += 1
        return super().respond(*args)  # type: ignore[arg-type]


def test_the_same_question_is_answered_from_the_cache() -> None:
    zones = make_zones()
    responder = Counting(zones, Config().dns)
    handler = datagram_handler(zones, responder)
    for number in (1, 2, 3):
        data, about = handler(query("www.example.com", id=number).to_wire(), CLIENT)
        assert data is not None
        assert dns.message.from_wire(data).id == number
        assert about.answered == "127.0.0.1"
    assert responder.calls == 1


def test_the_cache_keeps_each_spelling() -> None:
    handler = datagram_handler(zones := make_zones(), make_responder(zones))
    for name in ("www.example.com", "WWW.example.com", "www.EXAMPLE.com", "www.example.com"):
        data, _ = handler(query(name).to_wire(), CLIENT)
        assert data is not None
        assert dns.message.from_wire(data).question[0].name.to_text() == name + "."


def test_a_change_empties_the_cache() -> None:
    handler = datagram_handler(zones := make_zones(), make_responder(zones))
    wire = query("later.zone.test").to_wire()
    assert handler(wire, CLIENT).about.outcome == "NXDOMAIN"
    zones.add("later.zone.test", "A", "192.0.2.9")
    assert handler(wire, CLIENT).about.answered == "192.0.2.9"
    zones.remove("later.zone.test")
    assert handler(wire, CLIENT).about.outcome == "NXDOMAIN"


def test_private_answers_are_not_kept() -> None:
    """A cookie is for one client; a refusal of a transfer too."""
    zones = make_zones()
    responder = Counting(zones, Config().dns)
    handler = datagram_handler(zones, responder)
    option = dns.edns.CookieOption(b"12345678", b"")
    for message in (query("www.example.com", use_edns=0, options=[option]), query("zone.test", "AXFR")):
        wire = message.to_wire()
        before = responder.calls
        handler(wire, CLIENT)
        handler(wire, CLIENT)
        assert responder.calls == before + 2


def test_what_no_answer_fits_is_silent() -> None:
    handler = datagram_handler(zones := make_zones(), make_responder(zones))
    for wire in (b"", b"x", bytes(11)):
        assert handler(wire, CLIENT).data is None


def test_serve_offers_both_transports() -> None:
    _, role = find_role("dns")
    world = cast(World, SimpleNamespace(zones=make_zones()))

    async def dial(_: object) -> None:
        raise AssertionError("DNS connects to nobody")

    service = serve(Context(world, role, Config(), {}, dial))  # type: ignore[arg-type]
    assert service.session is not None
    assert service.datagram is not None
    assert service.datagram(query("www.example.com").to_wire(), CLIENT).about.answered == "127.0.0.1"


async def test_a_client_that_reads_late_has_its_time_for_asking_all_the_same(
        tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    zones = make_zones()
    asked = framed(query("zone.test", "AXFR").to_wire())
    handler = session_handler(zones, make_responder(zones))
    async with serving(handler, tmp_path) as bench, await bench.connect() as stream:
        await stream.send_all(asked)
        received = size = len(await stream.receive_some(65_536))
        conversation = narrowed(bench, stream)
        count = 1
        while not conversation.unsent:
            await stream.send_all(asked * 7)
            count += 7
            await trio.sleep(0.5)
        await trio.sleep(5 * IDLE)
        with trio.fail_after(60):
            while received < count * size:
                data = await stream.receive_some(65_536)
                assert data
                received += len(data)
        await stream.send_all(asked)
        assert len(await stream.receive_some(65_536)) == size
