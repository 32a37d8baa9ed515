"""Looks at a request head line by line while it arrives, and says at once what is wrong with it.

h11 reads the heads; this stands before it because h11 forgives what RFC 9112 lets a recipient forgive (a bare LF,
folded lines), and two programs that forgive differently are how requests are smuggled (RFC 9112 §11.2). It is also
what tells a learner which line was wrong instead of leaving them before a connection that waits.

The verdict depends only on the octets, never on how they were cut into segments: each check looks at one complete
line, or at a count of octets without a line end.
"""

from __future__ import annotations

from sandbox.protocols.http.errors import Refused

__all__ = ["Scanner", "check_field", "short"]

REQUEST_LINE = 16_384
"""One request line, with its line end (octets); RFC 9112 §3 wants at least 8,000."""
METHOD = 64
"""The longest method (octets): more than twice what any registered one has."""
FIELDS = 200
"""Field lines in one head."""
EMPTY_LINES = 4
"""Empty lines before a request that are overlooked (RFC 9112 §2.2 asks for one)."""

TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
VISIBLE = bytes(range(0x21, 0x7F))
VALUE = b"\t " + VISIBLE + bytes(range(0x80, 0x100))

CRLF = "In HTTP every line ends in CR LF (RFC 9112 §2.2)"


class Scanner:
    """Finds the end of one request head. One per head; `limit`: of the whole head in octets."""

    __slots__ = ("limit", "line", "lines", "skipped", "sought")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.lines = 0
        self.line = 0
        """Where the line being looked at begins."""
        self.sought = 0
        """Up to where there is no line end."""
        self.skipped = 0
        """Octets of empty lines before the request."""

    def scan(self, buffer: bytearray) -> int:
        """How many octets the head has, with empty lines before it; 0 while it is incomplete. Raises Refused."""
        while True:
            end = buffer.find(b"\n", self.sought)
            if not self.lines and self.line < len(buffer):
                check_start(buffer, self.line)
            if not self.lines:
                check_method_length(buffer, self.line, end)
            if (len(buffer) if end < 0 else end + 1) - self.skipped > self.limit or (
                    not self.lines and (len(buffer) if end < 0 else end + 1) - self.line > REQUEST_LINE):
                raise self.too_long()
            if end < 0:
                self.sought = len(buffer)
                return 0
            line = bytes(buffer[self.line:end])
            if not line.endswith(b"\r"):
                raise bare_line_feed(line, self.lines)
            line = line[:-1]
            if b"\r" in line:
                raise Refused(400, f"Line {self.lines + 1} has a CR that no LF follows. {CRLF}.", "situation.bare-cr")
            self.line = self.sought = end + 1
            if self.lines:
                if not line:
                    return self.line
                check_field(line, first=self.lines == 1)
                if self.lines > FIELDS:
                    raise Refused(431, f"More than {FIELDS} header fields (RFC 6585 §5).",
                                  "situation.head-too-large")
                self.lines += 1
            elif line:
                check_request_line(line)
                self.lines = 1
            else:
                self.skipped = self.line
                if self.skipped > 2 * EMPTY_LINES:
                    raise Refused(400, "Nothing but empty lines where a request line should be (RFC 9112 §2.2).",
                                  "situation.request-line")

    def too_long(self) -> Refused:
        if self.lines:
            return Refused(431, f"The request head is longer than {self.limit} octets: too many or too long header "
                           "fields, often cookies (RFC 6585 §5).", "situation.head-too-large")
        return Refused(414, f"The request line is longer than {min(self.limit, REQUEST_LINE)} octets: "
                       "the address is too long (RFC 9110 §15.5.15).", "situation.target-too-long")


def check_start(buffer: bytearray, at: int) -> None:
    """The first octet of a request line begins a method, so it gives away who does not speak HTTP."""
    first = buffer[at]
    if first in TOKEN or first in b"\r\n":
        return
    if first == 0x16 or first >= 0x80:
        raise Refused(400, "These octets look like the start of TLS, and this port speaks plain HTTP. Use http:// "
                      "here, or https:// with the sandbox's HTTPS port (RFC 8446 §4.1.2).", "situation.tls-on-plain")
    if first in b" \t":
        raise Refused(400, "A request line cannot begin with white space (RFC 9112 §2.2, §3).",
                      "situation.request-line")
    raise Refused(400, f"The first octet, 0x{first:02X}, cannot begin an HTTP request: a method is made of letters "
                  "(RFC 9112 §3).", "situation.not-http")


def check_method_length(buffer: bytearray, at: int, end: int) -> None:
    """A method longer than any there is gets a 501 (RFC 9112 §3). end: of the line, -1 while it is not here."""
    stop = at + METHOD + 1
    if (stop <= (len(buffer) if end < 0 else end)
            and not bytes(buffer[at:stop]).translate(None, TOKEN) and not buffer.startswith(b"SSH-", at)):
        raise Refused(501, f"The request begins with a word of more than {METHOD} octets, and no method is that long "
                      "(RFC 9112 §3, RFC 9110 §15.6.2).", "situation.method-too-long")


def check_request_line(line: bytes) -> None:
    """method SP request-target SP HTTP-version (RFC 9112 §3)."""
    parts = line.split(b" ")
    if line.startswith(b"SSH-"):
        raise Refused(400, "This is an SSH client's greeting, and this port speaks HTTP (RFC 4253 §4.2).",
                      "situation.ssh")
    if parts[0].upper() in (b"EHLO", b"HELO", b"LHLO", b"MAIL", b"RCPT", b"220") and b"HTTP/" not in line:
        raise Refused(400, "This is mail talk (SMTP), and this port speaks HTTP. Mail goes to ports 25, 587 or 465 "
                      "(RFC 5321 §2.3.8).", "situation.smtp")
    if len(parts) != 3 or not all(parts):
        raise Refused(400, request_line_trouble(line, [part for part in parts if part]), "situation.request-line")
    method, target, version = parts
    if method.translate(None, TOKEN):
        raise Refused(400, f"{short(method)} is not a method: a method is one word of letters (RFC 9110 §9.1).",
                      "situation.request-line")
    if wrong := target.translate(None, VISIBLE):
        raise Refused(400, f"The request target has the octet 0x{wrong[0]:02X}. What is not plain ASCII is "
                      "percent-encoded: é is %C3%A9 (RFC 3986 §2.1).", "situation.target")
    if not (len(version) == 8 and version.startswith(b"HTTP/") and version[6:7] == b"."
            and version[5:6].isdigit() and version[7:8].isdigit()):
        raise Refused(400, f"{short(version)} is not an HTTP version; it is written HTTP/1.1, in capital letters "
                      "(RFC 9112 §2.3).", "situation.request-line")
    if version[5:6] != b"1":
        if method == b"PRI":
            raise Refused(505, "This is the preface of HTTP/2 (RFC 9113 §3.4), and this port speaks HTTP/1.1. With "
                          "curl, use --http1.1.", "situation.http2-on-http1")
        raise Refused(505, f"{short(version)}: this port speaks HTTP/1.1 and HTTP/1.0 (RFC 9110 §15.6.6).",
                      "situation.version")


def request_line_trouble(line: bytes, words: list[bytes]) -> str:
    shape = "A request line is METHOD TARGET HTTP/1.1, one space between each (RFC 9112 §3)"
    if len(words) == 2 and not words[1].startswith(b"HTTP/"):
        return (f"{shape}; the version is missing. Without one it would be HTTP/0.9, which is no longer spoken: "
                f"try {short(words[0])} {short(words[1])} HTTP/1.1.")
    if len(words) > 3:
        return f"{shape}; here are {len(words)} words. A space in an address is sent as %20."
    return f"{shape}; this one is {short(line)}."


def check_field(line: bytes, first: bool = False, trailer: bool = False) -> None:
    """One field line without its line end (RFC 9112 §5). Raises Refused(400)."""
    what = "trailer" if trailer else "header"
    if line[:1] in (b" ", b"\t"):
        if first:
            raise Refused(400, "White space before the first header field: some programs would skip the line "
                          "and some would not, which is how requests are smuggled (RFC 9112 §2.2).",
                          "situation.smuggling")
        raise Refused(400, f"A {what} field that goes on in the next line (folding) is obsolete, and refused "
                      "(RFC 9112 §5.2).", "situation.folded-field")
    name, colon, value = line.partition(b":")
    if not colon:
        raise Refused(400, f"{short(line)} is not a {what} field: a field is Name: value (RFC 9112 §5).",
                      "situation.field")
    if name[-1:] in (b" ", b"\t"):
        raise Refused(400, f"White space between {short(name.rstrip())} and its colon: programs would "
                      "read different names, which is how requests are smuggled (RFC 9112 §5.1).",
                      "situation.smuggling")
    if not name or (wrong := name.translate(None, TOKEN)):
        which = f"has 0x{wrong[0]:02X} in it" if name else "is empty"
        raise Refused(400, f"The name of {short(line)} {which}; field names are letters, digits and hyphens "
                      "(RFC 9110 §5.1).", "situation.field")
    if wrong := value.translate(None, VALUE):
        raise Refused(400, f"The value of {short(name)} has the control octet 0x{wrong[0]:02X} in it "
                      "(RFC 9110 §5.5).", "situation.field")


def bare_line_feed(line: bytes, number: int) -> Refused:
    return Refused(400, f"Line {number + 1}, {short(line)}, ends in LF alone. {CRLF}: with nc use the option -C, "
                   "with printf write \\r\\n.", "situation.bare-lf")


def short(data: bytes) -> str:
    """What a client sent, fit to be quoted in a sentence."""
    text = data[:40].decode("ascii", "backslashreplace")
    text = "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)
    return f"\u201c{text}\u2026\u201d" if len(data) > 40 else f"\u201c{text}\u201d"
