"""Changes of figures over time: factors by class, tables by row, each with the days that it holds for."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple, TypeVar

from gateway.convert.explain import exact_text
from gateway.convert.program import Dated, Factor, Table, TableRow
from gateway.review.diff.change import Days

__all__ = ["Figure", "factor_changes", "table_changes"]

T = TypeVar("T")
V = TypeVar("V")


class Figure(NamedTuple):
    """A figure that is another one on some days: of which class or row; empty texts where there is none."""

    of: str
    old: str
    new: str
    days: Days


def factor_changes(old: Factor | None, new: Factor | None, *, days: Days) -> Iterator[Figure]:
    """Yield by class where two factors differ on days that the new version covers."""
    classes = dict.fromkeys([*_classes(old), *_classes(new)])
    for of in classes:
        yield from _changes(
            of, old.values if old else (), new=new.values if new else (), days=days, read=_class_reader(of)
        )


def table_changes(old: Table | None, new: Table | None, *, days: Days) -> Iterator[Figure]:
    """Yield by row, from its threshold on, where two tables differ on days that the new version covers."""
    rows = {
        row.at for table in (old, new) for dated in (table.values if table else ()) for row in dated.value
    }
    for at in sorted(rows):
        yield from _changes(
            exact_text(at),
            old.values if old else (),
            new=new.values if new else (),
            days=days,
            read=_row_reader(at),
        )


def _changes(
    of: str,
    old: Sequence[Dated[T]],
    *,
    new: Sequence[Dated[T]],
    days: Days,
    read: Callable[[T], str],
) -> Iterator[Figure]:
    """Compare two figures by date; neighbouring stretches with the same difference are one."""
    starts = sorted(
        {days.first, *(dated.since for dated in (*old, *new) if days.first < dated.since < days.until)}
    )
    found: Figure | None = None
    for first, until in zip(starts, [*starts[1:], days.until], strict=True):
        was, is_ = _on(old, first, read=read), _on(new, first, read=read)
        same = found is not None and (found.old, found.new) == (was, is_)
        if found is not None and same and found.days.until == first:
            found = found._replace(days=Days(found.days.first, until))
            continue
        if found is not None:
            yield found
        found = Figure(of, was, is_, Days(first, until)) if was != is_ else None
    if found is not None:
        yield found


def _on(values: Sequence[Dated[T]], day: date, *, read: Callable[[T], str]) -> str:
    held = [dated for dated in values if dated.since <= day]
    return read(held[-1].value) if held else ""


def _classes(factor: Factor | None) -> Iterator[str]:
    for dated in factor.values if factor else ():
        yield from dated.value if isinstance(dated.value, dict) else ("",)


def _class_reader(of: str) -> Callable[[Fraction | dict[str, Fraction]], str]:
    def read(value: Fraction | dict[str, Fraction]) -> str:
        figure = value.get(of) if isinstance(value, dict) else value if not of else None
        return "" if figure is None else exact_text(figure)

    return read


def _row_reader(at: Fraction) -> Callable[[tuple[TableRow, ...]], str]:
    def read(rows: tuple[TableRow, ...]) -> str:
        row = next((row for row in rows if row.at == at), None)
        if row is None:
            return ""
        return exact_text(row.value) if row.value is not None else str(row.label or row.reject)

    return read
