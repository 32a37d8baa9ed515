"""The carrier against servers of every kind, in memory: refusals, retries, silence, nonsense."""

from __future__ import annotations

import email
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from sandbox.address import Address
from sandbox.protocols.contract.conversation import Cause, Closed, Dial
from sandbox.protocols.smtp.bounce import Facts, Outcome, report
from sandbox.protocols.smtp.exchangers import Exchangers, NoExchanger
from sandbox.protocols.smtp.queue import Carrier, grouped
from sandbox.world.mail import Delivery, MailStore, Outbound
from tests.support.mail import wait_until_carried

TEXT = b"Subject: hello\r\n\r\n.dot\r\n"


class Server:
    """A server by script: what it answers to each line, by the line's first word; "" breaks the connection."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = {"greeting": "220 hi", "EHLO": "250-hi\r\n250-PIPELINING\r\n250-SIZE\r\n250 DSN",
                        "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go", ".": "250 2.0.0 ok", "QUIT": "221 bye",
                        **answers}
        self.heard: list[str] = []
        self.connections = 0

    async def dial(self, address: Address, cause: Cause | int = 0) -> Line:
        self.connections += 1
        return Line(self)


class Line:
    """One connection to it; implements `Wire`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.out: list[bytes] = []
        self.buffer = b""
        self.in_data = False
        self.say("greeting")

    def say(self, word: str) -> None:
        answer = self.server.answers.get(word, "500 what?")
        self.out.append(f"{answer}\r\n".encode() if answer else b"")
        self.in_data = answer.startswith("354")

    async def send(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\r\n", 1)
            self.server.heard.append(line.decode())
            if self.in_data and line != b".":
                continue
            text = line.decode()
            whole = text.partition("> ")[0] + ">" if "> " in text else text
            self.say(whole if whole in self.server.answers else text.split(" ")[0])

    async def receive(self, limit: int = 65536) -> bytes:
        await trio.lowlevel.checkpoint()
        if not self.out:
            raise Closed
        return self.out.pop(0)

    async def start_tls(self, server_name: str) -> None:
        self.server.heard.append(f"TLS {server_name}")
        if self.server.answers.get("TLS") == "":
            raise Closed

    async def end_writing(self) -> None: ...
    async def aclose(self) -> None: ...


class Directory(Exchangers):
    """Finds without asking: what DNS answers is tested with the real one."""

    def __init__(self, problem: NoExchanger | None = None) -> None:
        self.problem = problem

    async def find(self, domain: str, cause: Cause | int = 0) -> list[tuple[str, str]]:
        if self.problem is not None:
            raise self.problem
        return [(f"mx1.{domain}", "127.0.0.1"), (f"mx2.{domain}", "127.0.0.2")]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MailStore]:
    store = MailStore(tmp_path, durability="memory")
    yield store
    store.close()


def queue(store: MailStore, *recipients: str, sender: str = "alice@example.com", facts: Facts | None = None) -> None:
    spool = store.spool()
    spool.add(TEXT)
    legs = [Outbound(sender, recipient, (facts or Facts()).encode()) for recipient in recipients]
    store.store(b"", spool, [], legs).result()


def carrier(store: MailStore, dial: Dial, problem: NoExchanger | None = None) -> Carrier:
    return Carrier(store, Directory(problem), dial, 25, "mail.example.com", (0.0, 0.0))


def reports(store: MailStore) -> list[str]:
    return [b"".join(store.read(leg.content)).decode() for leg in store.outbound(1e12) if not leg.sender]


async def test_what_a_good_server_hears(store: MailStore) -> None:
    server = Server({})
    queue(store, "bob@there.example", "carol@there.example",
          facts=Facts("8BITMIME", ret="HDRS", envid="e", notify=["NEVER"], orcpt="rfc822;x"))
    await carrier(store, server.dial).carry_due()
    assert server.heard == [
        "EHLO mail.example.com", "MAIL FROM:<alice@example.com> SIZE=24 RET=HDRS ENVID=e",
        "RCPT TO:<bob@there.example> NOTIFY=NEVER ORCPT=rfc822;x",
        "RCPT TO:<carol@there.example> NOTIFY=NEVER ORCPT=rfc822;x",
        "DATA", "Subject: hello", "", "..dot", ".", "QUIT"]
    assert store.next_due() is None


async def test_a_server_without_extensions(store: MailStore) -> None:
    server = Server({"EHLO": "502 no", "HELO": "250 hi"})
    queue(store, "bob@there.example", facts=Facts(notify=["SUCCESS"]))
    await carrier(store, server.dial).carry_due()
    assert server.heard[:3] == ["EHLO mail.example.com", "HELO mail.example.com", "MAIL FROM:<alice@example.com>"]
    (text,) = reports(store)
    assert "Action: relayed\r\nStatus: 2.0.0\r\n" in text


async def test_one_recipient_is_refused_and_the_other_is_not(store: MailStore) -> None:
    server = Server({"RCPT TO:<bob@there.example>": "550 5.1.1 who?"})
    queue(store, "bob@there.example", "carol@there.example")
    await carrier(store, server.dial).carry_due()
    (text,) = reports(store)
    assert "Final-Recipient: rfc822; bob@there.example\r\nAction: failed\r\nStatus: 5.1.1\r\n" in text
    assert "Diagnostic-Code: smtp; 550 5.1.1 who?\r\n" in text
    assert "Remote-MTA: dns; mx1.there.example\r\n" in text
    assert "carol" not in text
    assert "Subject: hello" in text
    assert ".dot" not in text, "only the header goes back"


async def test_for_now_is_tried_again_and_given_up_at_the_end(store: MailStore) -> None:
    server = Server({".": "451 4.3.0 later"})
    queue(store, "bob@there.example", facts=Facts(notify=["DELAY", "FAILURE"]))
    work = carrier(store, server.dial)
    await work.carry_due()
    assert [leg.attempts for leg in store.outbound(1e12)] == [1]
    await work.carry_due()
    assert any("Action: delayed\r\nStatus: 4.3.0" in text for text in reports(store))
    server.answers["."] = "250 ok"
    server.answers["RCPT TO:<bob@there.example>"] = "450 4.2.1 later"
    await work.carry_due()
    assert any("Action: failed\r\nStatus: 5.4.7" in text for text in reports(store))
    assert server.connections == 4, "three attempts, and the first report"


@pytest.mark.parametrize("answers", [
    {"greeting": ""}, {"greeting": "hello"}, {"greeting": "554 go away"}, {"EHLO": "421 bye", "HELO": "421 bye"},
    {"MAIL": "999 what"}, {"DATA": ""}, {"DATA": "451 no"}, {".": ""}, {"greeting": "220-" + "x" * 10_000},
    {"greeting": "\r\n".join(["220-hi"] * 500)},
])
async def test_a_server_that_fails_loses_nothing(store: MailStore, answers: dict[str, str]) -> None:
    queue(store, "bob@there.example")
    await carrier(store, Server(answers).dial).carry_due()
    legs = store.outbound(1e12)
    assert len(legs) == 1, "it waits, or its report does"
    assert not legs[0].sender or legs[0].attempts == 1


async def test_a_leg_that_waits_keeps_its_cause_over_the_end_of_the_process(tmp_path: Path) -> None:
    causes: list[Cause | int] = []

    async def dial(address: Address, cause: Cause | int = 0) -> Line:
        causes.append(cause)
        raise ConnectionRefusedError

    for _ in range(2):
        store = MailStore(tmp_path, durability="memory")
        if not causes:
            queue(store, "bob@there.example")
            store.origins.note(store.outbound(1e12)[0].content, 7)
        await carrier(store, dial).carry_due()
        store.close()
    assert causes == [7] * 4, "two servers, twice"


async def test_the_second_server_is_tried_when_the_first_does_not_answer(store: MailStore) -> None:
    server = Server({})

    async def dial(address: Address, cause: Cause | int = 0) -> Line:
        if address.host == "127.0.0.1":
            raise ConnectionRefusedError
        return await server.dial(address)

    queue(store, "bob@there.example")
    await carrier(store, dial).carry_due()
    assert store.next_due() is None
    assert server.connections == 1


@pytest.mark.parametrize(("problem", "attempts", "count"), [
    (NoExchanger("4.4.3", "DNS does not answer"), [1], 0), (NoExchanger("5.1.10", "takes no mail"), [0], 1),
])
async def test_domains_without_a_server(store: MailStore, problem: NoExchanger, attempts: list[int],
                                        count: int) -> None:
    queue(store, "bob@there.example")
    await carrier(store, Server({}).dial, problem).carry_due()
    assert [leg.attempts for leg in store.outbound(1e12)] == attempts
    assert len(reports(store)) == count


async def test_a_report_is_never_reported_about(store: MailStore) -> None:
    queue(store, "nobody@there.example", sender="")
    await carrier(store, Server({"RCPT": "550 5.1.1 who?"}).dial).carry_due()
    assert store.next_due() is None


@pytest.mark.parametrize("facts", [Facts(utf8=True), Facts(body="BINARYMIME")])
async def test_what_the_next_server_cannot_take_comes_back(store: MailStore, facts: Facts) -> None:
    queue(store, "bob@there.example", facts=facts)
    await carrier(store, Server({}).dial).carry_due()
    assert len(reports(store)) == 1


async def test_binary_messages_go_in_chunks(store: MailStore) -> None:
    server = Server({"EHLO": "250-hi\r\n250-CHUNKING\r\n250 BINARYMIME", "BDAT": "250 ok"})
    queue(store, "bob@there.example", facts=Facts(body="BINARYMIME"))
    await carrier(store, server.dial).carry_due()
    assert "MAIL FROM:<alice@example.com> BODY=BINARYMIME" in server.heard
    assert "BDAT 24 LAST" in server.heard
    assert ".dot" in server.heard


async def test_what_arrived_before_a_kill_is_not_sent_again(store: MailStore) -> None:
    server = Server({})
    queue(store, "bob@there.example", "carol@there.example")
    spool = store.spool()
    spool.add(TEXT)
    store.store(b"Received: x\r\n", spool, [Delivery("bob", "bob@there.example")]).result()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(carrier(store, server.dial).run)
        await wait_until_carried(store)
        nursery.cancel_scope.cancel()
    assert [line for line in server.heard if line.startswith("RCPT")] == ["RCPT TO:<carol@there.example>"]


def test_legs_share_a_transaction_where_they_can() -> None:
    legs = [Outbound("a@b.example", f"{number}@There.example", id=number, content=1) for number in range(150)]
    legs += [Outbound("a@b.example", "x@elsewhere.example", id=200, content=1),
             Outbound("a@b.example", "x@there.example", id=201, content=2)]
    assert [len(group) for group in grouped(legs)] == [100, 50, 1, 1]


def test_a_report_cannot_be_broken_by_what_a_server_said() -> None:
    outcome = Outcome("bob@there.example", Facts(), "failed", "5.0.0", "550 a\r\nBcc: x\0" + "y" * 5000, "mx")
    text = report("alice@example.com", [outcome], TEXT, "mail.example.com")
    message = email.message_from_bytes(text)
    assert message["Bcc"] is None
    assert b"\r\nBcc" not in text
    assert len(message.get_payload()) == 3
    assert text.count(b"\n") == text.count(b"\r\n")


STARTTLS = {"EHLO": "250-hi\r\n250-PIPELINING\r\n250-SIZE\r\n250-DSN\r\n250 STARTTLS", "STARTTLS": "220 go"}


async def test_it_encrypts_where_the_server_offers_that(store: MailStore) -> None:
    server = Server(STARTTLS)
    queue(store, "bob@far.example")
    await carrier(store, server.dial).carry_due()
    assert server.heard[:5] == ["EHLO mail.example.com", "STARTTLS", "TLS mx1.far.example", "EHLO mail.example.com",
                                f"MAIL FROM:<alice@example.com> SIZE={len(TEXT)}"]
    assert store.next_due() is None


@pytest.mark.parametrize("failure", [{"TLS": ""}, {"STARTTLS": "454 4.7.0 not now"}])
async def test_a_failed_handshake_is_followed_by_clear_text(store: MailStore, failure: dict[str, str]) -> None:
    server = Server({**STARTTLS, **failure})
    queue(store, "bob@far.example")
    await carrier(store, server.dial).carry_due()
    assert server.connections == 2
    again = server.heard.index("EHLO mail.example.com", 1)
    assert server.heard[again + 1].startswith("MAIL FROM:"), "the second try does not ask for TLS"
    assert store.next_due() is None
