"""docs/reference/python.md has every public name, and no other; the guide has every option of the plugin."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import sandbox
import sandbox.testing
from sandbox.testing import Api, InProcess, Letter, Settings, Space
from sandbox.testing.space import Part

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "reference" / "python.md").read_text()
GUIDE = (ROOT / "docs" / "how-to" / "use-in-ci.md").read_text()


def named(title: str) -> set[str]:
    """The names in the first column of a section's table, without arguments."""
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, title
    rows = re.findall(r"^\| (`.*?`) \|", found[1], re.MULTILINE)
    return {name.partition("(")[0] for row in rows for name in re.findall(r"`(.*?)`", row)}


def public(kind: type, instance: object = None) -> set[str]:
    own = {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}
    return own | {name for name in vars(instance) if not name.startswith("_")} if instance is not None else own


@pytest.mark.parametrize("module", [sandbox, sandbox.testing])
def test_every_public_name_of_a_module(module: object) -> None:
    assert named(module.__name__) == set(module.__all__)  # type: ignore[attr-defined]
    for name in module.__all__:  # type: ignore[attr-defined]
        assert getattr(module, name) is not None


def test_every_public_name_of_the_objects() -> None:
    server = InProcess()
    try:
        space = Space.open(server)
        assert named("Space") == public(Space, space)
        parts = {name: part for name, part in vars(space).items() if isinstance(part, Part)}
        assert named("Its parts") == {f"{name}.{method}" for name, part in parts.items()
                                      for method in public(type(part))}
        space.mail.send("alice@example.com", "bob@example.com", "Hello", "there")
        letter = space.mail.wait_for(subject="Hello")
        assert named("Letter") == public(Letter, letter)
        assert named("Settings") == public(Settings)
        assert named("Api") == public(Api, server.api)
        for name, value in space.settings.environment().items():
            assert value
            assert name in GUIDE or re.fullmatch(r"SANDBOX_[A-Z0-9_]+_(HOST|PORT)", name) or name.lower() in GUIDE
    finally:
        server.close()


def test_the_guide_has_every_option_and_fixture() -> None:
    plugin = (ROOT / "sandbox" / "testing" / "plugin.py").read_text()
    options = re.findall(r'add(?:option|ini)\("([\w-]+)"', plugin)
    fixtures = re.findall(r"@pytest.fixture\ndef (\w+)", plugin)
    assert options
    assert fixtures
    for name in (*options, *fixtures):
        assert f"`{name}" in GUIDE, name


def test_the_package_says_that_it_has_types() -> None:
    assert (Path(inspect.getfile(sandbox)).parent / "py.typed").exists()
