"""An adapter that keeps every promise, and others that each break one: a check must tell which."""

import io
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from gateway.contract import WHOLE_ROW, Assembly, Line, read_lines
from gateway.errors import MalformedDocument
from gateway.model.codes import Rejection
from gateway.model.source import Outcome, Place, RefusedRow, RepeatedRow, SourceFormat, SourceRow

__all__ = ["BAD", "SAMPLE", "GoodAdapter"]

SAMPLE = b"".join(b"ride-%03d|2025-03-16 07:%02d:00|2.%d\n" % (n // 2, n // 2, n // 2) for n in range(30))
EXPORT_AGAIN = "export the rides again"
EXPECTED = "expected: ride|time|km"
Row = SourceRow | RefusedRow


def once(rides: Iterator[SourceRow]) -> Iterator[Outcome]:
    first = next(rides)
    yield first
    for ride in rides:
        if ride.fields == first.fields:
            yield RepeatedRow(ride.place, first.place)
        else:
            yield RefusedRow(ride.place, Rejection.DUPLICATE_EVENT, "another row differs", ride.fields)


class GoodAdapter:
    """Rides between bars; the same ride twice is a repetition."""

    name = "bars"
    platform: Any = "cn-000000/bars"
    assembly: Assembly | None = Assembly(group_by=("ride",), order_by=("time", "km"), assemble=once)

    def rows(self, document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[Row]:
        for line in read_lines(document, file, source=source):
            yield line if isinstance(line, RefusedRow) else self.ride(line)

    def ride(self, line: Line) -> Row:
        cells = line.text.split("|")
        if line.place.row == 1 and len(cells) != 3:
            raise MalformedDocument(f"{line.place.file}: row 1 has no ride", remedy=EXPORT_AGAIN)
        if len(cells) != 3:
            return RefusedRow(line.place, Rejection.MALFORMED_ROW, EXPECTED, {WHOLE_ROW: line.text})
        return SourceRow(line.place, dict(zip(("ride", "time", "km"), cells, strict=True)))

    def render(self, rows: Iterable[SourceRow], *, source: SourceFormat) -> bytes:
        text = "".join("|".join(row.fields.values()) + "\n" for row in rows)
        return text.encode(source.encodings[0])


class NoPlatform(GoodAdapter):
    """A platform that is none."""

    platform = "Yunxi City"


class RefusesAll(GoodAdapter):
    """No sample is good enough."""

    def ride(self, line: Line) -> Row:
        raise MalformedDocument(f"{line.place.file}: not today", remedy=EXPORT_AGAIN)


class Trusting(GoodAdapter):
    """Rows that lack a field end in an error of Python."""

    def ride(self, line: Line) -> Row:
        ride, time, km = line.text.split("|")
        return SourceRow(line.place, {"ride": ride, "time": time, "km": km})


class CountsFromZero(GoodAdapter):
    """The first row is row 0."""

    def rows(self, document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[Row]:
        for row in super().rows(document, file, source=source):
            yield row._replace(place=Place(file, row.place.row - 1))


class DropsBadRows(GoodAdapter):
    """A row that cannot be read is passed over in silence."""

    def rows(self, document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[Row]:
        rows = super().rows(document, file, source=source)
        return (row for row in rows if isinstance(row, SourceRow))


class Remembers(GoodAdapter):
    """What was read before shows in what is read now."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def ride(self, line: Line) -> Row:
        row = super().ride(line)
        known = line.text in self._seen
        if not re.fullmatch(r"ride-0\d\d\|2025-03-16 07:\d\d:00\|2\.\d+", line.text):
            self._seen.add(line.text)
        return row._replace(fields={**row.fields, "again": "yes"}) if known else row


class OneGulp(GoodAdapter):
    """Takes what the first read gives for the whole document."""

    def rows(self, document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[Row]:
        return super().rows(io.BytesIO(document.read(1 << 20)), file, source=source)


class ChangesItsMind(GoodAdapter):
    """Refuses a document after it has given rows."""

    def ride(self, line: Line) -> Row:
        if line.text.count("|") > 2:
            raise MalformedDocument(f"{line.place.file}: another format", remedy=EXPORT_AGAIN)
        return super().ride(line)


class NoRemedy(GoodAdapter):
    """Refuses documents without saying what to do."""

    def ride(self, line: Line) -> Row:
        if line.place.row == 1 and line.text.count("|") != 2:
            raise _Remediless(f"{line.place.file}: no")
        return super().ride(line)


class _Remediless(MalformedDocument):
    remedy = ""


class Silent(GoodAdapter):
    """Refuses rows without saying why."""

    def ride(self, line: Line) -> Row:
        row = super().ride(line)
        return row._replace(detail="") if isinstance(row, RefusedRow) else row


class Loud(GoodAdapter):
    """Repeats a person's data in the reason."""

    def ride(self, line: Line) -> Row:
        row = super().ride(line)
        if isinstance(row, SourceRow) and not row.fields["ride"].startswith("ride"):
            return RefusedRow(
                row.place, Rejection.UNKNOWN_CODE, f"no ride {row.fields['ride'][:200]}", row.fields
            )
        return row


class Numbers(GoodAdapter):
    """Hands over a number where a text is expected."""

    def ride(self, line: Line) -> Row:
        row = super().ride(line)
        fields: dict[str, Any] = {**row.fields, "row": line.place.row}
        return row._replace(fields=fields) if isinstance(row, RefusedRow) else row


class Halves(GoodAdapter):
    """Lets halves of characters through, which nothing can write."""

    def ride(self, line: Line) -> Row:
        row = super().ride(line)
        return row._replace(fields={"": "\ud800"}) if isinstance(row, RefusedRow) else row


class Swells(GoodAdapter):
    """Makes a short row into a long one."""

    def ride(self, line: Line) -> Row:
        row = super().ride(line)
        return row._replace(fields={"": " " * (300 * 1024)}) if isinstance(row, RefusedRow) else row


class Longwinded(GoodAdapter):
    """Explains a refusal at great length."""

    def ride(self, line: Line) -> Row:
        row = super().ride(line)
        return row._replace(detail=EXPECTED * 50) if isinstance(row, RefusedRow) else row


class Endless(GoodAdapter):
    """Gives rows for ever."""

    def rows(self, document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[Row]:
        number = 0
        for row in super().rows(document, file, source=source):
            number = row.place.row
            yield row
        begun = number == 29  # one fewer than the sample has
        while begun:
            number += 1
            yield RefusedRow(Place(file, number), Rejection.MALFORMED_ROW, EXPECTED, {})


class Greedy(GoodAdapter):
    """Holds the whole document, however large."""

    def rows(self, document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[Row]:
        parts = list(iter(lambda: document.read(1 << 20), b""))
        return super().rows(io.BytesIO(b"".join(parts)), file, source=source)


class Misspelt(GoodAdapter):
    """Orders by a field that no row has."""

    assembly = Assembly(group_by=("ride",), order_by=("time", "km", "distance"), assemble=once)


def only_the_first(rides: Iterator[SourceRow]) -> Iterator[Outcome]:
    yield next(rides)


class Forgets(GoodAdapter):
    """Loses the repetitions."""

    assembly = Assembly(group_by=("ride",), order_by=("time", "km"), assemble=only_the_first)


def repeats_itself(rides: Iterator[SourceRow]) -> Iterator[Outcome]:
    for ride in rides:
        yield RepeatedRow(ride.place, ride.place)


class Circular(GoodAdapter):
    """Calls each row a repetition of itself."""

    assembly = Assembly(group_by=("ride",), order_by=("time", "km"), assemble=repeats_itself)


def numbered(rides: Iterator[SourceRow]) -> Iterator[Outcome]:
    for ride in rides:
        yield ride._replace(fields={**ride.fields, "first": str(ride.place.row)})


class ByPlace(GoodAdapter):
    """Lets the number of a row show in the act."""

    assembly = Assembly(group_by=("ride",), order_by=("time", "km"), assemble=numbered)


class Shortens(GoodAdapter):
    """Writes less than it has read."""

    def render(self, rows: Iterable[SourceRow], *, source: SourceFormat) -> bytes:
        return super().render(list(rows)[1:], source=source)


class CannotWrite(GoodAdapter):
    """Offers to write and does not."""

    def render(self, rows: Iterable[SourceRow], *, source: SourceFormat) -> bytes:
        raise NotImplementedError


BAD: dict[type[GoodAdapter], str] = {
    NoPlatform: "offer",
    RefusesAll: "samples",
    Trusting: "totality",
    Endless: "totality",
    CountsFromZero: "places",
    DropsBadRows: "places",
    ChangesItsMind: "early",
    Remembers: "repeatable",
    OneGulp: "pieces",
    NoRemedy: "reasons",
    Silent: "reasons",
    Loud: "quiet",
    Numbers: "texts",
    Halves: "texts",
    Swells: "bounded",
    Longwinded: "bounded",
    Greedy: "memory",
    Misspelt: "stages",
    Forgets: "accounting",
    Circular: "accounting",
    ByPlace: "order",
    Shortens: "round-trip",
    CannotWrite: "round-trip",
}
