"""Trips and stations out of the operators' tables, under one set of field names.

What an act does not need is read past: names of stations, year of birth, gender, postcode.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import BinaryIO, Final, TypeVar

from adapters.bikeshare.exports import STATION_TABLES, TRIP_EXPORTS, StationTable, TripExport, heading
from gateway.contract import (
    BadPosition,
    Position,
    UnknownHeader,
    local_time,
    open_csv,
    read_position,
    straight_line_m,
)
from gateway.errors import MalformedDocument
from gateway.model.codes import Rejection
from gateway.model.source import RefusedRow, SourceFormat, SourceRow

__all__ = ["AT_LEAST", "KIND", "STATION", "TRIP", "position_of", "read_document"]

KIND: Final = "kind"
STATION: Final = "station"  # before a trip in the order of texts: stations are known when trips come
TRIP: Final = "trip"
AT_LEAST: Final = "distance_at_least_m"

_STATIONS_MAX: Final = (
    20_000  # in one table; the largest network has under 3,000, and they are held in memory
)
_MISSING: Final = frozenset({"", "NA", "NULL", r"\N"})
_MILLISECONDS: Final = re.compile("[0-9]+", re.ASCII)

_Shape = TypeVar("_Shape", TripExport, StationTable)


def read_document(document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[SourceRow | RefusedRow]:
    """Yield the trips or the stations of one table; the field ``kind`` says which.

    Raises:
        UnknownHeader: the table is none of the known shapes.
        MalformedDocument: it is no table, or has more stations than a network has.
    """
    table = open_csv(document, file, source=source)
    names = {heading(name): name for name in table.names}
    if len(names) < len(table.names):
        raise UnknownHeader(
            f"{file}: two headings differ in blanks and signs only",
            remedy="name the columns of the table apart",
        )
    if export := _shape_of(names, TRIP_EXPORTS):
        return _trips(table.rows, export, names=names)
    if stations := _shape_of(names, STATION_TABLES):
        return _stations(table.rows, stations, names=names, file=file)
    raise UnknownHeader(
        f"{file} is no known table of trips or stations: {_nearest(names)}",
        remedy="hand over the operator's own export with its header row; "
        "docs/reference/bikeshare.md lists the headings of each",
    )


def position_of(fields: Mapping[str, str], prefix: str = "") -> Position | BadPosition | None:
    """Return where a station is, or one end of a trip (``start_``, ``end_``); None if it is not stated.

    Zero degrees north and east stand for a missing position: no bicycle is hired out in the Gulf of Guinea.
    """
    latitude, longitude = fields.get(f"{prefix}latitude"), fields.get(f"{prefix}longitude")
    if latitude is None or longitude is None:
        return None
    position = read_position(latitude, longitude)
    return None if position == Position(0, 0) else position


def _shape_of(names: Mapping[str, str], shapes: tuple[_Shape, ...]) -> _Shape | None:
    return next((shape for shape in shapes if names.keys() >= set(shape.headings())), None)


def _nearest(names: Mapping[str, str]) -> str:
    """Say how far a header is from the known ones.

    It is not repeated: where a table has no header, it is somebody's trip.
    """
    shapes: tuple[TripExport | StationTable, ...] = (*TRIP_EXPORTS, *STATION_TABLES)
    found = {shape.name: names.keys() & shape.headings() for shape in shapes}
    nearest = max(shapes, key=lambda shape: len(found[shape.name]) / len(shape.headings()))
    if not found[nearest.name]:
        return f"expected the headings of one of {len(shapes)} kinds, found none of them"
    lacking = sorted(set(nearest.headings()) - found[nearest.name])
    return f"the nearest is {nearest.name}, expected {', '.join(lacking)} as well"


def _stations(
    rows: Iterator[SourceRow | RefusedRow], table: StationTable, *, names: Mapping[str, str], file: str
) -> Iterator[SourceRow | RefusedRow]:
    held = list(islice(rows, _STATIONS_MAX + 1))
    if len(held) > _STATIONS_MAX:
        raise MalformedDocument(
            f"{file} has more than {_STATIONS_MAX} stations",
            remedy="hand over the stations of the trips' own network only",
        )
    columns = {"station_id": table.station_id, "latitude": "latitude", "longitude": "longitude"}
    for row in held:
        yield row if isinstance(row, RefusedRow) else _station(_renamed(row, columns, names=names))


def _station(row: SourceRow) -> SourceRow | RefusedRow:
    for name in ("station_id", "latitude", "longitude"):
        if name not in row.fields:
            return RefusedRow(row.place, Rejection.MISSING_FIELD, f"expected {name}", row.fields)
    position = position_of(row.fields)
    if isinstance(position, BadPosition):
        return RefusedRow(row.place, *position, row.fields)
    if position is None:
        return RefusedRow(row.place, Rejection.MISSING_FIELD, "expected a position, found 0, 0", row.fields)
    return SourceRow(row.place, {KIND: STATION, **row.fields})


def _trips(
    rows: Iterator[SourceRow | RefusedRow], export: TripExport, *, names: Mapping[str, str]
) -> Iterator[SourceRow | RefusedRow]:
    for row in rows:
        yield (
            row if isinstance(row, RefusedRow) else _trip(_renamed(row, export.columns, names=names), export)
        )


def _renamed(row: SourceRow, columns: Mapping[str, str], *, names: Mapping[str, str]) -> SourceRow:
    """Keep the columns that are asked for, under our names; what is missing is left out."""
    found = {field: row.fields[names[column]].strip() for field, column in columns.items()}
    return SourceRow(row.place, {field: text for field, text in found.items() if text not in _MISSING})


def _trip(row: SourceRow, export: TripExport) -> SourceRow | RefusedRow:
    fields = {KIND: TRIP, "export": export.name, **row.fields}
    for name in ("start_time", "end_time"):
        if name in fields:
            time = local_time(fields[name], export.times)
            if time is None:
                detail = f"{name}: expected an existing time, {export.times}"
                return RefusedRow(row.place, Rejection.MALFORMED_ROW, detail, row.fields)
            fields[name] = time
    if export.duration == "ms" and "claimed_duration_s" in fields:
        seconds = _as_seconds(fields["claimed_duration_s"])
        if seconds is None:
            detail = "claimed duration: expected whole milliseconds"
            return RefusedRow(row.place, Rejection.NOT_A_DECIMAL, detail, row.fields)
        fields["claimed_duration_s"] = seconds
    start, end = position_of(fields, "start_"), position_of(fields, "end_")
    for name, position in (("start", start), ("end", end)):
        if isinstance(position, BadPosition):
            return RefusedRow(row.place, position.code, f"{name}: {position.detail}", row.fields)
    if isinstance(start, Position) and isinstance(end, Position):
        fields[AT_LEAST] = str(straight_line_m(start, end))
    return SourceRow(row.place, fields)


def _as_seconds(milliseconds: str) -> str | None:
    if _MILLISECONDS.fullmatch(milliseconds) is None:
        return None
    digits = milliseconds.lstrip("0").rjust(4, "0")
    return f"{digits[:-3]}.{digits[-3:]}".rstrip("0").rstrip(".")
