"""Private record files: Parquet, one file per batch and day, found by platform and day.

``records/platform=cn-420100%2Fwuhan/day=2025-03-16/batch-000000012.parquet``. Any engine that reads
Parquet can read them; their digests stand in the journal.
"""

import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.errors import IntegrityBroken
from gateway.ports import PrivateColumns, PrivateRow, RecordFile
from gateway.store.durable import write_durably

__all__ = ["ROW_SCHEMA", "ParquetRecordFiles"]

_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
_FIELDS: "Final[list[pa.Field[Any]]]" = [
    pa.field("leaf_index", pa.int32(), nullable=False),
    pa.field("id", pa.string(), nullable=False),
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
_PARQUET: Final[dict[str, Any]] = {"compression": "zstd", "use_dictionary": _REPEATING}

_DIGIT: Final = "[0-9]"
WRITERS: Final = 4  # compressing and flushing wait outside of Python, so files of several days overlap


class ParquetRecordFiles:
    """The record files below one folder (:class:`gateway.ports.RecordFiles`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, platform: str, batch: int, *, rows: PrivateColumns) -> list[RecordFile]:
        """Write a batch's rows, one file a day, durably; replaces what a killed run has left."""
        columns: list[Any] = list(rows)
        table = pa.table(
            [pa.array(column, field.type) for column, field in zip(columns, _FIELDS, strict=True)],
            schema=ROW_SCHEMA,
        )
        places: dict[str, list[int]] = {}
        for place, day in enumerate(rows.day):
            places.setdefault(day, []).append(place)
        folder = f"platform={quote(platform, safe='')}"
        with ThreadPoolExecutor(WRITERS) as writers:
            return list(
                writers.map(
                    lambda day: self._write_one(
                        f"{folder}/day={day}/batch-{batch:09d}.parquet",
                        table.take(places[day]) if len(places) > 1 else table,
                        day=day,
                    ),
                    sorted(places),
                )
            )

    def _write_one(self, path: str, table: pa.Table, *, day: str) -> RecordFile:
        buffer = io.BytesIO()
        pq.write_table(table, buffer, **_PARQUET)
        data = buffer.getvalue()
        write_durably(self._folder / path, data, mode=0o600)
        return RecordFile(path, hashlib.sha256(data).hexdigest(), day, table.num_rows)

    def read(self, file: RecordFile) -> list[PrivateRow]:
        """Read one file after checking its digest; raises IntegrityBroken naming the file."""
        path = self._folder / file.path
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise IntegrityBroken(f"records/{file.path} is missing", field=file.path) from error
        if hashlib.sha256(data).hexdigest() != file.digest:
            raise IntegrityBroken(f"records/{file.path} is not the file that was written", field=file.path)
        table = pq.read_table(io.BytesIO(data), schema=ROW_SCHEMA)
        columns = [table.column(field.name).to_pylist() for field in _FIELDS]
        return [PrivateRow(*row) for row in zip(*columns, strict=True)]

    def find(self, record_id: str) -> int | None:
        """Return the number of the batch that has the record; the row is believed after `read` only."""
        for path in self._paths():
            try:
                table = pq.read_table(
                    path, columns=["id"], filters=[("id", "=", record_id)], partitioning=None
                )
            except pa.ArrowException as error:
                name = f"records/{path.relative_to(self._folder)}"
                raise IntegrityBroken(f"{name} is not the file that was written", field=name) from error
            if table.num_rows:
                return int(path.stem.removeprefix("batch-"))
        return None

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

    def _paths(self) -> Iterator[Path]:
        yield from sorted(self._folder.rglob(f"batch-{_DIGIT * 9}.parquet"))
