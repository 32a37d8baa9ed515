from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.websites.authentication import AUTH_PARAM
from sandbox.websites.tickets import MAX_TICKETS, Tickets
from tests.support.http import Reply
from tests.support.websites import Client, websites

SITE = "http://www.example.com"
ALICE = b"name=alice&password=wonderland"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with websites(tmp_path) as opened:
        yield opened


def cookie_of(reply: Reply) -> str:
    return reply.headers.get("set-cookie").partition(";")[0]


async def test_a_visit_from_log_in_to_log_out(client: Client) -> None:
    assert (await client.get(f"{SITE}/account")).headers.get("location") == "/login?next=/account"
    entered = await client.post(f"{SITE}/login", ALICE + b"&next=/forms")
    assert (entered.status, entered.headers.get("location")) == (303, "/forms")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(entered.headers.get("set-cookie").split("; "))
    assert client.facts["account"] == "alice"
    cookie = cookie_of(entered)
    assert b"Hello, alice" in (await client.get(f"{SITE}/account", Cookie=cookie)).body
    left = await client.post(f"{SITE}/logout", b"x=1", Cookie=cookie)
    assert "Max-Age=0" in left.headers.get("set-cookie")
    assert (await client.get(f"{SITE}/account", Cookie=cookie)).status == 303, "a copied cookie is worthless now"


async def test_a_new_log_in_ends_the_one_before(client: Client) -> None:
    first = cookie_of(await client.post(f"{SITE}/login", ALICE))
    await client.post(f"{SITE}/login", b"name=bob&password=builder", Cookie=first)
    assert (await client.get(f"{SITE}/account", Cookie=first)).status == 303


@pytest.mark.parametrize("form", [b"name=alice&password=wrong", b"name=nobody&password=wonderland", b"name=alice",
                                  b"x=y",
                                  b"name=&password="])
async def test_a_wrong_password_is_refused_in_the_same_words(client: Client, form: bytes) -> None:
    reply = await client.post(f"{SITE}/login", form)
    assert reply.status == 403
    assert b"do not belong together" in reply.body
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(("fields", "status"), [
    ({}, 303), ({"Origin": "http://www.example.com"}, 303), ({"Origin": "http://evil.test"}, 403),
    ({"Origin": "null"}, 403), ({"Origin": "http://["}, 403), ({"Origin": "http://www.example.com:81"}, 403),
    ({"Origin": "https://www.example.com"}, 403),
    ({"Sec_Fetch_Site": "same-origin"}, 303), ({"Sec_Fetch_Site": "cross-site"}, 403),
    ({"Sec_Fetch_Site": "same-site"}, 403), ({"Sec_Fetch_Site": "none"}, 303),
])
@pytest.mark.parametrize("path", ["/login", "/logout"])
async def test_pages_of_other_sites_cannot_log_in_or_out(client: Client, path: str, fields: dict[str, str],
                                                         status: int) -> None:
    assert (await client.post(SITE + path, ALICE, **fields)).status == status


@pytest.mark.parametrize("target", [
    "//evil.test/", "http://evil.test/", "/\\evil.test", "javascript:alert(1)", "", "evil", "/a%0d%0aX: y"])
async def test_a_log_in_leads_nowhere_else(client: Client, target: str) -> None:
    reply = await client.post(f"{SITE}/login", ALICE + f"&next={target}".encode())
    assert reply.headers.get("location") == "/account"


async def test_basic(client: Client) -> None:
    refused = await client.get(f"{SITE}/protected/basic")
    assert refused.status == 401
    assert refused.headers.get("www-authenticate") == 'Basic realm="Sandbox", charset="UTF-8"'
    for pair, status in (("alice:wonderland", 200), ("alice:wrong", 401), ("nobody:", 401), ("alice", 401)):
        token = base64.b64encode(pair.encode()).decode()
        assert (await client.get(f"{SITE}/protected/basic", Authorization=f"basic {token}")).status == status
    assert (await client.get(f"{SITE}/protected/basic", Authorization="Basic !!")).status == 401


async def test_digest_offers_the_strongest_first_and_answers_for_itself(client: Client) -> None:
    refused = await client.get(f"{SITE}/protected/digest")
    challenges = [{name: quoted or bare for name, quoted, bare in AUTH_PARAM.findall(value.partition(" ")[2])}
                  for value in refused.headers.get_all("www-authenticate")]
    assert [challenge["algorithm"] for challenge in challenges] == ["SHA-256", "MD5"]

    def h(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    nonce = challenges[0]["nonce"]
    a1 = h("alice:Sandbox:wonderland")
    answer = h(f"{a1}:{nonce}:00000001:c:auth:{h('GET:/protected/digest')}")
    sent = (f'Digest username="alice", realm="Sandbox", nonce="{nonce}", uri="/protected/digest", qop=auth, '
            f'nc=00000001, cnonce="c", algorithm=SHA-256, response="{answer}"')
    entered = await client.get(f"{SITE}/protected/digest", Authorization=sent)
    assert entered.status == 200
    mutual = h(f"{a1}:{nonce}:00000001:c:auth:{h(':/protected/digest')}")
    assert f'rspauth="{mutual}"' in entered.headers.get("authentication-info")
    replayed = await client.get(f"{SITE}/protected/digest", Authorization=sent)
    assert (replayed.status, "stale=true" in replayed.headers.get("www-authenticate")) == (401, True)
    assert "replay" in client.facts["digest"]


async def test_bearer(client: Client) -> None:
    nothing = await client.get(f"{SITE}/protected/bearer")
    assert (nothing.status, nothing.headers.get("www-authenticate")) == (401, 'Bearer realm="Sandbox"')
    wrong = await client.get(f"{SITE}/protected/bearer", Authorization="Bearer abc")
    assert 'error="invalid_token"' in wrong.headers.get("www-authenticate")
    granted = await client.post(f"{SITE}/token", b"grant_type=password&username=bob&password=builder")
    token = json.loads(granted.body)
    assert (token["token_type"], granted.headers.get("cache-control")) == ("Bearer", "no-store")
    entered = await client.get(f"{SITE}/protected/bearer", Authorization=f"Bearer {token['access_token']}")
    assert (entered.status, client.facts["account"]) == (200, "bob")
    assert (await client.post(f"{SITE}/token", b"username=bob&password=no")).status == 400
    as_cookie = await client.get(f"{SITE}/account", Cookie=f"session={token['access_token']}")
    assert as_cookie.status == 303, "a token is no cookie"


def test_tickets_run_out_and_are_bounded() -> None:
    now = 0.0
    tickets = Tickets(lifetime=10, clock=lambda: now)
    first = tickets.issue("alice")
    assert tickets.holder(first) == "alice"
    now = 10.5
    assert tickets.holder(first) == ""
    second = tickets.issue("bob")
    for _ in range(MAX_TICKETS):
        tickets.issue("carol")
    assert tickets.holder(second) == ""
    assert tickets.holder("") == ""
