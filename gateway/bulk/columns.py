"""The column evaluator: thousands of acts at once on 64-bit integers.

Acts are grouped by behaviour and stretch of days; each group runs one block of the intermediate form
over whole columns. Where the bounds of a block do not prove that every intermediate number fits, the
group runs through the generated function instead, so no number can wrap unseen.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gateway.bulk.kernel import Column, Finished, fits, guard_fits, run_block, run_guard
from gateway.convert.fast import CompiledBlock, FastEvaluator
from gateway.convert.generate import step_traces
from gateway.convert.inputs import InputReader
from gateway.convert.outcome import ActFinding, Converted, Refusal, StepTrace
from gateway.convert.program import Program
from gateway.convert.roles import Roles

__all__ = ["ColumnEvaluator", "ColumnResult"]

Row = Mapping[str, str]


@dataclass(slots=True)
class ColumnResult:
    """The outcome of a batch, row by row.

    ``refusals`` are by row number; at their places the lists hold nothing of meaning (zeros, and
    an empty dictionary). ``traces`` is empty unless the trace was asked for. ``findings`` are those of
    rows that have some.
    """

    refusals: dict[int, Refusal]
    inputs: list[dict[str, int]]
    co2e_mg: list[int]
    points: list[int]
    points_num: list[int]
    points_den: list[int]
    traces: dict[int, tuple[StepTrace, ...]] = field(default_factory=dict)
    findings: dict[int, tuple[ActFinding, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.co2e_mg)

    def outcome(self, row: int) -> Converted | Refusal:
        """Give one row's outcome as the other evaluators do."""
        if row in self.refusals:
            return self.refusals[row]
        exact = (self.points_num[row], self.points_den[row])
        return Converted(
            self.inputs[row],
            self.co2e_mg[row],
            self.points[row],
            exact,
            self.traces.get(row, ()),
            findings=self.findings.get(row, ()),
        )


def _empty(count: int) -> ColumnResult:
    zeros = [0] * count
    return ColumnResult({}, [{}] * count, zeros, zeros.copy(), zeros.copy(), zeros.copy())


@dataclass(frozen=True, slots=True)
class _Group:
    """Acts of one block whose inputs could be read: their row numbers, and their inputs by column."""

    made: CompiledBlock
    rows: list[int]
    inputs: dict[str, list[int]]

    def input_rows(self) -> list[dict[str, int]]:
        names = tuple(self.inputs)
        if not names:
            return [{} for _ in self.rows]
        return [dict(zip(names, values, strict=True)) for values in zip(*self.inputs.values(), strict=True)]

    def only(self, kept: list[bool]) -> "_Group":
        columns = {name: _selected(column, kept) for name, column in self.inputs.items()}
        return _Group(self.made, _selected(self.rows, kept), columns)


class ColumnEvaluator:
    """Evaluates one program over batches; row by row the same as the generated function."""

    def __init__(self, program: Program) -> None:
        self._inputs = InputReader(program)
        self._needs = program.formula.needs
        self._fast = FastEvaluator(program)
        blocks = (made.block for several in self._fast.blocks.values() for made in several)
        self._fitting = {(block.behaviour, block.first): fits(block) for block in blocks}

    def convert_batch(
        self, rows: Sequence[Row], roles: Sequence[Roles | Refusal], *, traced: bool = False
    ) -> ColumnResult:
        """Convert rows whose roles have been read; a row without roles keeps its refusal."""
        result = _empty(len(rows))
        for made, members in self._grouped(roles, result):
            group = self._read(made, members, rows=rows, result=result)
            if made.block.behaviour in self._fast.guards:
                group = self._guarded(group, roles, result=result)
            if self._fitting[made.block.behaviour, made.block.first]:
                _run_columns(group, result, traced=traced)
            else:
                _run_rows(group, result, traced=traced)
        return result

    def _grouped(
        self, roles: Sequence[Roles | Refusal], result: ColumnResult
    ) -> Iterable[tuple[CompiledBlock, list[int]]]:
        by_day: dict[tuple[str, int], list[int]] = defaultdict(list)
        for row, act in enumerate(roles):
            if isinstance(act, Refusal):
                result.refusals[row] = act
            else:
                by_day[act.behaviour, act.day].append(row)
        groups: dict[tuple[str, int], tuple[CompiledBlock, list[int]]] = {}
        for (behaviour, day), members in by_day.items():
            made = self._fast.block_on(behaviour, day)
            if isinstance(made, Refusal):
                result.refusals.update(dict.fromkeys(members, made))
            else:
                groups.setdefault((behaviour, made.block.first), (made, []))[1].extend(members)
        return groups.values()

    def _read(
        self, made: CompiledBlock, members: list[int], *, rows: Sequence[Row], result: ColumnResult
    ) -> _Group:
        """Read the inputs of a group, column by column; a row leaves with its first refusal."""
        behaviour = made.block.behaviour
        inputs: dict[str, list[int]] = {}
        for name in self._needs[behaviour]:
            values = self._inputs.read_column(name, behaviour, rows=[rows[row] for row in members])
            kept = [not isinstance(value, Refusal) for value in values]
            if not all(kept):
                result.refusals.update(_refused(members, values))
                members = _selected(members, kept)
                inputs = {known: _selected(column, kept) for known, column in inputs.items()}
            inputs[name] = [value for value in values if not isinstance(value, Refusal)]
        return _Group(made, members, inputs)

    def _guarded(self, group: _Group, roles: Sequence[Roles | Refusal], *, result: ColumnResult) -> _Group:
        """Hold acts to the limits of their behaviour; who is refused leaves the group."""
        made = self._fast.guards[group.made.block.behaviour]
        times = [self._fast.time.read(roles[row]) for row in group.rows]  # type: ignore[arg-type]  # who has no roles has left
        kept = [not isinstance(time, Refusal) for time in times]
        if not all(kept):
            result.refusals.update(_refused(group.rows, times))
            group = group.only(kept)
        seconds = [time for time in times if not isinstance(time, Refusal)]
        if guard_fits(made.guard):
            columns = {name: np.array(group.inputs[name], dtype=np.int64) for name in made.guard.inputs}
            done = run_guard(made.guard, columns, seconds=np.array(seconds, dtype=np.int64))
            refusals, findings = done.refusals, done.findings
        else:
            outcomes = list(map(made.run, group.input_rows(), seconds))
            refusals = {place: one for place, one in enumerate(outcomes) if isinstance(one, Refusal)}
            findings = {
                place: one for place, one in enumerate(outcomes) if one and not isinstance(one, Refusal)
            }
        result.refusals.update({group.rows[place]: refusal for place, refusal in refusals.items()})
        result.findings.update({group.rows[place]: found for place, found in findings.items()})
        return group.only([place not in refusals for place in range(len(group.rows))])


def _refused(members: list[int], values: list[int | Refusal]) -> dict[int, Refusal]:
    return {row: value for row, value in zip(members, values, strict=True) if isinstance(value, Refusal)}


def _selected(values: list[int], kept: list[bool]) -> list[int]:
    return [value for value, keep in zip(values, kept, strict=True) if keep]


def _run_columns(group: _Group, result: ColumnResult, *, traced: bool) -> None:
    """Run a group whose block fits 64 bits."""
    columns = {name: np.array(values, dtype=np.int64) for name, values in group.inputs.items()}
    done = run_block(group.made.block, columns, count=len(group.rows), traced=traced)
    result.refusals.update({group.rows[place]: refusal for place, refusal in done.refusals.items()})
    places = done.rows.tolist()
    rows = [group.rows[place] for place in places]
    inputs = group.input_rows()
    for place, row in zip(places, rows, strict=True):
        result.inputs[row] = inputs[place]
    _scatter(result.co2e_mg, done.co2e_mg, rows=rows)
    _scatter(result.points, done.points, rows=rows)
    _scatter(result.points_num, done.points_num, rows=rows)
    _scatter(result.points_den, done.points_den, rows=rows)
    if traced:
        result.traces.update(zip(rows, _traces(group, done), strict=True))


def _scatter(target: list[int], column: Column, *, rows: list[int]) -> None:
    for row, value in zip(rows, column.tolist(), strict=True):
        target[row] = value


def _traces(group: _Group, done: Finished) -> list[tuple[StepTrace, ...]]:
    numbers = zip(*(column.tolist() for column in done.steps), strict=True)
    return [step_traces(group.made.block.steps, of_row) for of_row in numbers]


def _run_rows(group: _Group, result: ColumnResult, *, traced: bool) -> None:
    """Run a group whose numbers may not fit 64 bits, act by act on Python's integers."""
    function = group.made.traced if traced else group.made.plain
    for row, inputs in zip(group.rows, group.input_rows(), strict=True):
        outcome = function(inputs)
        if isinstance(outcome, Refusal):
            result.refusals[row] = outcome
            continue
        result.inputs[row] = outcome.inputs
        result.co2e_mg[row], result.points[row] = outcome.co2e_mg, outcome.points
        result.points_num[row], result.points_den[row] = outcome.points_exact
        if traced:
            result.traces[row] = outcome.trace
