"""Values by keyed name, in sorted runs beside the database, which lists those that count.

A run is written before the transaction that makes it count, and removed after the one that replaces
it, so a kill leaves at most files that nobody lists; the next writer sweeps these.
"""

from collections.abc import Iterator
from secrets import token_hex
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, delete, insert, select

from gateway.errors import IntegrityBroken
from gateway.store.files.durable import sync_folder
from gateway.store.files.sorted_runs import (
    Entries,
    Run,
    WrittenRun,
    chosen,
    entries_of,
    in_order,
    keys_of,
    merged,
    without_repetitions,
    write_run,
)
from gateway.store.sql import tables as t
from gateway.store.sql.database import Database

__all__ = ["KeyedFiles", "Replacement", "StagedRun"]

_Places = NDArray[np.int64]

FANOUT: Final = 8  # runs of one level that are merged into one of the next


class StagedRun(NamedTuple):
    """A run that is written and does not count yet."""

    file: str
    written: WrittenRun


class Replacement(NamedTuple):
    """A run that is written and takes the place of some files."""

    staged: StagedRun
    files: list[str]
    level: int


class KeyedFiles:
    """The runs of one kind: ``width`` bytes by 16-byte key; a later value replaces an earlier one."""

    def __init__(self, database: Database, kind: str, *, width: int) -> None:
        self._database = database
        self._folder = database.folder / "index"
        self._kind = kind
        self._width = width
        self._opened: dict[str, Run] = {}

    def find(self, keys: bytes) -> dict[bytes, bytes]:
        """Return the values of those keys (16 bytes each) that are known."""
        wanted = in_order(keys_of(keys, width=self._width))
        if not len(wanted):
            return {}
        found: dict[bytes, bytes] = {}
        for run in reversed(self._runs()):  # oldest first, so that the newest value stands
            _, entries = run.find(wanted)
            found.update(zip(_keys(entries), entries["value"].tolist(), strict=True))
        return found

    def holds(self, keys: bytes, values: bytes) -> bool:
        """Tell whether each of these keys has this value."""
        missing = entries_of(keys, values, width=self._width)
        for run in self._runs():  # newest first: its value stands
            asked, entries = run.find(missing)
            if entries["value"].tobytes() != chosen(missing, asked)["value"].tobytes():
                return False
            missing = np.delete(missing, asked)
        return not len(missing)

    def visit(self, highs: NDArray[np.uint64]) -> Iterator[tuple[Entries, _Places, _Places]]:
        """Yield of each run, the newest first, its entries, those with such a half, and of which half.

        Nothing is copied: what is kept of a run when the next comes must be.
        """
        for run in self._runs():
            yield run.entries, *run.places_under(highs)
            run.release()

    def slices(self) -> Iterator[Entries]:
        """Yield all entries by key, some at a time, never parting those that share an upper half."""
        return merged(self._runs(), width=self._width)

    def stage_chosen(self, chosen: Iterator[Entries]) -> Replacement:
        """Write a run that takes the place of all others once it is adopted by :meth:`replace`."""
        listed = self._listed()
        staged = self._write(chosen)
        return Replacement(
            staged, [row.file for row in listed], max((row.level for row in listed), default=0)
        )

    def replace(self, connection: Connection, replacement: Replacement) -> None:
        """Let a staged run take the place of others, inside a transaction; :meth:`sweep` removes these."""
        connection.execute(delete(t.runs).where(t.runs.c.file.in_(replacement.files)))
        for file in replacement.files:
            self._opened.pop(file, None)
        if replacement.staged.written.rows:
            self.adopt(connection, replacement.staged, level=replacement.level)

    def count(self) -> int:
        """Return how many keys are known."""
        return sum(map(len, merged(self._runs(), width=self._width)))

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every key with its value, by key."""
        for some in merged(self._runs(), width=self._width):
            yield from zip(_keys(some), some["value"].tolist(), strict=True)

    def stage(self, keys: bytes, values: bytes) -> StagedRun | None:
        """Write a run that does not count yet; of equal keys the first counts; None for no keys."""
        return self.stage_entries(entries_of(keys, values, width=self._width))

    def stage_entries(self, entries: Entries) -> StagedRun | None:
        """Do the same with entries in the order of their keys."""
        if not len(entries):
            return None
        entries = without_repetitions(entries)
        return self._write(iter((entries,)))

    def adopt(self, connection: Connection, staged: StagedRun | None, *, level: int = 0) -> None:
        """Make a staged run count, inside a transaction."""
        if staged is not None:
            values = {"file": staged.file, "kind": self._kind, "level": level, **staged.written._asdict()}
            connection.execute(insert(t.runs).values(**values))

    def tidy(self) -> None:
        """Merge runs where there are many of one level; the oldest of a level are older than all below."""
        level = 0
        while (levels := self._listed()) and level <= max(row.level for row in levels):
            same = [row for row in levels if row.level == level]
            if len(same) >= FANOUT:
                self._merge(same, level + 1)
            level += 1

    def compact(self) -> None:
        """Merge all runs into one and keep no other file: nothing is left of values that were replaced."""
        self.sweep()
        listed = self._listed()
        if len(listed) > 1:
            self._merge(listed, max(row.level for row in listed))
        if listed:
            sync_folder(self._folder)

    def sweep(self) -> None:
        """Remove files that a killed run has left; only the writer may."""
        listed = {row.file for row in self._listed()}
        for path in self._folder.glob(f"{self._kind}-*"):
            if path.name not in listed:
                path.unlink()

    def require_whole(self) -> None:
        """Check every run against its digest; raises IntegrityBroken naming the file."""
        for row, run in zip(self._listed(), self._runs(), strict=True):
            run.require_digest(row.digest)

    def _merge(self, rows: list[Row[tuple[str, int, int, str]]], level: int) -> None:
        slices = merged([self._open(row) for row in rows], width=self._width)
        staged = self._write(slices)
        replaced = [row.file for row in rows]
        with self._database.write() as connection:
            connection.execute(delete(t.runs).where(t.runs.c.file.in_(replaced)))
            self.adopt(connection, staged, level=level)
        for file in replaced:
            self._opened.pop(file, None)
            (self._folder / file).unlink()

    def _write(self, slices: Iterator[Entries]) -> StagedRun:
        name = f"{self._kind}-{token_hex(8)}.run"  # never used again: a reader may still hold an old one
        return StagedRun(name, write_run(self._folder / name, slices, width=self._width))

    def _listed(self) -> list[Row[tuple[str, int, int, str]]]:
        """Return the runs that count, newest first."""
        query = select(t.runs.c.file, t.runs.c.level, t.runs.c.rows, t.runs.c.digest)
        newest_first = query.where(t.runs.c.kind == self._kind).order_by(
            t.runs.c.level, t.runs.c.number.desc()
        )
        with self._database.read() as connection:
            return list(connection.execute(newest_first))

    def _runs(self) -> list[Run]:
        for _ in range(3):
            listed = self._listed()
            try:
                return [self._open(row) for row in listed]
            except FileNotFoundError as error:  # a writer may have merged it away in between
                missing = error.filename
        raise IntegrityBroken(f"the index file {missing} is missing", field=str(missing))

    def _open(self, row: Row[tuple[str, int, int, str]]) -> Run:
        if row.file not in self._opened:
            self._opened[row.file] = Run(self._folder / row.file, row.rows, width=self._width)
        return self._opened[row.file]


def _keys(entries: Entries) -> list[bytes]:
    halves = np.empty((len(entries), 2), ">u8")
    halves[:, 0], halves[:, 1] = entries["high"], entries["low"]
    joined: list[bytes] = halves.view("V16").ravel().tolist()
    return joined
