"""Interval arithmetic over exact fractions: what a formula's values can be at most and at least."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from gateway.convert.program import Rounding, Table, TableRow
from gateway.convert.rational import round_quotient

__all__ = ["MAGNITUDE_MAX", "Interval", "combined", "floored", "hull", "rounded", "table_range"]

MAGNITUDE_MAX: Final = 1 << 200  # beyond any quantity of this world; numerators stay cheap below it


class Interval(NamedTuple):
    """All values from ``low`` to ``high``."""

    low: Fraction
    high: Fraction

    def has(self, value: int) -> bool:
        """Tell whether the value lies inside."""
        return self.low <= value <= self.high


def hull(intervals: Iterable[Interval]) -> Interval:
    """Return the smallest interval around one or more others."""
    listed = list(intervals)
    return Interval(min(one.low for one in listed), max(one.high for one in listed))


def combined(op: str, left: Interval, *, right: Interval) -> Interval:
    """Apply + - * / min max to every pair; the divisor must not contain zero."""
    match op:
        case "+":
            return Interval(left.low + right.low, left.high + right.high)
        case "-":
            return Interval(left.low - right.high, left.high - right.low)
        case "min":
            return Interval(min(left.low, right.low), min(left.high, right.high))
        case "max":
            return Interval(max(left.low, right.low), max(left.high, right.high))
        case "*":
            corners = [a * b for a in left for b in right]
        case _:
            corners = [a / b for a in left for b in right]
    return Interval(min(corners), max(corners))


def floored(value: Interval) -> Interval:
    """Apply the floor."""
    return Interval(Fraction(value.low.__floor__()), Fraction(value.high.__floor__()))


def rounded(value: Interval, rounding: Rounding) -> Interval:
    """Apply a rounding, which keeps the order of values."""
    unit = 10**rounding.scale
    edges = (
        Fraction(round_quotient(edge.numerator * unit, edge.denominator, mode=rounding.mode), unit)
        for edge in value
    )
    return Interval(*edges)


def table_range(table: Table, argument: Interval) -> Interval | None:
    """Return what a table can give for the argument, over all its dates; None if it always refuses."""
    found = [
        one
        for edition in table.values
        for one in _edition_range(table.kind, edition.value, argument=argument)
    ]
    return hull(found) if found else None


def _edition_range(kind: str, rows: tuple[TableRow, ...], *, argument: Interval) -> Iterable[Interval]:
    if kind in {"step", "label"}:
        for index, row in enumerate(rows):
            ends = rows[index + 1].at if index + 1 < len(rows) else argument.high
            if row.reject is None and row.at <= argument.high and argument.low <= ends:
                value = Fraction(index) if row.value is None else row.value
                yield Interval(value, value)
        return
    low, high = max(argument.low, rows[0].at), argument.high
    if low <= high:
        curve = _Curve(kind, rows)
        values = [curve.at(low), curve.at(high), *(value for at, value in curve.knots if low < at < high)]
        yield Interval(min(values), max(values))


class _Curve:
    """A marginal or linear table as straight lines between knots, with one more line after the last."""

    def __init__(self, kind: str, rows: tuple[TableRow, ...]) -> None:
        figures = [row.value or Fraction(0) for row in rows]
        lengths = [after.at - row.at for row, after in pairwise(rows)]
        self._last_slope = figures[-1] if kind == "marginal" else Fraction(0)
        if kind == "marginal":
            parts = (rate * length for rate, length in zip(figures, lengths, strict=False))
            figures = list(accumulate(parts, initial=Fraction(0)))
        self.knots = list(zip((row.at for row in rows), figures, strict=True))

    def at(self, argument: Fraction) -> Fraction:
        """Return the value at an argument that is not below the first knot."""
        for (start, value), (end, next_value) in pairwise(self.knots):
            if argument < end:
                return value + (argument - start) * (next_value - value) / (end - start)
        start, value = self.knots[-1]
        return value + (argument - start) * self._last_slope
