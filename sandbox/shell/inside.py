"""The namespaces, and the program that runs in them.

Two processes: the keeper makes the namespaces, hands the listeners to the sandbox, stays for as long as the program
runs and gives the sandbox more sockets when it asks; the program is its child. What the keeper may do in its
namespaces the program, started by exec, may not (unless it is root's).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.datafolder import Endpoint
from sandbox.errors import UserError
from sandbox.linux.namespaces import NamespaceError, loop_everything_back, set_host_name, unshare
from sandbox.shell.capture import Capture
from sandbox.shell.files import environment, put_in_place
from sandbox.shell.listeners import connect, hand_over, listeners, serve_spare
from sandbox.shell.obstacles import advice

__all__ = ["run"]

HOST_NAME = "sandbox"


def run(data: Path, running: Mapping[str, Endpoint], ca: str, command: Sequence[str], *,
        capture: Path | None = None) -> int:
    """Run a program inside, and give its exit status. data: of a running sandbox; running: its services; ca: the file
    with its authority, "" for none; capture: a file for the packets. Raises UserError."""
    talk = connect(data)
    with tempfile.TemporaryDirectory(prefix="sandbox-shell-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        reading, writing = os.pipe()
        keeper = os.fork()
        if keeper == 0:
            os.close(reading)
            os._exit(keep(talk, data, running, ca, command, folder, capture, writing))
        os.close(writing)
        talk.close()
        with os.fdopen(reading) as said:
            problem = said.read()
        return wait_for(keeper, problem)


def wait_for(keeper: int, problem: str) -> int:
    """The exit status of the program. Raises UserError with what the keeper said."""
    ignored = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        _, status = os.waitpid(keeper, 0)
    finally:
        for number, handler in ignored.items():
            signal.signal(number, handler)
    if problem:
        raise UserError(problem)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def keep(talk: socket.socket, data: Path, running: Mapping[str, Endpoint], ca: str, command: Sequence[str],
         folder: Path, capture: Path | None, said: int) -> int:
    """The keeper. said: where it tells what went wrong; closed when all went well."""
    try:
        unshare()
        loop_everything_back()
        set_host_name(HOST_NAME)
        hand_over(talk, list(listeners(running)))
        packets = Capture(capture) if capture is not None else None
        variables = put_in_place(folder, ca)
    except NamespaceError as error:
        os.write(said, advice(error).encode())
        return 1
    except OSError as error:
        os.write(said, f"the shell could not be set up: {error}".encode())
        return 1
    program = os.fork()
    if program == 0:
        talk.close()
        execute(command, environment(data, variables), said)
    os.close(said)
    if packets is not None:
        packets.start()
    try:
        return stay(talk, program)
    finally:
        if packets is not None:
            packets.close()


def execute(command: Sequence[str], variables: Mapping[str, str], said: int) -> None:
    """Become the program. Comes back never."""
    try:
        os.set_inheritable(said, False)
        os.execvpe(command[0], list(command), dict(variables))
    except OSError as error:
        os.write(said, f"{command[0]} cannot be run: {error.strerror}".encode())
    finally:
        os._exit(127)


def stay(talk: socket.socket, program: int) -> int:
    """Until the program ends; the exit status."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    alive: list[socket.socket] = [talk]
    while True:
        ended, status = os.waitpid(program, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
        ready, _, _ = select.select([reading, *(one.fileno() for one in alive)], [], [])
        if reading in ready:
            os.read(reading, 1024)
        if talk.fileno() in ready and not serve_spare(talk):
            alive.clear()
            print("\nsandbox: the sandbox has stopped; nothing answers here any more.", file=sys.stderr)
