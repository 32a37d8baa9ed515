from __future__ import annotations

import threading
from ast import literal_eval
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from textwrap import dedent

import h11
import pytest
import trio

from sandbox.address import Address
from sandbox.config import Config, Http
from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.websites import wsgi
from sandbox.websites.application import Application, Loader
from sandbox.websites.wsgi import Wsgi
from tests.support.websites import Client, websites

APPLICATION = '''
    from wsgiref.validate import validator

    import neighbour

    closed = []

    class Content:
        def __init__(self, pieces): self.pieces = iter(pieces)
        def __iter__(self): return self
        def __next__(self): return next(self.pieces)
        def close(self): closed.append(True)

    @validator
    def valid(environ, start_response):
        """Checks each side against PEP 3333 while it runs."""
        size = int(environ.get("CONTENT_LENGTH") or 0)
        data = environ["wsgi.input"].read(size)
        start_response("200 OK", [("Content-Type", "text/plain"), ("X-Path", repr(environ["PATH_INFO"]))])
        return [b"read ", data]

    def app(environ, start_response):
        path = environ["PATH_INFO"]
        text = [("Content-Type", "text/plain")]
        if path.startswith("/valid"):
            return valid(environ, start_response)
        if path == "/raise":
            raise ValueError("the secret cause")
        if path == "/late":
            start_response("200 OK", text)
            return Content(iter([b"one", "text"]))
        if path == "/lines":
            start_response("201 Made Up", text)
            lines = list(environ["wsgi.input"])
            return [repr(lines).encode()]
        if path == "/write":
            write = start_response("200 OK", text)
            write(b"a")
            write(b"b")
            return [b"c"]
        if path == "/one":
            start_response("200 OK", text)
            return [b"alone"]
        if path == "/nothing":
            start_response("200 OK", text)
            return []
        if path == "/closed":
            start_response("200 OK", text)
            return [str(len(closed)).encode()]
        if path == "/again":
            try:
                start_response("200 OK", text)
                raise KeyError("x")
            except KeyError:
                import sys
                start_response("503 Sorry", text, sys.exc_info())
            return [b"recovered"]
        if path == "/twice":
            start_response("200 OK", text)
            start_response("200 OK", text)
        if path == "/early":
            return [b"no head"]
        if path == "/hop":
            start_response("200 OK", [("Connection", "close")])
            return [b""]
        if path == "/split":
            start_response("200 OK", [("X", "a\\r\\nY: b")])
            return [b""]
        if path == "/status":
            start_response("OK", [])
            return [b""]
        if path == "/text":
            start_response("200 OK", text)
            return ["text"]
        if path == "/long":
            start_response("200 OK", [("Content-Length", "3")])
            return [b"ab", b"cd", b"ef"]
        if path == "/short":
            start_response("200 OK", [("Content-Length", "10")])
            return [b"abc"]
        if environ["REQUEST_METHOD"] == "PROPFIND":
            start_response("207 Multi-Status", [("Content-Type", "application/xml"), ("DAV", "1")])
            return [environ["wsgi.input"].read()]
        if path == "/name":
            start_response("200 OK", text)
            return [neighbour.NAME.encode()]
        start_response("200 OK", text)
        return [repr(sorted((k, v) for k, v in environ.items() if isinstance(v, (str, bool, tuple)))).encode()]
'''
WORLD = """
[[site]]
host = "app.example.com"
wsgi = "app.py:app"

[[site]]
host = "broken.example.com"
wsgi = "broken.py:app"
"""
SITE = "http://app.example.com"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    (tmp_path / "app.py").write_text(dedent(APPLICATION))
    (tmp_path / "neighbour.py").write_text("NAME = 'next door'\n")
    (tmp_path / "broken.py").write_text("import no_such_module_anywhere\n")
    with websites(tmp_path, WORLD) as opened:
        yield opened


async def test_an_application_is_given_what_pep_3333_says(client: Client) -> None:
    reply = await client.post(f"{SITE}/valid/caf%C3%A9?q=1", b"content", "text/plain")
    assert (reply.status, reply.body) == (200, b"read content")
    assert reply.headers.get("x-path") == repr("/valid/caf\xc3\xa9")


async def test_the_environment(client: Client) -> None:
    reply = await client.get(f"{SITE}:8080/x%20y/?a=%20b", Cookie="a=1", Proxy="http://evil.test", X_Thing="1")
    found = dict(literal_eval(reply.body.decode()))
    assert found.items() >= {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/x y/", "QUERY_STRING": "a=%20b",
        "SERVER_NAME": "app.example.com", "SERVER_PORT": "8080", "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1", "HTTP_COOKIE": "a=1", "HTTP_X_THING": "1", "HTTP_HOST": "app.example.com:8080",
        "wsgi.url_scheme": "http", "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": False,
        "wsgi.run_once": False}.items()
    assert "HTTPS" not in found
    assert "HTTP_PROXY" not in found, "httpoxy"


@pytest.mark.parametrize(("path", "status", "body"), [
    ("/write", 200, b"abc"), ("/one", 200, b"alone"), ("/nothing", 200, b""), ("/again", 503, b"recovered"),
    ("/long", 200, b"abc"), ("/name", 200, b"next door"),
])
async def test_answers(client: Client, path: str, status: int, body: bytes) -> None:
    reply = await client.get(SITE + path)
    assert (reply.status, reply.body) == (status, body)
    if path in ("/one", "/nothing"):
        assert reply.headers.get("content-length") == str(len(body))


async def test_any_method_reaches_an_application(client: Client) -> None:
    """RFC 9110 §9.1; PROPFIND is WebDAV's (RFC 4918 §9.1)."""
    reply = await client.ask("PROPFIND", f"{SITE}/dav/", b"<propfind/>", Depth="1", Content_Type="application/xml")
    assert (reply.status, reply.headers.get("dav"), reply.body) == (207, "1", b"<propfind/>")
    assert (await client.ask("lower-Case!", f"{SITE}/one")).body == b"alone"
    assert (await client.ask("OPTIONS", f"{SITE}/one")).body == b"alone"


@pytest.mark.parametrize("path", ["/raise", "/twice", "/early", "/hop", "/split", "/status", "/text"])
async def test_an_application_that_fails_is_a_500_with_its_traceback_in_the_journal_only(client: Client,
                                                                                         path: str) -> None:
    reply = await client.get(SITE + path)
    assert reply.status == 500
    assert b"Traceback" not in reply.body
    assert b"secret" not in reply.body
    assert "Traceback" in client.facts["traceback"]


async def test_an_application_that_cannot_be_loaded_says_why(client: Client) -> None:
    assert (await client.get("http://broken.example.com/")).status == 500
    assert "no_such_module_anywhere" in client.facts["traceback"]


async def test_the_page_shows_a_traceback_only_when_asked_to(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(dedent(APPLICATION))
    (tmp_path / "neighbour.py").write_text("NAME = 'next door'\n")
    (tmp_path / "broken.py").write_text("")
    with websites(tmp_path, WORLD, Config(http=Http(debug=True))) as client:
        assert b"the secret cause" in (await client.get(f"{SITE}/raise")).body


async def test_an_application_that_breaks_off_breaks_the_connection_off_and_is_closed(client: Client) -> None:
    for path in ("/late", "/short"):
        with pytest.raises(h11.RemoteProtocolError, match="closed"):
            await client.get(SITE + path)
        assert "traceback" in client.facts
    assert (await client.get(f"{SITE}/closed")).body == b"1"


async def test_content_is_read_by_line_and_in_chunks(client: Client) -> None:
    reply = await client.post(f"{SITE}/lines", b"one\ntwo\nlast", "text/plain")
    assert (reply.status, reply.reason) == (201, "Made Up")
    assert literal_eval(reply.body.decode()) == [b"one\n", b"two\n", b"last"]
    chunked = await client.ask("POST", f"{SITE}/lines", b"5\r\na\nb\nc\r\n1\r\nd\r\n0\r\n\r\n",
                               Transfer_Encoding="chunked", Content_Type="text/plain")
    assert literal_eval(chunked.body.decode()) == [b"a\n", b"b\n", b"cd"]


class Pieces:
    """A request's content that comes piece by piece."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.trailers = Headers()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await trio.lowlevel.checkpoint()
            yield piece
        if self.error:
            raise self.error

    async def read(self, limit: int = 0) -> bytes:
        return b"".join([piece async for piece in self])


def request(*pieces: bytes, error: Exception | None = None) -> Request:
    here = Address("127.0.0.1", 80)
    return Request("POST", "/", "https", "a.test", 443, "/", "", Headers(), Pieces(*pieces, error=error), here, here)


def site_of(application: Application) -> Wsgi:
    site = Wsgi("unused:unused")
    site._loader._application = application
    return site


async def content_of(response: Response) -> bytes:
    assert not isinstance(response.body, bytes)
    return b"".join([piece async for piece in response.body])


async def test_what_is_sent_is_answered_while_it_arrives() -> None:
    def echo(environ: dict[str, object], start_response: object) -> Iterator[bytes]:
        assert callable(start_response)
        start_response("200 OK", [])
        yield b"first"
        stream = environ["wsgi.input"]
        while data := stream.read(2):  # type: ignore[attr-defined]
            yield data

    response = await site_of(echo)(request(b"abc", b"def"))
    assert await content_of(response) == b"firstabcdef"


async def test_an_application_waits_for_a_client_that_is_slow_and_ends_when_it_leaves() -> None:
    made = 0
    over = threading.Event()

    class Endless:
        def __iter__(self) -> Iterator[bytes]:
            nonlocal made
            while True:
                made += 1
                yield b"x"

        def close(self) -> None:
            over.set()

    def endless(environ: dict[str, object], start_response: object) -> Endless:
        assert callable(start_response)
        start_response("200 OK", [])
        return Endless()

    response = await site_of(endless)(request())
    assert isinstance(response.body, wsgi.Run)
    assert await anext(response.body) == b"x"
    assert made <= wsgi.QUEUE + 4, "no more than the queue holds is made ahead"
    await response.body.aclose()
    assert await trio.to_thread.run_sync(over.wait, 5)


async def test_a_content_that_breaks_off_ends_the_request() -> None:
    seen: list[BaseException] = []
    over = threading.Event()

    def reader(environ: dict[str, object], start_response: object) -> list[bytes]:
        try:
            environ["wsgi.input"].read()  # type: ignore[attr-defined]
        except BaseException as error:
            seen.append(error)
            raise
        finally:
            over.set()
        return []

    with pytest.raises(HttpError):
        await site_of(reader)(request(b"abc", error=HttpError(413)))
    assert await trio.to_thread.run_sync(over.wait, 5)
    assert isinstance(seen[0], (OSError, trio.BrokenResourceError, trio.ClosedResourceError))


async def test_no_more_run_at_a_time_than_there_are_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "THREADS", 2)
    running, most = 0, 0
    lock = threading.Lock()
    gate = threading.Barrier(2)

    def slow(environ: dict[str, object], start_response: object) -> list[bytes]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait(5)
        with lock:
            running -= 1
        assert callable(start_response)
        start_response("200 OK", [])
        return [b"ok"]

    site = site_of(slow)
    replies: list[bytes] = []

    async def ask() -> None:
        replies.append(await content_of(await site(request())))

    async with trio.open_nursery() as nursery:
        for _ in range(6):
            nursery.start_soon(ask)
    assert (replies, most) == ([b"ok"] * 6, 2)


def test_a_field_with_an_underscore_passes_for_no_other() -> None:
    asked = request()
    asked.headers = Headers([("X-User", "alice"), ("X_User", "root")])
    assert wsgi.environ_of(asked)["HTTP_X_USER"] == "alice"


async def test_https_is_told() -> None:
    def app(environ: dict[str, object], start_response: object) -> list[bytes]:
        assert callable(start_response)
        start_response("200 OK", [])
        return [f"{environ['HTTPS']} {environ['wsgi.url_scheme']} {environ['SERVER_PORT']}".encode()]

    assert await content_of(await site_of(app)(request())) == b"on https 443"


@pytest.mark.parametrize("target", ["wsgiref.simple_server:demo_app", "wsgiref:simple_server.demo_app"])
def test_applications_in_modules(target: str) -> None:
    assert callable(Loader(target).load()[0])


@pytest.mark.parametrize("target", ["sys:path", "sys:nothing", "no_such_module:app"])
def test_what_is_no_application(target: str) -> None:
    with pytest.raises((TypeError, AttributeError, ImportError)):
        Loader(target).load()
