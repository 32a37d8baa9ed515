"""What a newcomer reads first."""

from __future__ import annotations

import pytest

from sandbox.address import Address
from sandbox.console.summary import COMMANDS, cast_of, command, summary
from sandbox.protocols.contract.registry import PROTOCOLS

LOOPBACK = "127.0.0.1"


def test_every_role_has_a_command_to_try() -> None:
    roles = {role.name for protocol in PROTOCOLS for role in protocol.roles}
    assert roles == set(COMMANDS)
    assert all(str(5353) in command(role, Address(LOOPBACK, 5353)) for role in roles)


@pytest.mark.parametrize(("role", "address", "expected"), [
    ("http", Address(LOOPBACK, 8080), "curl http://127.0.0.1:8080/"),
    ("http", Address("::1", 80), "curl http://[::1]/"),
    ("http", Address("0.0.0.0", 80), "curl http://127.0.0.1/"),
    ("dns", Address("::", 53), "dig @::1 -p 53 www.example.com"),
    ("gopher", Address(LOOPBACK, 70), ""),
])
def test_command(role: str, address: Address, expected: str) -> None:
    assert command(role, address) == expected


def test_a_service_on_every_interface_is_shown_where_others_reach_it() -> None:
    own = ["192.168.1.5", "fd00::5"]
    assert command("http", Address("0.0.0.0", 8080), reach=own) == "curl http://192.168.1.5:8080/"
    assert command("http", Address("::", 8080), reach=own) == "curl http://[fd00::5]:8080/"
    assert command("http", Address(LOOPBACK, 8080), reach=own) == "curl http://127.0.0.1:8080/"
    text = summary({"dns": Address("0.0.0.0", 8053)}, {}, data="/tmp/x", reach=own)
    assert "192.168.1.5:8053  dig @192.168.1.5 -p 8053 www.example.com" in text
    assert "127.0.0.1" not in text


def test_the_commands_are_about_the_people_of_the_world() -> None:
    services = {"smtp": Address(LOOPBACK, 25), "submission": Address(LOOPBACK, 587), "sftp": Address(LOOPBACK, 22)}
    text = summary(services, {"mei": "green tea", "jo": "x"}, data="/tmp/x", domains=["teashop.test"])
    assert "--au mei --ap 'green tea' --to jo@teashop.test" in text
    assert "sftp -P 22 mei@127.0.0.1" in text
    assert "--to mei@teashop.test" in text
    for word in ("alice", "bob", "wonderland", "example.com"):
        assert word not in text
    assert cast_of({"jo": "x"}, ["a.test"]).other == "jo"
    assert cast_of({"zoe": "x", "bob": "y", "alice": "z"}, ["a.test", "example.com", "b.test"]) == (
        "alice", "z", "bob", "example.com", "a.test")


def test_what_listens_on_an_address_of_its_own_is_said() -> None:
    text = summary({"http": Address(LOOPBACK, 8080), "dns-root": Address("127.53.0.1", 8053)}, {}, data="/tmp/x",
                   hosts=[LOOPBACK, "::1"])
    assert "Each of them listens on 127.0.0.1 and ::1; only where shown: dns-root." in text


def test_summary() -> None:
    text = summary({"http": Address(LOOPBACK, 8080), "dns": Address(LOOPBACK, 8053)},
                   {"alice": "wonderland", "bob": "builder"}, data="/tmp/x", hosts=[LOOPBACK, "::1"],
                   failed={"qotd": "port 8017 is taken by \x1b[2J"})
    assert text == """
The sandbox is ready. Nothing in it leaves this machine.

  service  address         try
  http     127.0.0.1:8080  curl http://127.0.0.1:8080/
  dns      127.0.0.1:8053  dig @127.0.0.1 -p 8053 www.example.com
  Each of them listens on 127.0.0.1 and ::1.

Did not start:
  qotd: port 8017 is taken by \\x1b[2J

  account  password
  alice    wonderland
  bob      builder

  Data: /tmp/x (kept between runs)
  See it again: sandbox log      What does it mean: sandbox explain WORD
  Stop: Ctrl-C

"""


def test_the_least_summary() -> None:
    text = summary({}, {}, data="/tmp/x", ephemeral=True)
    assert "service" not in text
    assert "account" not in text
    assert "(removed at the end)" in text


def test_the_live_page_has_an_address_for_each_who_may_come() -> None:
    text = summary({}, {}, data="/data", page="http://127.0.0.1:8000/", elsewhere="http://192.168.1.10:8000/",
                   teacher="http://192.168.1.10:8000/#token=abc")
    lines = [line.split() for line in text.splitlines() if "8000" in line]
    assert [line[-1] if "(each" not in line else line[line.index("(each") - 1] for line in lines] == [
        "http://127.0.0.1:8000/", "http://192.168.1.10:8000/", "http://192.168.1.10:8000/#token=abc"]
    assert "other machines" not in summary({}, {}, data="/data", page="http://127.0.0.1:8000/")
