"""What a program looks at before it asks the network: where names are looked up, whom it trusts, which local helpers
would answer instead. Inside, these are the sandbox's."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from sandbox.linux.namespaces import NamespaceError, bind_mount, empty_mount

__all__ = ["environment", "put_in_place"]

RESOLV = "# Every name is looked up in the sandbox.\nnameserver 127.0.0.1\nnameserver ::1\n"
NSSWITCH = "".join(f"{base}: {sources}\n" for base, sources in (
    ("passwd", "files"), ("group", "files"), ("shadow", "files"), ("hosts", "files dns"), ("networks", "files"),
    ("protocols", "files"), ("services", "files")))
HOSTS = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
           "/etc/ssl/cert.pem")
"""Where systems keep the authorities they trust; the first that is there is added to."""
HELPERS = ("/run/nscd", "/run/systemd/resolve", "/run/avahi-daemon", "/run/dbus", "/run/docker.sock", "/run/podman",
           "/run/containerd", "/run/user/{user}/bus", "/run/user/{user}/systemd", "/run/user/{user}/podman",
           "/run/user/{user}/docker.sock")
"""Local sockets by which a name, or a connection, would leave the namespace."""
TRUST = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "PIP_CERT",
         "AWS_CA_BUNDLE", "CARGO_HTTP_CAINFO")
"""Variables in which programs are told of a file with authorities."""


def put_in_place(folder: Path, ca: str) -> dict[str, str]:
    """Write the sandbox's versions into a folder, mount them over the system's, and hide the helpers. ca: the file
    with the authority, "" for none. Gives the variables that go with it. Raises OSError for resolv.conf, without
    which nothing would be looked up here."""
    hide_helpers()
    mounted(folder, "resolv.conf", RESOLV, "/etc/resolv.conf", needed=True)
    mounted(folder, "nsswitch.conf", NSSWITCH, "/etc/nsswitch.conf")
    mounted(folder, "hosts", HOSTS, "/etc/hosts")
    if not ca:
        return {}
    system = next((Path(place) for place in BUNDLES if Path(place).is_file()), None)
    bundle = (system.read_text(errors="replace") if system else "") + Path(ca).read_text()
    name = str(written(folder, "authorities.pem", bundle))
    if system is not None:
        mounted(folder, "authorities.pem", bundle, str(system))
    return dict.fromkeys(TRUST, name)


def environment(data: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of the program inside: no proxy of outside, and the prompt says where one is."""
    kept = {name: value for name, value in os.environ.items()
            if name.lower() not in ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "no_proxy")
            and name not in ("DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS")}
    return kept | {"SANDBOX_SHELL": "1", "SANDBOX_DATA": str(data), "debian_chroot": "sandbox"} | dict(variables)


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    file.chmod(0o644)
    return file


def mounted(folder: Path, name: str, text: str, target: str, *, needed: bool = False) -> None:
    """One file in another's place; a link is followed, and what it leads to is made where it is missing."""
    place = Path(os.path.realpath(target))
    try:
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        bind_mount(written(folder, name, text), place)
    except OSError:
        if needed:
            raise


def hide_helpers() -> None:
    for place in helpers():
        try:
            if place.is_dir():
                empty_mount(place)
            elif place.exists():
                bind_mount(Path(os.devnull), place)
        except NamespaceError:
            continue  # what cannot be hidden is told of by the test, not by every start


def helpers() -> Iterator[Path]:
    for name in HELPERS:
        yield Path(os.path.realpath(name.format(user=os.geteuid())))
