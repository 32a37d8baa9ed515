from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.world import resources
from sandbox.world.resources import Changed, Full, Invalid, Json, Missing, Resources, merge_patch


@pytest.fixture
def store() -> Iterator[Resources]:
    with closing(Resources()) as opened:
        yield opened


def test_an_item_lives_from_creation_to_deletion(store: Resources) -> None:
    made = store.create("people", {"name": "Ada"})
    assert (made.id, made.value, made.created) == ("1", {"id": "1", "name": "Ada"}, True)
    assert store.get("people", "1") == made._replace(created=False)
    changed = store.put("people", "1", {"name": "Bea"})
    assert not changed.created
    assert changed.tag != made.tag
    store.delete("people", "1")
    with pytest.raises(Missing):
        store.get("people", "1")
    with pytest.raises(Missing):
        store.delete("people", "1")


def test_no_number_and_no_tag_is_given_twice(store: Resources) -> None:
    first = store.create("people", {})
    store.delete("people", first.id)
    second = store.create("people", {})
    again = store.put("people", first.id, {})
    assert second.id != first.id
    assert again.tag not in (first.tag, second.tag)


def test_numbers_that_a_put_has_taken_are_passed_over(store: Resources) -> None:
    store.put("people", "1", {})
    assert store.create("people", {}).id == "2"


def test_a_change_wants_the_state_it_was_made_for(store: Resources) -> None:
    one = store.create("people", {})
    two = store.put("people", one.id, {"x": 1}, frozenset({one.tag}))
    for attempt in (lambda: store.put("people", one.id, {}, frozenset({one.tag})),
                    lambda: store.patch("people", one.id, {}, frozenset({one.tag})),
                    lambda: store.delete("people", one.id, frozenset({one.tag})),
                    lambda: store.put("people", one.id, {}, absent=True),
                    lambda: store.create("people", {"id": one.id})):
        with pytest.raises(Changed) as caught:
            attempt()
        assert caught.value.tag == two.tag
    with pytest.raises(Changed):
        store.put("people", "nobody", {}, frozenset({"*"}))
    assert store.get("people", one.id) == two._replace(created=False)


def test_items_are_kept_between_runs(tmp_path: Path) -> None:
    with closing(Resources(tmp_path / "r.sqlite3")) as store:
        made = store.create("people", {"name": "Zoë"})
    with closing(Resources(tmp_path / "r.sqlite3")) as store:
        assert store.get("people", made.id).value == {"id": "1", "name": "Zoë"}
        assert store.collections() == [("people", 1)]


def test_pages_come_in_the_order_of_creation(store: Resources) -> None:
    for name in ("c", "a", "b"):
        store.put("letters", name, {})
    page = store.page("letters", limit=2, offset=1)
    assert ([item.id for item in page.items], page.total) == (["a", "b"], 3)
    assert store.page("nothing", limit=2) == ([], 0)


def nested(levels: int) -> dict[str, Json]:
    value: dict[str, Json] = {}
    for _ in range(levels - 1):
        value = {"x": value}
    return value


@pytest.mark.parametrize(("name", "value"), [
    ("1", [1]), ("1", "text"), ("1", None), ("1", {"id": "2"}), ("1", {"id": 1}), ("a b", {}), ("..", {}), ("", {}),
    ("x" * 65, {}), ("1", {"x": "a" * resources.MAX_SIZE}), ("1", nested(resources.MAX_DEPTH + 1)),
    ("1", {"x": "\ud800"}),
])
def test_what_cannot_be_kept_is_refused(store: Resources, name: str, value: Json) -> None:
    with pytest.raises(Invalid):
        store.put("people", name, value)
    assert store.collections() == []


def test_the_deepest_value_allowed_is_kept(store: Resources) -> None:
    assert store.put("people", "1", nested(resources.MAX_DEPTH)).created


@pytest.mark.parametrize("patch", [{"id": "7"}, {"id": None}, [1], nested(resources.MAX_DEPTH + 1)])
def test_a_patch_that_breaks_the_resource_is_refused(store: Resources, patch: Json) -> None:
    made = store.create("people", {"a": 1})
    with pytest.raises(Invalid):
        store.patch("people", made.id, patch)
    assert store.patch("people", made.id, {"id": made.id, "a": None}).value == {"id": made.id}


def test_what_strangers_can_fill_is_bounded(store: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "MAX_ITEMS", 2)
    monkeypatch.setattr(resources, "MAX_COLLECTIONS", 2)
    for name in ("1", "2"):
        store.put("a", name, {})
    with pytest.raises(Full):
        store.create("a", {})
    store.put("b", "1", {})
    with pytest.raises(Full):
        store.put("c", "1", {})
    assert store.put("a", "1", {"still": "changes"}).value["still"] == "changes"


@pytest.mark.parametrize(("target", "patch", "result"), [
    # RFC 7396 appendix A
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
])
def test_merge_patch(target: Json, patch: Json, result: Json) -> None:
    assert merge_patch(target, patch) == result


LEAVES: st.SearchStrategy[Json] = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.text(max_size=3), inner, max_size=3), max_leaves=8)
FIELDS = st.text(min_size=1, max_size=4).filter(lambda name: name != "id")


@given(st.dictionaries(FIELDS, VALUES, max_size=4))
@settings(max_examples=40, deadline=None)
def test_what_is_stored_is_what_comes_back(value: dict[str, Json]) -> None:
    with closing(Resources()) as store:
        made = store.create("things", value)
        assert store.get("things", made.id).value == {"id": made.id, **value}
