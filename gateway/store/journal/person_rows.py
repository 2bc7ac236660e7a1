"""The records of one account: where they stand, by file and row, is known in memory once files were read.

Nothing on disk leads from a person to records. A process that asks for persons reads the column that names
them from each record file of a platform once, and from new files when the log has grown: 16 bytes a row.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from gateway.errors import IntegrityBroken
from gateway.ports import BatchRow, Journal, KeptColumns, KeptRecord, PrivateRow, RecordFile
from gateway.store.files.records import ParquetRecordFiles
from gateway.store.sql import tables as t
from gateway.store.sql.database import Database

__all__ = ["PersonRows"]

_PLACE: Final = np.dtype([("person", ">u8"), ("file", "<u4"), ("row", "<u4")])
_STANDING: Final = select(
    select(func.max(t.batches.c.number)).scalar_subquery().label("newest"),
    select(func.max(t.erasures.c.position)).scalar_subquery().label("erased"),
)
_Places = NDArray[np.void]
_Standing = tuple[int | None, int | None]
Days = Collection[str] | None
TOGETHER: Final = 16  # sets of places before they are joined
HELD_ROWS: Final = 50_000  # of record files that stay in memory, checked, for the next who asks: some 50 MiB


@dataclass(slots=True)
class _Known:
    """What is known of a platform's files: those that there are, by number, and the places in them."""

    standing: _Standing | None = None
    files: dict[int, tuple[int, RecordFile]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    next: int = 0
    places: list[_Places] = field(default_factory=list)


class PersonRows:
    """The records of accounts (:class:`gateway.ports.PersonRecords`); threads may share it."""

    def __init__(self, database: Database, journal: Journal, *, files: ParquetRecordFiles) -> None:
        self._database = database
        self._journal = journal
        self._files = files
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._batches: dict[int, BatchRow] = {}
        self._held: OrderedDict[str, KeptColumns] = OrderedDict()
        self._held_rows = 0

    def of(self, platform: str, accounts: Mapping[bytes, Days]) -> dict[bytes, list[KeptRecord]]:
        """Return the records of accounts, by their pseudonyms in the platform: of some days, or of all."""
        with self._lock:
            standing = self._standing()
            try:
                return self._of_all(platform, accounts, standing=standing)
            except IntegrityBroken:
                if self._standing() == standing:
                    raise
            return self._of_all(platform, accounts, standing=self._standing())  # an erasure came between

    def _of_all(
        self, platform: str, accounts: Mapping[bytes, Days], *, standing: _Standing
    ) -> dict[bytes, list[KeptRecord]]:
        known = self._known.setdefault(platform, _Known())
        if standing != known.standing:
            self._look_again(platform, known)
            known.standing = standing
        return {account: self._of(known, account, days=days) for account, days in accounts.items()}

    def _of(self, known: _Known, account: bytes, *, days: Days) -> list[KeptRecord]:
        return [
            KeptRecord(row, self._batch(batch))
            for batch, file, places in _of_files(known, account)
            if days is None or file.day in days
            for row in self._rows(file, places)
            if row.person == account
        ]

    def _look_again(self, platform: str, known: _Known) -> None:
        """Take note of new files, and of those that an erasure has replaced; of all of them or of none."""
        listed = {file.path: (batch, file) for batch, file in self._listed(platform)}
        gone = [path for path in known.numbers if path not in listed]
        if gone:
            self._forget(known, gone)
        new = dict(
            enumerate((one for one in listed.values() if one[1].path not in known.numbers), known.next)
        )
        if new:
            known.places.append(_joined([self._places(file, number) for number, (_, file) in new.items()]))
            known.files |= new
            known.numbers |= {file.path: number for number, (_, file) in new.items()}
            known.next += len(new)
        if len(known.places) > TOGETHER:
            known.places = [_joined(known.places)]

    def _standing(self) -> _Standing:
        """Return what changes with every batch and with every erasure."""
        with self._database.read() as connection:
            row = connection.execute(_STANDING).one()
        return row.newest, row.erased

    def _forget(self, known: _Known, paths: Iterable[str]) -> None:
        numbers = [known.numbers.pop(path) for path in paths]
        for number in numbers:
            self._drop(known.files.pop(number)[1].path)
        known.places = [places[~np.isin(places["file"], numbers)] for places in known.places]

    def _listed(self, platform: str) -> list[tuple[int, RecordFile]]:
        columns = [t.files.c[name] for name in RecordFile._fields]
        query = (
            select(t.files.c.batch, *columns)
            .join(t.batches, t.batches.c.number == t.files.c.batch)
            .where(t.batches.c.platform == platform)
            .order_by(t.files.c.batch, t.files.c.path)
        )
        with self._database.read() as connection:
            return [(row[0], RecordFile(*row[1:])) for row in connection.execute(query)]

    def _places(self, file: RecordFile, number: int) -> _Places:
        """Return which person stands in which row; the rows are believed after they were read whole."""
        column: Any = self._files.persons(file).combine_chunks()
        there = column.is_valid().to_numpy(zero_copy_only=False)
        names = np.frombuffer(column.buffers()[1], "V32", len(column), column.offset * 32)
        made = np.empty(int(there.sum()), _PLACE)
        made["person"] = names[there].view(">u8")[::4]
        made["file"], made["row"] = number, np.flatnonzero(there)
        return made

    def _rows(self, file: RecordFile, places: list[int]) -> list[PrivateRow]:
        """Return some rows of a file, whose digest was checked when it was read."""
        if file.rows > HELD_ROWS:
            return self._files.rows_of(self._files.read_table(file).take(places))
        columns = self._held.pop(file.path, None)
        if columns is None:
            columns = self._files.read_columns(file)
            self._held_rows += file.rows
        self._held[file.path] = columns
        while self._held_rows > HELD_ROWS:
            self._drop(next(iter(self._held)))
        return [PrivateRow._make([column[place] for column in columns]) for place in places]

    def _drop(self, path: str) -> None:
        columns = self._held.pop(path, None)
        self._held_rows -= 0 if columns is None else len(columns.id)

    def _batch(self, number: int) -> BatchRow:
        if number not in self._batches:
            self._batches[number] = self._journal.batch(number)
        return self._batches[number]


def _joined(some: Sequence[_Places]) -> _Places:
    places = np.concatenate(some)
    return places[np.argsort(places["person"], kind="stable")]


def _of_files(known: _Known, account: bytes) -> Iterable[tuple[int, RecordFile, list[int]]]:
    """Yield the files in which an account may stand, in the order of their batches, with its rows."""
    wanted = np.frombuffer(account[:8], ">u8")[0]
    rows: dict[int, list[int]] = {}
    for places in known.places:
        first, end = (
            np.searchsorted(places["person"], wanted, "left"),
            np.searchsorted(places["person"], wanted, "right"),
        )
        for file, row in zip(
            places["file"][first:end].tolist(), places["row"][first:end].tolist(), strict=True
        ):
            rows.setdefault(file, []).append(row)
    found = [(*known.files[number], sorted(places)) for number, places in rows.items()]
    yield from sorted(found, key=lambda one: (one[0], one[1].path))
