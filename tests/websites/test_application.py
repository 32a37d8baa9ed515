"""A learner's application: modules of its own, loaded anew when they change, and what it says."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from sandbox.websites.application import PREFIX
from tests.support.websites import Client, websites

WORLD = """
[[site]]
host = "one.example.com"
wsgi = "one/app.py:app"

[[site]]
host = "two.example.com"
wsgi = "two/app.py:app"
"""
APPLICATION = '''
    import models
    from package import inner
    from package.inner import WHO as again
    import package.inner as alias
    import plain.thing

    def app(environ, start_response):
        from lazy import WHO
        start_response("200 OK", [("Content-Type", "text/plain")])
        said = [models.WHO, inner.WHO, again, alias.WHO, plain.thing.WHO, WHO, inner.circle()]
        return [" ".join(said).encode()]

    WHO = "app of " + models.WHO
'''
FILES = {
    "app.py": APPLICATION,
    "models.py": "WHO = {name!r}",
    "lazy.py": "import models\nWHO = models.WHO",
    "package/__init__.py": "",
    "package/inner.py": "from . import deep\nimport models\nWHO = models.WHO + deep.WHO\n"
                        "def circle():\n    import app\n    return app.WHO",
    "package/deep.py": "import json\nWHO = json.dumps(1)",
    "plain/thing.py": "from models import WHO",
    "json/note.txt": "a folder that is no module, and hides none",
}


def write(folder: Path, name: str) -> None:
    for path, text in FILES.items():
        file = folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).replace("{name!r}", repr(name)))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    for name in ("one", "two"):
        write(tmp_path, name)
    path = sys.path.copy()
    with websites(tmp_path, WORLD) as opened:
        yield opened
    sys.path[:] = path


async def ask(client: Client, name: str = "one") -> str:
    reply = await client.get(f"http://{name}.example.com/")
    assert reply.status == 200, client.facts
    return reply.body.decode()


def change(file: Path, text: str) -> None:
    """Later than it was, also for a clock that counts in seconds."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text)
    os.utime(file, ns=(before + 1, before + 1))


async def test_each_site_has_modules_of_its_own(client: Client) -> None:
    for name in ("one", "two", "one"):
        assert await ask(client, name) == f"{name} {name}1 {name}1 {name}1 {name} {name} app of {name}"
    assert "models" not in sys.modules


async def test_what_changes_is_loaded_anew_and_said(client: Client, tmp_path: Path) -> None:
    await ask(client)
    assert "reloaded" not in client.facts
    for file, text in (("models.py", "WHO = 'new'"), ("lazy.py", "WHO = 'lazy'"), ("plain/thing.py", "WHO = 'x'")):
        change(tmp_path / "one" / file, text)
        await ask(client)
        assert client.facts["reloaded"] == os.path.basename(file)
    assert await ask(client) == "new new1 new1 new1 x lazy app of new"
    assert "reloaded" not in client.facts
    assert await ask(client, "two") == "two two1 two1 two1 two two app of two"


async def test_a_template_counts_as_a_file_of_the_application(client: Client, tmp_path: Path) -> None:
    template = tmp_path / "one" / "templates" / "index.html"
    template.parent.mkdir()
    template.write_text("<p>old")
    await ask(client)
    change(template, "<p>new")
    await ask(client)
    assert client.facts["reloaded"] == "index.html"


async def test_a_mistake_is_told_until_it_is_mended(client: Client, tmp_path: Path) -> None:
    await ask(client)
    change(tmp_path / "one" / "models.py", "WHO = (")
    for _ in range(2):
        assert (await client.get("http://one.example.com/")).status == 500
        assert "SyntaxError" in client.facts["traceback"]
        assert "models.py" in client.facts["traceback"]
    change(tmp_path / "one" / "models.py", "WHO = 'mended'")
    assert (await ask(client)).startswith("mended")


async def test_no_compiled_files_are_left_in_the_folder(client: Client, tmp_path: Path) -> None:
    await ask(client)
    assert not compiled(tmp_path)


def compiled(folder: Path) -> list[Path]:
    return list(folder.rglob("__pycache__"))


def test_a_world_that_goes_takes_its_modules_along(tmp_path: Path) -> None:
    from sandbox.websites.application import SITES, Loader

    write(tmp_path, "one")
    loader = Loader(f"{tmp_path}/one/app.py:app")
    path = sys.path.copy()
    loader.load()
    sys.path[:] = path
    assert loader._modules is not None
    prefix = loader._modules.prefix
    assert {name for name in sys.modules if name.startswith(prefix)} >= {f"{prefix}app", f"{prefix}models"}
    del loader
    assert not {name for name in sys.modules if name.startswith(prefix)}
    assert prefix.startswith(PREFIX)
    assert prefix not in SITES


TALKER = """
    def app(environ, start_response):
        print("first", file=environ["wsgi.errors"])
        environ["wsgi.errors"].write("x" * 30_000 + "\\nlast\\n")
        environ["wsgi.errors"].flush()
        if environ["PATH_INFO"] == "/fail":
            raise ValueError("cause")
        start_response("200 OK", [("Content-Length", "2")])
        yield b"ok"
"""


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("HEAD", "/"), ("GET", "/fail")])
async def test_what_an_application_says_is_a_fact_and_bounded(client: Client, tmp_path: Path, method: str,
                                                             path: str) -> None:
    change(tmp_path / "one" / "app.py", dedent(TALKER))
    reply = await client.ask(method, f"http://one.example.com{path}")
    assert reply.status == (500 if path == "/fail" else 200)
    assert client.facts["errors"].endswith("xx\nlast\n")
    assert len(client.facts["errors"]) == 20_000
    assert ("ValueError: cause" in client.facts.get("traceback", "")) is (path == "/fail")
