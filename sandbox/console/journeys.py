"""Journeys on a terminal: a title, then a line for each step, further in the deeper it is."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.console.escape import cells, escape, shorten
from sandbox.console.lines import clock
from sandbox.console.terminal import BOLD, DIM, paint
from sandbox.journeys import Journey, Step

__all__ = ["journey_lines"]

INDENT = 2


def journey_lines(journey: Journey, *, color: bool, width: int = 0) -> Iterator[str]:
    """The lines of one journey. width: columns of the terminal, 0 for no end."""
    yield paint(f"{clock(journey.started, milliseconds=True)}  {escape(journey.title)}", BOLD, color=color)
    for step in journey.steps:
        yield step_line(step, color=color, width=width)


def step_line(step: Step, *, color: bool, width: int) -> str:
    exchange = step.exchange
    what = " ".join(filter(None, (step.session.service, exchange.verb, exchange.asked, exchange.outcome)))
    front = " " * INDENT * (step.depth + 1) + escape(what)
    words = step.words and (step.words if step.certain else f"probably: {step.words}")
    after = f"  {exchange.id}  {words}".rstrip()
    if width:
        front = shorten(front, max(width // 2, width - cells(after)))
    return front + paint(after, DIM, color=color)
