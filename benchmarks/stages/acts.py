"""Source rows with their roles and conversions, for the stages that begin there."""

from typing import NamedTuple

from benchmarks.measure import Bench
from benchmarks.trips import NAMES, program_of, some_trips
from gateway.convert import Converted, FastEvaluator, Program, Refusal, Roles, SourceReader

__all__ = ["Acts", "acts_of", "rows_of"]


class Acts(NamedTuple):
    """Acts that were converted, in the order of their rows."""

    program: Program
    acts: list[tuple[Roles, Converted]]


def rows_of(bench: Bench) -> list[dict[str, str]]:
    """Return rows as the adapter gives them."""
    keys = [f"/{name}" for name in NAMES]
    return [dict(zip(keys, trip, strict=True)) for trip in some_trips(bench.sample)]


def acts_of(bench: Bench) -> Acts:
    """Convert the rows one by one."""
    program = program_of(bench.folder, "ndjson")
    evaluator = FastEvaluator(program)
    rows = rows_of(bench)
    found: list[tuple[Roles, Converted]] = []
    for row, roles in zip(rows, SourceReader(program).read_batch(rows), strict=True):
        converted = roles if isinstance(roles, Refusal) else evaluator.convert(row, roles)
        if not isinstance(roles, Refusal) and not isinstance(converted, Refusal):
            found.append((roles, converted))
    return Acts(program, found)
