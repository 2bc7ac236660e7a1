"""What is used of caps while a backtest runs: sorted runs in memory, and in files where they are many.

Nothing of it outlives the run, so there is no database and no list of files: a killed one leaves its folder.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.store.files.sorted_runs import (
    Entries,
    Run,
    entries_of,
    find_in,
    keys_of,
    merged,
    newest,
    write_run,
)

__all__ = ["ScratchBook"]

HELD_MAX: Final = 1 << 20  # entries in memory: 24 bytes each
_WIDTH: Final = 8
_USED: Final = "<i8"

_Places = NDArray[np.int64]


class ScratchBook:
    """The use of caps by 16-byte name (:class:`gateway.bulk.granting.Book`)."""

    def __init__(self, folder: Path, *, held_max: int = HELD_MAX) -> None:
        folder.mkdir()
        self._folder = folder
        self._held_max = held_max
        self._held: list[Entries] = []  # the newest last, and each at least twice as long as the next
        self._runs: list[Run] = []  # older than what is held, in the same order
        self._written = 0

    def used(self, names: bytes) -> NDArray[np.int64]:
        """Return what has been used under names, which are packed; zero where nothing was."""
        wanted = keys_of(names, width=_WIDTH)
        order = np.argsort(wanted["high"])  # found faster in their order
        wanted = wanted[order]
        used = np.zeros(len(wanted), np.int64)
        missing = np.arange(len(wanted))
        for entries in reversed(self._held):
            missing = _filled(used, missing, found=find_in(entries, wanted[missing]))
        for run in reversed(self._runs):
            missing = _filled(used, missing, found=run.find(wanted[missing]))
        found = np.empty_like(used)
        found[order] = used
        return found

    def replace(self, names: bytes, used: NDArray[np.int64]) -> None:
        """Replace what has been used under distinct names."""
        self._held.append(entries_of(names, used.astype(_USED).tobytes(), width=_WIDTH))
        while len(self._held) > 1 and len(self._held[-2]) < 2 * len(self._held[-1]):
            self._held.append(newest([self._held.pop(), self._held.pop()]))
        if sum(map(len, self._held)) > self._held_max:
            self._spill()

    def _spill(self) -> None:
        held = newest(self._held[::-1])
        self._held.clear()
        self._runs.append(self._write([held]))
        while len(self._runs) > 1 and len(self._runs[-2].entries) < 2 * len(self._runs[-1].entries):
            both = [self._runs.pop(), self._runs.pop()]
            self._runs.append(self._write(merged(both, width=_WIDTH)))
            for run in both:
                run.path.unlink()

    def _write(self, slices: Iterable[Entries]) -> Run:
        self._written += 1
        path = self._folder / f"used-{self._written}.run"
        written = write_run(path, iter(slices), width=_WIDTH)
        return Run(path, written.rows, width=_WIDTH)


def _filled(used: NDArray[np.int64], missing: _Places, *, found: tuple[_Places, Entries]) -> _Places:
    """Note what is said of keys that were found, and return the places of those that were not."""
    asked, entries = found
    used[missing[asked]] = np.ascontiguousarray(entries["value"]).view(_USED)
    return np.delete(missing, asked)
