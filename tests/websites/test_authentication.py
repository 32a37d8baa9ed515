from __future__ import annotations

import hashlib
import time

import pytest

from sandbox.address import Address
from sandbox.protocols.http.content import NO_CONTENT
from sandbox.protocols.http.messages import Headers, Request
from sandbox.websites.authentication import AUTH_PARAM, Digest, quote, responses

HERE = Address("127.0.0.1", 80)


def request(authorization: str, method: str = "GET", target: str = "/dir/index.html") -> Request:
    path, _, query = target.partition("?")
    return Request(method, target, "http", "www.example.org", 80, path, query,
                   Headers([("Authorization", authorization)]), NO_CONTENT, HERE, HERE)


@pytest.mark.parametrize(("algorithm", "expected"), [
    ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
])
def test_the_example_of_rfc_7616(algorithm: str, expected: str) -> None:
    """RFC 7616 §3.9.1."""
    given = {"username": "Mufasa", "realm": "http-auth@example.org", "uri": "/dir/index.html",
             "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "nc": "00000001", "qop": "auth",
             "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"}
    assert responses(given, algorithm, "Circle of Life", "GET", b"")[0] == expected


@pytest.mark.parametrize("field", ["a" * 30_000, "a=" * 15_000, 'a="' * 10_000, "a=b" + " " * 30_000 + "c"])
def test_a_field_made_to_be_slow_is_read_at_once(field: str) -> None:
    """It is read between all other clients' requests."""
    began = time.perf_counter()
    assert not Digest("here").check(request("Digest " + field), lambda user: None).user
    assert time.perf_counter() - began < 1


class Visitor:
    """A client that knows Digest."""

    def __init__(self, digest: Digest) -> None:
        challenge = digest.challenge()[0][1].partition(" ")[2]
        self.given = {name: quoted or bare for name, quoted, bare in AUTH_PARAM.findall(challenge)}
        self.count = 0

    def answer(self, method: str = "GET", qop: str = "auth", body: bytes = b"", **changes: str) -> str:
        self.count += 1

        def h(text: str) -> str:
            return hashlib.sha256(text.encode()).hexdigest()

        content = f":{hashlib.sha256(body).hexdigest()}" if qop == "auth-int" else ""
        nonce, nc = self.given["nonce"], f"{self.count:08x}"
        ha2 = h(f"{method}:/dir/index.html{content}")
        ha1 = h("jo:here:secret")
        response = h(f"{ha1}:{nonce}:{nc}:cc:{qop}:{ha2}") if qop else h(f"{ha1}:{nonce}:{ha2}")
        fields = {"username": "jo", "realm": "here", "nonce": nonce, "uri": "/dir/index.html", "response": response,
                  "algorithm": "SHA-256"} | ({"qop": qop, "nc": nc, "cnonce": "cc"} if qop else {}) | changes
        return "Digest " + ", ".join(f"{name}={quote(value)}" for name, value in fields.items())


def password_of(user: str) -> str | None:
    return "secret" if user == "jo" else None


@pytest.mark.parametrize(("field", "user"), [
    ('username="J\u00c3\u00a4s\u00c3\u00b8n Doe"', "J\u00e4s\u00f8n Doe"),
    ("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe", "J\u00e4s\u00f8n Doe"),
    ("username*=utf-8'en'J%C3%A4s%C3%B8n%20Doe", "J\u00e4s\u00f8n Doe"),
    ("username*=UTF-8''J%E4s", ""), ("username*=ISO-8859-1''J%E4s", ""), ("username*=UTF-8", ""),
    ("username*=jo", ""),
    ("username=\"jo\", username*=UTF-8''J%C3%A4s%C3%B8n%20Doe", ""),
])
def test_names_of_all_the_world(field: str, user: str) -> None:
    """RFC 7616 §3.4, §4: UTF-8 in username, or an ext-value (RFC 8187) in username*."""
    def h(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    digest = Digest("here")
    nonce = Visitor(digest).given["nonce"]
    response = h(":".join([h("J\u00e4s\u00f8n Doe:here:secret"), nonce, "00000001", "cc", "auth",
                           h("GET:/dir/index.html")]))
    sent = (f'Digest {field}, realm="here", nonce="{nonce}", uri="/dir/index.html", algorithm=SHA-256, qop=auth, '
            f'nc=00000001, cnonce="cc", response="{response}"')
    assert digest.check(request(sent), lambda name: "secret" if name.startswith("J") else None).user == user


def test_the_old_form_is_counted_where_a_nonce_may_be_used_a_few_times() -> None:
    digest = Digest("here", qop="")
    visitor = Visitor(digest)
    for _ in range(3):
        assert digest.check(request(visitor.answer(qop="")), password_of, uses=3).user == "jo"
    assert digest.check(request(visitor.answer(qop="")), password_of, uses=3).stale


def test_one_nonce_serves_many_requests_each_once() -> None:
    digest = Digest("here", qop="auth,auth-int")
    visitor = Visitor(digest)
    first, second = visitor.answer(), visitor.answer()
    assert digest.check(request(first), password_of).user == "jo"
    assert digest.check(request(second), password_of).user == "jo"
    assert digest.check(request(first), password_of).stale
    assert digest.check(request(visitor.answer("POST", "auth-int", b"hi"), "POST"), password_of, b"hi").user == "jo"
    assert not digest.check(request(visitor.answer("POST", "auth-int", b"hi"), "POST"), password_of, b"ho").user


def test_the_old_form_counts_only_where_it_was_offered() -> None:
    """RFC 2069 has no qop, and so nothing against replays."""
    old = Digest("here", qop="")
    assert old.check(request(Visitor(old).answer(qop="")), password_of).user == "jo"
    new = Digest("here")
    assert not new.check(request(Visitor(new).answer(qop="auth-int")), password_of).user
    assert not new.check(request(Visitor(new).answer(qop="")), password_of).user


def test_a_nonce_grows_stale() -> None:
    now = 1_000_000.0
    digest = Digest("here", lifetime=60, clock=lambda: now)
    visitor = Visitor(digest)
    now += 59
    assert digest.check(request(visitor.answer()), password_of).user == "jo"
    now += 2
    verdict = digest.check(request(visitor.answer()), password_of)
    assert (verdict.user, verdict.stale) == ("", True)


@pytest.mark.parametrize("changes", [
    {"username": "bo"}, {"realm": "there"}, {"uri": "/else"}, {"response": "0" * 64}, {"algorithm": "MD5"},
    {"algorithm": "SHA-1"}, {"nonce": "x"}, {"nonce": ""}, {"nc": "00000002"}, {"nc": "no"}, {"cnonce": "other"},
    {"nonce": "zz" * 16 + ".00"},
])
def test_any_change_to_an_answer_spoils_it(changes: dict[str, str]) -> None:
    digest = Digest("here")
    assert not digest.check(request(Visitor(digest).answer("GET", "auth", b"", **changes)), password_of).user


@pytest.mark.parametrize("authorization", ["", "Digest", "Digest ,,,=", 'Digest username="jo', "Basic am86c2VjcmV0",
                                           'Digest algorithm="-sess"', "Digest \xff=\xff"])
def test_what_is_no_answer_proves_nothing(authorization: str) -> None:
    assert not Digest("here").check(request(authorization), password_of).user
