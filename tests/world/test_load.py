"""World files: what they give, how they add up, and what is said about wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.toml import literal
from sandbox.world import World, WorldError
from sandbox.world.files.layout import Files
from sandbox.world.load import Beginning, load_beginning
from sandbox.world.names.domains import DEFAULT_HOSTS
from sandbox.world.schema import DomainTable, MailTable, PersonTable, SiteTable, WorldFile

ROOT = Path(__file__).parent.parent.parent


def begin(tmp_path: Path, text: str) -> Beginning:
    file = tmp_path / "my.toml"
    file.write_text(text)
    return load_beginning(file, Files(tmp_path / "data"))


def test_the_built_in_world(tmp_path: Path) -> None:
    world = load_beginning(None, Files(tmp_path))
    assert {domain.name for domain in world.domains} == {"example.com", "example.org", "example.net", "sandbox.test"}
    for domain in world.domains:
        assert set(DEFAULT_HOSTS) <= set(domain.hosts)
    assert {(person.login, person.password) for person in world.people} == {
        ("alice", "wonderland"), ("bob", "builder"), ("carol", "melody"), ("teacher", "chalk")}


def test_an_empty_file_is_the_built_in_world(tmp_path: Path) -> None:
    assert begin(tmp_path, "") == load_beginning(None, Files(tmp_path / "data"))


def test_a_file_adds_to_the_built_in_world(tmp_path: Path) -> None:
    world = begin(tmp_path, """
        [[domain]]
        name = "Shop.Test."
        [people.alice]
        password = "changed"
        [people.dora]
        password = "vans"
    """)
    assert world.domains[-1].name == "shop.test"
    assert world.domains[-1].hosts == DEFAULT_HOSTS
    assert len(world.domains) == 5
    assert {person.login: person.password for person in world.people} == {
        "alice": "changed", "bob": "builder", "carol": "melody", "teacher": "chalk", "dora": "vans"}
    assert world.people[-1].name == "Dora"


def test_a_file_can_stand_alone_or_on_another(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(
        'extends = "nothing"\n[[domain]]\nname = "a.test"\n[people.x]\npassword = "y"')
    world = begin(tmp_path, 'extends = "base.toml"\n[[domain]]\nname = "b.test"\n[[site]]\nhost = "blog.a.test"\n'
                            'redirect = "http://b.test/"')
    assert [domain.name for domain in world.domains] == ["a.test", "b.test"]
    assert "blog" in world.domains[0].hosts
    assert [person.login for person in world.people] == ["x"]


def test_sites_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "app.py").touch()
    world = begin(tmp_path, """
        extends = "nothing"
        [[domain]]
        name = "a.test"
        hosts = ["www"]
        [[site]]
        host = "a.test"
        folder = "pages"
        [[site]]
        host = "app.a.test"
        wsgi = "app.py:make.app"
        [[site]]
        host = "mod.a.test"
        wsgi = "package.module:app"
        [[site]]
        host = "*.dev.a.test"
        port = 5000
        [[site]]
        host = "old.a.test"
        redirect = "https://a.test/new?x=1"
        [[site]]
        host = "api.*"
        builtin = "api"
        [[site]]
        host = "own.a.test"
    """)
    assert [tuple(site) for site in world.sites] == [
        ("a.test", "folder", str(tmp_path / "pages")),
        ("app.a.test", "wsgi", f"{tmp_path / 'app.py'}:make.app"),
        ("mod.a.test", "wsgi", "package.module:app"),
        ("*.dev.a.test", "port", "5000"),
        ("old.a.test", "redirect", "https://a.test/new?x=1"),
        ("api.*", "builtin", "api"),
        ("own.a.test", "folder", str(tmp_path / "data" / "sites" / "own.a.test")),
    ]
    assert world.domains[0].hosts == ("www", "app", "mod", "*.dev", "old", "own")


def test_international_names(tmp_path: Path) -> None:
    world = begin(tmp_path, '[[domain]]\nname = "café.test"\nhosts = ["Bücher"]')
    assert (world.domains[-1].name, world.domains[-1].hosts) == ("xn--caf-dma.test", ("xn--bcher-kva",))


DOMAIN = '[[domain]]\nname = "a.test"\n'


@pytest.mark.parametrize(("text", "line", "key", "words"), [
    ("[[domian]]\nname = 'a.test'", 1, "domian", "Did you mean domain?"),
    ("[domain]\nname = 'a.test'", 1, "domain", "found:    a table"),
    ("[[domain]]\nhosts = ['www']", 1, "domain[1].name", "the key is missing"),
    (DOMAIN + "hots = []", 3, "domain[1].hots", "Did you mean hosts?"),
    (DOMAIN + "hosts = 'www'", 3, "domain[1].hosts", 'square brackets: ["www"]'),
    (DOMAIN + "hosts = ['www', 'a b']", 3, "domain[1].hosts[2]", "RFC 1123"),
    (DOMAIN + "hosts = ['www.a.test']", 3, "domain[1].hosts[1]", 'Leave out the domain: "www".'),
    (DOMAIN + DOMAIN, 4, "domain[2].name", "a second time"),
    ("[[domain]]\nname = '-a.test'", 2, "domain[1].name", "a host name"),
    ("[[domain]]\nname = ''", 2, "domain[1].name", "not empty"),
    ("[[domain]]\nname = '" + "a" * 64 + ".test'", 2, "domain[1].name", "a host name"),
    (DOMAIN + "zone_file = 'missing.zone'", 3, "domain[1].zone_file", "no file"),
    (DOMAIN + 'zone_file = "a\\u0000b"', 3, "domain[1].zone_file", "no file"),
    (DOMAIN + "records = 'x A 1.1.1.1'\nzone_file = 'my.toml'", 4, "domain[1].zone_file", "one of them"),
    ("[people.'a b']\npassword = 'x'", 1, 'people."a b"', "small letters"),
    ("[people.alice]\npasword = 'x'", 2, "people.alice.pasword", "Did you mean password?"),
    ("[people.alice]\nname = 'x'", 1, "people.alice.password", "missing"),
    ("[people.alice]\npassword = 12345", 2, "people.alice.password", 'quotes: "12345"'),
    ('[people.alice]\npassword = "a\\nb"', 2, "people.alice.password", "printable"),
    ("people = 'alice'", 1, "people", "a table"),
    (DOMAIN + "[[site]]\nhost = 'x.a.test'\nfolder = 'missing'", 5, "site[1].folder", "no folder"),
    (DOMAIN + "[[site]]\nhost = 'x.a.test'\nfolder = '.'\nport = 1", 6, "site[1].port", "folder and port together"),
    (DOMAIN + "[[site]]\nhost = 'x.a.test'\nport = 70000", 5, "site[1].port", "from 1 to 65535"),
    (DOMAIN + "[[site]]\nhost = 'x.a.test'\nport = '80'", 5, "site[1].port", "Leave out the quotes"),
    (DOMAIN + "[[site]]\nhost = 'x.a.test'\nwsgi = 'app'", 5, "site[1].wsgi", 'app.py:app'),
    (DOMAIN + "[[site]]\nhost = 'x.a.test'\nwsgi = 'app.py:app'", 5, "site[1].wsgi", "no file"),
    (DOMAIN + "[[site]]\nhost = 'x.a.test'\nredirect = '/x'", 5, "site[1].redirect", "a whole address"),
    (DOMAIN + "[[site]]\nhost = 'x.a.test'\nredirect = 'http://[/'", 5, "site[1].redirect", "a whole address"),
    (DOMAIN + "[[site]]\nhost = 'x.a.test'\nredirect = \"http://a/\\r\\nX: y\"", 5, "site[1].redirect", "a whole"),
    (DOMAIN + "[[site]]\nhost = 'x.a.test'\nbuiltin = 'hom'", 5, "site[1].builtin", "Did you mean home?"),
    (DOMAIN + "[[site]]\nhost = '../etc'", 4, "site[1].host", "a host name"),
    (DOMAIN + "[[site]]\nhost = '*.a.test'", 4, "site[1].host", "a pattern without a folder"),
    (DOMAIN + "[[site]]\nhost = 'www.other.test'", 4, "site[1].host", 'Add a [[domain]] with name = "other.test"'),
    (DOMAIN + "[[site]]\nhost = 'a.test'\n[[site]]\nhost = 'A.test'", 6, "site[2].host", "a second time"),
    ("[[mail]]\nto = 'alcie'\nfrom = 'b@a.test'", 2, "mail[1].to", "Did you mean alice?"),
    ("[[mail]]\nto = 'alice'\nfrom = 'b@a.test'\nsubject = \"a\\nBcc: x\"", 1, "mail[1]", "one line each"),
    ("[[mail]]\nto = 'alice'", 1, "mail[1].from", "missing"),
    ("[[mail]]\nto = 'alice'\nfolder = 'none'", 3, "mail[1].folder", "no folder"),
    ("[[mail]]\nto = 'alice'\nfrom = 'b@a.test'\nfolder = '.'", 4, "mail[1].folder", "beside from"),
    ("extends = 'defualt'", 1, "extends", "Did you mean default?"),
    ("extends = ''", 1, "extends", "no file"),
    ("extends = 'my.toml'", 1, "extends", "add to itself"),
    ("x", 1, "", "TOML"),
])
def test_a_wrong_file_says_where_and_what(tmp_path: Path, text: str, line: int, key: str, words: str) -> None:
    with pytest.raises(WorldError) as caught:
        begin(tmp_path, text)
    assert (caught.value.line, caught.value.key) == (line, key)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "my.toml"))


def test_an_error_in_the_file_below_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("\nbroken = 1")
    with pytest.raises(WorldError) as caught:
        begin(tmp_path, "extends = 'base.toml'")
    assert (caught.value.file, caught.value.line) == (str(tmp_path / "base.toml"), 2)


def test_a_missing_world_file(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="no such file"):
        load_beginning(tmp_path / "missing.toml", Files(tmp_path))


TABLES = {"domain": DomainTable, "site": SiteTable, "mail": MailTable}
SCALARS = (st.text(st.characters(codec="utf-8"), max_size=8) | st.integers(-1, 70_000) | st.booleans()
           | st.sampled_from(["a.test", "x.a.test", "*.a.test", "api.*", ".", "..", "nothing", "alice", "http://a/"]))
WORLDS = st.fixed_dictionaries({}, optional={
    "extends": st.sampled_from(["default", "nothing", "x"]) | SCALARS,
    "people": st.dictionaries(SCALARS.map(str), st.dictionaries(
        st.sampled_from(PersonTable.__struct_encode_fields__), SCALARS, max_size=2), max_size=2),
    **{name: st.lists(st.dictionaries(st.sampled_from(table.__struct_encode_fields__),
                                      SCALARS | st.lists(SCALARS, max_size=2), max_size=4), max_size=3)
       for name, table in TABLES.items()},
})


@given(WORLDS)
@settings(max_examples=150)
def test_any_file_is_a_world_or_one_error(tmp_path_factory: Any, tree: dict[str, Any]) -> None:
    assert set(TABLES) | {"extends", "people", "faults"} == set(WorldFile.__struct_fields__)
    folder = tmp_path_factory.mktemp("world")
    error = None
    try:
        begin(folder, "\n".join(f"{key} = {literal(value)}" for key, value in tree.items()))
    except WorldError as refusal:
        error = refusal
    if error is not None:
        assert error.found
        assert error.expected


@pytest.mark.parametrize("file", sorted((ROOT / "configs" / "worlds").glob("*.toml")), ids=lambda file: file.name)
def test_ready_made_worlds_are_right(file: Path, tmp_path: Path) -> None:
    world = World.load(file, tmp_path)
    try:
        assert len(world.accounts)
        assert len(list(world.build_zones(["127.0.0.1"])))
    finally:
        world.close()
