"""The pytest plugin, as a suite that knows nothing of us uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.errors import UserError
from sandbox.testing import InProcess, Remote
from tests.support.suite import run_suite

USE = '''
import smtplib, urllib.error, urllib.request

def send(sandbox, subject):
    with smtplib.SMTP(**sandbox.settings.smtplib()) as client:
        client.sendmail("shop@example.com", ["bob@example.com"],
                        f"Subject: {subject}\\r\\n\\r\\nCode 482913, http://shop.test/confirm?7\\r\\n")

def get(sandbox, url):
    proxies = urllib.request.ProxyHandler({"http": sandbox.settings.proxy})
    try:
        with urllib.request.build_opener(proxies).open(url, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()

def test_mail(sandbox):
    send(sandbox, "Confirm it")
    letter = sandbox.mail.wait_for(to="bob@example.com", subject="confirm")
    assert letter.link("confirm") == "http://shop.test/confirm?7"
    assert letter.code() == "482913"
    assert letter.sender == "shop@example.com"
    assert letter.raw.endswith(b"confirm?7\\r\\n")

def test_web(sandbox):
    sandbox.http.route("shop.test", "/pay", status=503, times=2)
    sandbox.http.route("shop.test", "/calc", function=lambda asked: {"twice": int(asked.query["n"]) * 2})
    assert [get(sandbox, "http://shop.test/pay")[0] for _ in range(3)][:2] == [503, 503]
    assert get(sandbox, "http://shop.test/calc?n=4") == (200, b'{"twice": 8}')
    assert len(sandbox.requests("path:/pay outcome:503")) == 2
    sandbox.assert_nothing("path:/refund or protocol:smtp")

def test_faults(sandbox):
    fault = sandbox.faults.add("service:smtp verb:RCPT", reply=451, text="Later", times=1)
    try:
        send(sandbox, "Refused")
        raise AssertionError
    except smtplib.SMTPRecipientsRefused as error:
        assert error.recipients["bob@example.com"][0] == 451
    send(sandbox, "Taken")
    assert sandbox.mail.wait_for(subject="Taken").subject == "Taken"
    assert sandbox.faults.struck(fault) == 1

def test_world(sandbox):
    sandbox.dns.add("api.shop.test A 127.0.0.7")
    sandbox.people.add("dora", "explorer")
    sandbox.files.put("homes/dora", "a/b.txt", "hello")
    assert sandbox.files.read("homes/dora", "a/b.txt") == b"hello"
    assert sandbox.files.names("homes/dora", "a") == ["b.txt"]

def test_fresh(fresh_sandbox):
    send(fresh_sandbox, "Fresh")
    assert fresh_sandbox.mail.wait_for(subject="fresh").mailbox == "bob"
'''

FAILS = USE + '''
def test_fails(sandbox):
    send(sandbox, "Invoice\\u001b[2J".encode("ascii", "replace").decode())
    sandbox.mail.wait_for(to="bob@example.com", subject="Receipt", timeout=0.3)
'''

ASYNC = '''
import asyncio, trio

async def use(sandbox, sleep):
    await sandbox.mail.send("alice@example.com", "bob@example.com", "Hello", "there")
    letter = await sandbox.mail.wait_for(to="bob", subject="hello")
    assert letter.text.strip() == "there"
    assert sandbox.services["smtp"]

def test_trio(async_sandbox):
    trio.run(use, async_sandbox, trio.sleep)

def test_asyncio(async_sandbox):
    asyncio.run(use(async_sandbox, asyncio.sleep))
'''

MANY = '''
import pytest, smtplib

@pytest.mark.parametrize("number", range(200))
def test_none_sees_anothers(sandbox, number):
    with smtplib.SMTP(**sandbox.settings.smtplib()) as client:
        client.sendmail("a@example.com", ["bob@example.com"], f"Subject: mine {number}\\r\\n\\r\\nx\\r\\n")
    assert sandbox.mail.wait_for(to="bob", subject="mine").subject == f"mine {number}"
    sandbox.people.add("greta", f"knitting{number}")
    assert len(sandbox.exchanges("verb:message")) == 1
'''


def test_a_suite_in_its_own_process_with_tests_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "world.toml").write_text('[people.zoe]\npassword = "zebra"\n')
    world = '''
def test_world_file(sandbox):
    assert "zoe" in [person["login"] for person in sandbox.api.get("people", space=sandbox.name)["people"]]
'''
    done = run_suite(tmp_path, USE + ASYNC + world, "-W", "error", "-o", "sandbox_world=world.toml",
                     "-o", "sandbox_config=default")
    assert "8 passed" in done.stdout, done.stdout + done.stderr


def test_a_failing_test_says_what_happened_and_where_to_look(tmp_path: Path) -> None:
    done = run_suite(tmp_path, FAILS, "-k", "fails")
    said = done.stdout
    assert done.returncode == 1, said
    assert "0 of 1 letters arrived" in said
    assert 'failed subject:"Receipt"' in said
    assert "RCPT TO:<bob@example.com>" in said
    assert "RCPT names one recipient" in said
    assert "the live page: http://127.0.0.1:" in said
    assert "\x1b[2J" not in said


def test_200_tests_of_8_workers_share_one_sandbox_and_none_sees_anothers(tmp_path: Path) -> None:
    server = InProcess()
    try:
        done = run_suite(tmp_path, MANY, "-n", "8", "--sandbox-url", server.api.url)
        assert "200 passed" in done.stdout, done.stdout[-3000:] + done.stderr
        assert [space["name"] for space in server.api.get("spaces")["spaces"]] == ["main"]
    finally:
        server.close()


def test_a_configuration_that_is_not_there_is_said(tmp_path: Path) -> None:
    wrong = run_suite(tmp_path, "def test_any(sandbox): pass\n", "-o", "sandbox_config=cii")
    assert "Did you mean" in wrong.stdout, wrong.stdout


def test_a_sandbox_that_is_not_there_is_said() -> None:
    for url, words in (("http://127.0.0.1:9/", "Nobody answers"), ("no address", "is not the address")):
        with pytest.raises(UserError, match=words):
            Remote(url).api.get("spaces")
