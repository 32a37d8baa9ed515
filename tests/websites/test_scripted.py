"""Answers that are set up while the world runs, asked for as any website is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.websites.scripted import Asked, answer_of, filled
from sandbox.world.routes import Route, RouteAnswer, RouteError, Routes
from tests.support.websites import websites


def route(path: str = "/*", *statuses: int, method: str = "", host: str = "*", times: int = 0,
          body: bytes = b"") -> Route:
    return Route(method, host, path, tuple(RouteAnswer(status, body=body) for status in statuses or (200,)), times)


@pytest.mark.parametrize(("pattern", "path", "parts"), [
    ("/pay", "/pay", {}), ("/pay", "/pay/", None), ("/pay", "/", None), ("/*", "/", {}), ("/*", "/a/b", {}),
    ("/users/{id}", "/users/7", {"id": "7"}), ("/users/{id}", "/users/", None), ("/users/{id}", "/users/a%2Fb",
                                                                                 {"id": "a/b"}),
    ("/a/{b}/*", "/a/x/y/z", {"b": "x"}), ("/a/{b}/c", "/a/x/d", None),
])
def test_paths(pattern: str, path: str, parts: dict[str, str] | None) -> None:
    assert route(pattern).match("GET", "shop.test", path[1:].split("/")) == parts


def test_the_last_one_comes_first_and_goes_when_it_is_used_up() -> None:
    routes = Routes()
    routes.add(route("/pay", 200))
    routes.add(route("/pay", 503, times=2))
    found = [routes.meet("GET", "shop.test", "/pay") for _ in range(4)]
    assert [met.answer.status for met in found if met] == [503, 503, 200, 200]


def test_several_answers_come_in_turn_and_the_last_one_stays() -> None:
    routes = Routes()
    added = routes.add(route("/", 202, 202, 201))
    assert [met.answer.status for _ in range(5) if (met := routes.meet("GET", "x", "/"))] == [202, 202, 201, 201, 201]
    assert added.answered == 5
    routes.remove(added.number)
    assert routes.meet("GET", "x", "/") is None


def test_hosts_and_methods() -> None:
    routes = Routes()
    routes.add(route(host="*.shop.test", method="post"))
    assert routes.meet("POST", "api.shop.test", "/")
    assert not routes.meet("GET", "api.shop.test", "/")
    assert not routes.meet("POST", "shop.test", "/")
    routes.replace((route(host="Shop.Test.", method="GET"),))
    assert routes.meet("HEAD", "shop.test", "/"), "HEAD is answered as GET (RFC 9110 §9.3.2)"


@pytest.mark.parametrize(("made", "words"), [
    (lambda: route("pay"), "slash"), (lambda: route("/", 99), "status"), (lambda: route("/", times=-1), "times"),
    (lambda: Route("", "*", "/", ()), "1 to"),
])
def test_what_cannot_be_is_refused(made: object, words: str) -> None:
    with pytest.raises(RouteError, match=words):
        made()  # type: ignore[operator]


def asked(body: bytes = b"") -> Asked:
    return Asked("POST", "shop.test", "/users/7", {"id": "7"}, {"q": "x"}, {"user-agent": "Test"}, body)


def test_templates() -> None:
    body = b'{"user": {"name": "Ann", "tags": ["a", "b"]}, "n": 3}'
    template = ('{"id": {part.id}, "{query.q}": "{field.User-Agent}", "{method}": "{host}{path}", "x": "'
                '{json.user.name}{json.user.tags.1}{json.n}{json.none}"} {else}')
    assert filled(template, asked(body)) == (
        '{"id": 7, "x": "Test", "POST": "shop.test/users/7", "x": "Annb3"} {else}')
    assert filled("{form.a}|{form.b}", asked(b"a=1&a=2")) == "2|"


@given(st.text(), st.binary())
def test_no_template_and_no_body_raise(template: str, body: bytes) -> None:
    filled(template + "{json.a.b}{form.x}{body}", asked(body))


@pytest.mark.parametrize(("given_", "answer"), [
    ("text", (200, [], b"text")), (b"octets", (200, [], b"octets")), (None, (200, [], b"")),
    ({"a": 1}, (200, [("Content-Type", "application/json")], b'{"a": 1}')),
    ((404, "no"), (404, [], b"no")),
    ((201, {"id": 1}, {"Location": "/1"}),
     (201, [("Location", "/1"), ("Content-Type", "application/json")], b'{"id": 1}')),
])
def test_what_a_function_may_give(given_: object, answer: object) -> None:
    assert answer_of(given_) == answer


async def test_a_route_is_asked_before_every_site_and_says_so(tmp_path: Path) -> None:
    with websites(tmp_path) as client:
        world = client.world
        added = world.routes.add(Route("", "www.example.com", "/pay/{id}", (
            RouteAnswer(503, (("Retry-After", "1"),), b"later, {part.id}", template=True),), 1))
        reply = await client.get("http://www.example.com/pay/7")
        assert (reply.status, reply.body) == (503, b"later, 7")
        assert reply.headers.get("Retry-After") == "1"
        assert client.facts["route"] == str(added.number)
        assert (await client.get("http://www.example.com/pay/7")).status == 404

        world.routes.add(Route("POST", "*", "/sum", (RouteAnswer(function=lambda asked: {
            "sum": sum(asked.json)}),)))
        reply = await client.post("http://nobody.test/sum", b"[1, 2, 3]", "application/json")
        assert reply.body == b'{"sum": 6}'
        assert (await client.get("http://nobody.test/sum")).status != 200
