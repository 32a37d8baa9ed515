"""What `sandbox up` says once everything listens. A pure function from facts to text."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sandbox.address import Address
from sandbox.console.escape import cells, escape
from sandbox.console.terminal import BOLD, DIM, paint

__all__ = ["COMMANDS", "Cast", "cast_of", "command", "summary"]

COMMANDS: Mapping[str, str] = {
    "http": "curl http://{address}/",
    "https": "curl --cacert $(sandbox ca --path) --connect-to ::{address} https://www.{domain}/",
    "https-legacy": "openssl s_client -tls1 -cipher @SECLEVEL=0 -connect {address}",
    "domain-s": "kdig +tls @{host} -p {port} www.{domain}",
    "dns": "dig @{host} -p {port} www.{domain}",
    "resolver": "dig @{host} -p {port} www.{domain}",
    "dns-root": "dig @{host} -p {port} +norec www.{domain}",
    "dns-tld": "dig @{host} -p {port} +norec www.{domain}",
    "dns-domains": "dig @{host} -p {port} +norec www.{domain}",
    "smtp": "swaks --server {host} --port {port} --from ada@{elsewhere} --to {login}@{domain}",
    "submission": "swaks --server {host} --port {port} --tls --au {login} --ap {password} "
                  "--to {other}@{domain}",
    "submissions": "swaks --server {host} --port {port} --tls-on-connect --au {login} --ap {password} "
                   "--to {other}@{domain}",
    "pop3": "curl -u {login}:{password} pop3://{address}/",
    "pop3s": "curl -k -u {login}:{password} pop3s://{address}/",
    "ftp": "curl -u {login}:{password} ftp://{address}/",
    "ftps": "curl -k -u {login}:{password} ftps://{address}/",
    "sftp": "sftp -P {port} {login}@{host}",
    "imap": "curl -u {login}:{password} imap://{address}/",
    "imaps": "curl -k -u {login}:{password} imaps://{address}/",
    "echo": "echo hello | nc -w 1 {host} {port}",
    "discard": "echo hello | nc -w 1 {host} {port}",
    "daytime": "nc {host} {port} </dev/null",
    "qotd": "nc {host} {port} </dev/null",
    "chargen": "nc {host} {port} </dev/null | head",
    "time": "nc {host} {port} </dev/null | xxd",
}
"""A command to try for each role. address: host and port as a URL has them, without the port where it is 80."""



class Cast(NamedTuple):
    """Whom and what the commands are about. elsewhere: a domain that mail comes from."""

    login: str = "alice"
    password: str = "wonderland"
    other: str = "bob"
    domain: str = "example.com"
    elsewhere: str = "example.org"


def cast_of(people: Mapping[str, str], domains: Sequence[str]) -> Cast:
    """Those of a world: the well-known ones where it has them, else its first. people: passwords by login."""
    usual = Cast()
    if not people or not domains:
        return usual
    login = usual.login if usual.login in people else next(iter(people))
    others = [name for name in people if name != login]
    other = usual.other if usual.other in others else (others or [login])[0]
    domain = usual.domain if usual.domain in domains else domains[0]
    elsewhere = [name for name in domains if name != domain]
    return Cast(login, shlex.quote(people[login]), other, domain,
                usual.elsewhere if usual.elsewhere in elsewhere else (elsewhere or [usual.elsewhere])[0])


GAP = "  "


def command(role: str, address: Address, cast: Cast = Cast(), reach: Sequence[str] = ()) -> str:  # noqa: B008
    """The command to try against a service; "" for a role without one. cast: of the world; reach: as in `summary`."""
    shown = reachable(address, reach)
    url = str(shown).removesuffix(":80")
    return COMMANDS.get(role, "").format(host=shown.host, port=shown.port, address=url, **cast._asdict())


def summary(endpoints: Mapping[str, Address], people: Mapping[str, str], *, data: str, hosts: Sequence[str] = (),
            failed: Mapping[str, str] | None = None, host_key: str = "", ephemeral: bool = False,
            page: str = "", elsewhere: str = "", teacher: str = "",
            color: bool = False, domains: Sequence[str] = (), reach: Sequence[str] = ()) -> str:
    """The text after the start, with a line end at its end.

    endpoints: each service's address by role; people: passwords by account; data: the data folder; hosts: every
    address that is listened on; failed: by role, why it did not start and what helps; host_key: the fingerprint by
    which SSH clients know this sandbox, "" where there is no SSH; page: the URL of the live page, "" without one;
    elsewhere: its URL for other machines, teacher: the one with the token in it, "" where they cannot reach it;
    domains: of the world; reach: this machine's addresses, for services on all of its interfaces.
    """
    parts = ["", paint("The sandbox is ready. Nothing in it leaves this machine.", BOLD, color=color), ""]
    if page:
        parts.append(f"{GAP}See it all in a browser: {paint(page, BOLD, color=color)}")
        if elsewhere:
            parts += [f"{GAP}On other machines:       {elsewhere}  (each sees their own traffic)",
                      f"{GAP}As the teacher there:    {teacher}"]
        parts.append("")
    cast = cast_of(people, domains)
    parts += _table([(role, str(reachable(address, reach)), command(role, address, cast, reach))
                     for role, address in endpoints.items()], ("service", "address", "try"), color=color)
    if len(hosts) > 1:
        # The name servers of the hierarchy have addresses of their own.
        alone = ", ".join(role for role, address in endpoints.items() if address.host not in hosts)
        parts.append(f"{GAP}Each of them listens on {', '.join(hosts[:-1])} and {hosts[-1]}"
                     + (f"; only where shown: {alone}." if alone else "."))
    if host_key:
        parts.append(f"{GAP}SFTP asks whether to trust {host_key}: it should.")
    if failed:
        parts += ["", paint("Did not start:", "33", color=color)]
        parts += [f"{GAP}{role}: {escape(reason)}" for role, reason in failed.items()]
    if people:
        parts += ["", *_table(list(people.items()), ("account", "password"), color=color)]
    kept = "removed at the end" if ephemeral else "kept between runs"
    parts += ["", f"{GAP}Data: {escape(data)} ({kept})",
              f"{GAP}See it again: sandbox log      What does it mean: sandbox explain WORD",
              f"{GAP}Stop: Ctrl-C", ""]
    return "\n".join(parts) + "\n"


def reachable(address: Address, reach: Sequence[str] = ()) -> Address:
    """The address to type, here and elsewhere: for a service on every interface one of the machine's own, which
    other machines can use too, or loopback where it has no other."""
    if address.host not in ("0.0.0.0", "::"):
        return address
    six = address.host == "::"
    own = next((host for host in reach if (":" in host) == six), "::1" if six else "127.0.0.1")
    return Address(own, address.port)


def _table(rows: Sequence[tuple[str, ...]], titles: tuple[str, ...], *, color: bool) -> list[str]:
    if not rows:
        return []
    rows = [tuple(escape(cell) for cell in row) for row in rows]
    widths = [_widest([title, *(row[column] for row in rows)]) for column, title in enumerate(titles)]

    def joined(row: tuple[str, ...]) -> str:
        return GAP + GAP.join(cell + " " * (width - cells(cell))
                              for cell, width in zip(row, widths, strict=True)).rstrip()

    return [paint(joined(titles), DIM, color=color), *map(joined, rows)]


def _widest(texts: Iterable[str]) -> int:
    return max(map(cells, texts), default=0)
