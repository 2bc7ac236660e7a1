"""A backtest by the command: two daily caps over the records of a home. Bound: a window query of both."""

import json
import time
from collections.abc import Iterator

from benchmarks.measure import Bench, Figure
from benchmarks.peers import peer
from benchmarks.processes import tanqiao
from benchmarks.stages.homes import Converted, converted_home
from benchmarks.trips import mapping_file

__all__ = ["measure"]

QUERY = """
SELECT sum(least(running, 200) - least(running - points, 200))::VARCHAR,
       sum(least(running, 300) - least(running - points, 300))::VARCHAR
FROM (SELECT points_uncapped AS points,
             sum(points_uncapped) OVER (PARTITION BY person, day ORDER BY filename, leaf_index) AS running
      FROM read_parquet(?, filename = true, hive_partitioning = false))
"""


def measure(bench: Bench) -> Iterator[Figure]:
    """Convert trips into a home and hold the city's mapping, and one with a higher cap, against it."""
    with converted_home(bench, "ndjson") as made:
        answer = made.home.parent / "answer.json"
        old = mapping_file(made.home.parent, "ndjson")
        new = old.with_name("higher.yaml")
        new.write_text(old.read_text("utf-8").replace("max: 200", "max: 300"), encoding="utf-8")
        command = ["mapping", "backtest", "--home", str(made.home), "--old", str(old), "--new", str(new)]
        usage = tanqiao([*command, "--format", "json"], made.state, answer=answer)
        told = json.loads(answer.read_text("utf-8"))
        ours = Figure(
            stage="backtest",
            what="backtest, another daily cap",
            role="ours",
            items=told["records"],
            cpu_us=usage.cpu_s / told["records"] * 1e6,
            wall_s=usage.wall_s,
            peak_mib=usage.peak_mib,
        )
        yield ours
        yield from peer("duckdb", lambda: _window(made, ours, sums=(told["points_old"], told["points_new"])))


def _window(made: Converted, ours: Figure, *, sums: tuple[str, str]) -> Figure:
    """Let DuckDB grant the points of both caps by all processors; nothing else of a backtest is in it."""
    import duckdb

    files = str(made.home / "records" / "**" / "*.parquet")
    with duckdb.connect(config={"temp_directory": str(made.home.parent / "duckdb")}) as database:
        started, begun = time.process_time(), time.perf_counter()
        found = database.execute(QUERY, [files]).fetchone()
        cpu, wall = time.process_time() - started, time.perf_counter() - begun
    if found != sums:
        raise SystemExit(f"the window query grants {found} points, the backtest {sums}")
    each = cpu / ours.items * 1e6
    return Figure(
        stage="backtest",
        what="DuckDB window query, all cores",
        role="bound",
        items=ours.items,
        cpu_us=each,
        times=ours.cpu_us / each,
        wall_s=wall,
    )
