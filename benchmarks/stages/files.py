"""Record files, read and written as the home does, beside pyarrow alone on the same files."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measure import Bench, Figure, cpu_seconds, figure, measured
from benchmarks.stages.homes import converted_home
from gateway.app.base.home import open_home
from gateway.ports import PrivateColumns, PrivateRow, RecordFile, RecordFiles
from gateway.store.files.records import encode_rows

__all__ = ["measure"]

PLATFORM = "cn-000000/yunxi"


def measure(bench: Bench) -> Iterator[Figure]:
    """Measure the first batch of a home: digest checked and rows made, rows to a durable file."""
    small = Bench(bench.sample, bench.folder)
    with converted_home(small, "ndjson") as made:
        os.environ["TANQIAO_STATE"] = str(made.state)
        with open_home(made.home) as opened:
            files = opened.journal.files(0)
            yield from _measured(opened.records, files, folder=made.home / "records")


def _measured(records: RecordFiles, files: list[RecordFile], *, folder: Path) -> Iterator[Figure]:
    count = sum(file.rows for file in files)
    read = measured("files", "read", items=count, work=lambda: [records.read(file) for file in files])
    yield read
    paths = [folder / file.path for file in files]
    tables = [pq.read_table(path, partitioning=None) for path in paths]
    alone = cpu_seconds(lambda: [pq.read_table(path, partitioning=None) for path in paths])
    yield figure("files", "pyarrow reads alone", role="peer", items=count, cpu=alone, ours=read)
    rows = _columns([row for file in files for row in records.read(file)])
    write = measured(
        "files",
        "write",
        items=count,
        work=lambda: records.write(PLATFORM, 999_999, files=encode_rows(rows)),
    )
    yield write
    alone = cpu_seconds(lambda: _write_alone(tables))
    yield figure("files", "pyarrow writes alone", role="peer", items=count, cpu=alone, ours=write)


def _columns(rows: list[PrivateRow]) -> PrivateColumns:
    """Return rows as the columns they were written from."""
    columns = {name: list(values) for name, *values in zip(PrivateRow._fields, *rows, strict=True)}
    columns["id"] = [bytes.fromhex(row.id) for row in rows]
    packed: dict[str, Any] = {
        name: b"".join(values) if name != "household" and isinstance(values[0], bytes) else values
        for name, values in columns.items()
        if name in PrivateColumns._fields
    }
    return PrivateColumns(**packed)


def _write_alone(tables: list[pa.Table]) -> None:
    for table in tables:
        pq.write_table(table, io.BytesIO(), compression="zstd")
