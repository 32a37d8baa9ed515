"""The configuration: defaults, layers, and what is said about a wrong one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.config import Config
from sandbox.config.describe import settings as all_settings
from sandbox.config.load import ConfigError, check_layer, load
from sandbox.plan import plan

ROOT = Path(__file__).parent.parent.parent


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "my.toml"
    file.write_text(text)
    return file


def test_nothing_said_gives_the_defaults() -> None:
    assert load() == Config()


@pytest.mark.parametrize(("text", "line", "key", "found", "expected", "hint"), [
    ("limts = 1", 1, "limts", "a key that does not exist", "limits", "Did you mean limits?"),
    ("\n[limits]\nlin = 3", 3, "limits.lin", "a key that does not exist", "line", "Did you mean line?"),
    ("limits.lin = 3", 1, "limits.lin", "a key that does not exist", "line", "Did you mean line?"),
    ("limits = { lin = 3 }", 1, "limits.lin", "a key that does not exist", "line", "Did you mean line?"),
    ("[nonsense]\nx = 1", 1, "nonsense", "a key that does not exist", "console", ""),
    ("[limits]\nidle = '5'", 2, "limits.idle", 'the text "5"', "a number above 0", "Leave out the quotes: 5."),
    ("[limits]\nidle = nan", 2, "limits.idle", "the number nan", "a number above 0", ""),
    ("[limits]\nidle = 0", 2, "limits.idle", "the number 0", "a number above 0", ""),
    ("[limits]\nline = 1.5", 2, "limits.line", "the number 1.5", "a whole number of at least 1", ""),
    ("[limits]\nline = true", 2, "limits.line", "true", "a whole number", ""),
    ("[dns]\nttl = 86401", 2, "dns.ttl", "the number 86401", "from 0 to 86400", ""),
    ("limits = 3", 1, "limits", "the number 3", "a table", ""),
    ("[http]\ndebug = 'true'", 2, "http.debug", 'the text "true"', "true or false", "Leave out the quotes"),
    ("[http]\ndebug = 2026-01-01", 2, "http.debug", "a date", "true or false", ""),
    ("ports = 'hihg'", 1, "ports", 'the text "hihg"', '"high"', "Did you mean high?"),
    ("world = 5", 1, "world", "the number 5", "text", 'Put it in quotes: "5".'),
    ("data = ['x']", 1, "data", "a list", "text", ""),
    (r"data = 'a' # \0" + "\nworld = \"\\u0000\"", 2, "world", "a NUL", "", ""),
    ("bind = '127.0.0.1'", 1, "bind", 'the text "127.0.0.1"', "a list", 'square brackets: ["127.0.0.1"].'),
    ("bind = []", 1, "bind", "no address", "at least one", ""),
    ("bind = [1]", 1, "bind[1]", "the number 1", "text", 'quotes: "1"'),
    ("bind = ['::1', 'localhost']", 1, "bind[2]", 'the text "localhost"', "an IP address", "127.0.0.1"),
    ("bind = ['::1', '::1']", 1, "bind[2]", "a second time", "each address once", ""),
    ("bind = ['fe80::1%eth0']", 1, "bind[1]", "%eth0", "without a zone", ""),
    ("advertise = ['0.0.0.0']", 1, "advertise[1]", "0.0.0.0", "a client can connect to", "reach this machine"),
    ("[services]\nwww = true", 2, "services.www", "a service that does not exist", "http, https", ""),
    ("[services]\nhtp = true", 2, "services.htp", "a service that does not exist", "http", "Did you mean http?"),
    ("[services]\nhttp = 0", 2, "services.http", "the number 0", "from 1 to 65535", ""),
    ("[services]\nhttp = '80'", 2, "services.http", 'the text "80"', "from 1 to 65535", "Leave out the quotes"),
    ("[services]\nhttp = 8053", 2, "services.http", "tcp port 8053, which dns has", "of its own", "another number"),
    ("[services]\necho = 99\ntime = 99", 3, "services.time", "port 99, which echo has", "of its own", ""),
    ("x = 1\ny = [", 2, "", "", "TOML", ""),
    ("x 1", 1, "", "Expected '='", "TOML", ""),
])
def test_a_wrong_file_says_where_what_and_how(
        tmp_path: Path, text: str, line: int, key: str, found: str, expected: str, hint: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        plan(load(file), file)
    error = caught.value
    assert (error.line, error.key) == (line, key)
    assert found in error.found
    assert expected in error.expected
    assert hint in error.hint
    assert str(error).startswith(f"{file}, line {line}")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file") as caught:
        load(tmp_path / "missing.toml")
    assert "sandbox config" in caught.value.hint


def test_later_layers_win_and_tables_are_merged(tmp_path: Path) -> None:
    file = write(tmp_path, "ports = 'standard'\n[dns]\nttl = 1\nunknown = 'nxdomain'\n[services]\nhttp = 81")
    config = load(file, {"SANDBOX_PORTS": "high", "SANDBOX_ADVERTISE": "10.0.0.1, fd00::1"},
                  {"dns": {"ttl": 2}, "services": {"dns": False}})
    assert config.ports == "high"
    assert config.advertise == ("10.0.0.1", "fd00::1")
    assert (config.dns.ttl, config.dns.unknown) == (2, "nxdomain")
    assert config.services == {"http": 81, "dns": False}


def test_an_error_names_its_layer(tmp_path: Path) -> None:
    file = write(tmp_path, "[dns]\nttl = 1")
    with pytest.raises(ConfigError, match=r"^SANDBOX_EPHEMERAL: ephemeral\n.*\"perhaps\""):
        load(file, {"SANDBOX_EPHEMERAL": "perhaps"})
    with pytest.raises(ConfigError, match=r"^the command line: dns\.ttl"):
        load(file, options={"dns": {"ttl": "x"}})


def test_other_variables_are_nobodys_business() -> None:
    assert load(environ={"SANDBOX_PORT": "tcp://10.0.0.1:80", "SANDBOX_LIMITS": "x", "SANDBOX_DATA": "",
                         "SANDBOX_EPHEMERAL": "1"}) == Config(ephemeral=True)


def test_paths_are_seen_from_the_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf").mkdir()
    file = write(tmp_path / "conf", "world = 'w.toml'\ndata = '~/data'")
    assert load(file).world == str(tmp_path / "conf" / "w.toml")
    assert load(file).data == "/home/someone/data"
    assert load(file, options={"world": "w.toml"}).world == str(tmp_path / "w.toml")


def test_every_setting_says_what_it_is() -> None:
    assert [setting.name for setting in all_settings() if not setting.description] == []


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from([*Config.__struct_fields__, "ttl", "line", "idle", "http", "unknown", "debug"])
        | st.text(max_size=3), inner, max_size=4), max_leaves=12)


@given(st.dictionaries(st.sampled_from(Config.__struct_fields__) | st.text(max_size=3), TREES, max_size=4))
@example({"limits": {"idle": 10**400}})
@example({"limits": {"line": 10**400}})
@example({"services": {"": {}}})
@example({"bind": ["\ud800"]})
@settings(max_examples=200)
def test_any_tree_is_a_configuration_or_one_error(tree: dict[str, Any]) -> None:
    error = None
    try:
        check_layer(tree, "tree")
        plan(msgspec.convert(tree, Config))
    except ConfigError as refusal:
        error = refusal
    if error is not None:
        assert error.found
        assert error.expected
        assert str(error).replace("\n", "").isprintable()


@pytest.mark.parametrize("file", sorted((ROOT / "configs").glob("*.toml")), ids=lambda file: file.name)
def test_ready_made_configurations_are_right(file: Path) -> None:
    plan(load(file), file)


def test_the_classroom_file_works_with_its_example_line(tmp_path: Path) -> None:
    text = (ROOT / "configs" / "classroom.toml").read_text()
    file = write(tmp_path, re.sub(r"^# (advertise)", r"\1", text, flags=re.MULTILINE))
    assert load(file).advertise == ("192.168.1.10",)
