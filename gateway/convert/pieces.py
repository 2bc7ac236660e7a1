"""Tables as straight pieces: what a row says, as base + rate x argument."""

from fractions import Fraction
from typing import NamedTuple, assert_never

from gateway.convert.program import Table, TableRow
from gateway.model.codes import Rejection

__all__ = ["Piece", "pieces", "value_bounds"]


class Piece(NamedTuple):
    """One row of a table: ``base + rate * argument`` from ``start`` to ``end``, or a rejection."""

    start: Fraction
    end: Fraction | None
    base: Fraction
    rate: Fraction
    reject: Rejection | None


def pieces(table: Table, rows: tuple[TableRow, ...]) -> tuple[Piece, ...]:
    """Turn the rows of one edition into pieces, row by row."""
    made: list[Piece] = []
    total = Fraction(0)
    for index, row in enumerate(rows):
        after = rows[index + 1] if index + 1 < len(rows) else None
        base, rate = _line(table, rows, index=index, total=total)
        end = None if after is None else after.at
        made.append(Piece(row.at, end, base, rate, row.reject))
        if table.kind == "marginal" and end is not None:
            total += rate * (end - row.at)
    return tuple(made)


def _line(
    table: Table, rows: tuple[TableRow, ...], *, index: int, total: Fraction
) -> tuple[Fraction, Fraction]:
    row = rows[index]
    value = Fraction(0) if row.value is None else row.value
    match table.kind:
        case "label":
            return Fraction(index), Fraction(0)
        case "step":
            return value, Fraction(0)
        case "marginal":
            return total - value * row.at, value
        case "linear":
            after = rows[index + 1] if index + 1 < len(rows) else None
            if after is None or after.value is None:
                return value, Fraction(0)
            rate = (after.value - value) / (after.at - row.at)
            return value - rate * row.at, rate
        case _:
            assert_never(table.kind)


def value_bounds(
    parts: tuple[Piece, ...], low: Fraction, *, high: Fraction
) -> tuple[Fraction, Fraction] | None:
    """Bound the table's value for arguments from ``low`` to ``high``; None if all are rejected."""
    values: list[Fraction] = []
    for part in parts:
        first = max(low, part.start)
        last = high if part.end is None else min(high, part.end)
        if part.reject is None and first <= last:
            values += [part.base + part.rate * first, part.base + part.rate * last]
    return (min(values), max(values)) if values else None
