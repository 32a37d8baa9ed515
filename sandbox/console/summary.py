"""What `sandbox up` says once everything listens. A pure function from facts to text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sandbox.address import Address
from sandbox.console.escape import cells, escape
from sandbox.console.terminal import BOLD, DIM, paint

__all__ = ["COMMANDS", "command", "summary"]

COMMANDS: Mapping[str, str] = {
    "http": "curl http://{address}/",
    "https": "curl --cacert $(sandbox ca --path) --connect-to ::{address} https://www.example.com/",
    "https-legacy": "openssl s_client -tls1 -cipher @SECLEVEL=0 -connect {address}",
    "domain-s": "kdig +tls @{host} -p {port} www.example.com",
    "dns": "dig @{host} -p {port} www.example.com",
    "smtp": "swaks --server {host} --port {port} --from ada@example.org --to alice@example.com",
    "submission": "swaks --server {host} --port {port} --tls --au alice --ap wonderland --to bob@example.com",
    "submissions": "swaks --server {host} --port {port} --tls-on-connect --au alice --ap wonderland "
                   "--to bob@example.com",
    "pop3": "curl -u alice:wonderland pop3://{address}/",
    "pop3s": "curl -k -u alice:wonderland pop3s://{address}/",
    "ftp": "curl -u alice:wonderland ftp://{address}/",
    "ftps": "curl -k -u alice:wonderland ftps://{address}/",
    "sftp": "sftp -P {port} alice@{host}",
    "imap": "curl -u alice:wonderland imap://{address}/",
    "imaps": "curl -k -u alice:wonderland imaps://{address}/",
    "echo": "echo hello | nc -w 1 {host} {port}",
    "discard": "echo hello | nc -w 1 {host} {port}",
    "daytime": "nc {host} {port} </dev/null",
    "qotd": "nc {host} {port} </dev/null",
    "chargen": "nc {host} {port} </dev/null | head",
    "time": "nc {host} {port} </dev/null | xxd",
}
"""A command to try for each role. address: host and port as a URL has them, without the port where it is 80."""

GAP = "  "


def command(role: str, address: Address) -> str:
    """The command to try against a service; "" for a role without one."""
    shown = reachable(address)
    url = str(shown).removesuffix(":80")
    return COMMANDS.get(role, "").format(host=shown.host, port=shown.port, address=url)


def summary(endpoints: Mapping[str, Address], people: Mapping[str, str], *, data: str, hosts: Sequence[str] = (),
            failed: Mapping[str, str] | None = None, host_key: str = "", ephemeral: bool = False,
            page: str = "", color: bool = False) -> str:
    """The text after the start, with a line end at its end.

    endpoints: each service's address by role; people: passwords by account; data: the data folder; hosts: every
    address that is listened on; failed: by role, why it did not start and what helps; host_key: the fingerprint by
    which SSH clients know this sandbox, "" where there is no SSH; page: the URL of the live page, "" without one.
    """
    parts = ["", paint("The sandbox is ready. Nothing in it leaves this machine.", BOLD, color=color), ""]
    if page:
        parts += [f"{GAP}See it all in a browser: {paint(page, BOLD, color=color)}", ""]
    parts += _table([(role, str(reachable(address)), command(role, address)) for role, address in endpoints.items()],
                    ("service", "address", "try"), color=color)
    if len(hosts) > 1:
        parts.append(f"{GAP}Each of them listens on {', '.join(hosts[:-1])} and {hosts[-1]}.")
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


def reachable(address: Address) -> Address:
    """The address to type: a service on every interface is reached over loopback."""
    return Address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host), address.port)


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
