"""The interpreter's own arithmetic: fractions, in the plainest way that can be written."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import assert_never

from gateway.convert.program import (
    Binary,
    Call,
    Expr,
    Floor,
    Limit,
    MinMax,
    Name,
    Number,
    Rounding,
    Step,
    Table,
    TableRow,
)

__all__ = ["combine", "direction", "limit_sides", "names_used", "round_exact", "row_value", "side"]


def names_used(steps: tuple[Step, ...], behaviour: str) -> set[str]:
    """Collect the inputs, figures, tables and steps that a behaviour's expressions name."""
    names: set[str] = set()
    pending: list[Expr] = [step.expr[behaviour] for step in steps]
    while pending:
        match pending.pop():
            case Name(name=name):
                names.add(name)
            case Binary(left=left, right=right):
                pending += [left, right]
            case MinMax(args=args):
                pending += args
            case Floor(arg=arg):
                pending.append(arg)
            case Call(table=table, arg=arg):
                names.add(table)
                pending.append(arg)
            case Number():
                pass
    return names


def combine(expr: Binary, left: Fraction, *, right: Fraction) -> Fraction:
    """Apply one of the four operations exactly."""
    match expr.op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
        case _:
            assert_never(expr.op)


def row_value(table: Table, rows: tuple[TableRow, ...], *, index: int, argument: Fraction) -> Fraction:
    """Give the value of a table's row for an argument that lies in it."""
    row = rows[index]
    match table.kind:
        case "label":
            return Fraction(index)
        case "step":
            return _figure(row)
        case "marginal":
            below = [_figure(a) * (b.at - a.at) for a, b in pairwise(rows[: index + 1])]
            return sum(below, start=_figure(row) * (argument - row.at))
        case "linear":
            after = rows[index + 1] if index + 1 < len(rows) else None
            if after is None or after.value is None:
                return _figure(row)
            share = (argument - row.at) / (after.at - row.at)
            return _figure(row) + share * (after.value - _figure(row))
        case _:
            assert_never(table.kind)


def _figure(row: TableRow) -> Fraction:
    return Fraction(0) if row.value is None else row.value


def round_exact(value: Fraction, rounding: Rounding) -> Fraction:
    """Round a fraction to a number of decimals in the named direction."""
    scaled: Fraction = value * 10**rounding.scale
    below, above = Fraction(floor(scaled)), Fraction(ceil(scaled))
    inward, outward = (below, above) if scaled >= 0 else (above, below)
    to_below, to_above = scaled - below, above - scaled
    match rounding.mode:
        case "floor":
            chosen = below
        case "ceiling":
            chosen = above
        case "down":
            chosen = inward
        case "up":
            chosen = outward
        case "half_up":
            chosen = outward if to_below == to_above else min(below, above, key=lambda x: abs(scaled - x))
        case "half_down":
            chosen = inward if to_below == to_above else min(below, above, key=lambda x: abs(scaled - x))
        case "half_even":
            chosen = Fraction(round(scaled))
        case _:
            assert_never(rounding.mode)
    unit: int = 10**rounding.scale
    return chosen / unit


def direction(exact: Fraction, rounded: Fraction, *, rounding: Rounding) -> str:
    """Tell which way a value was rounded: up, down, from a tie, or not at all."""
    if exact == rounded:
        return "exact"
    if (exact * 10**rounding.scale * 2).denominator == 1:
        return "tie"
    return "up" if rounded > exact else "down"


def limit_sides(limit: Limit, quantity: Fraction | None, *, seconds: int) -> Iterator[tuple[str, str]]:
    """Yield ``min`` and ``max`` with the side on which an act lies: under, at or over.

    Something in no time is faster than any limit; nothing in no time is on no side of it.
    """
    time = Fraction(seconds, limit.unit_seconds)
    bounds = [("max", limit.high)] if limit.low is None else [("max", limit.high), ("min", limit.low)]
    for name, bound in bounds:
        if quantity is None:
            yield name, side(time, bound)
        elif seconds:
            yield name, side(quantity / time, bound)
        elif quantity:
            yield name, "over"


def side(value: Fraction | int, bound: Fraction | int) -> str:
    """Tell whether a value is under, at or over a bound."""
    if value == bound:
        return "at"
    return "under" if value < bound else "over"
