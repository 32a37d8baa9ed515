"""Each mechanism by the examples of its RFC, and by what it must refuse."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.protocols.sasl import (
    MECHANISMS,
    Challenge,
    Mechanism,
    Reason,
    SaslError,
    Success,
    decode,
    encode,
    offered,
)
from sandbox.protocols.sasl.base import Host
from sandbox.protocols.sasl.cram_md5 import CramMd5
from sandbox.protocols.sasl.saslprep import saslprep
from sandbox.protocols.sasl.scram import ScramSha256, ScramSha256Plus


@dataclass(frozen=True)
class Person:
    login: str
    password: str


PEOPLE = {"alice": Person("alice", "wonderland"), "tim": Person("tim", "tanstaaftanstaaf"),
          "user": Person("user", "pencil"), "o,=o": Person("o,=o", "x"), "bob": Person("bob", "builder")}


def find(login: str) -> Person | None:
    return PEOPLE.get(login.removesuffix("@example.com"))


HOST = Host(find, "mail.example.com", {})
BOUND = Host(find, "mail.example.com", {"tls-exporter": b"\x01" * 32, "tls-server-end-point": b"\x02" * 32})


def run(mechanism: Mechanism, *responses: bytes | None) -> list[Challenge | Success]:
    return [mechanism.step(response) for response in responses]


def refused(mechanism: Mechanism, *responses: bytes | None) -> Reason:
    with pytest.raises(SaslError) as failure:
        run(mechanism, *responses)
    return failure.value.reason


def make(name: str) -> Mechanism:
    return MECHANISMS[name](HOST)


# PLAIN, RFC 4616

def test_plain() -> None:
    assert run(make("PLAIN"), None, b"\0alice\0wonderland") == [Challenge(b""), Success("alice")]
    assert run(make("PLAIN"), b"\0alice@example.com\0wonderland") == [Success("alice")]
    assert run(make("PLAIN"), b"alice\0alice\0wonderland") == [Success("alice")]


@pytest.mark.parametrize(("message", "reason"), [
    (b"\0alice\0wrong", Reason.CREDENTIALS), (b"\0nobody\0", Reason.MALFORMED), (b"\0nobody\0x", Reason.CREDENTIALS),
    (b"bob\0alice\0wonderland", Reason.IDENTITY), (b"alice\0wonderland", Reason.MALFORMED),
    (b"\0alice\0wonder\0land", Reason.MALFORMED), (b"", Reason.MALFORMED), (b"\0\xff\0x", Reason.MALFORMED),
])
def test_plain_refuses(message: bytes, reason: Reason) -> None:
    assert refused(make("PLAIN"), message) == reason


# LOGIN

def test_login() -> None:
    assert run(make("LOGIN"), None, b"alice", b"wonderland") == [
        Challenge(b"Username:"), Challenge(b"Password:"), Success("alice")]
    assert run(make("LOGIN"), b"alice", b"wonderland") == [Challenge(b"Password:"), Success("alice")]
    assert refused(make("LOGIN"), None, b"alice", b"") == Reason.CREDENTIALS


# CRAM-MD5, the example of RFC 2195 §2

def test_cram_md5() -> None:
    challenge = b"<1896.697170952@postoffice.reston.mci.net>"
    assert run(CramMd5(HOST, challenge), None, b"tim b913a602c7eda7a495b4e6e7334d3890") == [
        Challenge(challenge), Success("tim")]
    assert refused(CramMd5(HOST, challenge), None, b"tim " + b"0" * 32) == Reason.CREDENTIALS
    assert refused(CramMd5(HOST, challenge), None, b"nobody " + b"0" * 32) == Reason.CREDENTIALS
    assert refused(CramMd5(HOST, challenge), None, b"tim") == Reason.MALFORMED
    assert refused(CramMd5(HOST, challenge), b"tim x") == Reason.MALFORMED


def test_cram_md5_challenges_never_come_twice() -> None:
    assert make("CRAM-MD5").step(None) != make("CRAM-MD5").step(None)


# XOAUTH2

def test_xoauth2() -> None:
    assert run(make("XOAUTH2"), b"user=alice\x01auth=Bearer wonderland\x01\x01") == [Success("alice")]
    mechanism = make("XOAUTH2")
    answer = mechanism.step(b"user=alice\x01auth=Bearer wrong\x01\x01")
    assert isinstance(answer, Challenge)
    assert b'"status":"400"' in answer.data
    assert refused(mechanism, b"") == Reason.CREDENTIALS
    assert refused(make("XOAUTH2"), b"user=alice\x01auth=Basic x\x01\x01") == Reason.MALFORMED
    assert refused(make("XOAUTH2"), b"user=alice") == Reason.MALFORMED


# SCRAM-SHA-256, the example of RFC 7677 §3

FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
NONCE = b"rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
FINAL = b"c=biws,r=" + NONCE + b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
SALT = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")


def example() -> ScramSha256:
    return ScramSha256(HOST, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", SALT)


def test_scram() -> None:
    assert run(example(), None, FIRST, FINAL, b"") == [
        Challenge(b""),
        Challenge(b"r=" + NONCE + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
        Challenge(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
        Success("user"),
    ]


@pytest.mark.parametrize(("responses", "reason"), [
    ([FIRST, FINAL.replace(b"p=d", b"p=e")], Reason.CREDENTIALS),
    ([FIRST, FINAL.replace(b"r=rO", b"r=rX")], Reason.MALFORMED),
    ([FIRST, FINAL.replace(b"biws", b"eSws")], Reason.BINDING),       # "y,,"
    ([FIRST, FINAL.replace(b"VQ==", b"VQ=")], Reason.BASE64),
    ([FIRST, FINAL, b"x"], Reason.MALFORMED),
    ([b"n,,m=x,n=user,r=abc"], Reason.MALFORMED),                     # an extension that must be known
    ([b"n,,n=us=er,r=abc"], Reason.MALFORMED),
    ([b"n,,n=,r=abc"], Reason.MALFORMED),
    ([b"p=tls-exporter,,n=user,r=abc"], Reason.BINDING),
    ([b"n,,n=user"], Reason.MALFORMED), ([b""], Reason.MALFORMED), ([b"\xff"], Reason.MALFORMED),
])
def test_scram_refuses(responses: list[bytes], reason: Reason) -> None:
    mechanism = example()
    if responses[-1] == FINAL.replace(b"VQ==", b"VQ="):
        responses = [FIRST, FINAL[:-1]]
    assert refused(mechanism, *responses) == reason


def prove(mechanism: ScramSha256, name: bytes, password: bytes, header: bytes, binding: bytes = b"") -> Success:
    """A client of RFC 5802 §3, in its own words."""
    bare = b"n=" + name + b",r=clientnonce"
    challenge = mechanism.step(header + bare)
    assert isinstance(challenge, Challenge)
    fields = dict(part.split(b"=", 1) for part in challenge.data.split(b","))
    salted = hashlib.pbkdf2_hmac("sha256", password, b64decode(fields[b"s"]), int(fields[b"i"]))
    key = hmac.digest(salted, b"Client Key", "sha256")
    without = b"c=" + b64encode(header + binding) + b",r=" + fields[b"r"]
    auth = b",".join((bare, challenge.data, without))
    signature = hmac.digest(hashlib.sha256(key).digest(), auth, "sha256")
    proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
    answer = mechanism.step(without + b",p=" + b64encode(proof))
    verifier = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), auth, "sha256")
    assert answer == Challenge(b"v=" + b64encode(verifier))
    success = mechanism.step(b"")
    assert isinstance(success, Success)
    return success


def test_scram_with_names_escaped_and_an_identity() -> None:
    assert prove(ScramSha256(HOST), b"o=2C=3Do", b"x", b"n,,") == Success("o,=o")
    assert prove(ScramSha256(HOST), b"alice", b"wonderland", b"n,a=alice@example.com,") == Success("alice")
    assert prove(ScramSha256(HOST), b"alice", b"wonderland", b"y,,") == Success("alice")
    with pytest.raises(SaslError, match="one account"):
        prove(ScramSha256(HOST), b"alice", b"wonderland", b"n,a=bob,")
    with pytest.raises(SaslError, match="wrong name or password"):
        prove(ScramSha256(HOST), b"alice", b"wrong", b"n,,")


def test_scram_for_a_name_that_does_not_exist_looks_the_same() -> None:
    answers = [ScramSha256(HOST, "nonce").step(b"n,,n=nobody,r=abc") for _ in range(2)]
    assert answers[0] == answers[1]
    with pytest.raises(SaslError, match="wrong name or password"):
        prove(ScramSha256(HOST), b"nobody", b"", b"n,,")


def test_scram_plus() -> None:
    for kind, data in BOUND.bindings.items():
        header = b"p=%b,," % kind.encode()
        assert prove(ScramSha256Plus(BOUND), b"alice", b"wonderland", header, data) == Success("alice")
    with pytest.raises(SaslError, match="channel binding"):
        prove(ScramSha256Plus(BOUND), b"alice", b"wonderland", b"p=tls-exporter,,", b"\x09" * 32)
    assert refused(ScramSha256Plus(BOUND), b"n,,n=alice,r=a") == Reason.BINDING
    assert refused(ScramSha256Plus(BOUND), b"p=tls-unique,,n=alice,r=a") == Reason.BINDING


def test_scram_notices_that_plus_was_taken_out_of_the_list() -> None:
    """RFC 5802 §6: "y" says the client could bind and believes that the server cannot."""
    assert refused(ScramSha256(BOUND), b"y,,n=alice,r=a") == Reason.BINDING


# What all have in common

def test_what_is_offered() -> None:
    assert offered(plaintext=True, bindings={}) == ["SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN", "XOAUTH2"]
    assert offered(plaintext=False, bindings=BOUND.bindings) == ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "CRAM-MD5"]


@settings(max_examples=60)
@given(st.sampled_from(list(MECHANISMS)), st.lists(st.one_of(st.none(), st.binary(max_size=60), st.just(FIRST)),
                                                   max_size=5))
def test_garbage_raises_one_error_and_nothing_else(name: str, responses: list[bytes | None]) -> None:
    mechanism = MECHANISMS[name](BOUND)
    try:
        for response in responses:
            assert not isinstance(mechanism.step(response), Success)
    except SaslError:
        pass


@pytest.mark.parametrize("bad", [b"a", b"aa", b"aaa", b"====", b"YQ", b"YQ= ", b" YQ==", b"YR==", b"Y\nQ=", b"\xff"])
def test_base64_is_strict(bad: bytes) -> None:
    with pytest.raises(SaslError, match="base64"):
        decode(bad)


@given(st.binary(max_size=50))
def test_base64(data: bytes) -> None:
    assert decode(encode(data)) == data


# SASLprep, the examples of RFC 4013 §3

@pytest.mark.parametrize(("given", "prepared"), [
    ("I\u00adX", "IX"), ("user", "user"), ("USER", "USER"), ("\u00aa", "a"), ("\u2168", "IX"), ("", ""),
    ("a\u00a0b", "a b"), ("\u0627\u0628", "\u0627\u0628"),
])
def test_saslprep(given: str, prepared: str) -> None:
    assert saslprep(given) == prepared


@pytest.mark.parametrize("bad", ["\u0007", "\u06271", "a\u0627", "\ue000", "\ufffd"])
def test_saslprep_refuses(bad: str) -> None:
    with pytest.raises(ValueError, match=r"allowed|right"):
        saslprep(bad)


def test_saslprep_refuses_unassigned_code_points_only_where_they_are_kept() -> None:
    assert saslprep("\u0221") == "\u0221"
    with pytest.raises(ValueError, match="not assigned"):
        saslprep("\u0221", stored=True)
