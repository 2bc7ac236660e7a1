"""Private record files: Parquet, one file per batch and day, found by platform and day.

``records/platform=cn-420100%2Fwuhan/day=2025-03-16/batch-000000012.parquet``. Any engine that reads
Parquet can read them; their digests stand in the journal.
"""

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gateway.errors import IntegrityBroken, InvariantBroken
from gateway.ports import EncodedFile, KeptColumns, PrivateColumns, PrivateRow, RecordFile
from gateway.store.files.durable import sync_folder, write_durably

__all__ = ["ROW_SCHEMA", "ParquetRecordFiles", "encode_rows"]

_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
_FIELDS: "Final[list[pa.Field[Any]]]" = [
    pa.field("leaf_index", pa.int32(), nullable=False),
    pa.field("id", pa.binary(16), nullable=False),
    pa.field("leaf", pa.binary(32), nullable=False),
    pa.field("day", _TEXT, nullable=False),
    pa.field("behaviour", _TEXT, nullable=False),
    pa.field("inputs", pa.string(), nullable=False),
    pa.field("evidence", _TEXT, nullable=False),
    pa.field("ownership", _TEXT, nullable=False),
    pa.field("mapping", _TEXT, nullable=False),
    pa.field("co2e_mg", pa.int64(), nullable=False),
    pa.field("points_uncapped", pa.int64(), nullable=False),
    pa.field("points", pa.int64(), nullable=False),
    pa.field("claimed_mg", pa.int64()),
    pa.field("claimed_points", pa.int64()),
    pa.field("event_commitment", pa.binary(32), nullable=False),
    pa.field("subject_commitment", pa.binary(32), nullable=False),
    pa.field("event", pa.string()),
    pa.field("event_salt", pa.binary(16)),
    pa.field("person", pa.binary(32)),
    pa.field("subject_salt", pa.binary(16)),
    pa.field("household", pa.binary(32)),
]
ROW_SCHEMA: Final = pa.schema(_FIELDS)
_REPEATING: Final = [field.name for field in _FIELDS if pa.types.is_dictionary(field.type)]
_RANDOM: Final = [field.name for field in _FIELDS if pa.types.is_fixed_size_binary(field.type)]
_PARQUET: Final[dict[str, Any]] = {
    "compression": {field.name: "none" if field.name in _RANDOM else "zstd" for field in _FIELDS},
    "use_dictionary": _REPEATING,
    "write_statistics": False,  # a file is one day of one batch: nothing to skip inside
}

_NAME: Final = re.compile(r"batch-(?P<batch>[0-9]{9})(-e(?P<erasures>[0-9]+))?\.parquet")
WRITERS: Final = 4  # flushing waits outside of Python, so files of several days overlap


def encode_rows(rows: PrivateColumns) -> list[EncodedFile]:
    """Return the record files of a batch's rows, one for each day."""
    count = len(rows.day)
    columns: list[pa.Array[Any]] = [pa.array(np.arange(count, dtype=np.int32))]
    for field in _FIELDS[1:]:
        column: Any = getattr(rows, field.name)
        columns.append(_packed(column, field.type) if type(column) is bytes else pa.array(column, field.type))
    table = pa.table(columns, schema=ROW_SCHEMA)
    places: dict[str, list[int]] = {}
    for place, day in enumerate(rows.day):
        places.setdefault(day, []).append(place)
    return [
        _encoded(table.take(places[day]) if len(places) > 1 else table, day=day) for day in sorted(places)
    ]


def _read(source: Path | io.BytesIO, columns: list[str] | None = None) -> pa.Table:
    """Read a file in this thread: threads of Arrow that end with the process have aborted it."""
    with pq.ParquetFile(source) as file:
        return file.read(columns, use_threads=False)


def _listed(column: "pa.ChunkedArray[Any]") -> list[Any]:
    """Return a column as Python values; `to_pylist` does the same, and takes five times as long."""
    if column.null_count == len(column):
        return [None] * len(column)
    array: Any = column.combine_chunks()
    if column.null_count:
        values: list[Any] = array.to_pylist()
    elif pa.types.is_dictionary(array.type):
        words = array.dictionary.to_pylist()
        values = [words[number] for number in array.indices.to_numpy().tolist()]
    else:
        values = array.to_numpy(zero_copy_only=False).tolist()
    return values


def _columns(table: pa.Table) -> list[list[Any]]:
    columns = [_listed(table.column(field.name)) for field in _FIELDS]
    columns[1] = [name.hex() for name in columns[1]]
    return columns


def _packed(column: bytes, kind: pa.FixedSizeBinaryType) -> "pa.Array[Any]":
    return pa.FixedSizeBinaryArray.from_buffers(
        kind, len(column) // kind.byte_width, [None, pa.py_buffer(column)]
    )


def _table_of(rows: Sequence[PrivateRow]) -> pa.Table:
    """Return rows as a table: what was erased of them is null, as no packed column can be."""
    columns: list[Any] = list(zip(*rows, strict=True))
    columns[1] = map(bytes.fromhex, columns[1])
    arrays = [pa.array(column, field.type) for column, field in zip(columns, _FIELDS, strict=True)]
    return pa.table(arrays, schema=ROW_SCHEMA)


def _encoded(table: pa.Table, *, day: str) -> EncodedFile:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **_PARQUET)
    data = buffer.getvalue()
    return EncodedFile(day, table.num_rows, hashlib.sha256(data).hexdigest(), data)


class ParquetRecordFiles:
    """The record files below one folder (:class:`gateway.ports.RecordFiles`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, platform: str, batch: int, *, files: Sequence[EncodedFile]) -> list[RecordFile]:
        """Write a batch's files durably; replaces what a killed run has left."""
        folder = f"platform={quote(platform, safe='')}"
        written = [
            RecordFile(f"{folder}/day={file.day}/batch-{batch:09d}.parquet", file.digest, file.day, file.rows)
            for file in files
        ]
        with ThreadPoolExecutor(WRITERS) as writers:
            paths = [self._folder / file.path for file in written]
            list(writers.map(partial(write_durably, mode=0o600), paths, [file.data for file in files]))
        return written

    def replace(self, file: RecordFile, *, rows: Sequence[PrivateRow]) -> RecordFile:
        """Write the rows of a file anew beside it, durably; the old file stays until nobody refers to it."""
        folder, _, name = file.path.rpartition("/")
        found = _NAME.fullmatch(name)
        if found is None:
            raise InvariantBroken(f"records/{file.path} has no name that this program gives")
        path = f"{folder}/batch-{found['batch']}-e{int(found['erasures'] or 0) + 1}.parquet"
        encoded = _encoded(_table_of(rows), day=file.day)
        write_durably(self._folder / path, encoded.data, mode=0o600)
        return RecordFile(path, encoded.digest, encoded.day, encoded.rows)

    def names(self, file: RecordFile, pseudonym: bytes) -> bool:
        """Tell whether some row of a file names a person or household; the rows are believed after `read`."""
        return self._mentions(file.path, columns=["person", "household"], wanted=pseudonym)

    def read(self, file: RecordFile) -> list[PrivateRow]:
        """Read one file after checking its digest; raises IntegrityBroken naming the file."""
        return list(map(PrivateRow._make, zip(*self.read_columns(file), strict=True)))

    def read_columns(self, file: RecordFile) -> KeptColumns:
        """Do the same as :meth:`read`, column by column."""
        return KeptColumns._make(_columns(self.read_table(file)))

    def ids(self, file: RecordFile) -> dict[int, str]:
        """Return the ids of a file's records by the index of their leaves, after checking its digest."""
        table = self.read_table(file, ["leaf_index", "id"])
        leaves, names = (_listed(table.column(name)) for name in ("leaf_index", "id"))
        return dict(zip(leaves, map(bytes.hex, names), strict=True))

    def persons(self, file: RecordFile) -> "pa.ChunkedArray[Any]":
        """Return whose each row of a file is; the rows are believed after `read`."""
        return self._read_columns(file.path, ["person"]).column("person")

    @staticmethod
    def rows_of(table: pa.Table) -> list[PrivateRow]:
        """Return the rows of a table that :meth:`read_table` has given, or of some of its rows."""
        return list(map(PrivateRow._make, zip(*_columns(table), strict=True)))

    def read_table(self, file: RecordFile, columns: list[str] | None = None) -> pa.Table:
        """Read some columns of one file after checking its digest; raises IntegrityBroken naming the file."""
        path = self._folder / file.path
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise IntegrityBroken(f"records/{file.path} is missing", field=file.path) from error
        if hashlib.sha256(data).hexdigest() != file.digest:
            raise IntegrityBroken(f"records/{file.path} is not the file that was written", field=file.path)
        table = _read(io.BytesIO(data), columns)
        wanted = ROW_SCHEMA if columns is None else pa.schema([ROW_SCHEMA.field(name) for name in columns])
        if table.schema != wanted:
            raise IntegrityBroken(f"records/{file.path} has other columns than are written", field=file.path)
        return table

    def find(self, record_id: str) -> int | None:
        """Return the number of the batch that has the record; the row is believed after `read` only."""
        try:
            wanted = bytes.fromhex(record_id)
        except ValueError:
            return None
        if len(wanted) != ROW_SCHEMA.field("id").type.byte_width:
            return None
        for path in self._paths():
            name = str(path.relative_to(self._folder))
            if self._mentions(name, columns=["id"], wanted=wanted):
                return int(path.stem.split("-")[1])
        return None

    def _mentions(self, path: str, *, columns: list[str], wanted: bytes) -> bool:
        """Tell whether one of these columns of a file holds a value."""
        table = self._read_columns(path, columns)
        scalar = pa.scalar(wanted, pa.binary(len(wanted)))
        return any(pc.index(column, scalar).as_py() >= 0 for column in table.columns)

    def _read_columns(self, path: str, columns: list[str]) -> pa.Table:
        try:
            return _read(self._folder / path, columns)
        except FileNotFoundError as error:
            raise IntegrityBroken(f"records/{path} is missing", field=path) from error
        except (pa.ArrowException, RuntimeError) as error:  # the last: C++ errors that Arrow passes on
            raise IntegrityBroken(f"records/{path} is not the file that was written", field=path) from error

    def strays(self, known: set[str]) -> list[str]:
        """Return paths below ``records/`` that the journal does not know."""
        if not self._folder.exists():
            return []
        found = (str(path.relative_to(self._folder)) for path in self._folder.rglob("*") if path.is_file())
        return sorted(path for path in found if path not in known)

    def sweep(self, batch: int) -> None:
        """Remove what a killed run has written of a batch that was never decided."""
        for path in self._folder.rglob(f"batch-{batch:09d}.parquet*"):
            path.unlink()

    def sweep_unknown(self, known: set[str]) -> None:
        """Remove what this program has written and nobody refers to: old files, new ones, half ones."""
        for path in self.strays(known):
            if _NAME.fullmatch(path.rpartition("/")[2].removesuffix(".half")):
                (self._folder / path).unlink()
                sync_folder((self._folder / path).parent)

    def _paths(self) -> Iterator[Path]:
        found = self._folder.rglob("batch-*.parquet")
        yield from sorted(path for path in found if _NAME.fullmatch(path.name))
