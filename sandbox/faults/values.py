"""Values in rules: times, counts, sizes, shares. Each reader raises FaultError with what it takes."""

from __future__ import annotations

from sandbox.faults.errors import FaultError
from sandbox.filter.values import duration, size

__all__ = ["LONGEST", "count", "octets", "seconds", "share", "truth"]

LONGEST = 600.0
"""Seconds that a rule may make anybody wait."""
MOST = 10**9


def seconds(text: str, *, name: str, least: float = 0.0) -> float:
    """A time as 200ms, 1.5s, 2m; a bare number is seconds."""
    found = duration(f"{text}s" if text.replace(".", "", 1).isdecimal() else text)
    if found is None or not least <= found <= LONGEST:
        raise FaultError(f"{name} is {text[:40]!r}.", f"It is a time up to {LONGEST:g}s, such as 200ms or 1.5s.")
    return found


def octets(text: str, *, name: str, least: int = 0) -> int:
    """A number of octets as 500, 64KiB, 1MB."""
    found = size(text)
    if found is None or not least <= found <= MOST:
        raise FaultError(f"{name} is {text[:40]!r}.", f"It is a number of octets from {least}, such as 500 or 64KiB.")
    return int(found)


def count(text: str, *, name: str, least: int = 1) -> int:
    if not (text.isascii() and text.isdecimal()) or not least <= int(text[:12]) <= MOST:
        raise FaultError(f"{name} is {text[:40]!r}.", f"It is a whole number from {least:,} to {MOST:,}.")
    return int(text)


def share(text: str, *, name: str) -> float:
    """0.3, or 30%."""
    percent = text.endswith("%")
    try:
        found = float(text.removesuffix("%")) / (100 if percent else 1)
    except ValueError:
        found = 0.0
    if not 0 < found <= 1:
        raise FaultError(f"{name} is {text[:40]!r}.", "It is a share of all, such as 0.3 or 30%.")
    return found


def truth(text: str, *, name: str) -> bool:
    found = {"true": True, "yes": True, "": True, "false": False, "no": False}.get(text.lower())
    if found is None:
        raise FaultError(f"{name} is {text[:40]!r}.", "It is true or false.")
    return found
