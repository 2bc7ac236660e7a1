"""Give each trip the least distance it can have: the straight line between its stations.

A trip's own coordinates come first; where it has none, a station table of the same submission gives
them. What is ridden is never shorter than the straight line, and mostly longer; the field's name says so.
"""

from collections import defaultdict
from collections.abc import Iterator
from operator import itemgetter
from typing import BinaryIO, NamedTuple

from adapters.bikeshare.wire import AT_LEAST, KIND, STATION, position_of, read_document
from gateway.contract import Assembly, Position, straight_line_m
from gateway.model.codes import Rejection
from gateway.model.source import Outcome, Place, RefusedRow, RepeatedRow, SourceFormat, SourceRow

__all__ = ["BikeshareAdapter", "locate_trips"]


class _Stated(NamedTuple):
    """A position that a station table states; ``row`` is where."""

    position: Position
    row: SourceRow


class _Stations:
    """The stations of a submission, and which of their rows no trip has used yet.

    A station may have been moved, so that two tables state two positions: both are kept.
    """

    def __init__(self) -> None:
        self._stated: defaultdict[str, list[_Stated]] = defaultdict(list)
        self._unused: dict[Place, SourceRow] = {}

    def add(self, row: SourceRow) -> RepeatedRow | None:
        """Take a row of a station table; a position that is known already is a repetition."""
        position = position_of(row.fields)
        if not isinstance(position, Position):  # the reader refuses such rows
            return None
        known = self._stated[row.fields["station_id"]]
        for other in known:
            if other.position == position:
                return RepeatedRow(row.place, other.row.place)
        known.append(_Stated(position, row))
        self._unused[row.place] = row
        return None

    def positions(self, trip: SourceRow, end: str) -> list[_Stated]:
        """Return where one end of a trip (``start_``, ``end_``) may be; the trip's own word comes first."""
        own = position_of(trip.fields, end)
        if isinstance(own, Position):
            return [_Stated(own, trip)]
        return self._stated.get(trip.fields.get(f"{end}station", ""), [])

    def used(self, stated: list[_Stated]) -> tuple[Place, ...]:
        """Return the rows among these that no trip has used before; from now on they are used."""
        places = dict.fromkeys(each.row.place for each in stated)
        return tuple(place for place in places if self._unused.pop(place, None))

    def unused(self) -> Iterator[RefusedRow]:
        """Yield the rows that no trip has used."""
        detail = "expected a trip in the same submission that needs the position of this station"
        for place, row in self._unused.items():
            yield RefusedRow(place, Rejection.UNPAIRED, detail, row.fields)


def locate_trips(rows: Iterator[SourceRow]) -> Iterator[Outcome]:
    """Turn the rows of a submission, stations before trips, into trips with their least distance.

    The row of a station goes into the first trip that needs it; one that no trip needs is unpaired.
    """
    stations = _Stations()
    for row in rows:
        if row.fields[KIND] != STATION:
            yield _located(row, stations)
        elif repeated := stations.add(row):
            yield repeated
    yield from stations.unused()


class BikeshareAdapter:
    """Read the trips of bike sharing systems, and tables of their stations beside them.

    A trip has, as far as its export states them, ``export``, ``trip_id``, ``bike_id``, ``start_time``
    and ``end_time`` (local), ``start_station`` and ``end_station``, the latitude and longitude of both,
    ``claimed_duration_s``, ``user_type``, and ``distance_at_least_m``: the straight line, in whole metres.
    """

    name = "bikeshare"
    platform: str | None = None
    assembly: Assembly | None = Assembly(
        group_by=(),
        order_by=(KIND, "station_id", "latitude", "longitude", "start_time", "trip_id", "bike_id"),
        assemble=locate_trips,
    )

    def rows(
        self, document: BinaryIO, file: str, *, source: SourceFormat
    ) -> Iterator[SourceRow | RefusedRow]:
        """Yield each trip or station once; the tables are told apart by their headings."""
        return read_document(document, file, source=source)


def _located(trip: SourceRow, stations: _Stations) -> SourceRow:
    fields = {name: text for name, text in trip.fields.items() if name != KIND}
    if AT_LEAST in fields:
        return SourceRow(trip.place, fields)
    starts, ends = stations.positions(trip, "start_"), stations.positions(trip, "end_")
    if not starts or not ends:
        return SourceRow(trip.place, fields)
    # Where a station has stood in several places, only the shortest line is certainly not too long.
    metres, start, end = min(
        ((straight_line_m(start.position, end.position), start, end) for start in starts for end in ends),
        key=itemgetter(0),
    )
    for prefix, stated in (("start_", start), ("end_", end)):
        own = "" if stated.row is not trip else prefix
        fields[f"{prefix}latitude"] = stated.row.fields[f"{own}latitude"]
        fields[f"{prefix}longitude"] = stated.row.fields[f"{own}longitude"]
    fields[AT_LEAST] = str(metres)
    return SourceRow(trip.place, fields, stations.used([*starts, *ends]))
