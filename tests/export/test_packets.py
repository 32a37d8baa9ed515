"""Packets made from octets: checksums, sequence numbers, and what is in them."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from sandbox.address import Address
from sandbox.export.packets import SEGMENT, TcpFlow, checksum, datagram

CLIENT, SERVER = Address("127.0.0.1", 50_000), Address("127.0.0.1", 80)
SIX, SIXTH = Address("::1", 50_000), Address("::1", 80)


def slow(data: bytes) -> bytes:
    """RFC 1071 §4.1, as it stands there."""
    total = 0
    for (number,) in struct.iter_unpack("!H", data + bytes(len(data) % 2)):
        total += number
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


@given(st.lists(st.one_of(st.binary(max_size=8), st.just(b"\xff\xff"), st.just(b"\0\0")), max_size=20).map(b"".join))
def test_the_checksum_is_that_of_the_rfc(data: bytes) -> None:
    assert checksum(data) == slow(data)


def test_numbers_go_on_and_a_gap_is_one() -> None:
    flow = TcpFlow(CLIENT, SERVER, 1)
    list(flow.opened(0))
    first, _ = flow.carried(1, 0, b"GET")
    flow.skipped(0, 10)
    second, _ = flow.carried(2, 0, b"x")
    numbers = [struct.unpack_from("!I", packet.octets, 24)[0] for packet in (first, second)]
    assert numbers[1] - numbers[0] == 3 + 10


def test_large_octets_are_cut_into_segments() -> None:
    flow = TcpFlow(SIX, SIXTH, 1)
    packets = list(flow.carried(0, 1, bytes(2 * SEGMENT + 1), "what it is"))
    assert [len(packet.octets) - 60 for packet in packets] == [SEGMENT, SEGMENT, 1, 0]
    assert [packet.comment for packet in packets] == ["what it is", "", "", ""]


def test_an_end_is_told_by_who_ended_it() -> None:
    flow = TcpFlow(CLIENT, SERVER, 1)
    fins = [packet.octets[33] for packet in flow.closed(0, 1)]
    ports = [struct.unpack_from("!H", packet.octets, 20)[0] for packet in flow.closed(0, 1)]
    assert fins == [0x11, 0x11, 0x10]
    assert ports[0] == 80
    (reset,) = flow.closed(0, 0, reset=True)
    assert reset.octets[33] == 0x14


def test_a_datagram_of_either_family() -> None:
    assert datagram(0, CLIENT, SERVER, b"hello").octets[0] == 0x45
    assert datagram(0, SIX, SIXTH, b"hello").octets[0] == 0x60
