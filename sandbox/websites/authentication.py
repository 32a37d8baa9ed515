"""HTTP authentication: Basic (RFC 7617), Digest (RFC 7616), Bearer (RFC 6750).

Each `check_...` gives what the client proved to know, or None; each `..._challenge` gives the field a 401 carries.
Comparisons of secrets take the same time whether they match or not.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from sandbox.protocols.http.messages import Request

__all__ = ["ALGORITHMS", "Credentials", "Digest", "Verdict", "basic_challenge", "basic_credentials",
           "bearer_challenge", "bearer_token", "same"]

ALGORITHMS: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "SHA-512": lambda data: hashlib.sha512(data).hexdigest(),
    "SHA-512-256": lambda data: hashlib.new("sha512_256", data).hexdigest(),
}
"""RFC 7616 §6.1, and SHA-512, which nobody registered and some clients know all the same. "-sess" forms of each exist
beside them."""

TCHAR = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
# It begins where a word begins: looked for at every letter of a long one, it would take seconds.
AUTH_PARAM = re.compile(rf'(?<!{TCHAR})({TCHAR}+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)')
TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*")
NONCE_SECONDS = 300
"""How long a nonce may be used; then the client is told it is stale and tries again by itself (RFC 7616 §3.3)."""
MAX_NONCES = 10_000
"""Nonces whose use is remembered; those least recently used are forgotten first, and then count as stale."""


class Credentials(NamedTuple):
    user: str
    password: str


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def scheme_and_rest(request: Request, field: str = "authorization") -> tuple[str, str]:
    scheme, _, rest = request.headers.get(field).partition(" ")
    return scheme.lower(), rest.strip()


def quote(value: str) -> str:
    """A quoted-string (RFC 9110 §5.6.4); what cannot stand in one is left out."""
    value = re.sub(r"[^\t -~\x80-\xff]", "", value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def basic_challenge(realm: str) -> tuple[str, str]:
    return "WWW-Authenticate", f'Basic realm={quote(realm)}, charset="UTF-8"'


def basic_credentials(request: Request) -> Credentials | None:
    """What the client says it is; nobody checked it yet. None where it said nothing that can be read."""
    scheme, rest = scheme_and_rest(request)
    if scheme != "basic":
        return None
    try:
        pair = base64.b64decode(rest, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    user, colon, password = pair.partition(":")
    return Credentials(user, password) if colon else None


def bearer_challenge(realm: str, error: str = "", description: str = "") -> tuple[str, str]:
    """RFC 6750 §3: no error code for a client that sent no token at all."""
    value = f"Bearer realm={quote(realm)}"
    if error:
        value += f", error={quote(error)}, error_description={quote(description)}"
    return "WWW-Authenticate", value


def bearer_token(request: Request) -> str | None:
    scheme, rest = scheme_and_rest(request)
    return rest if scheme == "bearer" and TOKEN68.fullmatch(rest) else None


class Verdict(NamedTuple):
    """What became of a Digest answer. user: "" when it proved nothing; stale: right, but for an old nonce;
    fields: what to send along with the answer (Authentication-Info, RFC 7616 §3.5)."""

    user: str
    stale: bool = False
    reason: str = ""
    fields: tuple[tuple[str, str], ...] = ()


class Digest:
    """A protection space. realm: its name; algorithms: offered in this order, the strongest first; qop: "auth",
    "auth-int", both with a comma, or "" for the form of RFC 2069; lifetime: seconds of a nonce."""

    def __init__(self, realm: str, algorithms: tuple[str, ...] = ("SHA-256", "MD5"), qop: str = "auth",
                 lifetime: float = NONCE_SECONDS, clock: Callable[[], float] = time.time) -> None:
        self.realm = realm
        self.algorithms = algorithms
        self.qop = qop
        self.lifetime = lifetime
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._opaque = secrets.token_hex(16)
        self._used: OrderedDict[str, int] = OrderedDict()
        """Nonce to the highest count seen with it."""

    def challenge(self, stale: bool = False, algorithms: tuple[str, ...] = (), realm: str = "",
                  qop: str | None = None) -> list[tuple[str, str]]:
        """One WWW-Authenticate field for each algorithm (RFC 7616 §3.7: the client takes the first it knows)."""
        nonce = self._new_nonce()
        qop = self.qop if qop is None else qop
        return [("WWW-Authenticate", ", ".join([
            f"Digest realm={quote(realm or self.realm)}",
            *([f"qop={quote(qop)}"] if qop else []),
            f"algorithm={algorithm}", f'nonce="{nonce}"', f'opaque="{self._opaque}"', "charset=UTF-8",
            *(["stale=true"] if stale else [])]))
            for algorithm in algorithms or self.algorithms]

    def check(self, request: Request, password_of: Callable[[str], str | None], body: bytes = b"",
              algorithms: tuple[str, ...] = (), realm: str = "", qop: str | None = None, uses: int = 0) -> Verdict:
        """Judge the Authorization field. password_of: a user's password, None for nobody; body: the content, for
        auth-int; algorithms, realm, qop: as in the challenge; uses: how often a nonce may be used, 0 for as often
        as it is fresh."""
        scheme, rest = scheme_and_rest(request)
        if scheme != "digest":
            return Verdict("", reason="no Digest credentials were sent")
        given = {name.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare
                 for name, quoted, bare in AUTH_PARAM.findall(rest)}
        algorithm = given.get("algorithm", "MD5")
        if algorithm.upper() not in {name.upper() for name in algorithms or self.algorithms}:
            return Verdict("", reason=f"the algorithm {algorithm!r} was not offered")
        offered = self.qop if qop is None else qop
        if given.get("qop", "") not in offered.split(","):
            return Verdict("", reason="the quality of protection (qop) was not offered")
        if given.get("realm") != (realm or self.realm):
            return Verdict("", reason="the realm is another one")
        if given.get("uri") not in (request.target, request.path + (f"?{request.query}" if request.query else "")):
            return Verdict("", reason="the uri is not the one that was asked for (RFC 7616 §3.4.6)")
        user = user_of(given)
        if user is None:
            return Verdict("", reason="there is one user name, in username or, coded, in username* (RFC 7616 §3.4)")
        password = password_of(user)
        expected, mutual = responses(given, algorithm, password or "", request.method, body)
        if password is None or not same(expected, given.get("response", "")):
            return Verdict("", reason="user or password is wrong")
        return self._judge_nonce(given, user, mutual, uses)

    def _judge_nonce(self, given: dict[str, str], user: str, mutual: str, uses: int) -> Verdict:
        nonce = given.get("nonce", "")
        stamp, _, _ = nonce.partition(".")
        if not nonce or not same(self._sign(stamp), nonce):
            return Verdict("", stale=True, reason="the nonce is not one of ours")
        if int(stamp[:16], 16) / 1000 + self.lifetime < self._clock():
            return Verdict("", stale=True, reason=f"the nonce is older than {self.lifetime:.0f} seconds")
        used = self._used.get(nonce, 0)
        counted = bool(given.get("qop"))
        # The form without qop (RFC 2069) carries no count, and cannot be told from a replay: it is counted here.
        count = (int(given["nc"], 16) if re.fullmatch(r"[0-9a-fA-F]{8}", given.get("nc", "")) else 0) if counted \
            else used + 1
        if count <= used:
            return Verdict("", stale=True, reason="this answer was used before: a replay (RFC 7616 §5.11)")
        if uses and count > uses:
            return Verdict("", stale=True, reason=f"the nonce was used {uses} times")
        self._used[nonce] = count
        self._used.move_to_end(nonce)
        if len(self._used) > MAX_NONCES:
            self._used.popitem(last=False)
        if not counted:
            return Verdict(user)
        return Verdict(user, fields=(("Authentication-Info",
                                      f'rspauth="{mutual}", cnonce={quote(given.get("cnonce", ""))}, '
                                      f'nc={given["nc"]}, qop={given["qop"]}'),))

    def _new_nonce(self) -> str:
        return self._sign(f"{int(self._clock() * 1000):016x}{secrets.token_hex(8)}")

    def _sign(self, stamp: str) -> str:
        """A nonce says itself when it was made, so that none has to be kept before it is used."""
        if re.fullmatch(r"[0-9a-f]{32}", stamp) is None:
            return ""
        return f"{stamp}.{hmac.new(self._secret, stamp.encode(), hashlib.sha256).hexdigest()}"


def responses(given: dict[str, str], algorithm: str, password: str, method: str, body: bytes) -> tuple[str, str]:
    """What the client must have answered, and what the server answers back (RFC 7616 §3.4.1, §3.5)."""
    def field(name: str) -> str:
        return given.get(name, "")

    digest = ALGORITHMS[algorithm.upper().removesuffix("-SESS")]

    def h(text: str) -> str:
        return digest(text.encode("utf-8", "surrogatepass"))

    a1 = f"{user_of(given) or ''}:{latin_to_text(field('realm'))}:{password}"
    if algorithm.upper().endswith("-SESS"):
        a1 = f"{h(a1)}:{field('nonce')}:{field('cnonce')}"
    content = f":{digest(body)}" if field("qop") == "auth-int" else ""
    middle = [field("nonce")]
    if field("qop"):
        middle += [field("nc"), field("cnonce"), field("qop")]

    def answer(verb: str) -> str:
        return h(":".join([h(a1), *middle, h(f"{verb}:{field('uri')}{content}")]))

    return answer(method), answer("")


def user_of(given: dict[str, str]) -> str | None:
    """The user's name, in either of its forms (RFC 7616 §3.4); None where it cannot be read."""
    coded = given.get("username*")
    if coded is None:
        return latin_to_text(given.get("username", ""))
    charset, _, rest = coded.partition("'")
    _, quote_mark, value = rest.partition("'")
    if "username" in given or charset.upper() != "UTF-8" or not quote_mark or not value.isascii():
        return None
    try:
        return unquote_to_bytes(value).decode("utf-8")       # ext-value, RFC 8187 §3.2
    except UnicodeDecodeError:
        return None


def latin_to_text(value: str) -> str:
    """Field values come one character an octet; names in them are UTF-8 (RFC 7616 §4)."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
