"""An mbox file has each message once, whole, whatever is in it."""

from __future__ import annotations

import mailbox
from contextlib import closing
from io import BytesIO
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.export import mbox

LINES = st.lists(st.sampled_from(["From here on", ">From quoted", ">>From", "", "text", "  From inside", "From"]))


def test_python_reads_it(tmp_path: Path) -> None:
    with open(tmp_path / "mbox", "wb") as file:
        mbox.entry([b"Return-Path: <bob@example.org>\r\nSubject: one\r\n", b"\r\nFrom me\r\n.dot\r\n"], 0.0, file)
        mbox.entry([b"Subject: two\r\n\r\nno line end"], 86_400.0, file)
    with closing(mailbox.mbox(tmp_path / "mbox", create=False)) as found:
        first, second = found
    assert (first.get_from(), first["Subject"]) == ("bob@example.org Thu Jan  1 00:00:00 1970", "one")
    assert first.get_payload() == ">From me\n.dot\n"
    assert second.get_from() == "MAILER-DAEMON Fri Jan  2 00:00:00 1970"
    assert second.get_payload() == "no line end\n"


@given(LINES)
@settings(max_examples=50)
def test_the_quoting_can_be_undone(lines: list[str]) -> None:
    text = "\r\n".join(["Subject: x", "", *lines, ""]).encode()
    file = BytesIO()
    mbox.entry([text], 0.0, file)
    written = file.getvalue().decode().split("\n")
    assert written[0].startswith("From MAILER-DAEMON ")
    assert not any(line.startswith("From ") for line in written[1:])
    back = [line[1:] if line.startswith(">") and line.lstrip(">").startswith("From ") else line
            for line in written[1:-2]]
    assert back == ["Subject: x", "", *lines]
