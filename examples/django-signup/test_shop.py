import django
import pytest
import shop
from django.test import Client, override_settings


@pytest.fixture
def client(sandbox, monkeypatch):
    monkeypatch.setenv("http_proxy", sandbox.settings.proxy)
    django.setup()
    with override_settings(ROOT_URLCONF=shop.__name__, **sandbox.settings.django()):
        yield Client()


def test_a_member_pays(client, sandbox):
    sandbox.http.route("pay.test", "/fee", body="thank you")
    sandbox.http.route("pay.test", "/fee", status=503, times=1)
    client.post("/signup", {"email": "bob@example.com"})
    letter = sandbox.mail.wait_for(to="bob@example.com", subject="confirm")
    assert client.get(letter.link("confirm")).content == b"bob@example.com is a member."
    assert [row["outcome"] for row in sandbox.requests("host:pay.test")] == ["503", "200"]


def test_a_member_pays_later(client, sandbox):
    sandbox.http.route("pay.test", "/fee", status=503)
    client.post("/signup", {"email": "bob@example.com"})
    link = sandbox.mail.wait_for(to="bob@example.com").link("confirm")
    assert b"may pay later" in client.get(link).content
    assert client.get(link + "x").status_code == 404
