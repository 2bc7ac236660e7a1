"""Which values an expression can have at all: multiples of a grid, within bounds.

A tie at the third decimal cannot come of whole kilometres times 78.4. Such facts decide whether a test
for a rounding or a threshold can exist, so that nobody is asked for one that cannot.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from math import ceil, floor, gcd, lcm
from typing import NamedTuple

from gateway.convert.bounds import Interval, rounded
from gateway.convert.checking import Bound, bound_of, figures_of
from gateway.convert.program import (
    Binary,
    Call,
    Expr,
    Floor,
    Formula,
    MinMax,
    Name,
    Number,
    Rounding,
    RoundingMode,
    Step,
    Table,
)
from gateway.convert.rational import round_quotient

__all__ = ["Analysis", "Values", "analyse", "attainable_directions", "modes_differ"]

Grid = Fraction | None
"""Every value is a multiple of it (zero: only zero); None where nothing is known."""

HALF = Fraction(1, 2)


class Values(NamedTuple):
    """A superset of the values of an expression."""

    grid: Grid
    bounds: Interval

    def any_in(self, low: Fraction, high: Fraction) -> bool:
        """Tell whether a value can lie in ``low <= value <= high``."""
        low, high = max(low, self.bounds.low), min(high, self.bounds.high)
        if low > high or self.grid is None:
            return low <= high
        return low <= 0 <= high if self.grid == 0 else ceil(low / self.grid) * self.grid <= high

    def any_between(self, low: Fraction, high: Fraction, *, low_open: bool) -> bool:
        """Tell whether a value can lie in ``(low, high]``, or in ``[low, high)`` where low is not open."""
        if not self.grid:
            return self.any_in(low, high)
        at = floor(low / self.grid) + 1 if low_open else ceil(low / self.grid)
        value = max(at, ceil(self.bounds.low / self.grid)) * self.grid
        return value <= self.bounds.high and (value <= high if low_open else value < high)

    def scaled(self, factor: int) -> "Values":
        """Return the values times a whole number."""
        return Values(
            None if self.grid is None else self.grid * factor,
            Interval(self.bounds.low * factor, self.bounds.high * factor),
        )


@dataclass(slots=True)
class Analysis:
    """What each step can be before its rounding, and what each table can be asked, for one behaviour."""

    steps: dict[str, Values] = field(default_factory=dict)
    arguments: list[tuple[str, Values]] = field(default_factory=list)

    def observable(self, name: str) -> Values | None:
        """Return what a step can be in an act that is not refused: no reduction, no points below zero."""
        values = self.steps.get(name)
        if values is None or name not in {"reduction", "points"} or values.bounds.low >= 0:
            return values
        return (
            None if values.bounds.high < 0 else Values(values.grid, Interval(Fraction(0), values.bounds.high))
        )


def analyse(formula: Formula, behaviour: str) -> Analysis:
    """Analyse a checked formula for one behaviour; steps that no act reaches are left out."""
    return _Analyst(formula, behaviour).analysis()


def attainable_directions(values: Values, rounding: Rounding) -> frozenset[str]:
    """Return which of up, down and tie a rounding can meet."""
    found: set[str] = set()
    for value in _representatives(values.scaled(10**rounding.scale)):
        below = round_quotient(value.numerator, value.denominator, mode="floor")
        if value - below == HALF:
            found.add("tie")
        elif value != below:
            up = round_quotient(value.numerator, value.denominator, mode=rounding.mode) > below
            found.add("up" if up else "down")
    return frozenset(found)


def modes_differ(values: Values, rounding: Rounding, *, other: RoundingMode) -> bool:
    """Tell whether some value is rounded differently by another mode; unsure counts as yes."""
    return any(
        round_quotient(value.numerator, value.denominator, mode=rounding.mode)
        != round_quotient(value.numerator, value.denominator, mode=other)
        for value in _representatives(values.scaled(10**rounding.scale))
    )


def _representatives(values: Values) -> Iterable[Fraction]:
    """Yield one value for each way in which roundings can differ: sign, parity, and part beyond the floor.

    A grid p/q in lowest terms has the parts k/q; its ties come with even and odd floors alike. Near both
    ends there are an even and an odd floor, and what lies below zero lies near the lower end.
    """
    low, high = values.bounds
    if low == high:
        yield low
        return
    for whole in {floor(low), floor(low) + 1, ceil(high) - 2, ceil(high) - 1}:
        if low < whole + 1 and high > whole:
            yield from (whole + share for share in _shares(values.grid))


def _shares(grid: Grid) -> Iterable[Fraction]:
    """Yield parts of one that multiples of a grid can have: below a half, a half, above a half."""
    denominator = 4 if grid is None else grid.denominator
    if denominator > 2:
        yield from (Fraction(1, 4), Fraction(3, 4))
    if denominator % 2 == 0:
        yield HALF


class _Analyst:
    def __init__(self, formula: Formula, behaviour: str) -> None:
        self._formula = formula
        self._behaviour = behaviour
        self._bounds: dict[str, Bound] = {}
        self._grids: dict[str, Grid] = {}
        self._found = Analysis()

    def analysis(self) -> Analysis:
        for step in self._formula.steps:
            expr = step.expr[self._behaviour]
            grid, bound = self._grid(expr), self._bound(expr)
            if bound is not None:
                self._found.steps[step.name] = Values(grid, bound)
            self._grids[step.name] = _rounded_grid(grid, step)
            self._bounds[step.name] = rounded(bound, step.rounding) if bound and step.rounding else bound
        return self._found

    def _bound(self, expr: Expr) -> Bound:
        return bound_of(expr, self._formula, behaviour=self._behaviour, earlier=self._bounds)

    def _grid(self, expr: Expr) -> Grid:
        match expr:
            case Number():
                return expr.value
            case Name():
                return self._named(expr.name)
            case Floor():
                inner = self._grid(expr.arg)
                return inner if inner is not None and inner.denominator == 1 else Fraction(1)
            case MinMax():
                return reduce(_common, (self._grid(arg) for arg in expr.args))
            case Call():
                return self._called(expr)
            case Binary():
                return self._combined(expr)

    def _combined(self, expr: Binary) -> Grid:
        left, right = self._grid(expr.left), self._grid(expr.right)
        if expr.op in {"+", "-"}:
            return _common(left, right)
        divisor = self._bound(expr.right)
        if expr.op == "/":
            constant = divisor is not None and divisor.low == divisor.high
            return None if left is None or not constant or divisor is None else left / abs(divisor.low)
        return _product(left, right)

    def _named(self, name: str) -> Grid:
        if name in self._formula.inputs:
            found = self._formula.inputs[name]
            if found.low == found.high:
                return Fraction(abs(found.low), 10**found.scale)
            return Fraction(1, 10**found.scale)
        if name in self._formula.factors:
            return _common_of(figures_of(self._formula.factors[name], self._behaviour))
        return self._grids.get(name)

    def _called(self, expr: Call) -> Grid:
        argument, bound = self._grid(expr.arg), self._bound(expr.arg)
        table = self._formula.tables[expr.table]
        if bound is not None:
            self._found.arguments.append((table.name, Values(argument, bound)))
        return _table_grid(table, argument)


def _rounded_grid(grid: Grid, step: Step) -> Grid:
    if step.rounding is None:
        return grid
    ulp = Fraction(1, 10**step.rounding.scale)
    return grid if grid is not None and (grid / ulp).denominator == 1 else ulp


def _table_grid(table: Table, argument: Grid) -> Grid:
    rows = [row for edition in table.values for row in edition.value]
    match table.kind:
        case "label":
            return Fraction(1)
        case "step":
            return _common_of(row.value for row in rows if row.value is not None)
        case "marginal":
            inside = _common(argument, _common_of(row.at for row in rows))
            return _product(inside, _common_of(row.value for row in rows if row.value is not None))
        case "linear":
            return _linear_grid(table, argument)


def _linear_grid(table: Table, argument: Grid) -> Grid:
    """Return the grid of straight lines: their ends, and steps of the argument times their slopes."""
    grid: Grid = Fraction(0)
    for edition in table.values:
        ends = [(row.at, row.value) for row in edition.value if row.value is not None]
        grid = _common(grid, _common_of(value for _, value in ends))
        for (at, value), (next_at, next_value) in pairwise(ends):
            slope = abs(next_value - value) / (next_at - at)
            grid = _common(grid, _product(_common(argument, at), slope))
    return grid


def _product(left: Grid, right: Grid) -> Grid:
    return None if left is None or right is None else left * right


def _common(left: Grid, right: Grid) -> Grid:
    """Return the coarsest grid that holds the multiples of both."""
    if left is None or right is None:
        return None
    below = lcm(left.denominator, right.denominator)
    return Fraction(gcd(int(left * below), int(right * below)), below)


def _common_of(values: Iterable[Fraction]) -> Grid:
    grid: Grid = Fraction(0)
    for value in values:
        grid = _common(grid, value)
    return grid
