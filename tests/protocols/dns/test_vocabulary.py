"""The vocabulary says all that the code can send."""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.protocols import dns
from sandbox.protocols.dns.vocabulary import ERRORS, SITUATIONS

FOLDER = Path(dns.__file__).parent


def test_every_situation_in_the_code_is_listed() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py"))
    assert set(re.findall(r'"situation\.([a-z-]+)"', code)) == SITUATIONS


def test_every_extended_error_in_the_code_is_listed() -> None:
    from dns.edns import EDECode
    code = (FOLDER / "responder.py").read_text(encoding="utf-8")
    assert {str(int(EDECode[name])) for name in re.findall(r"EDECode\.([A-Z_]+)", code)} == ERRORS
