"""A world as a whole, through the objects that tests have: filled, kept, had again, reset."""

from __future__ import annotations

import smtplib
import urllib.request
from collections.abc import Iterator

import dns.message
import dns.query
import pytest

from sandbox.testing import ApiError, InProcess, Space

SHOP = """
[[domain]]
name = "shop.test"
hosts = ["www", "api"]
records = "api A 127.0.0.7"

[people.zoe]
password = "zebra"

[[site]]
host = "old.shop.test"
redirect = "http://www.shop.test/"

[[mail]]
to = "zoe"
from = "boss@shop.test"
subject = "Welcome"
text = "Your desk is by the window."
"""


@pytest.fixture(scope="module")
def server() -> Iterator[InProcess]:
    started = InProcess()
    yield started
    started.close()


@pytest.fixture
def space(server: InProcess) -> Iterator[Space]:
    opened = Space.open(server)
    yield opened
    opened.close()


def subjects(space: Space, login: str) -> list[str]:
    found = space.api.get(f"mail/{login}/INBOX", space=space.name)
    return [letter["subject"] for letter in found["letters"]]


def logins(space: Space) -> set[str]:
    return {person["login"] for person in space.api.get("people", space=space.name)["people"]}


def address(space: Space, name: str) -> str:
    host, port = space.services["dns"]
    answer = dns.query.udp(dns.message.make_query(name, "A"), host, timeout=10, port=port)
    return str(answer.answer[0][0]) if answer.answer else ""


def send(space: Space, to: str) -> None:
    with smtplib.SMTP(**space.settings.smtplib()) as client:
        client.sendmail("a@example.org", [to], "Subject: Hello\r\n\r\nx\r\n")


def test_a_world_file_may_be_added_again(space: Space) -> None:
    first = space.api.post("populate", {"world": SHOP}, space=space.name)
    assert first == {"domains": 1, "people": 1, "sites": 1, "letters": 1}
    again = space.api.post("populate", {"world": SHOP}, space=space.name)
    assert again == {"domains": 0, "people": 0, "sites": 0, "letters": 0}
    assert subjects(space, "zoe") == ["Welcome"]
    assert address(space, "api.shop.test") == "127.0.0.7"
    assert address(space, "www.shop.test") == "127.0.0.1"
    send(space, "zoe@shop.test")
    assert space.mail.wait_for(to="zoe@shop.test", subject="Hello").mailbox == "zoe"
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(space, "nobody@shop.test")
    proxies = urllib.request.build_opener(urllib.request.ProxyHandler({"http": space.settings.proxy}))
    with proxies.open("http://old.shop.test/") as response:
        assert response.url == "http://www.shop.test/"


def test_what_is_no_world_is_refused_whole(space: Space) -> None:
    letter = "[[mail]]\nto = 'nobody'\nfrom = 'a@b.c'\n"
    for wrong, words in (("[people.zoe]\n", "password"), (SHOP + letter, "nobody"), ("no toml", "line 1")):
        with pytest.raises(ApiError, match=words):
            space.populate(wrong)
    assert "zoe" not in logins(space)


def test_a_state_is_kept_and_had_again(space: Space) -> None:
    space.populate(SHOP)
    space.files.put("homes/zoe", "a/notes.txt", "first")
    route = space.http.route("shop.test", "/pay", status=503)
    space.snapshot("before")

    send(space, "zoe@shop.test")
    space.mail.wait_for(to="zoe@shop.test")
    space.people.remove("zoe")
    space.people.add("dora", "explorer")
    space.dns.add("api.shop.test A 127.0.0.8", replace=True)
    space.http.remove(route)
    space.files.put("public", "more.txt", "more")
    space.restore("before")

    assert "zoe" in logins(space)
    assert "dora" not in logins(space)
    assert address(space, "api.shop.test") == "127.0.0.7"
    assert subjects(space, "zoe") == ["Welcome"]
    assert space.files.read("homes/zoe", "a/notes.txt") == b"first"
    assert space.files.names("public") == ["welcome.txt"]
    assert [route["statuses"] for route in space.api.get("routes", space=space.name)["routes"]] == [[503]]
    with pytest.raises(ApiError, match="No state"):
        space.restore("after")


def test_parts_go_back_to_the_beginning_one_by_one(space: Space) -> None:
    begun = subjects(space, "alice")
    space.populate(SHOP)
    space.people.remove("bob")
    send(space, "alice@example.com")
    space.mail.wait_for(to="alice")
    space.dns.add("www.example.com A 127.0.0.9", replace=True)
    space.reset("mail")
    assert subjects(space, "alice") == begun
    assert "bob" not in logins(space)
    space.reset("names")
    assert address(space, "www.example.com") == "127.0.0.1"
    assert "zoe" in logins(space)
    space.reset()
    assert {"alice", "bob"} <= logins(space)
    assert "zoe" not in logins(space)
    space.people.add("dora", "explorer")
    assert address(space, "dora.example.com") == "127.0.0.1", "names still follow people"
    with pytest.raises(ApiError, match="no part"):
        space.reset("everything")
