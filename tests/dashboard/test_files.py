"""Files through the API: places, folders with who wrote what, and contents."""

from __future__ import annotations

import ftplib
from io import BytesIO
from pathlib import Path

import trio

from tests.support.dashboard import VISITOR, Page, live_page


async def upload(page: Page, login: str, password: str, name: str, data: bytes, source: str = "127.0.0.1") -> None:
    """Over real FTP."""
    address = page.sandbox.endpoints["ftp"]

    def work() -> None:
        with ftplib.FTP(source_address=(source, 0)) as client:
            client.connect(address.host, address.port, timeout=20)
            client.login(login, password)
            client.storbinary(f"STOR {name}", BytesIO(data))
            client.quit()

    await trio.to_thread.run_sync(work)
    await page.sandbox.journal.settle()


async def test_a_folder_tells_who_wrote_each_file(tmp_path: Path) -> None:
    async with live_page(tmp_path, "ftp") as page:
        await upload(page, "alice", "wonderland", "/www/index.html", b"<p>mine</p>")
        await upload(page, "bob", "builder", "/public/shared.txt", b"ours")
        await upload(page, "bob", "builder", "/www/index.html", b"another's of the same name")
        found = await page.get("files", place="homes/alice", path="www")
        [row] = [one for one in found["entries"] if one["name"] == "index.html"]
        assert (row["size"], row["folder"]) == (11, False)
        assert (row["writer"]["account"], row["writer"]["protocol"]) == ("alice", "ftp")
        wrote = (await page.get(f"exchanges/{row['writer']['exchange']}"))["exchange"]
        assert (wrote["verb"], wrote["facts"]["file"]) == ("STOR", "/www/index.html")
        listed = (await page.get("files", place="public"))["entries"]
        [shared] = [one for one in listed if one["name"] == "shared.txt"]
        assert shared["writer"]["account"] == "bob"


async def test_what_was_there_from_the_start_has_no_writer(tmp_path: Path) -> None:
    async with live_page(tmp_path, "ftp") as page:
        found = await page.get("files", place="homes/alice")
        assert {(one["name"], one["folder"], one["writer"] is None) for one in found["entries"]} >= {
            ("www", True, True)}
        assert [one["title"] for one in found["again"]] == ["FTP"]


async def test_contents_are_given_to_be_kept_and_not_shown(tmp_path: Path) -> None:
    async with live_page(tmp_path, "ftp") as page:
        data = b"<script>alert(1)</script>" * 30_000
        await upload(page, "alice", "wonderland", "/www/ü.html", data)
        reply = await page.ask("GET", "files/content", place="homes/alice", path="www/ü.html")
        assert (reply.status, reply.body) == (200, data)
        assert reply.headers["content-type"] == "application/octet-stream"
        assert reply.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%BC.html"
        assert reply.headers["x-content-type-options"] == "nosniff"


async def test_no_path_leads_out(tmp_path: Path) -> None:
    async with live_page(tmp_path, "ftp") as page:
        home = page.sandbox.world.files.home("alice")
        await trio.to_thread.run_sync(lambda: (home / "out").symlink_to("/etc"))
        for path in ("../../lock", "out/passwd", "/../../../etc/passwd"):
            reply = await page.ask("GET", "files/content", place="homes/alice", path=path)
            assert reply.status == 404, path
        reply = await page.ask("GET", "files", place="homes/../mail")
        assert reply.status == 404
        reply = await page.ask("GET", "files", place="homes/alice", path="a\0b")
        assert (reply.status, reply.headers["content-type"]) == (400, "application/problem+json")
        reply = await page.ask("GET", "files/content", place="homes/alice", path="www")
        assert reply.status == 400


async def test_a_visitor_sees_public_files_and_the_own_home_once_logged_in(tmp_path: Path) -> None:
    async with live_page(tmp_path, "ftp") as page:
        places = {one["place"] for one in (await page.get("files", source=VISITOR))["places"]}
        assert "public" in places
        assert not [place for place in places if place.startswith("homes/")]
        assert (await page.ask("GET", "files", source=VISITOR, place="homes/alice")).status == 404
        await upload(page, "alice", "wonderland", "/mine.txt", b"mine", source=VISITOR)
        places = {one["place"] for one in (await page.get("files", source=VISITOR))["places"]}
        assert {place for place in places if place.startswith("homes/")} == {"homes/alice"}
        [row] = [one for one in (await page.get("files", source=VISITOR, place="homes/alice"))["entries"]
                 if one["name"] == "mine.txt"]
        assert row["writer"]["client"] == VISITOR
        assert [one["password"] for one in (await page.get("people", source=VISITOR))["people"]
                if one["password"]] == ["wonderland"]


async def test_a_visitor_is_not_told_who_else_wrote_a_file(tmp_path: Path) -> None:
    async with live_page(tmp_path, "ftp") as page:
        await upload(page, "bob", "builder", "/public/shared.txt", b"ours")
        [row] = [one for one in (await page.get("files", source=VISITOR, place="public"))["entries"]
                 if one["name"] == "shared.txt"]
        assert row["writer"] is None
