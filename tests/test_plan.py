"""Which services are on, and where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.config import Config, Dns
from sandbox.config.load import ConfigError
from sandbox.plan import plan
from sandbox.protocols.contract.registry import PROTOCOLS


def ports(config: Config) -> dict[str, int]:
    return {service.role.name: service.port for service in plan(config)}


@pytest.mark.parametrize(("kind", "http", "dns"), [("standard", 80, 53), ("high", 8080, 8053), ("ephemeral", 0, 0)])
def test_ports_by_kind(kind: str, http: int, dns: int) -> None:
    found = ports(Config(ports=kind))  # type: ignore[arg-type]
    assert (found["http"], found["dns"]) == (http, dns)


def test_everything_is_on_unless_turned_off() -> None:
    assert list(ports(Config())) == [role.name for protocol in PROTOCOLS for role in protocol.roles
                                     if role.default]
    assert "https-legacy" in ports(Config(services={"https-legacy": True}))
    assert "dns" not in ports(Config(services={"dns": False}))


def test_a_port_of_ones_own_holds_for_every_kind() -> None:
    assert ports(Config(services={"http": 9000, "dns": True}, ports="ephemeral"))["http"] == 9000
    assert ports(Config(services={"http": 9000, "dns": True}))["dns"] == 8053


def test_transports_come_along() -> None:
    assert {service.role.name: service.transports for service in plan(Config())}["dns"] == ("udp", "tcp")


@pytest.mark.parametrize("kind", ["standard", "high"])
def test_no_two_services_share_a_port_by_themselves(kind: str) -> None:
    plan(Config(ports=kind))  # type: ignore[arg-type]


def test_one_that_is_off_leaves_its_port_to_others() -> None:
    assert ports(Config(services={"dns": False, "http": 8053}))["http"] == 8053


def test_a_clash_that_the_file_does_not_hold_is_not_blamed_on_it(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("[dns]\nttl = 1\n")
    with pytest.raises(ConfigError, match=r"^the configuration: services\.http"):
        plan(Config(services={"http": 8053}), file)


LEVELS = {"dns-root": "127.53.0.1", "dns-tld": "127.53.0.2", "dns-domains": "127.53.0.3"}


def hosts(config: Config) -> dict[str, str]:
    return {service.role.name: service.host for service in plan(config) if service.host}


@pytest.mark.parametrize(("config", "expected"), [
    (Config(), LEVELS),
    (Config(dns=Dns(hierarchy=())), {}),
    (Config(services={"dns": False}), {}),
    (Config(services={"dns-tld": False}), {}),
    (Config(bind=("0.0.0.0",)), {}),
    (Config(bind=("127.0.0.1", "10.0.0.1")), {}),
    (Config(bind=("10.0.0.1",), dns=Dns(hierarchy=("10.0.0.2", "10.0.0.3", "10.0.0.4"))),
     {"dns-root": "10.0.0.2", "dns-tld": "10.0.0.3", "dns-domains": "10.0.0.4"}),
])
def test_the_name_servers_of_the_tree_are_there_all_or_none(config: Config, expected: dict[str, str]) -> None:
    """And only where those who are sent to them can reach them."""
    assert hosts(config) == expected
    assert {name for name in ports(config) if name in LEVELS} == set(expected)


@pytest.mark.parametrize(("config", "said"), [
    (Config(services={"dns-root": 5000}), "services.dns-root\n  found:    port 5000\n  expected: true or false"),
    (Config(dns=Dns(hierarchy=("127.53.0.1",))), "dns.hierarchy\n  found:    1 addresses\n  expected: 3 different"),
    (Config(dns=Dns(hierarchy=("127.53.0.1", "root", "x"))), "dns.hierarchy\n  found:    'root' does not appear"),
])
def test_settings_of_the_name_servers_that_cannot_be(config: Config, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        plan(config)
