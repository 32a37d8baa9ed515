"""Mail programs with an account set up for one of the world's people."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sandbox.datafolder import Endpoint
from sandbox.errors import UserError
from sandbox.shell.browsers import Start
from sandbox.shell.profiles import THUNDERBIRD, mozilla

__all__ = ["MAILERS", "Mailbox", "chosen", "prepare"]

MAILERS = ("thunderbird", "mutt", "neomutt", "aerc")


class Mailbox(NamedTuple):
    """Whose mail. address: the person's."""

    name: str
    login: str
    password: str
    address: str


def chosen(wanted: str = "") -> str:
    """The program to start, "" where none is there."""
    return next((found for name in ([wanted] if wanted else MAILERS) if (found := shutil.which(name))), "")


def prepare(program: str, person: Mailbox, running: Mapping[str, Endpoint], folder: Path, ca: str) -> Start:
    """Write the settings, and say how to start. running: where the services are, as the program reaches them. Raises
    UserError when this sandbox has no IMAP or no submission with TLS."""
    try:
        incoming, outgoing = running["imaps"], running["submissions"]
    except KeyError as error:
        raise UserError(f"a mail program needs the service {error}, and this sandbox has it turned off") from None
    name = Path(program).name
    if name == "thunderbird":
        return thunderbird(program, person, incoming, outgoing, folder, ca)
    if name == "aerc":
        return aerc(program, person, incoming, outgoing, folder, ca)
    return mutt(program, person, incoming, outgoing, folder, ca)


def thunderbird(program: str, person: Mailbox, incoming: Endpoint, outgoing: Endpoint, folder: Path,
                ca: str) -> Start:
    server, smtp, identity, account = ("mail.server.server1", "mail.smtpserver.smtp1", "mail.identity.id1",
                                       "mail.account.account1")
    some = {
        **THUNDERBIRD,
        "mail.accountmanager.accounts": "account1", "mail.accountmanager.defaultaccount": "account1",
        f"{account}.server": "server1", f"{account}.identities": "id1",
        f"{identity}.fullName": person.name, f"{identity}.useremail": person.address,
        f"{identity}.smtpServer": "smtp1",
        f"{identity}.valid": True,
        f"{server}.type": "imap", f"{server}.hostname": incoming.host, f"{server}.port": incoming.port,
        f"{server}.socketType": 3, f"{server}.authMethod": 3, f"{server}.userName": person.login,
        f"{server}.name": person.address, f"{server}.check_new_mail": True, f"{server}.login_at_startup": True,
        "mail.smtpservers": "smtp1", "mail.smtp.defaultserver": "smtp1",
        f"{smtp}.hostname": outgoing.host, f"{smtp}.port": outgoing.port, f"{smtp}.try_ssl": 3,
        f"{smtp}.authMethod": 3,
        f"{smtp}.username": person.login,
    }
    trusted = mozilla(folder, some, ca)
    start = Start([program, "--no-remote", "--profile", str(folder)])
    start.files["user.js"] = (folder / "user.js").read_text()
    start.notes.append(f"It asks for the password of {person.login}: {person.password}")
    if not trusted:
        start.notes.append("certutil is missing (Debian: libnss3-tools): it will ask about the certificate.")
    return start


def mutt(program: str, person: Mailbox, incoming: Endpoint, outgoing: Endpoint, folder: Path, ca: str) -> Start:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f'set realname = "{person.name}"', f'set from = "{person.address}"',
        f'set imap_user = "{person.login}"', f'set imap_pass = "{person.password}"',
        f'set folder = "imaps://{incoming.host}:{incoming.port}/"', 'set spoolfile = "+INBOX"',
        'set record = "+Sent"',
        f'set smtp_url = "smtps://{person.login}@{outgoing.host}:{outgoing.port}/"',
        f'set smtp_pass = "{person.password}"', f'set certificate_file = "{ca}"', "set ssl_force_tls = yes",
        "set ssl_usesystemcerts = yes", f'set header_cache = "{folder}/cache"', "set mail_check = 5",
    ]
    (folder / "muttrc").write_text("\n".join(lines) + "\n")
    return Start([program, "-F", str(folder / "muttrc")], files={"muttrc": (folder / "muttrc").read_text()})


def aerc(program: str, person: Mailbox, incoming: Endpoint, outgoing: Endpoint, folder: Path, ca: str) -> Start:
    config = folder / "aerc"
    config.mkdir(parents=True, exist_ok=True)
    accounts = "\n".join([
        f"[{person.name}]", f"source = imaps://{person.login}:{person.password}@{incoming.host}:{incoming.port}",
        f"outgoing = smtps://{person.login}:{person.password}@{outgoing.host}:{outgoing.port}",
        f"from = {person.name} <{person.address}>", "default = INBOX", "copy-to = Sent", ""])
    (config / "accounts.conf").write_text(accounts)
    (config / "accounts.conf").chmod(0o600)
    return Start([program], {"XDG_CONFIG_HOME": str(folder), **({"SSL_CERT_FILE": ca} if ca else {})},
                 files={"accounts.conf": accounts})
