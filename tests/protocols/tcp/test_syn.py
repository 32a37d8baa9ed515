"""A client's SYN, read from the packet that the kernel kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.protocols.tcp.syn import Syn, read_syn

IP4 = bytes.fromhex("4500003c01174000400 63ba37f0000017f000001".replace(" ", ""))
TCP = bytes.fromhex("eae61f90dd5aa5a400000000a002ffd7fe300000")
OPTIONS = bytes.fromhex("0204ffd70402080a7baaa39200000000 0103030a".replace(" ", ""))


def test_a_syn_of_linux() -> None:
    expected = Syn(4, 64, 0xDD5AA5A4, 65495, (2, 4, 8, 3), 65495, 10, False)
    assert read_syn(IP4 + TCP + OPTIONS) == expected
    six = b"\x60" + bytes(6) + b"\x40" + bytes(32)
    assert read_syn(six + TCP + OPTIONS) == expected._replace(ip=6)


def test_what_a_syn_does_not_say() -> None:
    bare = TCP[:12] + b"\x50\xc2" + TCP[14:]
    assert read_syn(IP4 + bare + OPTIONS) == Syn(4, 64, 0xDD5AA5A4, 65495, (), -1, -1, True)


def test_an_option_without_an_end() -> None:
    found = read_syn(IP4 + TCP + b"\x01\x02\xff" + bytes(17))
    assert found is not None
    assert found.options == ()


@given(st.one_of(st.binary(max_size=120), st.binary(max_size=60).map(lambda rest: IP4 + TCP + rest),
                 st.integers(0, 59).map(lambda cut: (IP4 + TCP + OPTIONS)[:cut])))
def test_any_octets_are_read_or_are_none(packet: bytes) -> None:
    found = read_syn(packet)
    assert found is None or (found.ip in (4, 6) and len(found.options) <= 40)
