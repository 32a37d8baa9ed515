import pytest
from shop import create_app


@pytest.fixture
def client(sandbox):
    return create_app(**sandbox.settings.flask_mail()).test_client()


def test_sign_up(client, sandbox):
    client.post("/signup", data={"email": "bob@example.com"})
    letter = sandbox.mail.wait_for(to="bob@example.com", subject="confirm")
    assert client.get(letter.link("confirm")).text == "bob@example.com is a member."
    assert client.get(letter.link("confirm")).status_code == 404


def test_nobody_is_written_to_who_cannot_be(client, sandbox):
    assert client.post("/signup", data={"email": "nobody@example.com"}).status_code == 500
    assert sandbox.exchanges("verb:RCPT outcome:550")
    sandbox.assert_nothing("verb:message")
