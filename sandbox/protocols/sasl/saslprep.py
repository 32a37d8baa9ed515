"""SASLprep (RFC 4013): one spelling for names and passwords that look the same, with the tables of RFC 3454."""

from __future__ import annotations

import stringprep
import unicodedata

__all__ = ["saslprep"]

PROHIBITED = (
    stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4,
    stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(value: str, *, stored: bool = False) -> str:
    """The prepared form. stored: whether it is kept here, so that unassigned code points are refused (§2.5).

    Raises ValueError with what is wrong.
    """
    mapped = "".join(" " if stringprep.in_table_c12(char) else char
                     for char in value if not stringprep.in_table_b1(char))  # §2.1
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)  # §2.2, at the Unicode version of RFC 3454
    if not prepared:
        return prepared
    for char in prepared:
        if any(table(char) for table in PROHIBITED):  # §2.3
            raise ValueError(f"U+{ord(char):04X} is not allowed")
        if stored and stringprep.in_table_a1(char):
            raise ValueError(f"U+{ord(char):04X} is not assigned")
    if any(map(stringprep.in_table_d1, prepared)):  # §2.4, RFC 3454 §6: text from right to left
        if any(map(stringprep.in_table_d2, prepared)):
            raise ValueError("left-to-right and right-to-left letters are mixed")
        if not (stringprep.in_table_d1(prepared[0]) and stringprep.in_table_d1(prepared[-1])):
            raise ValueError("right-to-left text must begin and end with right-to-left letters")
    return prepared
