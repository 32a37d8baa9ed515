"""Responses as octets: whatever a site says, a client reads back what was meant, or nothing is written."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.protocols.http.messages import Headers
from sandbox.protocols.http.writer import chunk, field_line, field_lines, last_chunk, response_head

NAMES = st.text("ABCabc-_!09", min_size=1, max_size=10)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f\x85\xa0"),
                 max_size=20)


@settings(max_examples=100, deadline=None)
@given(status=st.integers(200, 999).filter(lambda status: status not in (204, 304)), phrase=VALUES,
       fields=st.lists(st.tuples(NAMES, VALUES), max_size=5), pieces=st.lists(st.binary(max_size=9), max_size=4))
def test_h11_reads_back_what_was_written(status: int, phrase: str, fields: list[tuple[str, str]],
                                         pieces: list[bytes]) -> None:
    head = response_head(status, phrase.strip(), field_lines(Headers(fields)), b"Transfer-Encoding: chunked\r\n")
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(head + b"".join(map(chunk, pieces)) + last_chunk(Headers([("T", "u")])))
    event = client.next_event()
    assert isinstance(event, h11.Response)
    assert event.status_code == status
    wanted = [(name.lower().encode(), value.strip(" \t").encode("latin-1")) for name, value in fields]
    assert [item for item in event.headers if item[0] not in (b"date", b"server", b"transfer-encoding")] == wanted
    body = b""
    while isinstance(event := client.next_event(), h11.Data):
        body += bytes(event.data)
    assert body == b"".join(pieces)
    assert isinstance(event, h11.EndOfMessage)
    assert list(event.headers) == [(b"t", b"u")]


@settings(max_examples=200, deadline=None)
@given(name=st.text(max_size=6), value=st.text(max_size=12))
def test_a_field_is_one_line_or_an_error(name: str, value: str) -> None:
    try:
        line = field_line(name, value)
    except ValueError:
        return
    assert line.endswith(b"\r\n")
    assert not {b"\r", b"\n", b"\0"} & {line[at:at + 1] for at in range(len(line) - 2)}


def test_written_fields_are_remembered_until_they_change() -> None:
    headers = Headers([("A", "b")])
    first = field_lines(headers)
    assert field_lines(headers) is first
    copy = headers.copy()
    assert field_lines(copy) is first
    copy.add("C", "d")
    assert field_lines(copy).lines == b"A: b\r\nC: d\r\n"
    copy.remove("a")
    assert field_lines(copy).lines == b"C: d\r\n"
    copy.set("C", "e")
    assert field_lines(copy).lines == b"C: e\r\n"
    assert field_lines(headers) is first


def test_an_empty_chunk_does_not_end_the_body() -> None:
    assert chunk(b"") == b""


@pytest.mark.parametrize("phrase", ["a\nb", "\u20ac"])
def test_a_phrase_cannot_be_anything(phrase: str) -> None:
    with pytest.raises(ValueError, match="reason phrase"):
        response_head(200, phrase, field_lines(Headers()), b"")


def test_a_sites_own_date_is_kept() -> None:
    head = response_head(200, "", field_lines(Headers([("Date", "Sun, 06 Nov 1994 08:49:37 GMT")])), b"")
    assert head == b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"
