"""List, show, send or export the mail of a running or a past sandbox."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.address import Address
from sandbox.cli import options
from sandbox.console import letters
from sandbox.console.escape import escape, shorten
from sandbox.console.terminal import look, tolerate
from sandbox.datafolder import read_running
from sandbox.errors import UserError
from sandbox.export import letters as export_letters
from sandbox.export import mbox
from sandbox.mailing import Login, composed, hand_over, trusting
from sandbox.message.message import Message
from sandbox.message.scan import body_start
from sandbox.world.files.layout import Files
from sandbox.world.mail import Folder, Item, MailReader, StoreError

if TYPE_CHECKING:
    from sandbox.cli.elsewhere import ElsewhereMail

__all__ = ["add", "run"]

HEADER = 262_144
"""Octets of a header that are read for a list."""


class Found(NamedTuple):
    """A message and where it is."""

    folder: Folder
    item: Item


def add(parser: argparse.ArgumentParser) -> None:
    """The actions of `sandbox mail`, and their options."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    listing = actions.add_parser("list", help="a message a line, with its number", allow_abbrev=False)
    options.add_data(listing)
    options.add_url(listing)
    add_filters(listing)
    listing.add_argument("--json", action="store_true", help="a line of JSON for each message")
    listing.set_defaults(act=show_list)

    showing = actions.add_parser("show", help="one message, readable", allow_abbrev=False)
    options.add_data(showing)
    options.add_url(showing)
    showing.add_argument("number", type=int, metavar="NUMBER", help="as `sandbox mail list` and the journal have it")
    showing.add_argument("--source", action="store_true", help="its octets as they were received, nothing else")
    showing.add_argument("--json", action="store_true", help="all that is read of it, as JSON")
    showing.add_argument("--raw", action="store_true", help="with --json: its octets as well, in base64")
    showing.set_defaults(act=show_message)

    sending = actions.add_parser("send", help="send a message to the running sandbox", allow_abbrev=False)
    options.add_data(sending)
    options.add_url(sending)
    sending.add_argument("--from", dest="sender", metavar="ADDRESS", required=True,
                         help="who sends it; one of the world's people logs in to do so")
    sending.add_argument("--to", metavar="ADDRESS", action="append", required=True,
                         help="who gets it; may be repeated")
    sending.add_argument("--subject", metavar="TEXT", default="", help="its subject")
    sending.add_argument("--file", metavar="FILE",
                         help="a whole message (.eml) to send as it is; - for standard input")
    sending.add_argument("text", metavar="TEXT", nargs="?", help="its text (default: standard input)")
    sending.set_defaults(act=send)

    exporting = actions.add_parser("export", help="write messages to a file", allow_abbrev=False)
    options.add_data(exporting)
    options.add_url(exporting)
    add_filters(exporting)
    exporting.add_argument("--mbox", metavar="FILE", required=True, help="the file to write, for other mail programs")
    exporting.set_defaults(act=export)


def add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--account", metavar="LOGIN", default="", help="only this person's (catch-all: of nobody)")
    parser.add_argument("--folder", metavar="NAME", default="", help="only folders of this name")


def run(args: argparse.Namespace) -> int:
    """Raises UserError."""
    tolerate(sys.stdout)
    status: int = args.act(args)
    return status


def open_store(args: argparse.Namespace) -> MailReader | ElsewhereMail:
    """The mail of a data folder, which a sandbox may be using, or of one elsewhere, to look at. Raises UserError."""
    if args.url:
        from sandbox.cli.elsewhere import Elsewhere, ElsewhereMail
        return ElsewhereMail(Elsewhere(args))
    data = options.data_folder(options.configure(args))
    try:
        return MailReader(Files(data).mail)
    except StoreError:
        raise UserError(f"there is no mail in {data}; start a sandbox on it with `sandbox up`, or name another "
                        "folder with --data") from None


def wanted(store: MailReader | ElsewhereMail, args: argparse.Namespace) -> Iterator[Found]:
    """The messages that pass the filters. Raises UserError for an account that is not there."""
    accounts = store.accounts()
    if args.account and args.account not in accounts:
        raise UserError(f"nobody called {args.account!r} has mail here; those who have are {', '.join(accounts)}")
    for account in [args.account] if args.account else accounts:
        for folder in store.folders(account):
            if args.folder.upper() in ("", folder.name.upper()):
                yield from (Found(folder, item) for item in store.items(folder.id))


# -- list ----------------------------------------------------------------------------------------------------


def show_list(args: argparse.Namespace) -> int:
    """A line for each message."""
    _, width = look(sys.stdout)
    with closing(open_store(args)) as store:
        for found in wanted(store, args):
            try:
                header = header_of(store, found.item.content)
            except KeyError:
                continue  # removed by a mail program just now
            if args.json:
                _, item = found
                print_json({"number": item.content, "size": item.size} | place_of(found)
                           | export_letters.brief(header, [item.recipient] if item.recipient else []))
                continue
            line = summary(header, found)
            print(shorten(line, width) if width else line)
    return 0


def summary(header: Message, found: Found) -> str:
    folder, item = found
    place = f"{folder.account}/{folder.name}"
    moment = datetime.fromtimestamp(item.received).astimezone().strftime("%Y-%m-%d %H:%M")
    sender, subject = letters.field_line(header, "From"), letters.field_line(header, "Subject")
    return (f"{item.content:>6}  {moment}  {escape(place):<16} {item.size:>9,}  {sender}: {subject or '(no subject)'}"
            + (f"  (for {escape(item.recipient)})" if folder.account == "catch-all" else ""))


def header_of(store: MailReader | ElsewhereMail, content: int) -> Message:
    """A message's header. Of a large message only the beginning is read."""
    start = b""
    for piece in store.read(content):
        start += piece
        if body_start(start, 0, len(start)) < len(start) or len(start) > HEADER:
            break
    return Message(start[:body_start(start, 0, len(start))])


# -- show ----------------------------------------------------------------------------------------------------


def show_message(args: argparse.Namespace) -> int:
    """One message. Raises UserError when there is none of that number."""
    if args.raw and not args.json:
        raise UserError("--raw goes with --json; --source alone writes the message's octets")
    with closing(open_store(args)) as store:
        try:
            pieces = store.read(args.number)
        except (KeyError, OverflowError):
            raise UserError(f"there is no message {args.number} here; `sandbox mail list` shows the numbers"
                            ) from None
        if args.source and not sys.stdout.isatty():
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return 0
        octets = b"".join(pieces)
        if args.json:
            copies = [place_of(found) for found in everything(store) if found.item.content == args.number]
            print_json({"number": args.number, "size": len(octets), "copies": copies}
                       | export_letters.whole(Message(octets), [each["recipient"] for each in copies
                                                                if each["recipient"]], raw=args.raw))
            return 0
    if args.source:  # a terminal would obey what is in it
        shown = letters.text_lines(octets.decode("utf-8", "backslashreplace"))
    else:
        shown = letters.lines(Message(octets))
    for line in shown:
        print(line)
    return 0


def everything(store: MailReader | ElsewhereMail) -> Iterator[Found]:
    """Every message in every folder."""
    for account in store.accounts():
        for folder in store.folders(account):
            yield from (Found(folder, item) for item in store.items(folder.id))


def place_of(found: Found) -> dict[str, Any]:
    folder, item = found
    return export_letters.place(folder.account, folder.name, item.uid, item.flags, item.received, item.recipient)


def print_json(value: dict[str, Any]) -> None:
    """On one line, ASCII alone, which no terminal obeys."""
    print(json.dumps(value))


# -- send ----------------------------------------------------------------------------------------------------


def send(args: argparse.Namespace) -> int:
    """One message over SMTP, as any mail program would. Raises UserError."""
    if args.url:
        return send_elsewhere(args)
    config = options.configure(args)
    data = options.data_folder(config)
    running = read_running(data)
    if running is None:
        raise UserError(f"no sandbox runs on {data}; start one with `sandbox up`, or name its folder with --data")
    text = written(args)
    login, password = find_person(data, config.world, args.sender)
    role = "submission" if login and "submission" in running.services else "smtp"
    if role not in running.services:
        raise UserError(f"the sandbox on {data} has no mail service; turn smtp or submission on in its configuration")
    address = Address(running.services[role].host, running.services[role].port)
    try:
        entry = Login(login, password, trusting(data)) if role == "submission" else None
        handed = hand_over(address, args.sender, args.to, text, entry)
    except UserError as error:
        raise UserError(f"{role} at {address.host} port {address.port} did not take it: {escape(str(error))}"
                        ) from error
    for recipient, said in handed.refused.items():
        print(f"sandbox mail: not for {escape(recipient)}: {escape(said)}", file=sys.stderr)
    how = f"{role} took it from {login}" if role == "submission" else f"{role} took it, as from a server elsewhere"
    print(f"{how}; `sandbox log --protocol smtp` shows how it went.")
    return 1 if handed.refused else 0


def send_elsewhere(args: argparse.Namespace) -> int:
    """The same by the API of a sandbox on another machine, which composes the letter."""
    from sandbox.cli.elsewhere import Elsewhere
    if args.file is not None:
        raise UserError("--file sends a whole message over SMTP; with --url, give the text, or run it where the "
                        "sandbox runs")
    text = sys.stdin.read() if args.text is None else args.text + "\n"
    sent = Elsewhere(args).api.post("mail", {"from": args.sender, "to": args.to, "subject": args.subject,
                                             "text": text})
    for one in sent["refused"]:
        print(f"sandbox mail: not for {escape(one['recipient'])}: {escape(one['said'])}", file=sys.stderr)
    print(f"{sent['service']} took it: {escape(sent['said'])}; `sandbox log session:{sent['session']}` shows how it "
          "went.")
    return 1 if sent["refused"] else 0


def written(args: argparse.Namespace) -> bytes:
    """The message that the options make, or name."""
    if args.file is not None:
        if args.text is not None or args.subject:
            raise UserError("--file is a whole message; leave the text and --subject away")
        try:
            text = sys.stdin.buffer.read() if args.file == "-" else Path(args.file).read_bytes()
        except OSError as error:
            raise UserError(f"{args.file} cannot be read: {error.strerror}") from None
        return re.sub(rb"\r\n|\r|\n", b"\r\n", text)  # a file has the line ends of its system
    return composed(args.sender, args.to, args.subject,
                    sys.stdin.read() if args.text is None else args.text + "\n")


def find_person(data: Path, world_file: str, address: str) -> tuple[str, str]:
    """(login, password) of the one of the world's people who has an address; empty where nobody has it."""
    from sandbox.world import World
    with closing(World.load(Path(world_file) if world_file else None, data)) as world:
        account = world.accounts.get(parseaddr(address)[1])
        return (account.login, account.password) if account is not None else ("", "")


# -- export --------------------------------------------------------------------------------------------------


def export(args: argparse.Namespace) -> int:
    """An mbox file of the messages that pass the filters. Raises UserError."""
    count = 0
    try:
        with closing(open_store(args)) as store, open(args.mbox, "wb") as file:
            for found in wanted(store, args):
                try:
                    mbox.entry(store.read(found.item.content), found.item.received, file)
                except KeyError:
                    continue  # removed by a mail program just now
                count += 1
    except OSError as error:
        raise UserError(f"{args.mbox} cannot be written: {error.strerror}") from None
    print(f"{count} {'message' if count == 1 else 'messages'} in {args.mbox}")
    return 0
