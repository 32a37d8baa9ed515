"""What is said to be sent is what is sent."""

from __future__ import annotations

import re
from pathlib import Path

import sandbox.protocols.ftp
from sandbox.protocols.ftp.control import REPLIES


def test_every_code_is_listed() -> None:
    assert sandbox.protocols.ftp.__file__
    folder = Path(sandbox.protocols.ftp.__file__).parent
    sources = [path.read_text() for path in folder.rglob("*.py")]
    listed = re.compile(r"^REPLIES = .*?^}\)", re.DOTALL | re.MULTILINE)
    found = {code for source in sources for code in re.findall(r'"(\d{3})"', listed.sub("", source))}
    assert found == REPLIES
