"""Names and record sets from the text people write, as it stands in a master file (RFC 1035 §5, RFC 3597 §5)."""

from __future__ import annotations

from collections.abc import Sequence

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
from dns.name import Name
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType

__all__ = ["ZoneError", "parse_name", "parse_set", "parse_type", "record_set"]

LARGEST_SET = 60_000
"""Octets of record data under one name and type, so that any set fits a DNS message (65,535 octets)."""


class ZoneError(ValueError):
    """A record or zone that cannot be. The message says which one, what is wrong and what to do."""


def parse_name(name: str | Name) -> Name:
    """An absolute name; what has no final dot is taken from the root. Raises ZoneError."""
    if isinstance(name, Name):
        return name
    try:
        return dns.name.from_text(name)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ZoneError(f"{name!r} is not a domain name: {error}") from None


def parse_type(text: str) -> RdataType:
    """A record type by mnemonic or as TYPE65280 (RFC 3597 §5). Raises ZoneError."""
    try:
        rdtype = dns.rdatatype.from_text(text)
    except (dns.exception.DNSException, ValueError):
        raise ZoneError(f"{text!r} is not a record type; expected one such as A, MX, TXT or TYPE65280") from None
    if dns.rdatatype.is_metatype(rdtype):
        raise ZoneError(f"{text} is only for questions or messages; no zone can hold it")
    return rdtype


def parse_set(type: str, values: Sequence[str], ttl: int) -> Rdataset:  # noqa: A002
    """A record set from master-file text, names in it absolute. Raises ZoneError."""
    rdtype = parse_type(type)
    if not 0 <= ttl < 2 ** 31:
        raise ZoneError(f"{type} time to live {ttl}: expected 0 to 2147483647 seconds (RFC 2181 §8)")
    items = []
    for value in values:
        try:
            items.append(dns.rdata.from_text(dns.rdataclass.IN, rdtype, value, dns.name.root, relativize=False))
        except (dns.exception.DNSException, ValueError) as error:
            raise ZoneError(f"{type} {value!r}: {error}") from None
    if dns.rdatatype.is_singleton(rdtype) and len(items) > 1:
        raise ZoneError(f"{type}: a name has only one such record, and {len(items)} were given")
    return record_set(rdtype, items, ttl)


def record_set(rdtype: RdataType, items: Sequence[dns.rdata.Rdata], ttl: int) -> Rdataset:
    """A record set of values that are parsed already. Raises ZoneError when it is too large for any message."""
    if sum(len(item.to_wire() or b"") + 12 for item in items) > LARGEST_SET:
        raise ZoneError(f"{dns.rdatatype.to_text(rdtype)}: {len(items)} records are more than fit a DNS message "
                        f"({LARGEST_SET} octets); use fewer or shorter ones")
    return dns.rdataset.from_rdata_list(ttl, items)
