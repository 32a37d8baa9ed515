"""What the quote of the day service says: small truths about networks, one a day.

Each is printable ASCII and shorter than 512 characters, lines included (RFC 865).
"""

from __future__ import annotations

__all__ = ["QUOTES"]

QUOTES: tuple[str, ...] = (
    "A packet is a postcard: everyone who carries it can read it.",
    "The network is down? Ask by number before you ask by name: often only DNS is away.",
    "TCP promises order, not speed. UDP promises neither, and keeps its word.",
    "Every 404 is an honest answer. Be glad the server did not guess.",
    "A timeout is a question nobody answered. A reset is an answer: no.",
    "Port numbers are doors, addresses are houses, and protocols are the manners at the table.",
    "What you cannot see on the wire, you have only been told.",
    "Be patient with a slow start: congestion control was a beginner on every connection.",
    "The checksum does not care who changed your packet, only that somebody did.",
    "Caching is remembering an answer. Bugs in caching are remembering it too long.",
    "A name server that says 'no such name' has done its work well.",
    "The three-way handshake: Can you hear me? Yes, can you hear me? Yes.",
    "Encrypt the letter, and the envelope still shows who wrote to whom.",
    "Nothing is as quick as the request you did not send.",
    "A line ends with CR LF because a printing head once had to travel home.",
    "An open port with nothing behind it is a door painted on a wall.",
    "Routers forget each packet at once. It is why the network scales.",
    "Read the RFC. Then read what it says under MUST once more.",
    "Loopback is the shortest journey on the Internet: out of the door and straight in again.",
    "The status code is for the program, the sentence after it is for you.",
    "If two machines disagree about the time, both may be right about the zone.",
    "An MX record is a sign on the door: post goes round the back.",
    "Whoever sends less than promised makes the other side wait. Count your octets.",
    "The first thing to test is the cable. The second is the cable's other end.",
    "Retransmission is the network's way of saying: pardon?",
    "A proxy asks in your name. Choose who speaks for you.",
    "One hundred and twenty-eight bits should be enough for everybody's teapot.",
    "Idle connections are like guests in the hall: somebody must ask them whether they are staying.",
    "There is no cloud in this sandbox, and still it works.",
    "Ask a small question to find out whether anybody is there: that is all ping does.",
    "A password sent over plain text has as many readers as there are hops.",
)
