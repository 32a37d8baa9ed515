"""A folder as a website: index pages, media types, validators, and nothing outside the folder, ever.

A path is taken apart before it meets the file system: a segment that is "..", hidden, empty or holds a slash or a
NUL once decoded is not found. What is left is walked from the folder down, through all symbolic links that stay
inside (`sandbox.world.files.paths`, which FTP and SFTP share), and has to be a regular file or a directory under no
hidden name.

Small files are kept in memory and looked at again with one `stat` each time, so a file changed a moment ago (over
FTP, say) is served as it is now. That `stat` runs on the event loop: it asks for an inode the kernel has in
memory, and costs a fiftieth of a worker thread. Everything else about files happens in worker threads.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

import trio

from sandbox.protocols.contract.facts import bounded
from sandbox.protocols.http.coding import varies
from sandbox.protocols.http.dates import http_date
from sandbox.protocols.http.media import media_type
from sandbox.protocols.http.messages import Headers, HttpError, Request, Response
from sandbox.protocols.http.writer import field_lines
from sandbox.websites import page
from sandbox.world.files.paths import Root, open_regular, virtual
from sandbox.world.files.signature import Signature, signature_of

__all__ = ["FileBody", "FolderSite"]

LISTING = page.template("listing.html")
ROW = '<tr><td><a href="$link">$name</a></td><td>$size</td></tr>\n'
EMPTY = '<tr><td class="soft">This folder is empty.</td><td></td></tr>\n'

SMALL = 262_144
"""Files up to this size are read whole and kept (octets)."""
KEPT = 33_554_432
"""What one site keeps in memory (octets)."""
PIECE = 262_144
"""A large file leaves in pieces of this size (octets)."""
LISTED = 10_000
"""Entries a listing shows."""
INDEXES = ("index.html", "index.htm")
ALLOW = [("Allow", "GET, HEAD, OPTIONS")]


class Found(NamedTuple):
    """What a path turned out to be. file: seen from the site's root; data: its content if small; names: of a
    directory's entries."""

    path: str
    file: str
    signature: Signature
    data: bytes | None = None
    names: list[tuple[str, bool, int]] | None = None


@dataclass(slots=True)
class Kept:
    """A small file in memory, with its answer's header fields."""

    path: str
    file: str
    signature: Signature
    headers: Headers
    data: bytes


class Elsewhere(Exception):
    """The path needs a slash at its end."""


class FileBody:
    """A file's content, or a part of it, opened when it is asked for and read piece by piece in worker threads."""

    def __init__(self, path: str, signature: Signature, start: int = 0, stop: int | None = None) -> None:
        self.path = path
        self.signature = signature
        self.start = start
        self.stop = signature.size if stop is None else stop

    def part(self, start: int, stop: int) -> FileBody:
        """Octets start to stop, as a body of its own."""
        return FileBody(self.path, self.signature, self.start + start, self.start + stop)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Raises OSError when the file is gone or another one by now: half of each would be worse than nothing."""
        descriptor = await trio.to_thread.run_sync(open_regular, self.path, os.O_RDONLY)
        try:
            if signature_of(os.fstat(descriptor)) != self.signature:
                raise OSError(f"{self.path} changed while it was being served")
            position = self.start
            while position < self.stop:
                count = min(PIECE, self.stop - position)
                piece = await trio.to_thread.run_sync(os.pread, descriptor, count, position)
                if not piece:
                    raise OSError(f"{self.path} became shorter while it was being served")
                position += len(piece)
                yield piece
        finally:
            os.close(descriptor)


class FolderSite:
    """A site made of files.

    path: the folder; listing: whether a directory without an index page shows its entries; prefix: where the
    folder stands on its host ("/files", no slash at the end), to be taken off request.path.
    """

    def __init__(self, path: str | os.PathLike[str], listing: bool = False, prefix: str = "") -> None:
        self.path = os.fspath(path)
        self.listing = listing
        self.prefix = prefix
        self._kept: dict[str, Kept] = {}
        self._size = 0

    async def __call__(self, request: Request) -> Response:
        """Raises HttpError: 404, 405."""
        if request.method not in ("GET", "HEAD"):
            if request.method == "OPTIONS":
                return Response(204, Headers(ALLOW))
            raise HttpError(405, "These pages are files: they can be read, not changed or sent to.", ALLOW)
        kept = self._kept.get(request.path)
        if kept is not None:
            try:
                if signature_of(os.stat(kept.path)) == kept.signature:
                    request.facts["file"] = kept.file
                    return Response(200, kept.headers.copy(), kept.data)
            except OSError:
                pass
            self._forget(request.path)
        return await self._look(request)

    async def _look(self, request: Request) -> Response:
        if not request.path.startswith(self.prefix + "/"):
            if request.path == self.prefix:
                return moved(request)
            raise HttpError(404, "There is no such file.")
        try:
            found = await trio.to_thread.run_sync(self._find, request.path[len(self.prefix):])
        except (OSError, ValueError):
            raise HttpError(404, "There is no such file.") from None
        except Elsewhere:
            return moved(request)
        request.facts["file"] = found.file
        if found.names is not None:
            return listing_page(request, found.names, up=request.path != self.prefix + "/")
        headers = Headers([
            ("Content-Type", media_type(found.path)),
            ("Last-Modified", http_date(found.signature.modified // 1_000_000_000)),
            ("ETag", etag(found.signature)),
            ("Accept-Ranges", "bytes"),
        ])
        if varies(media_type(found.path), found.signature.size):
            headers.add("Vary", "Accept-Encoding")
        if found.data is None:
            return Response(200, headers, FileBody(found.path, found.signature), length=found.signature.size)
        if found.signature.settled(time.time_ns()):          # else it may change again unseen: not kept in memory yet
            field_lines(headers)                             # written once, for all who will ask
            self._keep(request.path, Kept(found.path, found.file, found.signature, headers.copy(), found.data))
        return Response(200, headers, found.data)

    def _keep(self, path: str, kept: Kept) -> None:
        cost = len(path) + len(kept.data) + 1024
        if self._size + cost > KEPT:
            self._kept.clear()
            self._size = 0
        self._forget(path)
        self._kept[path] = kept
        self._size += cost

    def _forget(self, path: str) -> None:
        kept = self._kept.pop(path, None)
        if kept is not None:
            self._size -= len(path) + len(kept.data) + 1024

    # In worker threads from here on.

    def _find(self, path: str) -> Found:
        """path: percent-encoded, beginning with a slash. Raises OSError, ValueError when there is nothing to see."""
        root = Root(self.path)
        inside, directory = segments(path)
        real = resolve(root, inside)
        status = os.stat(real)
        if stat.S_ISDIR(status.st_mode):
            if not directory:
                raise Elsewhere
            return self._find_index(root, inside, real, signature_of(status))
        if directory:
            raise FileNotFoundError(path)
        return read(root, inside)

    def _find_index(self, root: Root, inside: list[str], real: str, signature: Signature) -> Found:
        for name in INDEXES:
            try:
                return read(root, [*inside, name])
            except (OSError, ValueError):
                continue
        if not self.listing:
            raise FileNotFoundError(real)
        return Found(real, where(inside), signature, names=entries(root, inside))


def segments(path: str) -> tuple[list[str], bool]:
    """A percent-encoded path as names, and whether it ends in a slash. Raises ValueError for one never served."""
    *names, last = [os.fsdecode(unquote_to_bytes(part)) for part in path.split("/")[1:]]
    if last:
        names.append(last)
    for name in names:
        if not name or "/" in name or "\0" in name or hidden(name):
            raise ValueError(name)
    return names, not last


def hidden(name: str) -> bool:
    """Dot files stay private ("." and ".." among them); /.well-known/ is public by definition (RFC 8615)."""
    return name.startswith(".") and name != ".well-known"


def resolve(root: Root, inside: list[str]) -> str:
    """The path without links. Raises OSError when it leads out of root, ValueError when it is hidden."""
    found = root.names(tuple(inside))
    if any(hidden(name) for name in found):
        raise ValueError("hidden")
    return os.path.join(os.path.realpath(root.path), *found)


def where(inside: list[str]) -> str:
    """A file as it is seen from the site's root, for the journal."""
    return bounded(virtual(tuple(inside)))


def read(root: Root, inside: list[str]) -> Found:
    real, file = resolve(root, inside), where(inside)
    descriptor = root.open(tuple(inside), os.O_RDONLY)
    try:
        signature = signature_of(os.fstat(descriptor))
        if signature.size > SMALL:
            return Found(real, file, signature)
        data = os.pread(descriptor, SMALL + 1, 0)
        if len(data) != signature.size:                      # being written right now: what it is this moment
            signature = signature_of(os.fstat(descriptor))
            data = os.pread(descriptor, signature.size, 0)
        return Found(real, file, signature._replace(size=len(data)), data)
    finally:
        os.close(descriptor)


def entries(root: Root, inside: list[str]) -> list[tuple[str, bool, int]]:
    """Name, whether a directory, and size of all that can be asked for."""
    found: list[tuple[str, bool, int]] = []
    for name, status in root.entries(tuple(inside)):
        if not hidden(name) and len(found) < LISTED and not any(map(hidden, root.names((*inside, name)))):
            found.append((name, stat.S_ISDIR(status.st_mode), status.st_size))
    return sorted(found, key=lambda item: (not item[1], item[0].lower()))


def etag(signature: Signature) -> str:
    """A strong one (RFC 9110 §8.8.3): the time of change to the nanosecond, and the size."""
    return f'"{signature.modified:x}-{signature.size:x}"'


def moved(request: Request) -> Response:
    """To the same path with a slash, so that the page's relative links work."""
    location = request.path + "/" + (f"?{request.query}" if request.query else "")
    return Response(301, Headers([("Location", location), ("Content-Type", "text/plain; charset=utf-8")]),
                    f"This is a folder; its address ends in a slash: {location}\n".encode())


def listing_page(request: Request, names: list[tuple[str, bool, int]], up: bool) -> Response:
    """A page with a link for each entry. up: whether there is a folder above."""
    rows = [page.fill(ROW, link="../", name="..", size="")] if up else []
    for name, directory, size in names:
        shown = os.fsencode(name).decode("utf-8", "replace") + ("/" if directory else "")
        link = "./" + quote(os.fsencode(name)) + ("/" if directory else "")
        rows.append(page.fill(ROW, link=link, name=shown, size="" if directory else f"{size:,}"))
    if not names:
        rows.append(page.Markup(EMPTY))
    path = unquote_to_bytes(request.path).decode("utf-8", "replace")
    return page.page(f"Files in {path}", page.fill(LISTING, path=path, rows=page.join(rows)), request=request)
