"""Listening: one port for all addresses and transports, and advice when that fails."""

from __future__ import annotations

import os
import socket

import pytest

from sandbox.net.binding import BindError, bind


def test_a_free_port_is_the_same_for_every_address_and_transport() -> None:
    bound = bind(["127.0.0.1", "::1"], 0, ("udp", "tcp"))
    try:
        ports = {sock.getsockname()[1] for sock in (*bound.streams, *bound.datagrams)}
        assert ports == {bound.port}
        assert len(bound.streams) == len(bound.datagrams) == 2 - len(bound.skipped)
        assert bound.address == ("127.0.0.1", bound.port)
    finally:
        bound.close()


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_taken_port_names_its_owner_and_what_helps(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BindError, match="--ports ephemeral") as caught:
            bind(["127.0.0.1"], port, ("udp", "tcp"), "echo")
    assert "--ports high" not in str(caught.value), "it is a high port already"
    assert "--set services.echo=NUMBER" in str(caught.value)
    assert f"port {port} is taken by" in str(caught.value)
    assert f"(pid {os.getpid()})" in str(caught.value)


def test_an_address_of_another_machine_is_skipped_when_another_works() -> None:
    bound = bind(["192.0.2.77", "127.0.0.1"], 0, ("tcp",))
    try:
        assert bound.skipped == ["192.0.2.77"]
        assert bound.address.host == "127.0.0.1"
    finally:
        bound.close()
    with pytest.raises(BindError, match="--bind"):
        bind(["192.0.2.77"], 0, ("tcp",))


def test_a_failed_bind_leaves_no_socket_open() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(BindError):
            bind(["::1", "127.0.0.1"], port, ("tcp",))
        assert len(os.listdir("/proc/self/fd")) == before
