"""Time the bulk path end to end beside its bounds, in the same run on the same file.

Ours: ``tanqiao convert`` of invented NDJSON trips of one invented city with a daily cap, 1 % bad rows and
4 % repetitions, from the file to records, batches, log and checkpoint. Bounds: only parsing the
JSON, only hashing as many bytes as the records have, and DuckDB's window query for the same rule and cap.

Run: make bench, or TANQIAO_BENCH_ROWS=1000000 make bench
"""

import hashlib
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import duckdb
import orjson

from gateway.sandbox import YUNXI_MAPPING

ROWS = int(os.environ.get("TANQIAO_BENCH_ROWS", "200000"))
RECORD_BYTES = 900  # the usual canonical record
KINDS = ("地铁", "公交", "电单车")
RULE = """
WITH acts AS (
  SELECT 行程编号, 用户, CAST(开始时间 AS DATE) AS day, rowid AS seq,
         CAST(floor(round(CAST(里程 AS DECIMAL(18, 3)) * (180.125 - CASE 出行方式 WHEN '地铁' THEN 36.253
           WHEN '公交' THEN 52.371 WHEN '电单车' THEN 11.007 END), 3) / 10) AS BIGINT) AS points
  FROM trips WHERE 出行方式 IN ('地铁', '公交', '电单车')
  QUALIFY row_number() OVER (PARTITION BY 行程编号 ORDER BY rowid) = 1),
capped AS (SELECT *, sum(points) OVER (PARTITION BY 用户, day ORDER BY seq) AS running FROM acts)
SELECT count(*), sum(least(running, 200) - least(running - points, 200)) FROM capped
"""


def main() -> None:
    """Print the machine, our figure, each bound and the ratio."""
    with tempfile.TemporaryDirectory(prefix="tanqiao-bench-") as name:
        folder = Path(name)
        trips = folder / "trips.ndjson"
        _write_trips(trips)
        mapping = folder / "yunxi.yaml"
        form = "{kind: csv, encoding: [utf-8, gb18030]}"
        text = YUNXI_MAPPING.replace(form, "{kind: ndjson}").replace("里程（公里）", "里程")
        mapping.write_text(text.replace("{column: ", "{path: /"), encoding="utf-8")
        print(f"machine   {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        print(
            "versions  "
            + ", ".join(f"{p} {version(p)}" for p in ("tanqiao", "duckdb", "pyarrow", "numpy", "orjson"))
        )
        with trips.open("rb") as lines:
            rows = sum(1 for _ in lines)
        print(f"rows      {rows:,} NDJSON, {trips.stat().st_size / rows:.0f} bytes each\n")
        seconds, peak = _convert(folder, trips, mapping=mapping)
        print(f"{'convert, end to end':<28}{rows / seconds:>12,.0f} rows/s   peak {peak / 1024:,.0f} MiB")
        audited, peak = _run(folder, ["audit", "--home", str(folder / "home")])
        print(f"{'audit':<28}{rows / audited:>12,.0f} rows/s   peak {peak / 1024:,.0f} MiB")
        for title, work in (
            ("bound: parse JSON alone", lambda: _parse(trips)),
            ("bound: hash records alone", _hash),
            ("peer: DuckDB rule and cap", lambda: _duckdb(trips)),
        ):
            bound = _timed(work)
            print(
                f"{title:<28}{rows / bound:>12,.0f} rows/s   ours takes {seconds / bound:.1f} times as long"
            )


def _write_trips(path: Path) -> None:
    chance = random.Random(1)
    with path.open("w", encoding="utf-8") as out:
        for number in range(ROWS):
            minute = f"{chance.randrange(10, 24)}:15:{number % 60:02d}"
            line = json.dumps(
                {
                    "行程编号": f"T{number:09d}",
                    "用户": f"u{chance.randrange(ROWS // 8 + 1):08d}",
                    "出行方式": chance.choice(KINDS) if chance.random() > 0.01 else "滑板",
                    "里程": f"{chance.randrange(25)}.{chance.randrange(1000):03d}",
                    "开始时间": f"2025-03-{number * 28 // ROWS + 1:02d} {minute}",
                },
                ensure_ascii=False,
            )
            out.write(line + "\n")
            if chance.random() < 0.04:
                out.write(line + "\n")


def _convert(folder: Path, trips: Path, *, mapping: Path) -> tuple[float, int]:
    home = str(folder / "home")
    _run(folder, ["init", "--home", home, "--profile", "test"])
    return _run(folder, ["convert", "--home", home, "--mapping", str(mapping), str(trips)])


def _run(folder: Path, arguments: list[str]) -> tuple[float, int]:
    """Run one command and return its seconds and its peak memory in KiB."""
    environment = {**os.environ, "TANQIAO_STATE": str(folder / "state")}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", "from gateway.cli import main; main()", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"tanqiao {arguments[0]} failed with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - started, usage.ru_maxrss


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _parse(trips: Path) -> None:
    with trips.open("rb") as lines:
        for line in lines:
            orjson.loads(line)


def _hash() -> None:
    block = b"x" * RECORD_BYTES
    for _ in range(ROWS):
        hashlib.sha256(block).digest()


def _duckdb(trips: Path) -> None:
    with duckdb.connect() as connection:
        query = f"CREATE TABLE trips AS SELECT * FROM read_json('{trips}', format = 'newline_delimited')"  # noqa: S608
        connection.execute(query)
        connection.execute(RULE).fetchall()


if __name__ == "__main__":
    main()
