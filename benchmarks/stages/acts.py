"""Source rows with their roles and conversions, for the stages that begin there."""

from typing import NamedTuple

from benchmarks.measure import Bench
from benchmarks.trips import NAMES, program_of, some_trips
from gateway.bulk.columns import ColumnEvaluator
from gateway.convert import Converted, FastEvaluator, Program, Refusal, Roles, SourceReader
from gateway.model.source import Place, SourceRow
from gateway.service.acts.preparing import Preparer
from gateway.service.acts.scheme import Scheme
from gateway.signing import KeyedIndex

__all__ = ["Acts", "acts_of", "preparer_of", "rows_of", "source_rows"]


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


def source_rows(bench: Bench) -> list[SourceRow]:
    """Return the sample as an adapter gives it."""
    return [SourceRow(Place("trips.ndjson", number), row) for number, row in enumerate(rows_of(bench), 1)]


def preparer_of(bench: Bench) -> Preparer:
    """Return a preparer of the sample's parts."""
    program = program_of(bench.folder, "ndjson")
    return Preparer(
        Scheme(program.id, (program,)), index=KeyedIndex(bytes(32)), make_converter=ColumnEvaluator
    )
