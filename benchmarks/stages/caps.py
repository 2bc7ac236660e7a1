"""Caps: what is granted of each act's points. Peer: a window query for the same cap."""

from collections.abc import Iterator
from datetime import date

from benchmarks.measure import Bench, Figure, cpu_seconds, figure, measured
from benchmarks.peers import connection, peer
from benchmarks.stages.acts import Acts, acts_of
from gateway.convert import CapKey, CapMeter, Refusal

__all__ = ["measure"]

ACCEPTED = date(2026, 11, 22)
QUERY = """
WITH summed AS (SELECT points, sum(points) OVER (PARTITION BY person, day ORDER BY seq) AS running FROM trips)
SELECT sum(least(running, 200) - least(running - points, 200)) FROM summed
"""


def measure(bench: Bench) -> Iterator[Figure]:
    """Measure the naming of what is counted together, and the counting."""
    acts = acts_of(bench)
    ours = measured("caps", "name and count", items=len(acts.acts), work=lambda: _granted(acts))
    yield ours
    yield from peer("duckdb", lambda: _query(acts, ours))


def _granted(acts: Acts) -> int:
    meter, usage = CapMeter(acts.program), dict[CapKey, int]()
    total = 0
    for roles, converted in acts.acts:
        keys = meter.keys(roles, ACCEPTED)
        if not isinstance(keys, Refusal):
            points = meter.points(converted, keys, usage=usage)
            total += points if isinstance(points, int) else 0
    return total


def _query(acts: Acts, ours: Figure) -> Figure:
    columns: dict[str, list[object]] = {
        "person": [roles.person for roles, _ in acts.acts],
        "day": [roles.day for roles, _ in acts.acts],
        "points": [converted.points for _, converted in acts.acts],
        "seq": list(range(len(acts.acts))),
    }
    with connection(columns) as database:
        total = database.execute(QUERY).fetchall()[0][0]
        if total != _granted(acts):
            raise SystemExit(f"the peer grants {total} points, ours are {_granted(acts)}")
        cpu = cpu_seconds(lambda: database.execute(QUERY).fetchall())
    return figure("caps", "DuckDB window query", role="peer", items=len(acts.acts), cpu=cpu, ours=ours)
