"""A certificate in its parts (RFC 5280 §4.1): who, by whom, from when until when, for which names, with which key.

Only as much of DER as certificates use. What is not as expected stays in one piece, named for what it is inside.
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.protocols.contract.spans import Cutter

__all__ = ["certificate"]

NAMES = {"2.5.4.3": "common name", "2.5.4.6": "country", "2.5.4.7": "locality", "2.5.4.8": "state",
         "2.5.4.10": "organization", "2.5.4.11": "unit", "2.5.4.5": "serial number"}
ALGORITHMS = {
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256", "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption", "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.2.840.113549.1.1.1": "rsaEncryption", "1.2.840.10045.2.1": "id-ecPublicKey", "1.3.101.112": "Ed25519",
    "1.2.840.10045.3.1.7": "secp256r1", "1.3.132.0.34": "secp384r1", "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
}
EXTENSIONS = {"2.5.29.14": "subject key identifier", "2.5.29.15": "key usage",
              "2.5.29.17": "subject alternative name", "2.5.29.19": "basic constraints",
              "2.5.29.35": "authority key identifier",
              "2.5.29.37": "extended key usage", "2.5.29.31": "CRL distribution points",
              "1.3.6.1.5.5.7.1.1": "authority information access", "2.5.29.32": "certificate policies"}
PURPOSES = {"1.3.6.1.5.5.7.3.1": "server authentication", "1.3.6.1.5.5.7.3.2": "client authentication"}
USAGES = ("digital signature", "content commitment", "key encipherment", "data encipherment", "key agreement",
          "certificate signing", "CRL signing", "encipher only", "decipher only")
SEQUENCE, INTEGER, BIT_STRING, OCTET_STRING, OID, BOOLEAN = 0x30, 0x02, 0x03, 0x04, 0x06, 0x01


def element(octets: bytes, at: int, end: int) -> tuple[int, int, int] | None:
    """(tag, where its content begins, where it ends); None where there is no whole one (X.690 §8.1)."""
    if at + 2 > end:
        return None
    size, start = octets[at + 1], at + 2
    if size & 0x80:
        wide = size & 0x7F
        if not 0 < wide <= 4 or start + wide > end:
            return None
        size, start = int.from_bytes(octets[start:start + wide], "big"), start + wide
    return (octets[at], start, start + size) if start + size <= end else None


def elements(octets: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """(where it begins, tag, content, end) of each."""
    while (found := element(octets, at, end)) is not None:
        yield at, *found
        at = found[2]


def oid(octets: bytes, start: int, end: int) -> str:
    """X.690 §8.19."""
    numbers, number = [], 0
    for octet in octets[start:min(end, start + 64)]:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(number)
            number = 0
    if not numbers:
        return ""
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def certificate(cutter: Cutter, end: int) -> None:
    """One certificate."""
    end = min(end, cutter.end)
    octets, found = cutter.octets, element(cutter.octets, cutter.position, end)
    inside = element(octets, found[1], found[2]) if found is not None else None
    if found is None or inside is None:
        cutter.to(end, "certificate", "part.certificate")
        return
    with cutter.within(end, "certificate", "part.certificate") as outer:
        outer.to(found[1], "length", "part.der-length", f"{found[2] - found[1]} octets")
        with outer.within(inside[2], "what is signed", "part.certificate") as signed:
            signed.to(inside[1], "length", "part.der-length", f"{inside[2] - inside[1]} octets")
            fields(signed)
        for number, (_, _, start, stop) in enumerate(elements(octets, inside[2], found[2])):
            if number:
                outer.to(stop, "signature", "part.signature")
            else:
                outer.to(stop, "signature algorithm", "part.signature-algorithm", algorithm(octets, start, stop))


def fields(signed: Cutter) -> None:
    """The fields in their order; the version, which comes first, may be left out."""
    octets = signed.octets
    place = 0
    for _, tag, start, stop in elements(octets, signed.position, signed.end):
        if tag == 0xA0:
            version = octets[stop - 1] + 1 if stop > start else 1
            signed.to(stop, "version", "part.x509-version", str(version))
        elif tag == 0xA3:
            x509_extensions(signed, start, stop)
        elif place < len(FIELDS):
            FIELDS[place](signed, start, stop)
            place += 1
        else:
            signed.to(stop, "octets of the certificate", "part.opaque")


def serial(signed: Cutter, start: int, stop: int) -> None:
    signed.to(stop, "serial number", "part.serial", signed.octets[start:stop].hex(":"))


def signature_algorithm(signed: Cutter, start: int, stop: int) -> None:
    signed.to(stop, "signature algorithm", "part.signature-algorithm", algorithm(signed.octets, start, stop))


def algorithm(octets: bytes, start: int, stop: int) -> str:
    """The names of an algorithm and its parameter."""
    found = [oid(octets, inner, end) for _, tag, inner, end in elements(octets, start, stop) if tag == OID]
    return ", ".join(ALGORITHMS.get(one, one) for one in found)


def issuer(signed: Cutter, start: int, stop: int) -> None:
    name(signed, start, stop, "issuer")


def subject(signed: Cutter, start: int, stop: int) -> None:
    name(signed, start, stop, "subject")


def name(signed: Cutter, start: int, stop: int, what: str) -> None:
    """A name of several parts (RFC 5280 §4.1.2.4)."""
    octets = signed.octets
    found = []
    with signed.within(stop, what, f"part.{what}") as whole:
        whole.to(start, "length", "part.der-length", f"{stop - start} octets")
        for _, _, set_start, set_end in elements(octets, start, stop):
            pair = element(octets, set_start, set_end)
            both = list(elements(octets, pair[1], pair[2])) if pair else []
            if len(both) != 2:
                continue
            kind = oid(octets, both[0][2], both[0][3])
            text = octets[both[1][2]:both[1][3]].decode("utf-8", "replace")
            word = NAMES.get(kind, kind)
            found.append(f"{word} {text}")
            whole.to(set_end, word, "part.common-name" if word == "common name" else "part.name-part", text)
    if signed.spans:
        signed.spans[-1] = signed.spans[-1]._replace(value=", ".join(found)[:500])


def validity(signed: Cutter, start: int, stop: int) -> None:
    with signed.within(stop, "validity", "part.validity") as both:
        both.to(start, "length", "part.der-length", f"{stop - start} octets")
        for word, (_, tag, inner, end) in zip(("not before", "not after"), elements(both.octets, start, stop),
                                              strict=False):
            both.to(end, word, "part.validity", moment(both.octets[inner:end], short=tag == 0x17))


def moment(written: bytes, *, short: bool) -> str:
    """YYMMDDHHMMSSZ, or with the whole year (RFC 5280 §4.1.2.5)."""
    text = written.decode("ascii", "replace")
    if short:
        text = ("19" if text[:2] >= "50" else "20") + text
    return f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[8:10]}:{text[10:12]}:{text[12:14]} UTC"


def public_key(signed: Cutter, start: int, stop: int) -> None:
    """The algorithm, and the key itself (RFC 5280 §4.1.2.7)."""
    octets = signed.octets
    with signed.within(stop, "public key", "part.public-key") as key:
        key.to(start, "length", "part.der-length", f"{stop - start} octets")
        for number, (_, _, inner, end) in enumerate(elements(octets, start, stop)):
            if number:
                key.to(end, "key", "part.public-key", f"{8 * (end - inner - 1)} bits with their encoding")
            else:
                key.to(end, "key algorithm", "part.public-key", algorithm(octets, inner, end))


FIELDS = (serial, signature_algorithm, issuer, validity, subject, public_key)


def x509_extensions(signed: Cutter, start: int, stop: int) -> None:
    """RFC 5280 §4.2."""
    octets, found = signed.octets, element(signed.octets, start, stop)
    if found is None:
        signed.to(stop, "extensions", "part.x509-extension")
        return
    with signed.within(stop, "extensions", "part.x509-extension") as all_:
        all_.to(found[1], "length", "part.der-length", f"{found[2] - found[1]} octets")
        for _, _, inner, end in elements(octets, found[1], found[2]):
            one_extension(all_, inner, end)


def one_extension(all_: Cutter, start: int, stop: int) -> None:
    octets = all_.octets
    pieces = list(elements(octets, start, stop))
    kind = oid(octets, pieces[0][2], pieces[0][3]) if pieces else ""
    word = EXTENSIONS.get(kind, kind or "extension")
    first = len(all_.spans)
    all_.to(start, "length", "part.der-length", f"{stop - start} octets")
    for _, tag, inner, end in pieces:
        if tag == OID:
            all_.to(end, "extension name", "part.x509-extension", word)
        elif tag == BOOLEAN:
            all_.to(end, "critical", "part.critical", "yes" if octets[inner:end] != b"\0" else "no")
        elif word == "subject alternative name":
            alternatives(all_, inner, end)
        else:
            all_.to(end, word, "part.key-usage" if "usage" in word else "part.x509-extension",
                    meaning(octets, kind, inner, end))
    all_.to(stop, "octets of the extension", "part.opaque")
    all_.nest(first, word, "part.san" if word == "subject alternative name" else "part.x509-extension")


def alternatives(all_: Cutter, start: int, stop: int) -> None:
    """The names that the certificate is for (RFC 5280 §4.2.1.6)."""
    found = element(all_.octets, start, stop)
    if found is None:
        return
    all_.to(found[1], "length", "part.der-length", f"{found[2] - found[1]} octets")
    for _, tag, inner, end in elements(all_.octets, found[1], found[2]):
        written = all_.octets[inner:end]
        if tag == 0x87:
            text = ".".join(map(str, written)) if len(written) == 4 else written.hex(":", 2)
        else:
            text = written.decode("ascii", "backslashreplace")
        all_.to(end, "name", "part.san", text[:300])


def meaning(octets: bytes, kind: str, start: int, stop: int) -> str:
    """What some extensions say."""
    found = element(octets, start, stop)
    if found is None:
        return ""
    if kind == "2.5.29.15":
        bits = "".join(f"{octet:08b}" for octet in octets[found[1] + 1:min(found[2], found[1] + 3)])
        return ", ".join(word for bit, word in zip(bits, USAGES, strict=False) if bit == "1")
    if kind == "2.5.29.37":
        purposes = (oid(octets, inner, end) for _, _, inner, end in elements(octets, found[1], found[2]))
        return ", ".join(PURPOSES.get(one, one) for one in purposes)
    if kind == "2.5.29.19":
        authority = any(tag == BOOLEAN and octets[inner:end] != b"\0"
                        for _, tag, inner, end in elements(octets, found[1], found[2]))
        return "an authority" if authority else "no authority"
    return ""
