"""Makes terminal.svg, the picture in the README, from a real run: python docs/images/terminal.py

It starts `sandbox up` in a terminal of its own, lets dig, curl and nc ask a few things, and draws what was printed.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

HERE = Path(__file__).parent
COLUMNS = 136
CELL, LINE, SIZE, MARGIN, BAR = 7.8, 19, 13, 18, 34

ASKED = (
    "dig @127.0.0.1 -p {dns} +nocookie www.example.com",
    "curl -s --connect-to ::127.0.0.1:{http} http://www.example.com/",
    "curl -s --connect-to ::127.0.0.1:{http} -d name=alice -d password=wonderland http://www.example.com/login",
    "dig @127.0.0.1 -p {dns} +nocookie nowhere.example.com MX",
    "curl -s --connect-to ::127.0.0.1:{http} -r 0-99 http://www.example.com/httpbin/range/1000",
    "curl -s --connect-to ::127.0.0.1:{http} http://www.tea-lovers.org/",
    "printf 'GET / HTTP/1.1\\r\\nHost : x\\r\\n\\r\\n' | nc -N -w 1 127.0.0.1 {http}",
    "echo hello | nc -N -w 1 127.0.0.1 {echo}",
)

PAPER, INK, CHROME = "#1b1a17", "#e9e3d6", "#2a2823"
COLORS = {"31": "#ff7b72", "32": "#8fce7f", "33": "#e8b45a", "34": "#79aef0", "35": "#d39be8", "36": "#6cc7c2"}


class Run(NamedTuple):
    """Letters in one style. column: of the first one."""

    column: int
    text: str
    codes: frozenset[str]


def record() -> str:
    """What the terminal got."""
    leader, follower = os.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
    got = bytearray()

    def read() -> None:
        try:
            while data := os.read(leader, 65536):
                got.extend(data)
        except OSError:     # the terminal's other end is closed
            return

    with tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
        ready = Path(folder) / "ready.json"
        environment = {**os.environ, "TERM": "xterm-256color"}
        environment.pop("COLUMNS", None)
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "up", "--data", f"{folder}/data", "--ready-file", str(ready)],
            stdin=follower, stdout=follower, stderr=follower, env=environment)
        os.close(follower)
        reader = threading.Thread(target=read)
        reader.start()
        try:
            while not ready.exists():
                time.sleep(0.05)
            ports = {name: found["port"] for name, found in json.loads(ready.read_text())["services"].items()}
            if not {"http", "dns", "echo"} <= ports.keys():
                raise SystemExit("a port is taken: stop the other sandbox first")
            for command in ASKED:
                subprocess.run(["sh", "-c", command.format(**ports)], stdout=subprocess.DEVNULL, check=True)
                time.sleep(0.7)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(10)
        reader.join()
        return got.decode().replace(f"{folder}/data", "/home/ada/.local/share/sandbox")


def runs(line: str) -> Iterator[Run]:
    """A line's letters by style (ECMA-48 "select graphic rendition")."""
    column = 0
    codes: set[str] = set()
    for part in re.split(r"(\x1b\[[\d;]*m)", line):
        if part.startswith("\x1b"):
            for code in part[2:-1].split(";"):
                codes = set() if code in ("", "0") else codes | {code}
        elif part:
            yield Run(column, part, frozenset(codes))
            column += len(part)


def draw(lines: list[str]) -> str:
    """The picture."""
    width, height = round(2 * MARGIN + COLUMNS * CELL), BAR + 2 * MARGIN + LINE * len(lines)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-label="sandbox up in a terminal">',
        f'<rect width="{width}" height="{height}" rx="10" fill="{PAPER}"/>',
        f'<path d="M0 {BAR}V10a10 10 0 0 1 10-10H{width - 10}a10 10 0 0 1 10 10V{BAR}z" fill="{CHROME}"/>',
        *(f'<circle cx="{20 + 20 * index}" cy="17" r="6" fill="{color}"/>'
          for index, color in enumerate(("#ff7b72", "#e8b45a", "#8fce7f"))),
        f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" '
        f'font-size="{SIZE}" fill="{INK}">']
    for number, line in enumerate(lines):
        y = BAR + MARGIN + LINE * number + SIZE
        for run in runs(line):
            look = "".join(f' fill="{COLORS[code]}"' for code in run.codes if code in COLORS)
            look += ' font-weight="bold"' if "1" in run.codes else ""
            look += ' opacity=".62"' if "2" in run.codes else ""
            # Each stretch without double spaces is placed by its column, and its length is said, so that every font
            # and every viewer keeps the columns.
            for found in re.finditer(r"\S+(?: \S+)*", run.text):
                x, length = MARGIN + (run.column + found.start()) * CELL, len(found[0]) * CELL
                parts.append(f'<text x="{x:.1f}" y="{y}" textLength="{length:.1f}" '
                             f'lengthAdjust="spacingAndGlyphs"{look}>{escape(found[0])}</text>')
    return "\n".join([*parts, "</g>", "</svg>"]) + "\n"


def main() -> None:
    lines = ["$ \x1b[1msandbox up\x1b[0m", *record().replace("\r", "").replace("^C", "").rstrip().split("\n")]
    (HERE / "terminal.svg").write_text(draw(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
