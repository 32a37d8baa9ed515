"""The configuration: every setting, typed, with its default and its reason.

`load` reads one from a file, the environment and options; `describe` writes one with comments. This module knows
nobody else in the package, so that any room may import the section it is built with. Sizes are octets, times
seconds.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

__all__ = ["Config", "Console", "Dns", "Files", "Ftp", "Http", "Journal", "Limits", "Mail", "Section"]

Positive = Annotated[int, Meta(ge=1)]
Port = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[float, Meta(gt=0)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the configuration."""


class Limits(Section, frozen=True):
    """What one client may take. Every limit is there so that no client can use up the machine."""

    connections: Annotated[Positive, Meta(description="open connections in all")] = 10_000
    connections_per_client: Annotated[Positive, Meta(description="open connections from one address")] = 8_000
    line: Annotated[Positive, Meta(description="one line of a line protocol, with its line end")] = 8_192
    head: Annotated[Positive, Meta(description="one HTTP request head")] = 32_768
    body: Annotated[Positive, Meta(description="one request body")] = 1_073_741_824
    idle: Annotated[Seconds, Meta(description="waiting for a client that sends or takes nothing; "
                                  "longer where a protocol's RFC says so: POP3 600")] = 300.0
    head_seconds: Annotated[Seconds, Meta(description="for one whole request head")] = 30.0
    handshake: Annotated[Seconds, Meta(description="for one TLS handshake")] = 15.0
    total: Annotated[Seconds, Meta(description="one connection, from open to close")] = 86_400.0
    grace: Annotated[Seconds, Meta(description="for open connections when the sandbox stops")] = 1.0


class Journal(Section, frozen=True):
    """What is recorded, and how much of it is kept."""

    size: Annotated[Positive, Meta(
        description="the store's size; the oldest whole sessions leave first")] = 2_000_000_000
    body_limit: Annotated[Positive, Meta(description="octets kept of one side of one exchange; of a longer one "
                                         "the length and SHA-256 are kept")] = 67_108_864
    queue: Annotated[Positive, Meta(description="octets waiting for the writer before clients wait")] = 67_108_864
    mask_passwords: Annotated[bool, Meta(
        description="write ******** for passwords that crossed the wire readable, in the lines, on the page and in "
                    "the API, for those who type real ones; the recorded octets have them all the same")] = False


class Http(Section, frozen=True):
    """The web."""

    debug: Annotated[bool, Meta(description="show an application's traceback in the 500 page")] = False
    keep_alive: Annotated[Seconds, Meta(
        description="how long an idle connection is kept for the next request")] = 75.0
    compress: Annotated[bool, Meta(description="gzip and deflate for text when the client accepts them")] = True
    proxy: Annotated[bool, Meta(description="answer as a forward proxy (absolute-form, CONNECT)")] = True


class Dns(Section, frozen=True):
    """Names."""

    unknown: Annotated[Literal["sandbox", "nxdomain"], Meta(
        description="what names outside the world's domains resolve to: the sandbox, or NXDOMAIN")] = "sandbox"
    ttl: Annotated[int, Meta(ge=0, le=86_400, description="time to live of the built-in records")] = 60
    udp_size: Annotated[int, Meta(ge=512, le=4096, description="largest UDP answer; more is truncated "
                                  "(1232 avoids fragments, RFC 9715)")] = 1232
    transfer: Annotated[Literal["loopback", "anyone", "nobody"], Meta(
        description="who may copy whole zones (AXFR)")] = "loopback"
    keys: Annotated[dict[str, str], Meta(
        description="who may change names by DNS UPDATE (RFC 2136): the name of a TSIG key, and its secret in base64 "
                    "(HMAC-SHA256); empty for nobody")] = {}
    hierarchy: Annotated[tuple[str, ...], Meta(
        description="addresses of the name servers of the root, the top-level domains and the domains, which are on "
                    "the port of dns; empty for none; loopback ones are left out where bind has others")
        ] = ("127.53.0.1", "127.53.0.2", "127.53.0.3")


class Files(Section, frozen=True):
    """Everybody's files, however they are reached."""

    quota: Annotated[Positive, Meta(
        description="octets that fit into one home, one site's folder, or the public folder")] = 4_294_967_296
    entries: Annotated[Positive, Meta(description="files and folders that fit into one of them")] = 100_000


class Ftp(Section, frozen=True):
    """Files over FTP."""

    passive_ports: Annotated[tuple[Port, Port], Meta(
        description="first and last port for passive data connections; 0 and 0 for any free one")] = (0, 0)
    advertise: Annotated[str, Meta(
        description="IPv4 address told to passive clients; empty: the one they reached")] = ""
    accept_seconds: Annotated[Seconds, Meta(description="waiting for a data connection")] = 30.0
    anonymous: Annotated[bool, Meta(description="let anybody in as anonymous, to read the public folder")] = True


class Mail(Section, frozen=True):
    """Mail: SMTP, POP3, and the store behind them."""

    catch_all: Annotated[bool, Meta(
        description="keep mail for domains outside the world in a mailbox of its own; else refuse it")] = True
    require_tls: Annotated[bool, Meta(
        description="refuse passwords on connections that are not encrypted")] = False
    channel_binding: Annotated[bool, Meta(
        description="offer logins that are tied to their TLS connection (SCRAM-SHA-256-PLUS, RFC 5802 §6); Debian's "
                    "mutt takes what is offered, has no binding to give, and gives up")] = False
    size: Annotated[Positive, Meta(description="octets of one message")] = 104_857_600
    quota: Annotated[int, Meta(ge=0, description="octets of one account's mail; 0 for no limit")] = 1_073_741_824
    durability: Annotated[Literal["power", "process", "memory"], Meta(
        description="what an accepted message survives: a power cut, a killed process, or nothing")] = "power"
    retry: Annotated[tuple[Seconds, ...], Meta(
        description="the waits before each new attempt to pass mail on; then it is given up")] = (5, 30, 120, 600)


class Console(Section, frozen=True):
    """The live lines in the terminal."""

    color: Annotated[Literal["auto", "always", "never"], Meta(
        description="colours; auto asks the terminal and NO_COLOR")] = "auto"
    explain: Annotated[bool, Meta(description="end each line with one explaining sentence")] = True


class Config(Section, frozen=True):
    """Everything."""

    bind: Annotated[tuple[str, ...], Meta(description="addresses to listen on")] = ("127.0.0.1", "::1")
    advertise: Annotated[tuple[str, ...], Meta(
        description="addresses that DNS gives for the sandbox; empty: those of bind")] = ()
    ports: Annotated[Literal["standard", "high", "ephemeral"], Meta(
        description="well-known ports (need privileges), those + 8000, or any free ones")] = "high"
    data: Annotated[str, Meta(description="the data folder; empty: the user's own, $XDG_DATA_HOME/sandbox")] = ""
    ephemeral: Annotated[bool, Meta(description="keep nothing: a temporary data folder, removed at the end")] = False
    world: Annotated[str, Meta(description="a world file, relative to this file; empty: the built-in world")] = ""
    services: Annotated[dict[str, bool | Annotated[int, Meta(ge=1, le=65535)]], Meta(
        description="services by name: false for off, a number for a port of your own")] = {}
    faults: Annotated[tuple[dict[str, str | bool | int | float], ...], Meta(
        description="what shall fail on purpose, a table for each rule (docs/reference/faults.md)")] = ()
    limits: Limits = Limits()
    journal: Journal = Journal()
    http: Http = Http()
    dns: Dns = Dns()
    files: Files = Files()
    ftp: Ftp = Ftp()
    mail: Mail = Mail()
    console: Console = Console()
