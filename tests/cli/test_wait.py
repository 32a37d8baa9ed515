"""`sandbox wait` and `sandbox space` against a running sandbox."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Iterator

import pytest

from sandbox.cli import main
from sandbox.testing import InProcess


@pytest.fixture(scope="module")
def server() -> Iterator[InProcess]:
    started = InProcess()
    yield started
    started.close()


def send(where: dict[str, dict[str, object]]) -> None:
    with smtplib.SMTP(str(where["smtp"]["host"]), int(str(where["smtp"]["port"])), timeout=20) as client:
        client.sendmail("a@example.org", ["bob@example.com"], "Subject: Confirm\r\n\r\nx\r\n")


def test_waiting(server: InProcess, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--url", server.api.url)
    assert main(["space", "open", "one", "--json", *at]) == 0
    send(json.loads(capsys.readouterr().out)["services"])
    assert main(["wait", "space:one", "protocol:smtp", "verb:message", *at]) == 0
    assert "message → 250" in capsys.readouterr().out
    assert main(["wait", "--letter", "to=bob", "--space", "one", "--json", *at]) == 0
    assert json.loads(capsys.readouterr().out)["letter"]["subject"] == "Confirm"

    assert main(["wait", "space:one protocol:smtp verb:message outcome:451", "--timeout", "0.2", *at]) == 1
    said = capsys.readouterr().err
    assert "0 of 1 happened within 0.2 seconds." in said
    assert "failed outcome:451" in said
    assert main(["wait", "--letter", "subject=Invoice", "--space", "one", "--timeout", "0.2", *at]) == 1
    assert 'failed subject:"Invoice", a letter with the subject \'Confirm\'' in capsys.readouterr().err

    assert main(["space", "list", *at]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "main"
    assert main(["space", "close", "one", *at]) == 0
    assert main(["space", "close", "one", *at]) == 2
    assert "there is no space 'one'" in capsys.readouterr().err.lower()


@pytest.mark.parametrize(("options", "words"), [
    (["protocol:", "--url", "URL"], "expected"), (["--letter", "to", "--url", "URL"], "is not to="),
    (["--url", "http://127.0.0.1:9/"], "Nobody answers"), (["--data", "/nowhere"], "no sandbox runs"),
])
def test_what_cannot_be_asked_is_said(server: InProcess, capsys: pytest.CaptureFixture[str], options: list[str],
                                      words: str) -> None:
    assert main(["wait", *(server.api.url if word == "URL" else word for word in options)]) == 2
    assert words in capsys.readouterr().err
