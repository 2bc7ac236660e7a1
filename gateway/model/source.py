"""What an adapter hands over: rows of text with their place, before any rule has been applied."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gateway.model.codes import Rejection

__all__ = [
    "Outcome",
    "Outcomes",
    "Place",
    "RefusedRow",
    "RepeatedRow",
    "SourceBlock",
    "SourceFormat",
    "SourceRow",
]


class Place(NamedTuple):
    """Where a row stands: the file's name without its folder, and the row's number.

    Rows count from 1; the header of a CSV file is not a row.
    """

    file: str
    row: int


class SourceRow(NamedTuple):
    """One act as its platform states it: field (column name or JSON Pointer) to text.

    An absent field is left out; an empty text is a text. ``also`` names further rows of the input
    that went into this act (the entry tap of a trip), so that every row can be accounted for.
    """

    place: Place
    fields: Mapping[str, str]
    also: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceBlock:
    """Rows of one file that follow one another, column by column: what :class:`SourceRow` is for each.

    ``first`` is the place of the first of ``size`` rows; each column has a text for each row, or None
    where the row has no such field. The texts have at most ``characters_max`` characters together.
    """

    first: Place
    size: int
    characters_max: int
    columns: Mapping[str, list[str | None]]

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, number: int) -> SourceRow:
        file, first = self.first
        texts = ((name, column[number]) for name, column in self.columns.items())
        return SourceRow(
            Place(file, first + number), {name: text for name, text in texts if text is not None}
        )

    def __iter__(self) -> Iterator[SourceRow]:
        return map(self.__getitem__, range(self.size))

    def part(self, start: int, end: int) -> "SourceBlock":
        """Return the rows from one number up to another."""
        columns = {name: column[start:end] for name, column in self.columns.items()}
        first = self.first._replace(row=self.first.row + start)
        return SourceBlock(first, end - start, self.characters_max, columns)


class RefusedRow(NamedTuple):
    """A row that cannot become an act; ``detail`` says what was expected and holds no personal data."""

    place: Place
    code: Rejection
    detail: str
    fields: Mapping[str, str]
    also: tuple[Place, ...] = ()


class RepeatedRow(NamedTuple):
    """A row that states again what another row of the same input has stated."""

    place: Place
    first: Place
    also: tuple[Place, ...] = ()


Outcome = SourceRow | RefusedRow | RepeatedRow
Outcomes = SourceBlock | Sequence[Outcome]
"""Some outcomes that follow one another; those of a block are all rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFormat:
    """How a platform's file is written, as its mapping declares it in ``source.format``.

    ``encodings`` are tried in order on the head of the file; ``missing`` lists texts that stand for
    an absent value.
    """

    kind: Literal["csv", "ndjson", "parquet"] = "ndjson"
    encodings: tuple[Literal["utf-8", "gb18030"], ...] = ("utf-8",)
    delimiter: str = ","
    quote: str = '"'
    missing: frozenset[str] = frozenset({""})
