"""What the numbers of TLS are called, from the IANA registries (tables in `data/`, "HEX NAME" a line).

A number no table knows is written as it is, "0xFE01"; the values that clients send only to see that servers
ignore what they do not know are "GREASE" (RFC 8701).
"""

from __future__ import annotations

import functools
import ssl
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "SuiteParts", "alert", "extension", "group", "is_grease", "number_of", "scheme", "suite", "suite_parts", "table",
    "version",
]

VERSIONS = {0x0002: "SSL 2.0", 0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2",
            0x0304: "TLS 1.3"}


@functools.cache
def table(name: str) -> dict[int, str]:
    """One registry: "suites", "extensions", "groups", "schemes" or "alerts". Read once, when first asked for."""
    lines = (Path(__file__).parent / "data" / f"{name}.txt").read_text("ascii").splitlines()
    return {int(number, 16): word for number, word in (line.split() for line in lines)}


@functools.cache
def number_of(name: str) -> dict[str, int]:
    """A registry the other way round."""
    return {word: number for number, word in table(name).items()}


def is_grease(number: int) -> bool:
    """Whether a suite, extension, group, scheme or version is one of RFC 8701 §2's: 0A0A, 1A1A ... FAFA."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


def _name(registry: str, number: int) -> str:
    if is_grease(number):
        return "GREASE"
    return table(registry).get(number) or f"0x{number:04X}"


def suite(number: int) -> str:
    """A cipher suite: TLS_AES_128_GCM_SHA256."""
    return _name("suites", number)


def extension(number: int) -> str:
    """A hello extension: server_name."""
    return _name("extensions", number)


def group(number: int) -> str:
    """A key exchange group, once called a named curve: x25519."""
    return _name("groups", number)


def scheme(number: int) -> str:
    """A signature scheme: ecdsa_secp256r1_sha256."""
    return _name("schemes", number)


def alert(number: int) -> str:
    """An alert: unknown_ca."""
    return table("alerts").get(number) or f"0x{number:02X}"


def version(number: int) -> str:
    """A protocol version: TLS 1.3 is 0x0304, because it comes after SSL 3.0 (0x0300)."""
    return "GREASE" if is_grease(number) else VERSIONS.get(number) or f"0x{number:04X}"


class SuiteParts(NamedTuple):
    """What a suite is made of, each part a term of the knowledge; "" where it does not say.

    TLS 1.3 suites name cipher and hash only: key exchange and authentication are agreed in extensions.
    """

    exchange: str = ""
    authentication: str = ""
    cipher: str = ""
    mode: str = ""
    hash: str = ""


HASHES = ("MD5", "SHA", "SHA256", "SHA384", "SHA512", "SM3")
MODES = ("CBC", "GCM", "CCM_8", "CCM", "CTR_OMAC", "MGM_L", "MGM_S", "CNT_IMIT")
ONE_PART = {"RSA": ("RSA", "RSA"), "PSK": ("PSK", "PSK"), "KRB5": ("KRB5", "KRB5"), "ECCPWD": ("ECCPWD", "ECCPWD"),
            "NULL": ("NULL", "NULL"), "SRP_SHA": ("SRP", "SRP"), "SRP_SHA_RSA": ("SRP", "RSA"),
            "SRP_SHA_DSS": ("SRP", "DSS"), "PSK_DHE": ("DHE", "PSK"),
            "GOSTR341112_256": ("GOST", "GOST")}
"""The forms in which key exchange and authentication are not two words with a line between them."""


@functools.cache
def openssl_suites() -> dict[str, int]:
    """The numbers of the cipher suites by OpenSSL's own names ("ECDHE-RSA-AES128-GCM-SHA256")."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    # OpenSSL's id is the registered number with the protocol's major version in front.
    return {cipher["name"]: cipher["id"] & 0xFFFF for cipher in context.get_ciphers()}


def standard_suite(openssl_name: str) -> str:
    """The registered name of a suite that OpenSSL calls by its own; that one itself where it is not known."""
    number = openssl_suites().get(openssl_name)
    return openssl_name if number is None else suite(number)


def suite_parts(name: str) -> SuiteParts:
    """The parts of a suite by its registered name; all empty for signalling values and unknown suites."""
    if not name.startswith("TLS_") or name.endswith("_SCSV"):
        return SuiteParts()
    agreement, found, rest = name.removeprefix("TLS_").partition("_WITH_")
    if not found:
        agreement, rest = "", agreement
    exchange = authentication = ""
    if agreement:
        agreement = agreement.removesuffix("_EXPORT")  # the key length in the cipher's name says as much
        exchange, _, authentication = agreement.rpartition("_")
        if agreement in ONE_PART:
            exchange, authentication = ONE_PART[agreement]
    cipher, _, digest = rest.rpartition("_")
    if digest not in HASHES:
        cipher, digest = rest, ""
    if not cipher or cipher in HASHES:  # RFC 9150: integrity only
        cipher = "NULL"
    if rest == "NULL_NULL":
        cipher = "NULL"
    cipher, mode = _split_mode(cipher)
    return SuiteParts(exchange, authentication, cipher, mode, digest)


def _split_mode(cipher: str) -> tuple[str, str]:
    for mode in MODES:
        if cipher.endswith(f"_{mode}"):
            return cipher.removesuffix(f"_{mode}"), mode
        if f"_{mode}_" in cipher:  # RC2_CBC_40: the export suites put the key length last
            return cipher.replace(f"_{mode}", "").replace("DES_40", "DES40"), mode
    return cipher, ""
