"""show the certificate authority, and how to make each client trust it

`sandbox ca` makes the authority where there is none yet, so it can be trusted before the first start.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.pki import ca_folder, ca_path

if TYPE_CHECKING:
    from sandbox.pki.authority import Authority

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--data", metavar="DIR", help="the data folder (default: your own)")
    parser.add_argument("--for", dest="client", metavar="CLIENT",
                        help="only the steps for one client: firefox, chromium, thunderbird, curl, python, node, "
                             "java, debian, macos, windows")
    parser.add_argument("--path", action="store_true",
                        help="print only the certificate's path: curl --cacert \"$(sandbox ca --path)\" ...")


def run(args: argparse.Namespace) -> int:
    """Print. 0, or 2 when the authority or the client's name cannot be used."""
    from sandbox.pki.authority import Authority, AuthorityError

    data = Path(args.data).expanduser() if args.data else default_data()
    try:
        authority = Authority.open(ca_folder(data))
    except AuthorityError as error:
        print(f"sandbox ca: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"sandbox ca: {ca_folder(data)}: {error.strerror}. Choose another folder with --data.", file=sys.stderr)
        return 2
    if args.path:
        print(ca_path(data).absolute())
        return 0
    return show(authority, ca_folder(data).absolute(), args.client)


def show(authority: Authority, folder: Path, client: str | None) -> int:
    """Print the authority, then the steps for one client or for all."""
    from sandbox.pki.trust import guides

    chosen = guides(str(folder), authority.name, authority.spki_hash)
    if client is not None:
        keys = ", ".join(guide.key for guide in chosen)
        chosen = tuple(guide for guide in chosen if guide.key == client.lower())
        if not chosen:
            print(f"sandbox ca: --for {client}: not a client this knows. Use one of {keys}.", file=sys.stderr)
            return 2
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
    return 0


def default_data() -> Path:
    """The data folder of someone who named none (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".local" / "share") / "sandbox"
