"""Show the certificate authority, and how to make each client trust it.

`sandbox ca` makes the authority where there is none yet, so it can be trusted before the first start.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.cli import options
from sandbox.errors import UserError
from sandbox.pki import ca_folder, ca_path

if TYPE_CHECKING:
    from sandbox.pki.authority import Authority

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `sandbox ca`."""
    options.add_data(parser)
    parser.add_argument("--for", dest="client", metavar="CLIENT",
                        help="only the steps for one client: firefox, chromium, thunderbird, curl, python, node, "
                             "java, debian, macos, windows")
    parser.add_argument("--path", action="store_true",
                        help="print only the certificate's path: curl --cacert \"$(sandbox ca --path)\" ...")


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError, AuthorityError, UserError."""
    from sandbox.pki.authority import Authority

    data = options.data_folder(options.configure(args)).absolute()
    try:
        authority = Authority.open(ca_folder(data))
    except OSError as error:
        raise UserError(f"{ca_folder(data)}: {error.strerror}. Choose another folder with --data.") from error
    if args.path:
        print(ca_path(data))
    else:
        show(authority, ca_folder(data), args.client)
    return 0


def show(authority: Authority, folder: Path, client: str | None) -> None:
    """Print the authority, then the steps for one client or for all. Raises UserError."""
    from sandbox.pki.trust import guides

    chosen = guides(str(folder), authority.name, authority.spki_hash)
    if client is not None:
        keys = ", ".join(guide.key for guide in chosen)
        chosen = tuple(guide for guide in chosen if guide.key == client.lower())
        if not chosen:
            raise UserError(f"--for {client}: not a client this knows. Use one of {keys}.")
    print(f"{authority.name}, valid until {authority.certificate.not_valid_after_utc:%Y-%m-%d}")
    print(f"  certificate  {folder}/ca.pem  (also ca.crt and ca.p12, password \"sandbox\")")
    print(f"  SHA-256      {authority.fingerprint}")
    print(f"  SPKI hash    {authority.spki_hash}")
    print()
    print("Trust it only on machines you use with the sandbox: whoever has ca.key can imitate any site to them.")
    for guide in chosen:
        print(f"\n{guide.title}")
        for step in guide.steps:
            print(f"  {step}")
        print(f"  To undo: {guide.undo}")
