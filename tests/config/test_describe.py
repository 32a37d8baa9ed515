"""The configuration in writing agrees with the configuration in code, and with the files made from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from sandbox.config import Config
from sandbox.config.describe import reference, render, settings
from sandbox.config.load import load

ROOT = Path(__file__).parent.parent.parent


def test_default_toml_is_what_sandbox_config_prints() -> None:
    assert (ROOT / "configs" / "default.toml").read_text() == render(Config())


def test_the_reference_page_is_what_sandbox_config_prints() -> None:
    assert (ROOT / "docs" / "reference" / "configuration.md").read_text() == reference()


def test_every_key_is_in_the_reference() -> None:
    page = reference()
    for setting in settings():
        assert f"| `{setting.name}` |" in page
    for name in Config.__struct_fields__:
        if isinstance(getattr(Config(), name), msgspec.Struct):
            assert f"## `[{name}]`" in page


def test_settings_that_differ_show_their_default() -> None:
    text = render(Config(ports="standard"))
    assert 'Default: "high".' in text
    assert text.count("Default: ") == 1


ADDRESSES = st.lists(st.ip_addresses().filter(lambda one: not one.is_unspecified).map(str)
                     .filter(lambda one: "%" not in one), unique=True, min_size=1, max_size=3)


@given(st.fixed_dictionaries({}, optional={
    "bind": ADDRESSES,
    "advertise": ADDRESSES,
    "ports": st.sampled_from(["standard", "high", "ephemeral"]),
    "data": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9).map(lambda name: f"/d/{name}"),
    "services": st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4),
                                st.booleans() | st.integers(1, 65535)),
    "limits": st.fixed_dictionaries({}, optional={"idle": st.floats(min_value=0.001), "line": st.integers(1)}),
}))
@effort(max_examples=60)
def test_what_is_printed_is_read_back(tmp_path_factory: Any, tree: dict[str, Any]) -> None:
    config = load(options=tree)
    file = tmp_path_factory.mktemp("config") / "printed.toml"
    file.write_text(render(config))
    assert load(file) == config
