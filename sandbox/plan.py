"""Which services a configuration turns on, and on which ports."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import NamedTuple

from sandbox.config import Config
from sandbox.config.load import ConfigError
from sandbox.protocols.contract.registry import PROTOCOLS, Protocol, Role
from sandbox.toml import Problem, nearest, read_text

__all__ = ["DASHBOARD", "Planned", "dashboard_port", "plan"]

DASHBOARD = Role("dashboard", 8000, 8000)
"""The live page: no protocol of the sandbox's world, but a service that is turned on, off and moved like them."""


class Planned(NamedTuple):
    """A service to start. port: 0 for any free one; the same for all its transports and addresses; host: an address
    of its own, on which it has the port of the role that it is `beside`; "" for those of the configuration."""

    protocol: Protocol
    role: Role
    port: int
    transports: tuple[str, ...]
    host: str = ""


def plan(config: Config, file: Path | None = None) -> list[Planned]:
    """The services that are on, in the registry's order.

    file: where the configuration came from, for line numbers. Raises ConfigError for a service that does not
    exist, and for two on one port.
    """
    known = [*(role.name for protocol in PROTOCOLS for role in protocol.roles), DASHBOARD.name]
    for name in config.services:
        if name not in known:
            raise error(Problem(("services", name), "a service that does not exist",
                                f"one of {', '.join(known)}", nearest(name, known)), file)
    on = [(protocol, role) for protocol in PROTOCOLS for role in protocol.roles
          if config.services.get(role.name, role.default) is not False]
    problem, own = name_servers(config, [role for _, role in on])
    if problem is not None:
        raise error(problem, file)
    planned = [Planned(protocol, role, 0 if role.beside else port_of(role, config), role.transports,
                       own.get(role.name, ""))
               for protocol, role in on if not role.beside or role.name in own]
    clash = find_clash(planned, config)
    if clash is not None:
        raise error(clash, file)
    return planned


def name_servers(config: Config, on: list[Role]) -> tuple[Problem | None, dict[str, str]]:
    """What is wrong with the settings of the name servers, and the address of each by role. It is all or none of
    them: without one the way down the tree would end."""
    roles = [role for protocol in PROTOCOLS for role in protocol.roles if role.beside]
    hosts = config.dns.hierarchy
    for role in roles:
        port = config.services.get(role.name)
        if port is not None and not isinstance(port, bool):
            return Problem(("services", role.name), f"port {port}",
                           f"true or false: it has the port of {role.beside}, on an address of its own"), {}
    try:
        addresses = [ipaddress.ip_address(host) for host in hosts]
    except ValueError as problem:
        return Problem(("dns", "hierarchy"), str(problem), "IP addresses"), {}
    if not hosts:
        return None, {}
    if len(set(hosts)) != len(roles) or len(hosts) != len(roles):
        return Problem(("dns", "hierarchy"), f"{len(hosts)} addresses",
                       f"{len(roles)} different ones, for {', '.join(role.name for role in roles)}; or none"), {}
    names = {role.name for role in on}
    if not all(role.name in names and role.beside in names for role in roles):
        return None, {}
    # Who comes from another machine cannot reach a loopback address here: it would be led to its own.
    far = [host for host in config.bind if not is_loopback(host)]
    if far and any(address.is_loopback for address in addresses):
        return None, {}
    return None, dict(zip((role.name for role in roles), hosts, strict=True))


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def dashboard_port(config: Config) -> int | None:
    """The live page's port, 0 for any free one; None where it is off."""
    return None if config.services.get(DASHBOARD.name, True) is False else port_of(DASHBOARD, config)


def port_of(role: Role, config: Config) -> int:
    own = config.services.get(role.name)
    if own is not None and not isinstance(own, bool):
        return own
    return {"standard": role.port, "high": role.high, "ephemeral": 0}[config.ports]


def find_clash(planned: list[Planned], config: Config) -> Problem | None:
    """Two services that want one port on one transport."""
    taken: dict[tuple[int, str], str] = {}
    if port := dashboard_port(config):
        taken[port, "tcp"] = DASHBOARD.name
    for service in planned:
        for transport in service.transports if service.port else ():
            other = taken.setdefault((service.port, transport), service.role.name)
            if other != service.role.name:
                pair = sorted((other, service.role.name), key=lambda name: name in config.services)
                return Problem(("services", pair[1]), f"{transport} port {service.port}, which {pair[0]} has too",
                               "a port of its own for each service",
                               f"Give {pair[1]} another number, or turn one of them off with false.")
    return None


def error(problem: Problem, file: Path | None) -> ConfigError:
    """The problem, in the file if it stands there; else it came from an option or the environment."""
    if file is not None:
        found = problem.error(ConfigError, str(file), read_text(file, ConfigError))
        if isinstance(found, ConfigError) and found.line:
            return found
    found = problem.error(ConfigError, "the configuration")
    assert isinstance(found, ConfigError)
    return found
