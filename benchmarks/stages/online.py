"""One act at a time: from a row of texts to its reduction and points, as a service answers it."""

import random
from collections.abc import Iterator

from benchmarks.measure import Bench, Figure, figure, measured
from benchmarks.wuhan import wuhan
from gateway.convert import FastEvaluator, Refusal, SourceReader

__all__ = ["measure"]

ROWS_MAX = 20_000


def measure(bench: Bench) -> Iterator[Figure]:
    """Measure Wuhan's second version, with and without texts that were seen before."""
    rows = [_ride(number, random.Random(number)) for number in range(min(bench.rows, ROWS_MAX))]
    program = wuhan()

    def convert(reader: SourceReader, evaluator: FastEvaluator) -> None:
        for row in rows:
            roles = reader.read(row)
            if isinstance(roles, Refusal) or isinstance(evaluator.convert(row, roles), Refusal):
                raise SystemExit("a ride of the benchmark was refused")

    reader, evaluator = SourceReader(program), FastEvaluator(program)
    convert(reader, evaluator)
    ours = measured("online", "fields to outcome", items=len(rows), work=lambda: convert(reader, evaluator))
    yield ours
    fresh = iter([(SourceReader(program), FastEvaluator(program)) for _ in range(3)])
    yield measured(
        "online", "the same, no text seen before", items=len(rows), work=lambda: convert(*next(fresh))
    )
    acts = [roles for row in rows if not isinstance(roles := reader.read(row), Refusal)]
    rule = measured(
        "online",
        "inputs and rule alone",
        items=len(rows),
        work=lambda: [evaluator.convert(row, act) for row, act in zip(rows, acts, strict=True)],
    )
    yield figure(
        "online", rule.what, role="bound", items=rule.items, cpu=rule.cpu_us * rule.items / 1e6, ours=ours
    )


def _ride(number: int, chance: random.Random) -> dict[str, str]:
    day, hour = f"2025-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}", chance.randrange(24)
    return {
        "/trip_id": f"WH-{number:07d}",
        "/user_id": f"user-{chance.randrange(5000):06d}",
        "/trip_type": chance.choice(("metro", "bicycle", "bus")),
        "/distance_km": f"{chance.randrange(1, 30)}.{chance.randrange(1000):03d}",
        "/start_time": f"{day}T{hour:02d}:{chance.randrange(60):02d}:{chance.randrange(60):02d}+08:00",
    }
