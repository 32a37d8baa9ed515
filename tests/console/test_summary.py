"""What a newcomer reads first."""

from __future__ import annotations

import pytest

from sandbox.address import Address
from sandbox.console.summary import COMMANDS, command, summary
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
