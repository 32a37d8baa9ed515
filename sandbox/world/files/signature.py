"""What tells that a file is still the same: its times, its size, and which one it is."""

from __future__ import annotations

import os
from typing import NamedTuple

__all__ = ["Signature", "signature_of"]

SETTLED = 100_000_000
"""A file changed less than this many nanoseconds ago may change again without its times saying so."""


class Signature(NamedTuple):
    """Two looks at a file that find the same are of one file that nobody has changed. Times in nanoseconds."""

    modified: int
    size: int
    inode: int
    device: int
    changed: int

    def settled(self, moment: int) -> bool:
        """Whether a change after `moment` (nanoseconds since the epoch) shows in it."""
        return moment - max(self.modified, self.changed) > SETTLED


def signature_of(status: os.stat_result) -> Signature:
    return Signature(status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev, status.st_ctime_ns)
