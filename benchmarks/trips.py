"""Invented trips of an invented city, streamed to files that are made once and then used again.

One row in a hundred has an unknown kind of vehicle, one in twenty-five repeats an earlier one, and about
eight trips fall to each person, some beyond the daily cap.
"""

import json
import os
import random
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.app.base.mappings import program_from_file
from gateway.convert import Program
from gateway.sandbox import YUNXI_MAPPING

__all__ = [
    "KINDS",
    "NAMES",
    "PLATFORM",
    "Kind",
    "accounts",
    "mapping_file",
    "program_of",
    "some_trips",
    "trips_file",
]

Kind = Literal["ndjson", "csv", "parquet"]
KINDS: tuple[Kind, ...] = ("ndjson", "csv", "parquet")
NAMES = ("行程编号", "用户", "出行方式", "里程", "开始时间")
PLATFORM = "cn-000000/yunxi"
VEHICLES = ("地铁", "公交", "电单车")
CHUNK = 100_000
REPEATED_EVERY = 25
REPEATED_WITHIN = 1000  # how far back a repeated row may lie
DAYS = tuple(date(2025, 3, 1) + timedelta(days=day) for day in range(28))

Trip = tuple[str, str, str, str, str]


def trips_file(folder: Path, rows: int, *, kind: Kind, days: Sequence[date] = DAYS) -> Path:
    """Return the file with that many trips, made now unless it is there."""
    path = folder / f"trips-{rows}{'' if days is DAYS else f'-from-{days[0]}'}.{kind}"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        writer = {"ndjson": _write_ndjson, "csv": _write_csv, "parquet": _write_parquet}[kind]
        writer(unfinished, some_trips(rows, days))
        unfinished.replace(path)
    return path


def mapping_file(folder: Path, kind: Kind, *, platform: str = PLATFORM) -> Path:
    """Write the city's mapping for one form of input, or that of another city with the same rules."""
    text = YUNXI_MAPPING.replace(PLATFORM, platform)
    text = text.replace("{kind: csv, encoding: [utf-8, gb18030]}", f"{{kind: {kind}}}")
    text = text.replace("里程（公里）", "里程")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{platform.partition('/')[2]}-{os.getpid()}-{kind}.yaml"
    path.write_text(text.replace("{column: ", "{path: /") if kind == "ndjson" else text, encoding="utf-8")
    return path


def program_of(folder: Path, kind: Kind) -> Program:
    """Return the city's compiled mapping."""
    path = mapping_file(folder, kind)
    program = program_from_file(path)
    path.unlink()
    return program


def some_trips(rows: int, days: Sequence[date] = DAYS) -> Iterator[Trip]:
    """Yield trips of some days, always the same."""
    chance = random.Random(1)
    recent: deque[Trip] = deque(maxlen=REPEATED_WITHIN)
    for number in range(rows):
        if number % REPEATED_EVERY == REPEATED_EVERY - 1:
            yield chance.choice(recent)
            continue
        trip = (
            f"T{number:09d}",
            f"u{chance.randrange(_people(rows)):08d}",
            chance.choice(VEHICLES) if chance.random() > 0.01 else "滑板",
            f"{chance.randrange(25)}.{chance.randrange(1000):03d}",
            f"{days[number * len(days) // rows]} {chance.randrange(10, 24)}:15:{number % 60:02d}",
        )
        recent.append(trip)
        yield trip


def accounts(rows: int) -> Iterator[str]:
    """Yield the accounts that may occur in so many trips."""
    return (f"u{number:08d}" for number in range(_people(rows)))


def _people(rows: int) -> int:
    return rows // 8 + 1


def _write_ndjson(path: Path, trips: Iterator[Trip]) -> None:
    with path.open("w", encoding="utf-8") as out:
        for trip in trips:
            out.write(json.dumps(dict(zip(NAMES, trip, strict=True)), ensure_ascii=False) + "\n")


def _write_csv(path: Path, trips: Iterator[Trip]) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write(",".join(NAMES) + "\n")
        out.writelines(",".join(trip) + "\n" for trip in trips)


def _write_parquet(path: Path, trips: Iterator[Trip]) -> None:
    schema = pa.schema([(name, pa.string()) for name in NAMES])
    with pq.ParquetWriter(path, schema) as out:
        while chunk := list(islice(trips, CHUNK)):
            columns = [pa.array(column, pa.string()) for column in zip(*chunk, strict=True)]
            out.write_table(pa.table(columns, schema=schema))
