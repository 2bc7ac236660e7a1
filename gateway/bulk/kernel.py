"""Running one block of the intermediate form over columns of 64-bit integers."""

from typing import NamedTuple, assert_never

import numpy as np
import numpy.typing as npt

from gateway.convert.ir import (
    Assign,
    Block,
    Const,
    Guard,
    IntExpr,
    Op,
    Outcome,
    Pick,
    Rank,
    RefuseBelow,
    RefuseRow,
    Round,
    Statement,
    Var,
    nodes,
)
from gateway.convert.outcome import ActFinding, Refusal
from gateway.convert.program import RoundingMode

__all__ = ["Column", "Finished", "Guarded", "fits", "guard_fits", "run_block", "run_guard"]

Column = npt.NDArray[np.int64]

LIMIT = 1 << 62  # half of what int64 holds: rounding adds at most a denominator to a numerator


class Finished(NamedTuple):
    """What a block made of a group: for the rows that are left, and the refusals of the others.

    ``rows`` are positions in the group. ``steps`` has four columns for each step (exact value and
    value, as quotients) if they were asked for.
    """

    rows: npt.NDArray[np.intp]
    co2e_mg: Column
    points: Column
    points_num: Column
    points_den: Column
    steps: tuple[Column, ...]
    refusals: dict[int, Refusal]


def fits(block: Block) -> bool:
    """Tell whether the bounds of a block prove that no intermediate number leaves 64 bits."""
    exprs = [expr for statement in block.statements for expr in _expressions(statement)]
    exprs += [side for step in block.steps for side in (*step.exact, *step.value)]
    if isinstance(block.outcome, Outcome):
        exprs.append(block.outcome.co2e_mg)
    numbers = [bound for expr in exprs for node in nodes(expr) for bound in (node.low, node.high)]
    return all(-LIMIT < number < LIMIT for number in (*numbers, *_constants(block.statements)))


class Guarded(NamedTuple):
    """What a guard found, by position in the group: refusals, and findings of acts that stay."""

    refusals: dict[int, Refusal]
    findings: dict[int, tuple[ActFinding, ...]]


def guard_fits(guard: Guard) -> bool:
    """Tell whether the bounds of a guard prove that no margin leaves 64 bits."""
    numbers = [
        bound for check in guard.checks for node in nodes(check.margin) for bound in (node.low, node.high)
    ]
    return all(-LIMIT < number < LIMIT for number in numbers)


def run_guard(guard: Guard, columns: dict[str, Column], *, seconds: Column) -> Guarded:
    """Hold acts to a guard that fits, by the columns of its inputs and of their time."""
    frame = _Frame({guard.inputs[name].name: columns[name] for name in guard.inputs}, len(seconds))
    frame.values[guard.time.name] = seconds
    findings: dict[int, tuple[ActFinding, ...]] = {}
    for check in guard.checks:
        beyond = frame.value(check.margin) < 0
        if check.refusal is not None:
            frame.refuse(beyond, (check.refusal,), index=frame.constant(0))
            continue
        values = [frame.values[var.name][beyond].tolist() for var in guard.values[check.rule]]
        for row, *stated in zip(frame.rows[beyond].tolist(), *values, strict=True):
            findings[row] = (*findings.get(row, ()), ActFinding(check.rule, tuple(stated)))
    return Guarded(frame.refusals, findings)


def run_block(block: Block, columns: dict[str, Column], *, count: int, traced: bool) -> Finished:
    """Run a block that fits over the columns of its inputs: by input name, each of ``count`` rows."""
    frame = _Frame({block.inputs[name].name: column for name, column in columns.items()}, count)
    for statement in block.statements:
        frame.run(statement)
    return frame.finish(block, traced=traced)


class _Frame:
    """The columns of the rows that have not been refused: whoever is refused leaves all of them at once.

    So nothing is ever computed for an argument that a table or a figure has no value for, and the
    bounds hold for every number.
    """

    def __init__(self, columns: dict[str, Column], count: int) -> None:
        self.values: dict[str, Column] = dict(columns)
        self.rows = np.arange(count)
        self.refusals: dict[int, Refusal] = {}

    def run(self, statement: Statement) -> None:
        match statement:
            case Assign():
                self.values[statement.name] = self.value(statement.value)
            case Rank():
                thresholds = np.array(statement.thresholds, dtype=np.int64)
                ranks = np.searchsorted(thresholds, self.value(statement.argument), side="right")
                self.values[statement.name] = ranks.astype(np.int64)
            case Pick():
                self.values[statement.name] = np.array(statement.values, dtype=np.int64)[
                    self.values[statement.index]
                ]
            case RefuseBelow():
                below = self.value(statement.argument) < statement.threshold
                self.refuse(below, (statement.refusal,), index=self.constant(0))
            case RefuseRow():
                index = self.values[statement.index]
                refused = np.array([refusal is not None for refusal in statement.refusals])[index]
                self.refuse(refused, statement.refusals, index=index)
            case _:
                assert_never(statement)

    def refuse(
        self, refused: npt.NDArray[np.bool_], refusals: tuple[Refusal | None, ...], *, index: Column
    ) -> None:
        if not refused.any():
            return
        for row, which in zip(self.rows[refused].tolist(), index[refused].tolist(), strict=True):
            refusal = refusals[which]
            if refusal is not None:
                self.refusals[row] = refusal
        kept = ~refused
        self.rows = self.rows[kept]
        self.values = {name: value[kept] for name, value in self.values.items()}

    def finish(self, block: Block, *, traced: bool) -> Finished:
        if isinstance(block.outcome, Refusal):
            self.refuse(np.ones(self.rows.shape, dtype=np.bool_), (block.outcome,), index=self.constant(0))
            nothing = self.constant(0)
            return Finished(self.rows, nothing, nothing, nothing, nothing, (), self.refusals)
        outcome = block.outcome
        over, under = (self.value(side) for side in outcome.points_exact)
        common = np.gcd(over, under)
        sides = [side for step in block.steps for side in (*step.exact, *step.value)] if traced else []
        return Finished(
            rows=self.rows,
            co2e_mg=self.value(outcome.co2e_mg),
            points=self.value(outcome.points),
            points_num=over // common,
            points_den=under // common,
            steps=tuple(self.value(side) for side in sides),
            refusals=self.refusals,
        )

    def constant(self, value: int) -> Column:
        return np.broadcast_to(np.int64(value), self.rows.shape)

    def value(self, expr: IntExpr) -> Column:
        match expr:
            case Const():
                return self.constant(expr.value)
            case Var():
                return self.values[expr.name]
            case Op():
                return _apply(expr, self.value(expr.left), right=self.value(expr.right))
            case Round():
                return _rounded(self.value(expr.numerator), self.value(expr.denominator), mode=expr.mode)
            case _:
                assert_never(expr)


def _apply(expr: Op, left: Column, *, right: Column) -> Column:
    result: Column
    match expr.op:
        case "+":
            result = left + right
        case "-":
            result = left - right
        case "*":
            result = left * right
        case "//":
            result = left // right  # numpy divides integers as Python does: towards minus infinity
        case "min":
            result = np.minimum(left, right)
        case "max":
            result = np.maximum(left, right)
        case _:
            assert_never(expr.op)
    return result


def _rounded(numerator: Column, denominator: Column, *, mode: RoundingMode) -> Column:
    below = numerator // denominator
    rest = numerator - below * denominator
    beyond_half = 2 * rest - denominator
    match mode:
        case "floor":
            goes_up = np.zeros(below.shape, dtype=np.bool_)
        case "ceiling":
            goes_up = rest > 0
        case "down":
            goes_up = (rest > 0) & (below < 0)
        case "up":
            goes_up = (rest > 0) & (below >= 0)
        case "half_up":
            goes_up = (beyond_half > 0) | ((beyond_half == 0) & (below >= 0))
        case "half_down":
            goes_up = (beyond_half > 0) | ((beyond_half == 0) & (below < 0))
        case "half_even":
            goes_up = (beyond_half > 0) | ((beyond_half == 0) & (below % 2 == 1))
        case _:
            assert_never(mode)
    return below + goes_up


def _expressions(statement: Statement) -> list[IntExpr]:
    match statement:
        case Assign(value=expr) | Rank(argument=expr) | RefuseBelow(argument=expr):
            return [expr]
        case _:
            return []


def _constants(statements: tuple[Statement, ...]) -> list[int]:
    found: list[int] = []
    for statement in statements:
        match statement:
            case Rank(thresholds=numbers) | Pick(values=numbers):
                found += numbers
            case RefuseBelow(threshold=number):
                found.append(number)
            case _:
                pass
    return found
