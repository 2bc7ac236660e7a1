"""From a file to source rows, as adapters of the common formats do it."""

import csv
from collections import deque
from collections.abc import Iterator

import msgspec
import pyarrow.parquet as pq

from adapters.common import CommonAdapter
from benchmarks.measure import Bench, Figure, cpu_seconds, figure, measured
from benchmarks.trips import KINDS, Kind, program_of, trips_file

__all__ = ["measure"]


def measure(bench: Bench) -> Iterator[Figure]:
    """Compare each form of input with a library that only reads it."""
    bounds = {"ndjson": "msgspec", "csv": "csv of the standard library", "parquet": "pyarrow"}
    for kind in KINDS:
        ours = measured("adapter", f"{kind} to rows", items=bench.sample, work=lambda k=kind: _ours(bench, k))  # type: ignore[misc]  # a default binds the loop's value
        yield ours
        cpu = cpu_seconds(lambda k=kind: _alone(bench, k))  # type: ignore[misc]  # the same
        what = f"{bounds[kind]} alone"
        yield figure("adapter", what, role="bound", items=bench.sample, cpu=cpu, ours=ours)


def _ours(bench: Bench, kind: Kind) -> None:
    source = program_of(bench.folder, kind).source.format
    with trips_file(bench.folder, bench.sample, kind=kind).open("rb") as document:
        deque(CommonAdapter().blocks(document, "trips", source=source), maxlen=0)


def _alone(bench: Bench, kind: Kind) -> None:
    path = trips_file(bench.folder, bench.sample, kind=kind)
    if kind == "parquet":
        for batch in pq.ParquetFile(path).iter_batches():
            batch.to_pylist()
    elif kind == "csv":
        with path.open(encoding="utf-8", newline="") as text:
            deque(csv.reader(text), maxlen=0)
    else:
        decode = msgspec.json.Decoder(dict[str, str]).decode
        with path.open("rb") as lines:
            deque(map(decode, lines), maxlen=0)
