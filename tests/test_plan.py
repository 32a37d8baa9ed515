"""Which services are on, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.config import Config
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
