"""The container files keep what the docs promise, as far as reading them can tell."""

from __future__ import annotations

import ipaddress
import re
import subprocess
from pathlib import Path

import pytest

from sandbox.address import Address
from sandbox.config.load import load
from sandbox.console.summary import summary
from sandbox.plan import plan

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "docker-compose.yml").read_text()
HOST = (ROOT / "docker-compose.host.yml").read_text()
CONFIG = ROOT / "configs" / "container.toml"


def instructions(stage: str) -> list[tuple[str, str]]:
    """A stage of the Dockerfile: (instruction, the rest), continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.splitlines() if line.strip()]
    starts = [index for index, line in enumerate(lines) if line.startswith("FROM ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        if lines[start].endswith(f" AS {stage}"):
            return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines[start:end])]
    raise AssertionError(f"there is no stage {stage}")


def values(stage: str, instruction: str) -> list[str]:
    return [rest for word, rest in instructions(stage) if word == instruction]


def test_what_a_plain_build_makes_is_the_sandbox() -> None:
    assert re.findall(r"^FROM .* AS (\w+)$", DOCKERFILE, re.MULTILINE)[-1] == "sandbox"


def test_the_base_is_slim_and_named_without_a_registry() -> None:
    images = dict(re.findall(r"^ARG (\w+_IMAGE)=(.*)$", DOCKERFILE, re.MULTILINE))
    assert images["PYTHON_IMAGE"].endswith("-slim")
    assert all("/" not in image for image in images.values())


@pytest.mark.parametrize("stage", ["sandbox", "lab"])
def test_it_does_not_run_as_root(stage: str) -> None:
    (user,) = values(stage, "USER")
    assert user not in ("root", "0")
    assert "useradd" in " ".join(values(stage, "RUN"))


def test_nothing_is_installed_in_the_image_itself() -> None:
    """No compiler, no package manager's leftovers: only the finished environment is copied."""
    assert not re.search(r"apt-get|pip install|gcc|build-essential", " ".join(values("sandbox", "RUN")))
    assert any("--from=build" in copied for copied in values("sandbox", "COPY"))


def test_it_says_whether_it_is_well() -> None:
    (check,) = values("sandbox", "HEALTHCHECK")
    assert check.endswith('CMD ["sandbox", "ready"]')


def test_data_and_configuration() -> None:
    config = load(CONFIG)
    assert values("sandbox", "VOLUME") == [config.data]
    assert f"SANDBOX_CONFIG=/etc/sandbox/{CONFIG.name}" in " ".join(values("sandbox", "ENV"))
    assert "configs /etc/sandbox" in values("sandbox", "COPY")


def test_every_port_is_exposed() -> None:
    (exposed,) = values("sandbox", "EXPOSE")
    assert set(exposed.split()) == {f"{service.port}/{transport}" for service in plan(load(CONFIG))
                                    for transport in service.transports}


def test_what_is_copied_is_sent_to_the_builder() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {source for stage in ("build", "sandbox") for line in values(stage, "COPY") if "--from" not in line
              for source in line.split()[:-1]}
    assert copied == sent
    assert all((ROOT / name).exists() for name in sent)


def services(text: str) -> dict[str, str]:
    """The services of a compose file, each with its own lines."""
    body = re.search(r"^services:\n(.*?)(?=^\w|\Z)", text, re.MULTILINE | re.DOTALL)
    assert body is not None
    parts = re.split(r"^  (\w+):\n", body[1], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_network_has_no_way_out() -> None:
    assert re.search(r"^networks:\n  pretend:\n    internal: true$", COMPOSE, re.MULTILINE)
    assert set(services(COMPOSE)) == {"sandbox", "lab"}
    for service in services(COMPOSE).values():
        assert re.findall(r"^    networks:\n((?:      .*\n)+)", service, re.MULTILINE)
        assert "ports:" not in service


def test_the_lab_asks_the_sandbox_for_names() -> None:
    address = re.findall(r"ipv4_address: (\S+)", services(COMPOSE)["sandbox"])
    assert re.findall(r"dns: \[(\S+)\]", services(COMPOSE)["lab"]) == address
    assert re.findall(r"SANDBOX_ADVERTISE: (\S+)", services(COMPOSE)["sandbox"]) == address


def test_any_number_of_workstations_fits() -> None:
    """None has an address of its own, and none is given the sandbox's."""
    assert "ipv4_address" not in services(COMPOSE)["lab"]
    (address,) = re.findall(r"ipv4_address: (\S+)", services(COMPOSE)["sandbox"])
    (subnet,) = re.findall(r"subnet: (\S+)", COMPOSE)
    hosts = list(ipaddress.ip_network(subnet).hosts())
    assert hosts.index(ipaddress.ip_address(address)) > 100, "they are given out from the first on"


def test_the_compose_file_has_the_images_health_check() -> None:
    """podman leaves out the image's own."""
    (check,) = values("sandbox", "HEALTHCHECK")
    said = services(COMPOSE)["sandbox"]
    assert "test: [CMD, sandbox, ready]" in said
    for option, key in (("interval", "interval"), ("timeout", "timeout"), ("start-period", "start_period")):
        (wanted,) = re.findall(rf"--{option}=(\S+)", check)
        assert f"{key}: {wanted}\n" in said
    assert "condition: service_healthy" in services(COMPOSE)["lab"]


def test_the_lab_trusts_the_authority_from_the_start() -> None:
    assert values("lab", "ENTRYPOINT") == ['["lab-start"]']
    assert "--chmod=755 configs/lab-start.sh /usr/local/bin/lab-start" in values("lab", "COPY")
    (address,) = re.findall(r"ipv4_address: (\S+)", services(COMPOSE)["sandbox"])
    assert f"SANDBOX_ADDRESS: {address}\n" in services(COMPOSE)["lab"]
    subprocess.run(["sh", "-n", str(ROOT / "configs" / "lab-start.sh")], check=True)


def test_what_the_sandbox_says_can_be_typed_in_the_lab() -> None:
    (address,) = re.findall(r"SANDBOX_ADVERTISE: (\S+)", services(COMPOSE)["sandbox"])
    config = load(CONFIG)
    endpoints = {service.role.name: Address(config.bind[0], service.port) for service in plan(config)}
    said = summary(endpoints, {"alice": "wonderland"}, data=config.data, reach=[address])
    assert f"dig @{address} -p 53 www.example.com" in said
    assert not re.search(r"0\.0\.0\.0|127\.0\.0\.1", said)


def test_low_ports_need_no_root() -> None:
    assert 'net.ipv4.ip_unprivileged_port_start: "0"' in services(COMPOSE)["sandbox"]
    assert "cap_drop: [ALL]" in services(COMPOSE)["sandbox"]


@pytest.mark.parametrize("program", [
    "curl", "bind9-dnsutils", "lftp", "mutt", "swaks", "telnet", "openssh-client", "iputils-ping", "nano", "vim-tiny",
    "getmail6", "libnet-dns-perl", "ca-certificates"])
def test_the_lab_has_the_programs(program: str) -> None:
    assert program in " ".join(values("lab", "RUN"))


def test_published_ports_are_this_machines_own() -> None:
    published = re.findall(r'- "(.*)"', services(HOST)["sandbox"])
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
