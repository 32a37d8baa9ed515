"""A folder as a site: what is served, and that nothing else ever is."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.protocols.http.messages import Site
from sandbox.websites.folder import SMALL, FolderSite, segments
from tests.support.http import Reply, ask, converse, read_replies

SECRET = b"nobody may read this"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "www"
    for name, content in {
        "index.html": b"<h1>home</h1>", "a b.txt": b"spaces", "caf\u00e9.txt": b"umlauts", "data.json": b"{}",
        "sub/index.html": b"sub", "bare/one.txt": b"1", "bare/two/three.txt": b"3", ".secret": SECRET,
        ".git/config": SECRET, ".well-known/security.txt": b"public", "unknown.xyz": b"?",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
        os.utime(root / name, (784111777, 784111777))
    (tmp_path / "outside.txt").write_bytes(SECRET)
    (tmp_path / "www-other").mkdir()
    (tmp_path / "www-other" / "file.txt").write_bytes(SECRET)
    (root / "link-out").symlink_to(tmp_path / "outside.txt")
    (root / "dir-out").symlink_to(tmp_path / "www-other")
    (root / "link-hidden").symlink_to(root / ".secret")
    (root / "link-in.txt").symlink_to(root / "a b.txt")
    (root / "loop").symlink_to(root / "loop")
    os.mkfifo(root / "pipe")
    return root


async def get(site: Site, path: str, *fields: str, method: str = "GET") -> Reply:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *fields, "", ""]
    return await ask("\r\n".join(lines).encode(), site)


@pytest.mark.parametrize(("path", "body", "media"), [
    ("/", b"<h1>home</h1>", "text/html; charset=utf-8"),
    ("/index.html", b"<h1>home</h1>", "text/html; charset=utf-8"),
    ("/a%20b.txt", b"spaces", "text/plain; charset=utf-8"),
    ("/caf%C3%A9.txt", b"umlauts", "text/plain; charset=utf-8"),
    ("/data.json", b"{}", "application/json"), ("/sub/", b"sub", "text/html; charset=utf-8"),
    ("/link-in.txt", b"spaces", "text/plain; charset=utf-8"), ("/unknown.xyz", b"?", "application/octet-stream"),
    ("/.well-known/security.txt", b"public", "text/plain; charset=utf-8"),
    ("/?query", b"<h1>home</h1>", "text/html; charset=utf-8"),
])
async def test_files_are_served(folder: Path, path: str, body: bytes, media: str) -> None:
    site = FolderSite(folder)
    for _ in range(2):                                       # from the disk, then from memory
        reply = await get(site, path)
        assert (reply.status, reply.body, reply.headers.get("content-type")) == (200, body, media)


@pytest.mark.parametrize("path", [
    "/missing", "/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/sub/../../outside.txt",
    "/./index.html",
    "/..%5coutside.txt",
    "/link-out", "/dir-out/file.txt", "/dir-out/", "/dir-out", "/link-hidden", "/.secret",
    "/.git/config", "/.git/", "/%2esecret", "/index.html/", "/index.html%00", "/%00", "//index.html", "//", "/sub//",
    "/sub//index.html", "/loop", "/pipe", "/bare/", "/%ff", "/" + "a" * 300, "/" + "a/" * 3000,
    "/%2fetc%2fpasswd", "//etc/passwd", "/../www-other/file.txt",
])
async def test_nothing_else_is(folder: Path, path: str) -> None:
    reply = await get(FolderSite(folder), path)
    assert reply.status == 404
    assert SECRET not in reply.body


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.sampled_from(["..", ".", "%2e%2e", "%2E.", "/", "%2f", "%5c", "sub", "link-out", "dir-out",
                                       "file.txt", "outside.txt", "www-other", ".git", "config", ".secret", "%00",
                                       "link-hidden", "bare", "%ff", ""]), max_size=7))
def test_no_path_leaves_the_folder(folder: Path, parts: list[str]) -> None:
    import trio

    path = "/" + "/".join(parts)
    reply = trio.run(get, FolderSite(folder, listing=True), path)
    assert reply.status in (200, 301, 404)
    assert SECRET not in reply.body
    if reply.status == 301:
        assert not reply.headers.get("location").startswith("//")


@given(st.text(max_size=30))
def test_segments_are_names_or_refused(path: str) -> None:
    try:
        names, _ = segments("/" + quote(path, safe="/%"))
    except ValueError:
        return
    assert all(name and "/" not in name and "\0" not in name and name not in (".", "..") for name in names)


async def test_a_folder_without_slash_is_moved(folder: Path) -> None:
    reply = await get(FolderSite(folder), "/sub?a=b")
    assert (reply.status, reply.headers.get("location")) == (301, "/sub/?a=b")


async def test_a_listing_shows_what_can_be_asked_for(folder: Path) -> None:
    (folder / "bare" / "<b>&\"'.txt").write_bytes(b"")
    (folder / "bare" / ".hidden").write_bytes(b"")
    (folder / "bare" / "out").symlink_to("/etc/passwd")
    page = (await get(FolderSite(folder, listing=True), "/bare/")).body.decode()
    assert 'href="./one.txt"' in page
    assert 'href="./two/"' in page
    assert "&lt;b&gt;&amp;" in page
    assert "<b>" not in page
    assert ".hidden" not in page
    assert "out</a>" not in page
    assert 'href="../"' in page
    assert "prefers-color-scheme: dark" in page, "styled as the other pages"


async def test_a_prefix_is_taken_off(folder: Path) -> None:
    site = FolderSite(folder, prefix="/files")
    assert (await get(site, "/files/data.json")).body == b"{}"
    assert (await get(site, "/files")).headers.get("location") == "/files/"
    assert (await get(site, "/filesystem")).status == 404
    assert (await get(site, "/data.json")).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_files_are_only_read(folder: Path, method: str) -> None:
    reply = await get(FolderSite(folder), "/data.json", method=method)
    assert (reply.status, reply.headers.get("allow")) == (405, "GET, HEAD, OPTIONS")
    assert (await get(FolderSite(folder), "/", method="OPTIONS")).headers.get("allow") == "GET, HEAD, OPTIONS"


async def test_validators(folder: Path) -> None:
    site = FolderSite(folder)
    first = await get(site, "/data.json")
    etag, modified = first.headers.get("etag"), first.headers.get("last-modified")
    assert etag.startswith('"')
    assert modified == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert (await get(site, "/data.json", f"If-None-Match: {etag}")).status == 304
    assert (await get(site, "/data.json", f"If-Modified-Since: {modified}")).status == 304
    (folder / "data.json").write_bytes(b"{1}")
    changed = await get(site, "/data.json", f"If-None-Match: {etag}")
    assert (changed.status, changed.body) == (200, b"{1}")


async def test_a_kept_file_is_served_as_it_is_now(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = FolderSite(folder)
    path = folder / "data.json"
    monkeypatch.setattr("sandbox.world.files.signature.SETTLED", 0)
    assert (await get(site, "/data.json")).body == b"{}"
    assert "/data.json" in site._kept
    path.write_bytes(b"[]")                                  # same size
    assert (await get(site, "/data.json")).body == b"[]"
    path.unlink()
    assert (await get(site, "/data.json")).status == 404
    path.symlink_to("/etc/hostname")
    assert (await get(site, "/data.json")).status == 404


async def test_a_file_changed_a_moment_ago_is_not_kept(folder: Path) -> None:
    site = FolderSite(folder)
    (folder / "new.txt").write_bytes(b"1")
    assert (await get(site, "/new.txt")).body == b"1"
    assert site._kept == {}


async def test_memory_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.websites.folder.KEPT", 4000)
    monkeypatch.setattr("sandbox.world.files.signature.SETTLED", 0)
    site = FolderSite(folder)
    for path in ("/", "/data.json", "/a%20b.txt", "/sub/", "/unknown.xyz"):
        assert (await get(site, path)).status == 200
    assert 0 < site._size <= 4000


async def test_what_a_site_adds_to_an_answer_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.world.files.signature.SETTLED", 0)
    site = FolderSite(folder)

    async def adding(request):  # type: ignore[no-untyped-def]
        response = await site(request)
        response.headers.add("Set-Cookie", "a=b")
        return response

    for _ in range(3):
        assert (await get(adding, "/")).headers.get_all("set-cookie") == ["a=b"]
    assert "set-cookie" not in (await get(site, "/")).headers


@pytest.fixture
def large(folder: Path) -> bytes:
    content = bytes(range(256)) * (SMALL // 256 + 1000)
    (folder / "large.bin").write_bytes(content)
    return content


async def test_a_large_file_is_streamed(folder: Path, large: bytes) -> None:
    reply = await get(FolderSite(folder), "/large.bin")
    assert reply.body == large
    assert reply.headers.get("content-length") == str(len(large))
    head = await get(FolderSite(folder), "/large.bin", method="HEAD")
    assert head.headers.get("content-length") == str(len(large))


async def test_parts_of_a_large_file(folder: Path, large: bytes) -> None:
    site = FolderSite(folder)
    assert (await get(site, "/large.bin", "Range: bytes=-5")).body == large[-5:]
    assert (await get(site, "/large.bin", "Range: bytes=1000-300000")).body == large[1000:300001]
    several = await get(site, "/large.bin", "Range: bytes=0-2,300000-300002")
    assert large[300000:300003] in several.body
    assert int(several.headers.get("content-length")) == len(several.body)


async def test_a_large_text_is_compressed_on_its_way(folder: Path) -> None:
    import gzip

    (folder / "large.txt").write_bytes(b"line\n" * 100_000)
    reply = await get(FolderSite(folder), "/large.txt", "Accept-Encoding: gzip")
    assert gzip.decompress(reply.body) == b"line\n" * 100_000


async def test_a_file_that_changes_on_its_way_is_cut_short(folder: Path, large: bytes) -> None:
    site = FolderSite(folder)

    async def changing(request):  # type: ignore[no-untyped-def]
        response = await site(request)
        (folder / "large.bin").write_bytes(b"other")
        return response

    talk = await converse([b"GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n"], changing)
    assert talk.exchanges[0].key == "situation.cut-short"
    assert b"other" not in talk.sent


async def test_many_requests_leave_no_descriptor_behind(folder: Path, large: bytes) -> None:
    before = len(os.listdir("/proc/self/fd"))
    site = FolderSite(folder)
    for _ in range(3):
        await get(site, "/large.bin")
        await get(site, "/large.bin", method="HEAD")
        await converse([b"GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n"], site, gone_after=100)
    assert len(os.listdir("/proc/self/fd")) == before


async def test_pipelined_files_keep_their_order(folder: Path) -> None:
    paths = ["/data.json", "/", "/a%20b.txt", "/missing"]
    talk = await converse(["".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths).encode()],
                          FolderSite(folder))
    assert [reply.body[:6] for reply in read_replies(talk.sent)] == [b"{}", b"<h1>ho", b"spaces", b"404 No"]
