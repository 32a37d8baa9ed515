"""A DNS message to the bit (RFC 1035 §4.1): header and flags, question, resource records and their data, EDNS."""

from __future__ import annotations

import struct

import dns.edns
import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from sandbox.protocols.contract.spans import About, Cutter, Span

__all__ = ["PARTS", "dissect"]

PARTS = frozenset({
    "ancount", "arcount", "class", "edns-flags", "flags", "header", "id", "label", "label-length", "length",
    "message", "name", "nscount", "octets", "opt", "option-data", "pointer", "qdcount", "rcode", "rdata",
    "rdlength", "root", "ttl", "udp-size",
})
"""Every part that has an entry of its own in the knowledge."""

FLAGS = ((0x8000, "QR"), (0x0400, "AA"), (0x0200, "TC"), (0x0100, "RD"), (0x0080, "RA"), (0x0040, "Z"),
         (0x0020, "AD"), (0x0010, "CD"))
SECTIONS = ("question", "answer", "authority", "additional")
OPCODES = {0: "QUERY", 1: "IQUERY", 2: "STATUS", 4: "NOTIFY", 5: "UPDATE", 6: "DSO"}
OPT = 41
POINTERS = 64
"""Jumps of one name; a message can make them lead in a circle."""


def dissect(octets: bytes, about: About) -> tuple[Span, ...]:
    """Messages, each with its length in front where a stream carries them (RFC 1035 §4.2.2)."""
    cutter = Cutter(octets)
    if about.transport == "udp":
        message(cutter, cutter.end)
    while cutter.left and about.transport != "udp":
        size = int.from_bytes(cutter.peek(2), "big")
        cutter.take(2, "length", "part.length", f"{size} octets")
        message(cutter, cutter.position + size)
    return cutter.done()


def message(cutter: Cutter, end: int) -> None:
    with cutter.within(end, "message", "part.message") as inner:
        start = inner.position
        if inner.left < 12:
            return
        counts = header(inner)
        for section, count in zip(SECTIONS, counts, strict=True):
            for _ in range(count):
                if not inner.left:
                    return
                if section == "question":
                    question(inner, start)
                else:
                    record(inner, start, section)


def header(cutter: Cutter) -> tuple[int, ...]:
    """The twelve octets in front. The four counts."""
    number, bits, *counts = struct.unpack("!6H", cutter.peek(12))
    with cutter.within(cutter.position + 12, "header", "part.header") as inner:
        inner.take(2, "id", "part.id", str(number))
        with inner.within(inner.position + 2, "flags", "part.flags", flags(bits)) as two:
            two.take(1, "QR, opcode, AA, TC, RD", "part.flags",
                     " ".join([OPCODES.get(bits >> 11 & 15, str(bits >> 11 & 15)), flags(bits & 0x8700)]).strip())
            rcode = bits & 15
            two.take(1, "RA, Z, AD, CD, rcode", "part.rcode", f"{flags(bits & 0x00F0)} rcode {rcode}".strip())
        for name, count in zip(("QDCOUNT", "ANCOUNT", "NSCOUNT", "ARCOUNT"), counts, strict=True):
            inner.take(2, name, f"part.{name.lower()}", str(count))
    return tuple(counts)


def flags(bits: int) -> str:
    return " ".join(name for mask, name in FLAGS if bits & mask)


def question(cutter: Cutter, start: int) -> None:
    first = len(cutter.spans)
    asked = name(cutter, start)
    kind = dns.rdatatype.to_text(dns.rdatatype.RdataType(int.from_bytes(cutter.peek(2), "big")))
    cutter.take(2, "type", f"verb.{kind}", kind)
    cutter.take(2, "class", "part.class", class_text(int.from_bytes(cutter.peek(2), "big")))
    cutter.nest(first, "question", f"verb.{kind}", f"{asked} {kind}")


def record(cutter: Cutter, start: int, section: str) -> None:
    """One resource record (RFC 1035 §3.2.1)."""
    first = len(cutter.spans)
    owner = name(cutter, start)
    number = int.from_bytes(cutter.peek(2), "big")
    kind = dns.rdatatype.to_text(dns.rdatatype.RdataType(number))
    cutter.take(2, "type", f"verb.{kind}" if number != OPT else "part.opt", kind)
    rdclass = int.from_bytes(cutter.peek(2), "big")
    if number == OPT:
        cutter.take(2, "UDP size", "part.udp-size", f"{rdclass} octets")
        cutter.take(4, "extended rcode, version, DO", "part.edns-flags", cutter.peek(4).hex())
    else:
        cutter.take(2, "class", "part.class", class_text(rdclass))
        cutter.take(4, "TTL", "part.ttl", f"{int.from_bytes(cutter.peek(4), 'big')} s")
    size = int.from_bytes(cutter.peek(2), "big")
    cutter.take(2, "data length", "part.rdlength", f"{size} octets")
    end = min(cutter.end, cutter.position + size)
    value = ""
    if number == OPT:
        options(cutter, end)
    else:
        value = data_text(cutter.octets, start, cutter.position, end, rdclass, number)
        cutter.to(end, "data", "part.rdata", value)
    cutter.nest(first, f"{section} record", f"verb.{kind}" if number != OPT else "part.opt",
                f"{owner} {kind} {value}".strip())


def options(cutter: Cutter, end: int) -> None:
    """EDNS options (RFC 6891 §6.1.2)."""
    while cutter.position + 4 <= end:
        first = len(cutter.spans)
        code = int.from_bytes(cutter.peek(2), "big")
        key = f"option.{option_text(code)}"
        cutter.take(2, "option code", key, option_text(code))
        size = int.from_bytes(cutter.peek(2), "big")
        cutter.take(2, "option length", "part.length", f"{size} octets")
        cutter.to(min(end, cutter.position + size), "option data", "part.option-data")
        cutter.nest(first, "option", key, option_text(code))
    cutter.to(end, "octets", "part.octets")


def option_text(code: int) -> str:
    return dns.edns.OptionType.to_text(dns.edns.OptionType.make(code))


def name(cutter: Cutter, start: int) -> str:
    """A name: labels, and perhaps a pointer to others (RFC 1035 §4.1.4). Its text."""
    first = len(cutter.spans)
    labels: list[str] = []
    while cutter.left:
        size = cutter.peek(1)[0]
        if size >= 0xC0:
            target = int.from_bytes(cutter.peek(2), "big") & 0x3FFF
            labels += followed(cutter.octets, start, target)
            cutter.take(2, "pointer", "part.pointer", f"to octet {target}")
            break
        cutter.take(1, "label length" if size else "root", "part.label-length" if size else "part.root", str(size))
        if not size:
            break
        labels.append(label_text(cutter.peek(min(size, 63))))
        cutter.take(min(size, 63), "label", "part.label", labels[-1])
    text = ".".join(labels) + "."
    cutter.nest(first, "name", "part.name", text)
    return text


def followed(octets: bytes, start: int, target: int) -> list[str]:
    """The labels that a pointer leads to."""
    labels: list[str] = []
    at = start + target
    for _ in range(POINTERS):
        if at >= len(octets) or not (size := octets[at]):
            break
        if size >= 0xC0:
            at = start + (int.from_bytes(octets[at:at + 2], "big") & 0x3FFF)
            continue
        labels.append(label_text(octets[at + 1:at + 1 + size]))
        at += 1 + size
    return labels


def label_text(octets: bytes) -> str:
    return "".join(chr(octet) if 33 <= octet < 127 and octet not in b".\\" else f"\\{octet:03d}" for octet in octets)


def class_text(number: int) -> str:
    return dns.rdataclass.to_text(dns.rdataclass.RdataClass(number))


def data_text(octets: bytes, start: int, at: int, end: int, rdclass: int, rdtype: int) -> str:
    """A record's data as a zone file has it, "" where it is none."""
    try:
        found = dns.rdata.from_wire(dns.rdataclass.RdataClass(rdclass), dns.rdatatype.RdataType(rdtype),
                                    octets[start:end], at - start, end - at)
        return found.to_text()[:1000]
    except (dns.exception.DNSException, ValueError, IndexError):
        return ""
