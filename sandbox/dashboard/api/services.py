"""What answers here, at addresses the asker can reach; and who the asker is."""

from __future__ import annotations

import hashlib
import ssl

import msgspec

from sandbox import __version__
from sandbox.console.summary import command
from sandbox.dashboard.access import COOKIE
from sandbox.dashboard.answers import ProblemError, as_json, body_of
from sandbox.dashboard.operations import Call, Operations
from sandbox.protocols.contract.registry import find_role
from sandbox.protocols.http.messages import Response

__all__ = ["OPERATIONS"]

OPERATIONS = Operations()


SPACE = "main"
TITLES = {"http": "web", "dns": "names", "smtp": "sending mail", "pop3": "fetching mail", "imap": "reading mail",
          "ftp": "files", "sftp": "files over SSH", "tcp": "a small service"}


class ServiceRow(msgspec.Struct):
    """tls: never, upgrade, implicit; try: a command that shows it at work; title: the protocol in full."""

    name: str
    protocol: str
    host: str
    port: int
    transports: list[str]
    tls: str
    trial: str = msgspec.field(name="try")
    title: str


class Authority(msgspec.Struct):
    pem: str
    der: str
    sha256: str


class Services(msgspec.Struct):
    """failures: by name, why a service did not start; bind: the addresses that are listened on."""

    services: list[ServiceRow]
    failures: dict[str, str]
    ca: Authority | None
    proxy_pac: str
    bind: list[str]


class Me(msgspec.Struct):
    """role: owner, teacher or visitor; space: whose world it is."""

    role: str
    address: str
    space: str
    version: str
    started: float


class Login(msgspec.Struct, forbid_unknown_fields=True):
    token: str


@OPERATIONS.add("GET", "services", "What answers here, at addresses the asker can reach.", Services)
async def services(call: Call) -> Response:
    board = call.board
    cast = board.cast_for(call.asker)
    rows = []
    for name, address in board.place(call.request).items():
        protocol, role = find_role(name)
        rows.append(ServiceRow(name, protocol.name, address.host, address.port, list(role.transports), role.tls.value,
                               command(name, address, cast), TITLES.get(protocol.name, "")))
    http = board.place(call.request).get("http")
    return as_json(Services(rows, board.sandbox.failures, await authority(call),
                            f"http://{http}/proxy.pac" if http else "", list(board.sandbox.config.bind)))


async def authority(call: Call) -> Authority | None:
    http = call.board.place(call.request).get("http")
    pem = await call.board.authority()
    if http is None or not pem:
        return None
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    return Authority(f"http://{http}/ca.pem", f"http://{http}/ca.crt",
                     ":".join(digest[at:at + 2] for at in range(0, 64, 2)))


@OPERATIONS.add("GET", "me", "Who the asker is to the sandbox.", Me)
async def me(call: Call) -> Response:
    return as_json(Me(call.asker.role, call.asker.address, SPACE, __version__, call.board.started))


@OPERATIONS.add("POST", "login", "Become a teacher with the token.", Me, takes=Login)
async def login(call: Call) -> Response:
    asked = await body_of(call.request, Login)
    if not call.board.access.right(asked.token):
        raise ProblemError(403, "Not the token", "That is not this sandbox's token.",
                           "It is printed at the start, and stands in the data folder in dashboard-token.")
    response = as_json(Me("teacher", call.asker.address, SPACE, __version__, call.board.started))
    response.headers.add("Set-Cookie", f"{COOKIE}={asked.token}; Path=/; HttpOnly; SameSite=Strict")
    return response


@OPERATIONS.add("POST", "logout", "Be a visitor again.", Me)
async def logout(call: Call) -> Response:
    response = as_json(Me(call.asker.role, call.asker.address, SPACE, __version__, call.board.started))
    response.headers.add("Set-Cookie", f"{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
    return response
