"""Dialogues of all protocols, as they are taken apart: what each side said, and what is known of it."""

from __future__ import annotations

import gzip
import ssl
import zlib
from collections.abc import Iterator

import h2.config
import h2.connection

from sandbox.protocols.contract.spans import About, Span
from tests.support.handshakes import SYN_4, SYN_6, shake, ssh_start

__all__ = ["DIALOGUES", "check", "walk"]


def http2_asked() -> tuple[bytes, int]:
    """What a client of HTTP/2 says in two requests, and where the second begins."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding=None))
    client.initiate_connection()
    fields = [(":method", "POST"), (":path", "/a?b=1"), (":scheme", "https"), (":authority", "www.example.com"),
              ("x-new", "abc"), ("authorization", "Basic YWxpY2U6d29uZGVybGFuZA==")]
    client.send_headers(1, [*fields, ("content-type", "application/x-www-form-urlencoded")], priority_weight=16,
                        priority_depends_on=0)
    client.send_data(1, b"a=1&b=%20x", end_stream=True, pad_length=3)
    first = client.data_to_send()
    client.send_headers(3, fields)
    client.send_headers(5, [*fields, ("x-long", "x" * 20_000)])
    client.ping(b"12345678")
    client.increment_flow_control_window(1000)
    client.reset_stream(3)
    client.prioritize(3, weight=2)
    client.close_connection(additional_data=b"Bye")
    return first + client.data_to_send() + bytes.fromhex("000001630000000000aa"), len(first)


def http2_answered() -> bytes:
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
    server.initiate_connection()
    server.receive_data(H2_ASKED[:H2_CUT])
    server.send_headers(1, [(":status", "200"), ("content-type", "text/plain")])
    server.send_data(1, b"hello", end_stream=True)
    server.close_connection()
    return server.data_to_send()


H2_ASKED, H2_CUT = http2_asked()
H2_ANSWERED = http2_answered()

WS_HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def packed(deflate: zlib._Compress, text: bytes) -> bytes:
    """A packed message in one frame (RFC 7692 §7.2.1)."""
    octets = (deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")
    return bytes([0xC1, len(octets)]) + octets


DEFLATE = zlib.compressobj(wbits=-15)
WS_PACKED = packed(DEFLATE, b"hello hello")
WS_PACKED_AGAIN = packed(DEFLATE, b"hello hello")

DIALOGUES: dict[str, list[tuple[About, bytes]]] = {
    "http": [
        (About(client=True, verb="POST"),
         b"POST http://example.com/a?b=1&c HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"5;x=y\r\nhello\r\n0\r\nTrailer: 1\r\n\r\n"),
        (About(client=True, verb="POST"),
         b"POST /a%20b?x=%41+b&y HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=%32\r\nX-Other: 1\r\n"
         b"Authorization: Basic YWxpY2U6d29uZGVybGFuZA==\r\nProxy-Authorization: Digest a=b, c=d\r\n"
         b"Range: bytes=0-4, 7-\r\nAccept: text/html;q=0.9, */*\r\nCache-Control: no-cache, max-age=1\r\n"
         b"Content-Type: multipart/form-data; boundary=XX\r\n\r\n--XX\r\n"
         b'Content-Disposition: form-data; name="a"; filename="b.png"\r\nContent-Type: image/png\r\n\r\n'
         b"abc\r\n--XX--\r\n"),
        (About(client=True, verb="POST"),
         b"POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\na=1&b=%20x"),
        (About(client=False), b"HTTP/1.1 206 OK\r\nContent-Range: bytes 0-1/9\r\nContent-Encoding: gzip\r\n"
                              b"Set-Cookie: a=b; Path=/; HttpOnly\r\nWWW-Authenticate: Basic realm=x\r\n\r\n"
                              + gzip.compress(b"hello", mtime=0)),
        (About(client=True, verb="PREFACE"), H2_ASKED[:H2_CUT]),
        (About(client=True, verb="GET", start=H2_CUT, before=lambda count: H2_ASKED[:count]), H2_ASKED[H2_CUT:]),
        (About(client=False, verb="PREFACE"), H2_ANSWERED),
        (About(client=True, verb="TEXT"), bytes.fromhex(
            "818537fa213d7f9f4d5158" "880203e8" "8900" "8a00" "0000" "8300")),
        (About(client=False, verb="TEXT", start=len(WS_HEAD), before=lambda count: WS_HEAD[:count]), WS_PACKED),
        (About(client=False, verb="TEXT", start=len(WS_HEAD + WS_PACKED),
               before=lambda count: (WS_HEAD + WS_PACKED)[:count]), WS_PACKED_AGAIN),
        (About(client=True, verb="tunnel"), b"\x16\x03\x01"),
        (About(client=False), b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhi"),
    ],
    "dns": [(About(client=True, transport="udp"), bytes.fromhex(
        "123401000001000000000001037777770765786d61706c6503636f6d0000010001"
        "0000291000000000000004000a0000"))],
    "smtp": [
        (About(client=True, verb="MAIL"), b"MAIL FROM:<a@example.org> SIZE=10\r\n"),
        (About(client=True, verb="AUTH"), b"AUTH PLAIN AGEAYg==\r\n"),
        (About(client=False, verb="AUTH"), b"334 VXNlcm5hbWU6\r\n235 2.7.0 Fine\r\n"),
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
        (About(client=False, verb="UIDL"), b"+OK\r\n1 abc\r\n.\r\n"),
        (About(client=False, verb="CAPA"), b"+OK\r\nUIDL\r\nSASL PLAIN\r\n.\r\n"),
        (About(client=True, verb="AUTH"), b"AUTH PLAIN\r\nAGEAYg==\r\n"),
        (About(client=False, verb="AUTH"), b"+ AGEA\r\n"),
    ],
    "ftp": [
        (About(client=True, verb="RETR"), b"RETR a.txt\r\n"),
        (About(client=False), b"227 Entering Passive Mode (127,0,0,1,4,1)\r\n229 Fine (|||1025|)\r\n"
                              b"211-Features\r\n x\r\n211 End\r\n"),
        (About(client=False, service="ftp-data"), b"octets of a file"),
        (About(client=True), b"PORT 127,0,0,1,4,1\r\nEPRT |1|127.0.0.1|1025|\r\nEPRT |2|::1|1|\r\nPASS secret\r\n"),
        (About(client=False), b'250-Listing\r\n type=file;size=3; a b.txt\r\n250 End\r\n257 "/a" created\r\n'),
        (About(client=False, service="ftp-data", verb="LIST"),
         b"-rw-r--r--   1 alice    users         120 Jan  1 00:00 a b.txt\r\ntotal 1\r\n"),
        (About(client=False, service="ftp-data", verb="MLSD"), b"type=dir;modify=20270101000000; a\r\n"),
        (About(client=False, service="ftp-data", verb="NLST"), b"a.txt\r\n"),
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
    "tls": [(About(client=number == 0, verb="TLS"), octets)
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
            for number, octets in enumerate(shake(version))] + [
        (About(client=True, verb="TLS"), bytes.fromhex("802e0103010015000000100000040300800000050000070000c0"
                                                       "000009") + bytes(22)),
        (About(client=False, verb="TLS"), bytes.fromhex("15030300020228")),
    ],
    "sftp": [(About(client=True, verb="handshake"), ssh_start()),
             (About(client=True, verb="read", start=1000), b"noise")],
    "tcp": [(About(client=True, verb="SYN"), SYN_4), (About(client=True, verb="SYN"), SYN_6),
            (About(client=False, service="time"), bytes(4)), (About(client=True, service="echo"), b"hello")],
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
