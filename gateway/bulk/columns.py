"""The column evaluator: thousands of acts at once on 64-bit integers.

Acts are grouped by behaviour and stretch of days; each group runs one block of the intermediate form
over whole columns. Where the bounds of a block do not prove that every intermediate number fits, the
group runs through the generated function instead, so no number can wrap unseen.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gateway.bulk.kernel import Finished, Guarded, fits, guard_fits, run_block, run_guard
from gateway.convert import (
    ActFinding,
    Converted,
    ConvertedBlock,
    ConvertedColumns,
    Program,
    Refusal,
    RoleColumns,
    StepTrace,
)
from gateway.convert.fast import CompiledBlock, FastEvaluator
from gateway.convert.generate import step_traces
from gateway.convert.guard import CompiledGuard
from gateway.convert.inputs import InputReader
from gateway.model.columns import RowTable, picked, table_of

__all__ = ["ColumnEvaluator"]

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Group:
    """Acts of one block whose inputs could be read: their row numbers, and their inputs by column.

    ``findings`` are by row number, also of acts that have left.
    """

    made: CompiledBlock
    rows: list[int]
    inputs: dict[str, list[int]]
    findings: dict[int, tuple[ActFinding, ...]] = field(default_factory=dict)

    def chosen(self, places: list[int]) -> "_Group":
        """Return the acts at some places."""
        if len(places) == len(self.rows):
            return self
        inputs = {name: picked(values, places) for name, values in self.inputs.items()}
        return _Group(self.made, picked(self.rows, places), inputs, self.findings)

    def input_rows(self) -> list[dict[str, int]]:
        names = tuple(self.inputs)
        if not names:
            return [{} for _ in self.rows]
        return [dict(zip(names, values, strict=True)) for values in zip(*self.inputs.values(), strict=True)]

    def found(self) -> dict[int, tuple[ActFinding, ...]]:
        """Return the findings of the acts by their places in the group."""
        if not self.findings:
            return {}
        return {place: self.findings[row] for place, row in enumerate(self.rows) if row in self.findings}


class ColumnEvaluator:
    """Evaluates one program over batches; row by row the same as the generated function."""

    def __init__(self, program: Program) -> None:
        self._inputs = InputReader(program)
        self._needs = program.formula.needs
        self._fast = FastEvaluator(program)
        blocks = (made.block for several in self._fast.blocks.values() for made in several)
        self._fitting = {(block.behaviour, block.first): fits(block) for block in blocks}

    def convert_batch(
        self,
        rows: Sequence[Row] | RowTable,
        roles: RoleColumns,
        *,
        places: Iterable[int] | None = None,
        traced: bool = False,
    ) -> ConvertedColumns:
        """Convert rows whose roles have been read: all, or those at some places.

        A row without roles keeps its refusal.
        """
        refusals = dict(roles.refusals) if places is None else {}
        wanted = range(len(rows)) if places is None else places
        taken = [place for place in wanted if place not in roles.refusals] if roles.refusals else wanted
        blocks: list[ConvertedBlock] = []
        table = table_of(rows)
        for made, members in self._grouped(taken, roles, refusals=refusals):
            group = self._read(made, members, rows=table, refusals=refusals)
            if made.block.behaviour in self._fast.guards:
                group = self._guarded(group, roles, refusals=refusals)
            run = _run_columns if self._fitting[made.block.behaviour, made.block.first] else _run_rows
            blocks.append(run(group, refusals, traced=traced))
        return ConvertedColumns(blocks, refusals)

    def _grouped(
        self, places: Iterable[int], roles: RoleColumns, *, refusals: dict[int, Refusal]
    ) -> Iterable[tuple[CompiledBlock, list[int]]]:
        by_day: dict[tuple[str, int], list[int]] = defaultdict(list)
        behaviours, days = roles.behaviour, roles.day
        for place in places:
            by_day[behaviours[place], days[place]].append(place)
        groups: dict[tuple[str, int], tuple[CompiledBlock, list[int]]] = {}
        for (behaviour, day), members in by_day.items():
            made = self._fast.block_on(behaviour, day)
            if isinstance(made, Refusal):
                refusals.update(dict.fromkeys(members, made))
            else:
                groups.setdefault((behaviour, made.block.first), (made, []))[1].extend(members)
        return groups.values()

    def _read(
        self, made: CompiledBlock, members: list[int], *, rows: RowTable, refusals: dict[int, Refusal]
    ) -> _Group:
        """Read the inputs of a group, column by column; a row leaves with its first refusal."""
        behaviour = made.block.behaviour
        group = _Group(made, members, {})
        for name in self._needs[behaviour]:
            values = self._inputs.read_column(name, behaviour, rows=rows, places=group.rows)
            if Refusal in set(map(type, values)):
                refused = [place for place, value in enumerate(values) if type(value) is Refusal]
                refusals.update({group.rows[place]: values[place] for place in refused})  # type: ignore[misc]  # just seen
                kept = [place for place, value in enumerate(values) if type(value) is not Refusal]
                group = group.chosen(kept)
                values = [values[place] for place in kept]
            group.inputs[name] = values  # type: ignore[assignment]  # the refusals have left
        return group

    def _guarded(self, group: _Group, roles: RoleColumns, *, refusals: dict[int, Refusal]) -> _Group:
        """Hold acts to the limits of their behaviour; who is refused leaves the group."""
        guard = self._fast.guards[group.made.block.behaviour]
        read, starts, ends = self._fast.time.read, roles.start, roles.end
        times = [read(starts[row], ends[row]) for row in group.rows]
        refusals.update({group.rows[n]: time for n, time in enumerate(times) if isinstance(time, Refusal)})
        group = group.chosen([n for n, time in enumerate(times) if not isinstance(time, Refusal)])
        done = _run_guard(guard, group, seconds=[time for time in times if not isinstance(time, Refusal)])
        refusals.update({group.rows[place]: refusal for place, refusal in done.refusals.items()})
        group.findings.update({group.rows[place]: found for place, found in done.findings.items()})
        return group.chosen([place for place in range(len(group.rows)) if place not in done.refusals])


def _run_guard(made: CompiledGuard, group: _Group, *, seconds: list[int]) -> Guarded:
    """Run a guard over columns where it fits 64 bits, otherwise act by act on Python's integers."""
    if guard_fits(made.guard):
        columns = {name: np.array(group.inputs[name], dtype=np.int64) for name in made.guard.inputs}
        return run_guard(made.guard, columns, seconds=np.array(seconds, dtype=np.int64))
    outcomes = list(enumerate(map(made.run, group.input_rows(), seconds)))
    return Guarded(
        {place: one for place, one in outcomes if isinstance(one, Refusal)},
        {place: one for place, one in outcomes if one and not isinstance(one, Refusal)},
    )


def _run_columns(group: _Group, refusals: dict[int, Refusal], *, traced: bool) -> ConvertedBlock:
    """Run a group whose block fits 64 bits."""
    columns = {name: np.array(values, dtype=np.int64) for name, values in group.inputs.items()}
    done = run_block(group.made.block, columns, count=len(group.rows), traced=traced)
    refusals.update({group.rows[place]: refusal for place, refusal in done.refusals.items()})
    left = group.chosen(done.rows.tolist())
    return ConvertedBlock(
        group.made.block.behaviour,
        left.rows,
        left.inputs,
        done.co2e_mg.tolist(),
        done.points.tolist(),
        done.points_num.tolist(),
        done.points_den.tolist(),
        _traces(group, done) if traced else [],
        left.found(),
    )


def _traces(group: _Group, done: Finished) -> list[tuple[StepTrace, ...]]:
    if not done.steps:
        return [()] * len(done.rows)
    numbers = zip(*(column.tolist() for column in done.steps), strict=True)
    return [step_traces(group.made.block.steps, of_row) for of_row in numbers]


def _run_rows(group: _Group, refusals: dict[int, Refusal], *, traced: bool) -> ConvertedBlock:
    """Run a group whose numbers may not fit 64 bits, act by act on Python's integers."""
    function = group.made.traced if traced else group.made.plain
    outcomes = [function(inputs) for inputs in group.input_rows()]
    refusals.update({group.rows[n]: out for n, out in enumerate(outcomes) if isinstance(out, Refusal)})
    left = group.chosen([n for n, out in enumerate(outcomes) if isinstance(out, Converted)])
    acts = [out for out in outcomes if isinstance(out, Converted)]
    return ConvertedBlock(
        group.made.block.behaviour,
        left.rows,
        left.inputs,
        [act.co2e_mg for act in acts],
        [act.points for act in acts],
        [act.points_exact[0] for act in acts],
        [act.points_exact[1] for act in acts],
        [act.trace for act in acts] if traced else [],
        left.found(),
    )
