"""Labs on a running sandbox: which there are, who does them, and what of them is passed by what the journal holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import trio

from sandbox.dashboard.archive import Archive
from sandbox.journal.reader import Reader
from sandbox.journal.records import Exchange, Session, Stream
from sandbox.labs import Lab, LabError, check, library, load
from sandbox.labs.checking import LabResult
from sandbox.labs.learners import FILE, Learner, Mine, Roll, Work, records_of

__all__ = ["Labwork"]

OWN = "labs"
"""The folder of a data folder with labs of the teacher's own."""
LOOKED_AT = 5_000
"""Exchanges of a learner, the latest, that a lab is checked against."""
SIDE = 65_536
"""Octets of one side of an exchange that are taken apart for a value."""
KEPT = 512
"""Results that are remembered."""


class Labwork:
    """data: the data folder, where the learners are kept and the teacher's own labs may be."""

    def __init__(self, archive: Archive, data: Path) -> None:
        self._archive = archive
        self._data = data
        self._roll: Roll | None = None
        self._kept: dict[tuple[str, str], tuple[object, LabResult]] = {}
        self._saving = trio.Lock()

    async def labs(self) -> tuple[Mapping[str, Lab], Mapping[str, str]]:
        """Those there are, by name, and of the teacher's own those that cannot be used, with the reason."""
        return await trio.to_thread.run_sync(self._labs)

    def _labs(self) -> tuple[Mapping[str, Lab], Mapping[str, str]]:
        found, wrong = dict(library()), {}
        own = self._data / OWN
        for folder in sorted(own.iterdir()) if own.is_dir() else ():
            if (folder / "lab.toml").is_file():
                try:
                    found[folder.name] = load(folder)
                except LabError as error:
                    wrong[folder.name] = str(error)
        return found, wrong

    async def roll(self) -> Roll:
        if self._roll is None:
            async with self._saving:
                if self._roll is None:
                    self._roll = await trio.to_thread.run_sync(Roll, self._data / FILE)
        return self._roll

    async def save(self) -> None:
        roll = await self.roll()
        async with self._saving:
            await trio.to_thread.run_sync(roll.save)

    async def results(self, learner: Learner, labs: Sequence[Lab], where: Mapping[str, str], last: int,
                      ) -> dict[str, LabResult]:
        """What a learner has passed of labs that they began. last: the latest exchange there is."""
        alone = not (await self.roll()).shares(learner)
        found: dict[str, LabResult] = {}
        wanted: list[tuple[Lab, Work, object]] = []
        for lab in labs:
            work = learner.labs.get(lab.name)
            if work is None:
                continue
            state: object = (last, alone, learner.space, learner.account, work.first, dict(work.answers), lab)
            kept = self._kept.get((learner.name, lab.name))
            if kept is not None and kept[0] == state:
                found[lab.name] = kept[1]
            else:
                wanted.append((lab, work, state))
        if wanted:
            fresh = await self._archive.read(
                lambda reader: [examine(reader, lab, work, Mine(learner, alone=alone), where)
                                for lab, work, _ in wanted])
            for (lab, _, state), result in zip(wanted, fresh, strict=True):
                if len(self._kept) >= KEPT:
                    self._kept.clear()
                self._kept[learner.name, lab.name] = state, result
                found[lab.name] = result
        return found


def examine(reader: Reader, lab: Lab, work: Work, mine: Mine, where: Mapping[str, str]) -> LabResult:
    """In a thread."""
    pairs: list[tuple[Session, Exchange]] = []
    for part in reader.search(after=work.first, newest=True):
        pairs += part.exchanges
        if len(pairs) >= LOOKED_AT:
            break
    records = records_of(pairs[:LOOKED_AT][::-1], mine)

    def octets(session: Session, exchange: Exchange, client: bool) -> bytes:
        start, end = exchange.client if client else exchange.server
        stream = Stream.CLIENT if client else Stream.SERVER
        return reader.octets(session.id, stream, start, min(end, start + SIDE))

    return check(lab, records, work.answers, octets, where)
