"""The client side of SMTP (RFC 5321): one message over one connection to the next server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import trio

from sandbox.protocols.contract.conversation import Closed, Wire
from sandbox.protocols.lines.dot_stuffing import Stuffer
from sandbox.protocols.smtp.bounce import Facts

__all__ = ["Answer", "Client", "NegativeReply", "TlsFailed"]

LINE = 4096      # octets of a reply line: RFC 5321 §4.5.3.1.5 says 512, others are less strict
LINES = 200      # lines of one reply
SECONDS = 300    # RFC 5321 §4.5.3.2: for a command to be answered
END_SECONDS = 600  # for the end of the message
REPLY = re.compile(rb"([2-5][0-9][0-9])([ -]?)(.*)", re.DOTALL)
ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3}) ?")


class Answer(NamedTuple):
    """A server's reply. status: its enhanced code, or one made from its first digit; text: as one line."""

    code: int
    status: str
    text: str

    @property
    def good(self) -> bool:
        return self.code < 400

    @property
    def lasting(self) -> bool:
        """Whether another attempt would end the same way (RFC 5321 §4.2.1)."""
        return self.code >= 500


class TlsFailed(Exception):
    """The server announced STARTTLS, and then there was no TLS with it."""


class NegativeReply(Exception):
    """The server said no to the whole message, or broke off. answer: its last word."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer


def broken(text: str) -> NegativeReply:
    return NegativeReply(Answer(421, "4.4.2", text))


class Client:
    """Speaks over a wire that is already connected. hostname: the name given in EHLO."""

    def __init__(self, wire: Wire, hostname: str) -> None:
        self._wire = wire
        self._hostname = hostname
        self._buffer = bytearray()
        self.extensions: dict[str, str] = {}

    async def greet(self) -> None:
        """Hear the greeting, say EHLO, or HELO where that is not known. Raises NegativeReply."""
        self.expect(await self.answer())
        await self.hello()

    async def start_tls(self, server_name: str) -> None:
        """RFC 3207 §4: encrypt, then forget what the server said before and ask again.

        Raises TlsFailed, NegativeReply.
        """
        await self.send("STARTTLS")
        if not (await self.answer()).good:
            raise TlsFailed
        self._buffer.clear()  # what came before the handshake is nobody's word
        try:
            with trio.fail_after(SECONDS):
                await self._wire.start_tls(server_name)
        except (Closed, trio.TooSlowError):
            raise TlsFailed from None
        await self.hello()

    async def hello(self) -> None:
        self.extensions = {}
        await self.send(f"EHLO {self._hostname}")
        lines = await self.reply()
        if lines[0][0] == 250:
            self.extensions = {word.upper(): rest for word, _, rest in (line.partition(" ") for _, line in lines[1:])}
        else:
            await self.send(f"HELO {self._hostname}")
            self.expect(await self.answer())

    async def carry(self, sender: str, recipients: Sequence[tuple[str, Facts]], size: int,
                    message: AsyncIterator[bytes]) -> list[Answer]:
        """Send one message; returns the answer for each recipient, in order.

        message: pieces; it is closed here. Raises NegativeReply when nobody can get it.
        """
        facts = recipients[0][1]
        self.check(facts)
        commands = [f"MAIL FROM:<{sender}>{self.mail_parameters(facts, size)}"]
        commands += [f"RCPT TO:<{address}>{self.rcpt_parameters(one)}" for address, one in recipients]
        answers: list[Answer] = []
        if "PIPELINING" in self.extensions:
            await self.send("\r\n".join(commands))
            answers = [await self.answer() for _ in commands]
        else:
            for command in commands:
                await self.send(command)
                answers.append(await self.answer())
        self.expect(answers[0])
        answers = answers[1:]
        if not any(answer.good for answer in answers):
            return answers
        if facts.body == "BINARYMIME":
            final = await self.send_chunk(size, message)
        else:
            final = await self.send_data(message)
        return [final if answer.good else answer for answer in answers]

    async def send_data(self, message: AsyncIterator[bytes]) -> Answer:
        await self.send("DATA")
        go_ahead = await self.answer()
        if go_ahead.code != 354:
            return go_ahead
        stuffer = Stuffer()
        async for piece in message:
            await self.send_octets(stuffer.feed(piece))
        await self.send_octets(stuffer.end())
        return await self.answer(END_SECONDS)

    async def send_chunk(self, size: int, message: AsyncIterator[bytes]) -> Answer:
        await self.send(f"BDAT {size} LAST")
        async for piece in message:
            await self.send_octets(piece)
        return await self.answer(END_SECONDS)

    async def quit(self) -> None:
        """Say goodbye; whether it is heard does not matter."""
        try:
            with trio.move_on_after(5):
                await self.send("QUIT")
                await self.answer()
        except NegativeReply:
            pass

    def check(self, facts: Facts) -> None:
        """Whether this server can take such a message at all. Raises NegativeReply."""
        if facts.utf8 and "SMTPUTF8" not in self.extensions:
            raise NegativeReply(Answer(550, "5.6.7", "the next server does not know SMTPUTF8"))  # RFC 6531 §3.2
        if facts.body == "BINARYMIME" and not {"BINARYMIME", "CHUNKING"} <= self.extensions.keys():
            raise NegativeReply(Answer(554, "5.6.3", "the next server does not take binary messages"))  # RFC 3030 §3

    def mail_parameters(self, facts: Facts, size: int) -> str:
        words = []
        if "SIZE" in self.extensions:
            words.append(f"SIZE={size}")
        if facts.body and ("8BITMIME" in self.extensions or facts.body == "BINARYMIME"):
            words.append(f"BODY={facts.body}")
        if facts.utf8:
            words.append("SMTPUTF8")
        if "DSN" in self.extensions:
            words += [f"RET={facts.ret}"] if facts.ret else []
            words += [f"ENVID={facts.envid}"] if facts.envid else []
        return "".join(f" {word}" for word in words)

    def rcpt_parameters(self, facts: Facts) -> str:
        words = []
        if "DSN" in self.extensions:
            words += [f"NOTIFY={','.join(facts.notify)}"] if facts.notify else []
            words += [f"ORCPT={facts.orcpt}"] if facts.orcpt else []
        return "".join(f" {word}" for word in words)

    def expect(self, answer: Answer) -> None:
        if not answer.good:
            raise NegativeReply(answer)

    # Lines

    async def send(self, line: str) -> None:
        await self.send_octets(f"{line}\r\n".encode())

    async def send_octets(self, data: bytes) -> None:
        try:
            with trio.fail_after(SECONDS):
                await self._wire.send(data)
        except (Closed, trio.TooSlowError):
            raise broken("the connection broke while sending") from None

    async def answer(self, seconds: float = SECONDS) -> Answer:
        """The next reply, as one value."""
        lines = await self.reply(seconds)
        code = lines[0][0]
        status, texts = f"{code // 100}.0.0", []
        for _, line in lines:
            match = ENHANCED.match(line)
            if match is not None:
                status, line = match[1], line[match.end():]
            texts.append(line)
        return Answer(code, status, f"{code} {status} {' '.join(texts)}")

    async def reply(self, seconds: float = SECONDS) -> list[tuple[int, str]]:
        """The next reply's lines. Raises NegativeReply when there is none, or none that makes sense."""
        lines: list[tuple[int, str]] = []
        try:
            with trio.fail_after(seconds):
                while len(lines) < LINES:
                    match = REPLY.fullmatch(await self.read_line())
                    if match is None:
                        break
                    lines.append((int(match[1]), match[3].decode("utf-8", "replace")))
                    if match[2] != b"-":
                        return lines
        except trio.TooSlowError:
            raise broken("no answer came in time") from None
        except Closed:
            raise broken("the connection broke") from None
        raise broken("the answer was not SMTP")

    async def read_line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            data = await self._wire.receive()
            if not data or len(self._buffer) > LINE:
                raise Closed
            self._buffer += data
        line = bytes(self._buffer[:end])
        del self._buffer[:end + 1]
        return line.removesuffix(b"\r")
