"""No tonne twice: ranges of serial numbers that overlap are refused, all of them.

Which of two overlapping ranges is right no row says; so neither is taken, whatever the order of the files.
"""

from collections.abc import Iterator
from typing import BinaryIO

from adapters.project_register.wire import COLUMNS, FIRST, LAST, SERIES, read_register
from gateway.contract import Assembly
from gateway.model.codes import Rejection
from gateway.model.source import Outcome, RefusedRow, RepeatedRow, SourceFormat, SourceRow

__all__ = ["ProjectRegisterAdapter", "refuse_overlaps"]


def refuse_overlaps(ranges: Iterator[SourceRow]) -> Iterator[Outcome]:
    """Turn the ranges of one series, ordered by their first number, into issues of tonnes.

    A row that says the same as the one before it repeats it. One that begins within an earlier range, or
    within which the next one begins, is refused.
    """
    current: SourceRow | None = None
    reached = ""  # the highest last number of the ranges before the current one
    for row in ranges:
        if current is not None and _said(row) == _said(current):
            yield RepeatedRow(row.place, current.place)
            continue
        if current is not None:
            yield _judged(current, overlaps=current.fields[FIRST] <= reached or _touch(current, row))
            reached = max(reached, current.fields[LAST])
        current = row
    if current is not None:
        yield _judged(current, overlaps=current.fields[FIRST] <= reached)


class ProjectRegisterAdapter:
    """Read registers of projects' reductions; a row is an issue of tonnes with its serial numbers.

    The columns keep their names. ``series``, ``first`` and ``last`` are made of the serial numbers: what
    stands before their digits, and the digits, filled up to 18.
    """

    name = "project_register"
    platform: str | None = None
    assembly: Assembly | None = Assembly(
        group_by=(SERIES,), order_by=(FIRST, LAST, *COLUMNS), assemble=refuse_overlaps
    )

    def rows(
        self, document: BinaryIO, file: str, *, source: SourceFormat
    ) -> Iterator[SourceRow | RefusedRow]:
        """Yield each issue once; one whose serial numbers are not as many as its tonnes is refused."""
        return read_register(document, file, source=source)


def _said(row: SourceRow) -> tuple[str, ...]:
    return tuple(row.fields[name] for name in COLUMNS)


def _judged(row: SourceRow, *, overlaps: bool) -> Outcome:
    if not overlaps:
        return row
    detail = "expected serial numbers that no other row has, this range overlaps another"
    return RefusedRow(row.place, Rejection.DUPLICATE_EVENT, detail, row.fields)


def _touch(row: SourceRow, after: SourceRow) -> bool:
    return after.fields[FIRST] <= row.fields[LAST]
