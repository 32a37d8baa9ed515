"""The dialogue that line protocols share, by a small protocol of its own."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator

from sandbox.protocols.contract.fairness import COMMANDS
from sandbox.protocols.lines.command import BadArgument, Refusal, Reply, command
from sandbox.protocols.lines.session import LineSession
from tests.support.dialogue import Talk, dialogue
from tests.support.turns import bystander


class State(enum.Flag):
    OUTSIDE = 1
    INSIDE = 2


def number(text: str) -> int:
    if not text.isdecimal():
        raise BadArgument(f"{text} is not a number")
    return int(text)


class Door(LineSession):
    refusals = dict.fromkeys(Refusal, ("500", "5.5.0"))
    arguments = {"n": number}
    line_limit = 40
    error_limit = 3

    def __init__(self, conversation: Talk) -> None:
        super().__init__(conversation)
        self.state: State = State.OUTSIDE
        self.left = 0

    def render(self, reply: Reply) -> bytes:
        return f"{reply.code} {reply.lines[0]}\r\n".encode()

    async def greet(self) -> Reply:
        return Reply("220", ("hello",))

    def leave(self) -> None:
        self.left += 1

    @command("KEY", states=State.OUTSIDE, args="name word...", rfc="1 §1", secret=1)
    def key(self, name: str, word: str) -> Reply:
        """Unlock the door."""
        self.state = State.INSIDE
        return Reply("200", (f"{name}:{word}",))

    @command("ADD", states=State.INSIDE | State.OUTSIDE, args="n [n]", rfc="1 §2", offers="SUM")
    async def add(self, left: int, right: int = 0) -> Reply:
        """Add up."""
        return Reply("200", (str(left + right),))

    @command("LONG", states=State.OUTSIDE, args="word", rfc="1 §3", line=100)
    def long(self, word: str) -> Reply:
        """Take a long word."""
        return Reply("200", (str(len(word)),))

    @command("BODY", states=State.OUTSIDE, rfc="1 §4")
    def body(self) -> Reply:
        """Send something in pieces."""
        async def pieces() -> AsyncIterator[bytes]:
            yield b"one\r\n"
            yield b"two\r\n"
        return Reply("200", ("follows",), body=pieces())

    @command("BUG", states=State.OUTSIDE, rfc="1 §5")
    def bug(self) -> Reply:
        """Fail."""
        raise KeyError("oops")

    @command("MORE", states=State.OUTSIDE, rfc="1 §6")
    def more(self) -> Reply:
        """Ask for one more line."""
        async def line() -> Reply:
            return Reply("250", (repr(await self.conversation.read_line()),))
        return Reply("354", ("go on",), then=lambda: self.answer_again("line", "", line))

    @command("BYE", states=State.INSIDE | State.OUTSIDE, rfc="1 §7")
    def bye(self) -> Reply:
        """Leave."""
        return Reply("221", ("bye",), close=True)


async def talk(script: str, conversation: Talk | None = None) -> Talk:
    conversation = conversation or Talk()
    door = Door(conversation)
    await dialogue(conversation, door.run, script)
    assert door.left == 1
    return conversation


async def test_state_then_arguments_then_method() -> None:
    talked = await talk("""
        S: 220 hello
        C: add 1 2
        S: 200 3
        C: ADD 1
        S: 200 1
        C: KEY alice  open sesame
        S: 200 alice: open sesame
        C: KEY alice x
        S: 500 KEY belongs to the OUTSIDE state; this is the INSIDE state
        C: ADD
        S: 500 Usage: ADD n [n]
        C: BYE
        S: 221 bye
        S: <end>""")
    assert [(one.verb, one.asked, one.outcome) for one in talked.exchanges] == [
        ("greeting", "", "220"), ("ADD", "1 2", "200"), ("ADD", "1", "200"), ("KEY", "alice  open sesame", "200"),
        ("KEY", "alice x", "500"), ("ADD", "", "500"), ("BYE", "", "221")]


async def test_a_secret_that_nobody_on_the_way_has_seen_is_not_shown() -> None:
    conversation = Talk(secure=True)
    conversation.buffer += b"KEY alice open\r\nBYE\r\n"
    await Door(conversation).run()
    assert [one.asked for one in conversation.exchanges if one.verb == "KEY"] == ["alice ********"]


async def test_who_has_much_to_say_at_once_is_not_alone_here() -> None:
    conversation = Talk()
    conversation.buffer += b"ADD 1 1\r\n" * 10_000 + b"BYE\r\n"
    async with bystander() as others:
        await Door(conversation).run()
    assert len(conversation.exchanges) == 10_002
    assert others.turns >= 10_000 // COMMANDS


async def test_the_third_error_is_the_last() -> None:
    await talk("""
        S: 220 hello
        C: NOPE
        S: 500 There is no such command here; HELP lists them
        C: ADD x
        S: 500 x is not a number
        C: BYE now
        S: 500 Too many errors; goodbye
        S: <end>""")


async def test_long_lines_are_skipped_and_the_next_command_is_obeyed() -> None:
    talked = await talk(f"""
        S: 220 hello
        C: ADD {"1" * 500}
        S: 500 That line is too long
        C: ADD {"1" * 50}
        S: 500 That line is too long
        C: LONG {"1" * 50}
        S: 200 50
        C: BYE
        S: 221 bye""")
    assert talked.exchanges[1].verb == "unknown"


async def test_an_endless_line_ends_the_conversation() -> None:
    conversation = Talk()
    conversation.feed(b"x" * 2_000_000)
    await talk("""
        S: 220 hello
        S: 500 Too many errors; goodbye
        S: <end>""", conversation)


async def test_octets_that_no_command_contains() -> None:
    talked = await talk(r"""
        S: 220 hello
        C| ADD \xff\r\n
        S: 500 Commands are ASCII text
        C| ADD 1\x002\r\n
        S: 500 Commands contain no control characters
        C| ADD 1\n
        S: 200 1
        C| ADD 1\rBYE\r\n
        S: 500 Too many errors; goodbye""")
    assert talked.exchanges[1].asked == r"\xff"
    assert "bare LF" in talked.exchanges[3].facts["line-end"]


async def test_a_browser_is_sent_away_at_once() -> None:
    await talk("""
        S: 220 hello
        C: POST / HTTP/1.1
        C: BYE
        S: 500 This is not a web server; goodbye
        S: <end>""")


async def test_a_body_in_pieces_and_a_second_exchange() -> None:
    talked = await talk(r"""
        S: 220 hello
        C: BODY
        S: 200 follows
        S: one
        S: two
        C: MORE
        S: 354 go on
        C: a line
        S: 250 b'a line\r\n'""")
    assert [(one.verb, one.outcome) for one in talked.exchanges[1:]] == [
        ("BODY", "200"), ("MORE", "354"), ("line", "250")]


async def test_an_error_of_ours_is_answered_and_kept_in_the_journal() -> None:
    talked = await talk("""
        S: 220 hello
        C: BUG
        S: 500 Something went wrong in the sandbox; its journal says what
        C: ADD 1
        S: 200 1""")
    assert "KeyError: 'oops'" in talked.exchanges[1].facts["traceback"]


async def test_a_client_that_leaves_or_falls_silent(autojump_clock: object) -> None:
    silent = Talk()
    silent.idle = 5
    await talk("""
        S: 220 hello
        S: 500 Nothing came from you for too long; goodbye
        S: <end>""", silent)
    gone = await talk(r"""
        S: 220 hello
        C| ADD""")
    assert gone.exchanges[-1].verb == "greeting"


async def test_pipelined_commands_are_answered_in_one_segment() -> None:
    conversation = Talk()
    conversation.feed(b"ADD 1\r\nADD 2\r\nBYE\r\n")
    await conversation.serve(Door(conversation).run)
    segments = [segment async for segment in conversation._from_session]
    assert segments == [b"220 hello\r\n", b"200 1\r\n200 2\r\n221 bye\r\n"]


def test_what_the_table_derives() -> None:
    door = Door(Talk())
    assert [row.usage for row in door.usable()][:2] == ["KEY name word", "ADD n [n]"]
    assert door.commands["KEY"].help == "Unlock the door."
    assert door.offered() == ["SUM"]
