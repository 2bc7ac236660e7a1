"""Many rows read column by column, whether they came in blocks or one by one."""

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import TypeVar

from gateway.model.source import SourceBlock

__all__ = ["RowTable", "picked", "table_of"]

T = TypeVar("T")
Row = Mapping[str, str]


def picked(column: Sequence[T], places: Sequence[int]) -> list[T]:
    """Return the values at some places of a column."""
    return list(itemgetter(*places)(column)) if len(places) > 1 else [column[place] for place in places]


class RowTable:
    """Rows in their order: blocks as they came, and lists of rows of any fields between them."""

    def __init__(self, pieces: Sequence[SourceBlock | Sequence[Row]]) -> None:
        self._pieces = pieces
        self._size = sum(map(len, pieces))
        self._columns: dict[str, list[str | None]] = {}

    def __len__(self) -> int:
        return self._size

    def column(self, key: str) -> list[str | None]:
        """Return the text of a field in each row, None where a row has no such field."""
        if key not in self._columns:
            self._columns[key] = list(chain.from_iterable(_texts(piece, key) for piece in self._pieces))
        return self._columns[key]


def table_of(rows: Sequence[Row] | RowTable) -> RowTable:
    """Return rows as a table."""
    return rows if isinstance(rows, RowTable) else RowTable([rows])


def _texts(piece: SourceBlock | Sequence[Row], key: str) -> Sequence[str | None]:
    if isinstance(piece, SourceBlock):
        return piece.columns.get(key) or [None] * len(piece)
    return [row.get(key) for row in piece]
