from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.address import Address
from sandbox.net.dial import dial
from sandbox.protocols.contract.conversation import Cause, Wire
from sandbox.websites import port
from tests.support.conversation import MemoryConversation
from tests.support.websites import Client, websites

SITE = "http://dev.example.com"


class Program(BaseHTTPRequestHandler):
    """A program somebody is developing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        text = f"{self.requestline}\n{self.headers}".encode()
        self.send_response(203, "Just So")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Connection", "close, X-Private")
        self.send_header("X-Private", "between us")
        self.send_header("X-Kept", "yes")
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self) -> None:
        """Echoes each chunk as it comes."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline(), 16):
                self.answer(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
        else:
            left = int(self.headers.get("Content-Length", 0))
            while left:
                data = self.rfile.read(min(left, 65_536))
                left -= len(data)
                self.answer(data)
        self.wfile.write(b"0\r\n\r\n")

    def do_PUT(self) -> None:
        """Does not care for the content."""
        self.send_response(413)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.close_connection = True

    def answer(self, data: bytes) -> None:
        self.wfile.write(b"%X\r\n%b\r\n" % (len(data), data))

    def log_message(self, *args: object) -> None:
        pass


async def plainly(address: Address, cause: Cause | int = 0) -> Wire:
    return await dial(address)


@contextmanager
def serving(data: Path, number: int) -> Iterator[Client]:
    world = f'[[site]]\nhost = "dev.example.com"\nport = {number}\n'
    with websites(data, world, dial=plainly) as client:
        yield client


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Program)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with serving(tmp_path, server.server_port) as opened:
            yield opened
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_a_program_is_asked_and_told_for_whom(client: Client) -> None:
    reply = await client.get(f"{SITE}:8080/a%20b?c=d", X_Forwarded_For="6.6.6.6", Forwarded="for=6.6.6.6",
                             TE="trailers", Connection="close, X-Secret", X_Secret="1", X_Plain="2")
    assert (reply.status, reply.reason) == (203, "Just So")
    assert (reply.headers.get("x-kept"), reply.headers.get("x-private")) == ("yes", "")
    text = reply.body.decode()
    assert text.startswith("GET /a%20b?c=d HTTP/1.1\n")
    assert "Host: dev.example.com:8080\n" in text
    assert 'Forwarded: for=127.0.0.1;host="dev.example.com:8080";proto=http\n' in text
    assert "X-Forwarded-For: 127.0.0.1\n" in text
    assert "X-Plain: 2\n" in text
    assert "6.6.6.6" not in text
    assert "X-Secret" not in text
    assert "TE:" not in text


@pytest.mark.parametrize("size", [0, 5, 3_000_000])
async def test_content_flows_both_ways_at_once(client: Client, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    assert (await client.post(f"{SITE}/", content, Content_Length=str(size))).body == content


async def test_chunks_are_passed_on(client: Client) -> None:
    reply = await client.ask("POST", f"{SITE}/", b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", Transfer_Encoding="chunked")
    assert reply.body == b"abcde"


async def test_a_program_may_answer_before_it_has_heard_all(client: Client) -> None:
    assert (await client.ask("PUT", f"{SITE}/", bytes(5_000_000))).status == 413


@contextmanager
def program(answer: Callable[[socket.socket], None], heard: list[bytes] | None = None) -> Iterator[int]:
    """A program that does with its one visitor as it likes. heard: gets the request's head."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def run() -> None:
            visitor, _ = listener.accept()
            with visitor:
                head = visitor.recv(65_536)
                if heard is not None:
                    heard.append(head)
                answer(visitor)

        thread = threading.Thread(target=run)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def none(_: object) -> None:
    pass


async def test_nobody_is_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.getsockname()[1]
    with serving(tmp_path, number) as client:
        reply = await client.get(SITE)
    assert reply.status == 502
    assert f"port {number}".encode() in reply.body


@pytest.mark.parametrize("answer", [b"", b"220 mail.example.com ESMTP\r\n", b"HTTP/1.1 200 OK\r\nContent-"])
async def test_what_is_no_answer_is_a_502(tmp_path: Path, answer: bytes) -> None:
    with program(lambda visitor: visitor.sendall(answer)) as number, serving(tmp_path, number) as client:
        reply = await client.get(SITE)
    assert reply.status == 502
    assert f"port {number}".encode() in reply.body


async def test_silence_is_a_504(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "SECONDS", 0.05)
    with program(lambda visitor: none(visitor.recv(1))) as number, serving(tmp_path, number) as client:
        reply = await client.get(SITE)
    assert reply.status == 504


def hot_reload(visitor: socket.socket) -> None:
    """Takes the upgrade, says something at once, and answers in capitals until the other side is done."""
    visitor.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Accept: a\r\n\r\nhello ")
    while data := visitor.recv(65_536):
        visitor.sendall(data.upper())


async def test_another_protocol_is_passed_through(tmp_path: Path) -> None:
    """RFC 9110 §7.8, RFC 6455: as hot reload asks for."""
    heard: list[bytes] = []
    with program(hot_reload, heard) as number, serving(tmp_path, number) as client:
        head = (b"GET /hot?x=1 HTTP/1.1\r\nHost: dev.example.com\r\nConnection: keep-alive, Upgrade\r\n"
                b"Upgrade: h2c, websocket\r\nSec-WebSocket-Key: k\r\n\r\n")
        talk = MemoryConversation([head + b"first", b" and last"])
        await client._server.session(talk)
        await talk.finish()
    assert b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" in heard[0]
    assert b"\r\nSec-WebSocket-Key: k\r\n" in heard[0]
    assert b"close" not in heard[0]
    answer, _, rest = talk.sent.partition(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"Upgrade: websocket\r\n" in answer + b"\r\n"
    assert b"Sec-WebSocket-Accept: a" in answer
    assert rest == b"hello FIRST AND LAST"
    assert [(one.verb, one.outcome) for one in talk.exchanges] == [("GET", "101"), ("tunnel", "closed")]


async def test_a_program_that_takes_no_upgrade_answers_as_ever(client: Client) -> None:
    reply = await client.get(f"{SITE}/", Connection="Upgrade", Upgrade="websocket")
    assert reply.status == 203
    plain = await client.get(f"{SITE}/", Connection="Upgrade", Upgrade="h2c")
    assert b"Upgrade: h2c" not in plain.body
