"""FTP's lines, and what they are made of."""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.address import Address
from sandbox.protocols.ftp import grammar
from sandbox.protocols.ftp.listing import FACTS, facts, long_line
from sandbox.protocols.ftp.transfer import from_network, to_network
from sandbox.protocols.lines.command import BadArgument


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        (b"ABOR", b"ABOR"),
        (b"\xff\xf4\xff\xf2ABOR", b"ABOR"),
        (b"\xff\xf4\xf2ABOR", b"ABOR"),
        (b"\xf2ABOR", b"ABOR"),
        (b"\xff\xfb\x01USER a", b"USER a"),
        (b"US\xff\xf1ER a", b"USER a"),
        (b"CWD \xff\xff", b"CWD \xff"),
        (b"A\xff", b"A"),
        (b"\xff\xfd", b""),
        (b"", b""),
        (b"RETR \xf2x", b"RETR \xf2x"),
    ],
)
def test_telnet_is_taken_out(line: bytes, plain: bytes) -> None:
    assert grammar.without_telnet(line) == plain


@given(st.binary(max_size=60))
def test_telnet_never_raises(line: bytes) -> None:
    assert len(grammar.without_telnet(line)) <= len(line)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127,0,0,1,4,1", Address("127.0.0.1", 1025)),
        ("10,0,0,255,255,255", Address("10.0.0.255", 65535)),
    ],
)
def test_port(text: str, address: Address) -> None:
    assert grammar.host_port(text) == address
    assert grammar.host_port_text(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3,4,5",
        "1,2,3,4,5,6,7",
        "256,0,0,1,1,1",
        "a,b,c,d,e,f",
        "1,2,3,4,5,-6",
        "1,2,3,4,5,٦",
        "1, 2,3,4,5,6",
        "0001,0,0,1,1,1",
    ],
)
def test_port_refuses(text: str) -> None:
    with pytest.raises(BadArgument):
        grammar.host_port(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("|1|127.0.0.1|2000|", Address("127.0.0.1", 2000)),
        ("|2|::1|2000|", Address("::1", 2000)),
        ("!2!0:0::1!2000!", Address("::1", 2000)),
    ],
)
def test_eprt(text: str, address: Address) -> None:
    assert grammar.extended_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "|",
        "|1|127.0.0.1|0|",
        "|1|127.0.0.1|65536|",
        "|1|::1|2000|",
        "|2|127.0.0.1|2000|",
        "|1|a|2000|",
        "|1|127.0.0.1|2000",
        "|2|fe80::1%lo|2000|",
        "|3|x|1|",
        "|1|127.0.0.1|+1|",
    ],
)
def test_eprt_refuses(text: str) -> None:
    with pytest.raises(BadArgument):
        grammar.extended_address(text)


@given(st.text(max_size=30))
def test_arguments_are_values_or_refused(text: str) -> None:
    for parse in (grammar.host_port, grammar.extended_address, grammar.integer, grammar.modification_time):
        with contextlib.suppress(BadArgument):
            parse(text)


def test_times_are_utc() -> None:
    assert grammar.time_value(0) == "19700101000000"
    assert grammar.modification_time("19940706104955") == 773491795
    assert grammar.modification_time("19940706104955.123") == 773491795
    for wrong in ("1994070610495", "19941306104955", "today", "00000000000000"):
        with pytest.raises(BadArgument):
            grammar.modification_time(wrong)


@given(st.integers(0, 4_000_000_000))
def test_times_come_back(moment: int) -> None:
    assert grammar.modification_time(grammar.time_value(moment)) == moment


def test_replies_of_one_line_and_of_several() -> None:
    assert grammar.render("200", ("Fine",)) == b"200 Fine\r\n"
    # RFC 959 §4.2: a line inside that begins with digits is set in, so that it is not taken for the last
    assert grammar.render("211", ("A", "226 b", " c", "End")) == b"211-A\r\n 226 b\r\n c\r\n211 End\r\n"


def test_quotes_in_paths_are_doubled() -> None:
    assert grammar.quoted('/a"b') == '"/a""b"'


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"bc"]), max_size=30), st.data())
def test_text_crosses_the_same_under_any_chunking(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    out, after_cr, start = b"", False, 0
    while start < len(whole):
        end = data.draw(st.integers(start + 1, len(whole)))
        out += to_network(whole[start:end], after_cr)
        after_cr, start = whole[end - 1 : end] == b"\r", end
    assert out == to_network(whole, False)
    kept, rest, start = b"", b"", 0
    while start < len(out):
        end = data.draw(st.integers(start + 1, len(out)))
        piece, rest = from_network(rest + out[start:end])
        kept, start = kept + piece, end
    assert kept + rest == whole.replace(b"\r\n", b"\n")


def test_lines_of_ls() -> None:
    status = os.stat_result((0o100644, 1, 2, 1, 0, 0, 12, 0, 1_700_000_000, 0))
    assert long_line("a b", status, "alice", 1_700_000_100.0) == (
        "-rw-r--r--   1 alice    users            12 Nov 14 22:13 a b"
    )
    assert "Nov 14  2023" in long_line("a b", status, "", 1_800_000_000.0)
    assert "Nov 14  2023" in long_line("a b", status, "", 1_600_000_000.0), "the future has a year too"


def test_facts() -> None:
    status = os.stat_result((0o100640, 5, 2, 1, 0, 0, 12, 0, 0, 0))
    assert facts(status, "file", FACTS, "alice", writable=True, movable=True) == (
        "type=file;size=12;modify=19700101000000;perm=rawdf;unique=2g5;UNIX.mode=0640;UNIX.owner=alice;UNIX.group=users;"
    )
    assert facts(status, "dir", ("type", "size", "perm"), "", writable=False, movable=False) == "type=dir;perm=el;"
    assert facts(status, "dir", ("perm",), "", writable=True, movable=True) == "perm=elcmpdf;"
    assert facts(status, "dir", ("UNIX.owner",), "", writable=True, movable=True) == "UNIX.owner=sandbox;"
