"""Show what a running or a past sandbox recorded."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TextIO

from sandbox.cli import options
from sandbox.console.lines import clock, json_line, line
from sandbox.console.raw import transcript
from sandbox.console.remarks import details
from sandbox.console.terminal import look, tolerate
from sandbox.errors import UserError
from sandbox.filter import Filter, parse
from sandbox.journal.reader import Found, Reader
from sandbox.journal.records import Exchange, Session, Stream
from sandbox.journal.store import FILE
from sandbox.protocols.contract.registry import PROTOCOLS

__all__ = ["add", "run", "since"]

POLL = 0.25
"""Seconds between two looks into the store with --follow."""

PATIENCE = 1.0
"""Seconds without anything found after which a terminal is told how far the search is."""

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
SIDES = {stream.name.lower().replace("_", "-"): stream for stream in Stream}


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    names = dict.fromkeys([*(protocol.name for protocol in PROTOCOLS),
                           *(role.name for protocol in PROTOCOLS for role in protocol.roles)])
    parser.add_argument("filter", metavar="FILTER", nargs="*", help="which exchanges: words, or terms such as "
                        "protocol:http, outcome:4xx, is:error; behind -- where it begins with a minus")
    options.add_data(parser)
    options.add_url(parser)
    parser.add_argument("--follow", "-f", action="store_true", help="go on as more happens, until Ctrl-C")
    parser.add_argument("--protocol", metavar="NAME", default="", choices=list(names),
                        help=f"only this protocol or service: {', '.join(names)}")
    parser.add_argument("--client", metavar="HOST", default="", help="only this client's address")
    parser.add_argument("--since", metavar="WHEN", type=checked_since, default=None,
                        help="from then on: 30s, 10m, 2h, 1d ago, or 2026-01-31T10:00")
    parser.add_argument("--limit", metavar="N", type=positive, default=None, help="only the last N exchanges")
    parser.add_argument("--explain", action=argparse.BooleanOptionalAction, default=None,
                        help="with or without the explaining sentences; with --raw: every part explained")
    parser.add_argument("--traceback", action="store_true",
                        help="with the traceback of what failed, and what an application wrote to wsgi.errors")
    parser.add_argument("--color", choices=["auto", "always", "never"], default="auto",
                        help="colours (default: auto, which asks the terminal and NO_COLOR)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON lines")
    form.add_argument("--journeys", action="store_true",
                      help="clicks, letters and uploads, each with all that it set in motion")
    form.add_argument("--count", action="store_true", help="only how many there are")
    form.add_argument("--raw", metavar="SESSION", type=positive, help="the bytes of one session, readable")
    form.add_argument("--handshake", metavar="SESSION", type=positive,
                      help="how one session began: TCP's handshake and that of TLS, explained")
    parser.add_argument("--side", choices=list(SIDES),
                        help="with --raw: the bytes of one side as they were, nothing else; escaped on a terminal")
    parser.add_argument("--as-is", action="store_true",
                        help="with --side: to a terminal too, which obeys what is in them")


def run(args: argparse.Namespace) -> int:
    """Print what is asked for. Raises UserError, also when there is no such journal or session."""
    if args.raw is None and args.side:
        raise UserError("--side says which bytes of one session to show; name it with --raw SESSION")
    if args.as_is and not args.side:
        raise UserError("--as-is goes with --raw SESSION --side; everything else is always shown escaped")
    if args.raw is not None or args.handshake is not None:
        if args.follow:
            raise UserError("--raw and --handshake show one session as it is now; leave --follow away")
        if args.filter:
            raise UserError("--raw and --handshake show one session whole; leave the filter away")
    if (args.count or args.journeys) and args.follow:
        raise UserError("--count and --journeys show what there is now; leave --follow away")
    tolerate(sys.stdout)
    matcher = meant(args)
    try:
        if args.url:
            return show_remote(args, str(matcher))
        with Reader(options.data_folder(options.configure(args)) / FILE) as reader:
            if args.handshake is not None:
                return show_handshake(reader, args.handshake)
            if args.journeys:
                return show_journeys(reader, matcher, args)
            return show_raw(reader, args) if args.raw is not None else show(reader, matcher, args)
    except KeyboardInterrupt:  # the way to end --follow
        return 0


def meant(args: argparse.Namespace) -> Filter:
    """The filter, with a term for each of the options that are short forms of one. Raises FilterError."""
    text = " ".join(args.filter)
    parse(text)     # an error names a place in what was written, not in what it is put together with
    names = {protocol.name for protocol in PROTOCOLS}
    terms = {"protocol" if args.protocol in names else "service": args.protocol, "client": args.client.strip("[]"),
             "since": args.since}
    short = [f'{key}:"{escaped(value)}"' for key, value in terms.items() if value]
    return parse(" ".join([*short, f"({text})"] if text.strip() else short))


def escaped(value: str) -> str:
    """As it stands between quotation marks in a filter."""
    return value.replace("\\", "\\\\").replace('"', '\\"')


def show(reader: Reader, matcher: Filter, args: argparse.Namespace) -> int:
    """The exchanges, oldest first, or how many they are."""
    write = writer(args)
    last = reader.last()
    progress = Progress(sys.stderr)
    if args.limit is not None:
        exchanges: Iterable[tuple[Session, Exchange]] = latest(progress.over(
            reader.search(matcher, before=last + 1, newest=True)), args.limit)
    else:
        found = progress.over(reader.search(matcher, before=last + 1))
        exchanges = (pair for piece in found for pair in piece.exchanges)
    if args.count:
        print(f"{sum(1 for _ in exchanges)}")
        return 0
    for session, exchange in exchanges:
        write(session, exchange)
    while args.follow:
        sys.stdout.flush()
        time.sleep(POLL)
        upto = reader.last()
        if upto == last:
            continue
        for piece in reader.search(matcher, after=last, before=upto + 1):
            for session, exchange in piece.exchanges:
                write(session, exchange)
        last = upto
    return 0


def show_remote(args: argparse.Namespace, text: str) -> int:
    """The same of a sandbox elsewhere. Raises UserError."""
    from sandbox.cli.elsewhere import Elsewhere

    if args.raw is not None or args.handshake is not None or args.journeys:
        raise UserError("--raw, --handshake and --journeys read the journal itself; with --url, see the same on the "
                        "live page")
    remote, write = Elsewhere(args), writer(args)
    if args.count:
        print(f"{sum(1 for _ in remote.exchanges(text))}")
        return 0
    last = remote.last()
    for session, exchange in remote.exchanges(text) if args.limit is None else remote.newest(text, args.limit):
        write(session, exchange)
        last = max(last, exchange.id)
    sys.stdout.flush()
    for session, exchange in remote.follow(text, last) if args.follow else ():
        write(session, exchange)
        sys.stdout.flush()
    return 0


def latest(search: Iterable[Found], limit: int) -> list[tuple[Session, Exchange]]:
    """The first so many of a search for the newest, oldest first."""
    exchanges: list[tuple[Session, Exchange]] = []
    for piece in search:
        exchanges += piece.exchanges
        if len(exchanges) >= limit:
            break
    return exchanges[:limit][::-1]


class Progress:
    """Says how far a search is to somebody who waits at a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def over(self, search: Iterable[Found]) -> Iterator[Found]:
        """The same slices; it is said while none had anything for a second."""
        quiet = time.monotonic()
        said = False
        for piece in search:
            if piece.exchanges or piece.share >= 1:
                quiet = time.monotonic()
                if said:
                    self._say("")
                    said = False
            elif time.monotonic() > quiet + PATIENCE and self._stream.isatty():
                self._say(f"searched {piece.share:.0%}")
                said = True
            yield piece
        if said:
            self._say("")

    def _say(self, text: str) -> None:
        self._stream.write(f"\r{text:<20}\r")
        self._stream.flush()


def writer(args: argparse.Namespace) -> Callable[[Session, Exchange], None]:
    """What to do with each exchange."""
    if args.json:
        return lambda session, exchange: print(json_line(session, exchange).decode("ascii"), end="")
    color, width = look(sys.stdout, args.color)

    def write(session: Session, exchange: Exchange) -> None:
        print(line(session, exchange, color=color, explain=args.explain is not False, width=width))
        if args.traceback:
            for text in details(exchange):
                print(text)

    return write


def show_raw(reader: Reader, args: argparse.Namespace) -> int:
    """The bytes of one session."""
    session = find_session(reader, args.raw)
    if args.side and sys.stdout.isatty() and not args.as_is:  # a terminal would obey what a client sent
        mark = "<" if args.side.startswith("server") else ">"
        for text in transcript(session, reader.chunks(session.id), {SIDES[args.side]: mark}):
            print(text)
        return 0
    if args.side:
        cut = 0
        for chunk in reader.chunks(session.id):
            if chunk.stream == SIDES[args.side]:
                sys.stdout.buffer.write(chunk.data)
                cut += chunk.length - len(chunk.data)
        sys.stdout.buffer.flush()
        if cut:
            print(f"sandbox log: {cut:,} octets were not kept and are left out", file=sys.stderr)
        return 0
    end = session.end or "still open"
    print(f"# session {session.id}: {session.service} over {session.transport}, {session.client} to "
          f"{session.server}, opened {clock(session.opened, milliseconds=True)}, {end}")
    if args.explain:
        from sandbox.cli.parts import explained
        lines = explained(reader, session, look(sys.stdout, args.color))
    else:
        lines = transcript(session, reader.chunks(session.id))
    for text in lines:
        print(text)
    return 0


def show_handshake(reader: Reader, number: int) -> int:
    """How one session began, from what an eavesdropper saw, and what the engine alone could know."""
    from sandbox.cli.handshake import opening, short, tell
    from sandbox.net.layers.tls.handshake import MAX_READ, describe

    session = find_session(reader, number)
    if session.transport != "tcp":
        raise UserError(f"session {number} ({session.service}) went over UDP, which has no handshake")
    print(f"# session {number}: {session.service}, {session.client} to {session.server}, opened "
          f"{clock(session.opened, milliseconds=True)}\n")
    client = reader.octets(number, Stream.CLIENT_WIRE, 0, MAX_READ)
    server = reader.octets(number, Stream.SERVER_WIRE, 0, MAX_READ)
    noted: dict[str, str] = {}
    cause = ""
    for exchange in reader.exchanges_of(number):
        if exchange.verb == "TLS":
            noted, cause = exchange.facts, exchange.key.removeprefix("tls:situation.")
            break
    else:
        if client[:1] != b"\x16":      # no wire of its own, or compressed alone
            print("\n".join([*opening(session), "", "No TLS: all that follows was readable by anyone on the way."]))
            return 0
    facts = describe(client, server, cause="" if ":" in cause else cause, alert=noted.get("alert-received", ""))
    print("\n".join([*short(facts, noted, str(session.server)), "", *opening(session), "", *tell(facts)]))
    return 0


JOURNEYS_OF = 20_000
"""Exchanges of which journeys are made, the newest."""


def show_journeys(reader: Reader, matcher: Filter, args: argparse.Namespace) -> int:
    """The journeys that an exchange of the filter is part of, oldest first. --limit: only the last so many."""
    from sandbox.console.journeys import journey_lines
    from sandbox.journeys import journeys

    color, width = look(sys.stdout, args.color)
    found = [journey for journey in journeys(reader.newest(JOURNEYS_OF))
             if any(matcher.matches(step.session, step.exchange) for step in journey.steps)]
    for journey in reversed(found[:args.limit]):
        for text in journey_lines(journey, color=color, width=width):
            print(text)
    return 0


def find_session(reader: Reader, number: int) -> Session:
    """Raises UserError."""
    session = reader.session(number)
    if session is None:
        raise UserError(f"there is no session {number} in this journal; those there are have their numbers in "
                        "the lines of `sandbox log`, such as #12")
    return session


def since(text: str) -> float:
    """A moment from "10m" (ago) or an ISO 8601 date and time (local unless it says otherwise), since the epoch."""
    if match := re.fullmatch(r"(\d{1,9})([smhd])", text):
        return time.time() - int(match[1]) * UNITS[match[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write 30s, 10m, 2h, 1d, or a date such as 2026-01-31T10:00") from None


def checked_since(text: str) -> str:
    """The text of a moment, for a filter."""
    since(text)
    return text


def positive(text: str) -> int:
    """A whole number of one or more."""
    if text.isascii() and text.isdecimal() and int(text[:18]) > 0:
        return int(text[:18])
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
