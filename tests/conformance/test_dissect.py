"""What every protocol's dissector keeps to: the parts of any octets cover them, in order and nested, it never raises,
and what a part says of itself is in the knowledge."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.dashboard.spans import explained
from sandbox.protocols.contract.registry import PROTOCOLS
from sandbox.protocols.contract.spans import About, Span, dissect, dissector_of, whole

NAMES = [protocol.name for protocol in PROTOCOLS if dissector_of(protocol.name) is not None]

DIALOGUES: dict[str, list[tuple[About, bytes]]] = {
    "http": [
        (About(client=True, verb="POST"),
         b"POST http://example.com/a?b=1&c HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"5;x=y\r\nhello\r\n0\r\nTrailer: 1\r\n\r\n"),
        (About(client=False), b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhi"),
    ],
    "dns": [(About(client=True, transport="udp"), bytes.fromhex(
        "123401000001000000000001037777770765786d61706c6503636f6d0000010001"
        "0000291000000000000004000a0000"))],
    "smtp": [
        (About(client=True, verb="MAIL"), b"MAIL FROM:<a@example.org> SIZE=10\r\n"),
        (About(client=True, verb="AUTH"), b"AUTH PLAIN AGEAYg==\r\n"),
        (About(client=False, verb="EHLO"), b"250-mail.example.com\r\n250 2.1.0 Fine\r\n"),
        (About(client=True, verb="message"), b"Subject: Hi\r\n there\r\n\r\nBody\r\n.\r\n"),
        (About(client=True, verb="message"),
         b"Received: from a.example (localhost [127.0.0.1])\r\n\tby b.example with ESMTPS id 12\r\n"
         b"\tfor <a@b.example>; Fri, 1 Jan 2027 00:00:00 +0000\r\nFrom: =?utf-8?q?J=C3=BC?= <a@b.c>, x@y.z\r\n"
         b"Message-ID: <1@a>\r\nX-Other: 1\r\nno field\r\nDKIM-Signature: v=1; d=a.example\r\n"
         b'Content-Type: multipart/mixed; boundary="X Y"\r\n\r\nbefore\r\n--X Y\r\n'
         b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n"
         b"--X Y\r\nContent-Type: message/rfc822\r\n\r\nSubject: In\r\n\r\nside\r\n--X Y--\r\n\r\nafter\r\n.\r\n"),
    ],
    "pop3": [
        (About(client=True, verb="USER"), b"USER alice\r\n"),
        (About(client=False, verb="RETR"), b"+OK 20 octets\r\nSubject: Hi\r\n\r\nBody\r\n.\r\n"),
        (About(client=False, verb="LIST"), b"+OK\r\n1 120\r\n2 90\r\n.\r\n"),
    ],
    "ftp": [
        (About(client=True, verb="RETR"), b"RETR a.txt\r\n"),
        (About(client=False), b"227 Entering Passive Mode (127,0,0,1,4,1)\r\n229 Fine (|||1025|)\r\n"
                              b"211-Features\r\n x\r\n211 End\r\n"),
        (About(client=False, service="ftp-data"), b"octets of a file"),
    ],
    "imap": [
        (About(client=True, verb="LOGIN"), b'a1 LOGIN alice "won\\"der"\r\n'),
        (About(client=True, verb="UID FETCH"),
         b"a2 UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM)]<0.10>) (CHANGEDSINCE 12)\r\n"),
        (About(client=True, verb="SEARCH"), b'a3 SEARCH UNSEEN OR FROM "x" SUBJECT {1}\r\ny 1:3,* (NOT SEEN)\r\n'),
        (About(client=True, verb="APPEND"), b'a4 APPEND INBOX (\\Seen) "17-Jul-1996 02:44:25 -0700" {21+}\r\n'
                                            b"Subject: Hi\r\n\r\nBody\r\n\r\n"),
        (About(client=True, verb="AUTHENTICATE"), b"a5 AUTHENTICATE PLAIN\r\nAGEAYg==\r\n"),
        (About(client=True, verb="STORE"), b"a6 STORE 1 +FLAGS.SILENT (\\Deleted work)\r\n"),
        (About(client=True, verb="STATUS"), b"a7 STATUS INBOX (MESSAGES UNSEEN)\r\na8 IDLE\r\nDONE\r\n"),
        (About(client=False), b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] Ready\r\n* 3 EXISTS\r\n* FLAGS (\\Seen)\r\n"
                              b'* LIST (\\HasNoChildren) "/" INBOX\r\n* STATUS INBOX (MESSAGES 1 UNSEEN 0)\r\n'
                              b'* ESEARCH (TAG "a") UID COUNT 2\r\n* SEARCH 1 2\r\n* QUOTA "" (STORAGE 1 2)\r\n'
                              b'* NAMESPACE (("" "/")) NIL NIL\r\n* ID ("name" "x")\r\n+ Go on\r\n+ AGEA\r\n'
                              b"* VANISHED (EARLIER) 1:3\r\n"
                              b"a9 OK [COPYUID 1 2:3 4:5] Done\r\na9 NO [OVERQUOTA] Full\r\n"),
        (About(client=False), b'* 1 FETCH (UID 4 FLAGS (\\Seen) INTERNALDATE "17-Jul-1996 02:44:25 -0700" MODSEQ (12)'
                              b' ENVELOPE ("d" "=?utf-8?q?a?=" (("A" NIL "a" "b.c")) NIL NIL NIL NIL NIL NIL "<>")'
                              b' BODYSTRUCTURE (("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 10 1 NIL NIL NIL)'
                              b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 20 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) '
                              b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 10 1) 3) "MIXED" ("BOUNDARY" "x") NIL NIL) '
                              b"BODY[HEADER]<0> {15}\r\nSubject: Hi\r\n\r\n BODY[] {20}\r\n"
                              b"Subject: Hi\r\n\r\nBody!)\r\na1 OK [READ-WRITE] Done\r\n"),
    ],
    "tcp": [(About(client=False, service="time"), bytes(4)), (About(client=True, service="echo"), b"hello")],
}


def walk(spans: tuple[Span, ...]) -> Iterator[Span]:
    for span in spans:
        yield span
        yield from walk(span.children)


def check(spans: tuple[Span, ...], start: int, end: int) -> None:
    at = start
    for span in spans:
        assert span.start == at < span.end <= end, f"{span} does not begin at {at}"
        if span.children:
            check(span.children, span.start, span.end)
        at = span.end
    assert at == end


abouts = st.builds(About, client=st.booleans(), transport=st.sampled_from(["tcp", "udp"]),
                   verb=st.sampled_from(["", "GET", "message", "AUTH", "RETR", "A", "FETCH"]),
                   service=st.sampled_from(["", "ftp-data", "time", "smtp"]))
PIECES = [b"\r\n", b"\n", b" ", b":", b"HTTP/1.1 ", b"GET ", b"250-", b"+OK ", b".\r\n",
          b"Transfer-Encoding: chunked\r\n", b"ffff\r\n", b"\xc0\x0c", b"\0\x01", b"{10}", b"(", b")", b'"']
octets_like = st.lists(st.one_of(st.binary(max_size=20), st.sampled_from(PIECES)), max_size=30).map(b"".join)


@pytest.mark.parametrize("protocol", NAMES)
@given(octets=octets_like, about=abouts)
def test_parts_cover_any_octets(protocol: str, octets: bytes, about: About) -> None:
    check(dissect(protocol, octets, about), 0, len(octets))


@pytest.mark.parametrize("protocol", NAMES)
@given(octets=octets_like, about=abouts)
def test_a_dissector_raises_for_nothing(protocol: str, octets: bytes, about: About) -> None:
    dissector = dissector_of(protocol)
    assert dissector is not None
    dissector(octets, about)


@pytest.mark.parametrize("protocol", NAMES)
def test_every_cut_of_a_dialogue_is_covered(protocol: str) -> None:
    for about, octets in DIALOGUES[protocol]:
        for end in range(len(octets) + 1):
            check(dissect(protocol, octets[:end], about), 0, end)


@pytest.mark.parametrize("protocol", NAMES)
def test_every_part_of_a_dialogue_is_explained(protocol: str) -> None:
    for about, octets in DIALOGUES[protocol]:
        for span in walk(dissect(protocol, octets, about)):
            what = f"{span.name} {octets[span.start:span.end]!r}"
            assert explained(protocol, span.key)[1], f"{what}: no entry {span.key!r}"
            assert span.name != "octets", f"{what} has no name"


def test_a_message_says_what_its_parts_say() -> None:
    about, octets = DIALOGUES["smtp"][-1]
    found = {(span.name, span.value) for span in walk(dissect("smtp", octets, about)) if span.value}
    assert {("body", "Hello"), ("part", "part 1: text/plain"), ("display name", "J\u00fc"), ("body", "2 parts"),
            ("parameter value", "X Y")} <= found
    names = {span.name: octets[span.start:span.end] for span in walk(dissect("smtp", octets, about))}
    assert names["by value"] == b"b.example"
    assert names["closing delimiter"] == b"--X Y--"
    assert names["epilogue"] == b"after\r\n"


def test_gaps_are_named_and_what_does_not_fit_is_left_out() -> None:
    odd = (Span(2, 4, "one"), Span(3, 6, "over"), Span(6, 9, "outside"),
           Span(4, 5, "two", children=(Span(0, 9, "wide"),)))
    assert [(span.start, span.end, span.name) for span in whole(odd, 0, 8)] == [
        (0, 2, "octets"), (2, 4, "one"), (4, 5, "two"), (5, 8, "octets")]
