"""The terminal: the start-up summary, and a live line for each exchange.

`escape`, `lines` and `summary` are pure functions from records to text; `live` is the one part that writes. What a
client sent is never written as it came: see `escape`.
"""

from __future__ import annotations

from sandbox.console.escape import escape
from sandbox.console.lines import closing_line, json_line, line
from sandbox.console.live import Console
from sandbox.console.summary import summary
from sandbox.console.terminal import Look, look

__all__ = ["Console", "Look", "closing_line", "escape", "json_line", "line", "look", "summary"]
