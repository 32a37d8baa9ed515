"""wget fetches pages, whole sites, and the rest of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.app import Sandbox
from sandbox.config import Config
from tests.support.network import watching
from tests.support.programs import Finished, run, told

pytestmark = pytest.mark.program("wget", "wget")

SHOP = Path(__file__).parent.parent.parent / "configs" / "worlds" / "shop.toml"


@pytest.fixture
def config() -> Config:
    """A world with a site made of files."""
    return Config(ports="ephemeral", world=str(SHOP))


async def wget(sandbox: Sandbox, folder: Path, *words: str, status: int = 0) -> Finished:
    """Through the sandbox's proxy, so that names lead there."""
    proxy = f"http_proxy=http://{sandbox.endpoints['http']}/"
    return await run("wget", "--no-verbose", "--tries=1", "--timeout=15", "--no-hsts", "--no-config",
                     "--execute", proxy, *words, cwd=folder, status=status)


async def test_a_page(sandbox: Sandbox, tmp_path: Path) -> None:
    with watching(sandbox.journal) as watcher:
        await wget(sandbox, tmp_path, "http://www.example.com/")
        await told(watcher, ("GET", "www.example.com/", "200"))
    assert "<title>www.example.com" in (tmp_path / "index.html").read_text()


async def test_a_whole_site(sandbox: Sandbox, tmp_path: Path) -> None:
    await wget(sandbox, tmp_path, "--recursive", "--level=3", "--no-parent", "--page-requisites",
               "http://www.teashop.test/")
    got = {path.relative_to(tmp_path / "www.teashop.test").as_posix()
           for path in (tmp_path / "www.teashop.test").rglob("*") if path.is_file()}
    folder = SHOP.with_suffix("")
    pages = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert pages <= got
    for name in pages:
        assert (tmp_path / "www.teashop.test" / name).read_bytes() == (folder / name).read_bytes()


async def test_it_resumes_a_download(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = SHOP.with_suffix("")
    page = (folder / "index.html").read_bytes()
    (tmp_path / "index.html").write_bytes(page[:100])
    with watching(sandbox.journal) as watcher:
        await wget(sandbox, tmp_path, "--continue", "http://www.teashop.test/index.html")
        await told(watcher, ("GET", "www.teashop.test/index.html", "206"))
    assert (tmp_path / "index.html").read_bytes() == page


async def test_it_fetches_only_what_is_newer(sandbox: Sandbox, tmp_path: Path) -> None:
    with watching(sandbox.journal) as watcher:
        for _ in range(2):
            await wget(sandbox, tmp_path, "--timestamping", "http://www.teashop.test/index.html")
        await told(watcher, ("GET", "www.teashop.test/index.html", "200"),
                   ("GET", "www.teashop.test/index.html", "304"))


async def test_a_password_and_a_form(sandbox: Sandbox, tmp_path: Path) -> None:
    with watching(sandbox.journal) as watcher:
        await wget(sandbox, tmp_path, "--user=alice", "--password=wonderland", "--output-document=in",
                   "http://www.example.com/protected/digest")
        await wget(sandbox, tmp_path, "--post-data=a=1", "--output-document=out", "http://www.example.com/httpbin/post")
        await told(watcher, ("GET", "www.example.com/protected/digest", "401"),
                   ("GET", "www.example.com/protected/digest", "200"),
                   ("POST", "www.example.com/httpbin/post", "200"))
    assert "You are in" in (tmp_path / "in").read_text()
    assert '"a": "1"' in (tmp_path / "out").read_text()


async def test_a_page_that_is_not_there(sandbox: Sandbox, tmp_path: Path) -> None:
    with watching(sandbox.journal) as watcher:
        await wget(sandbox, tmp_path, "http://www.teashop.test/nothing", status=8)
        await told(watcher, ("GET", "www.teashop.test/nothing", "404"))
