"""Count the rides of bike sharing files again from the raw files, with csv and decimal alone.

Written apart from the adapter and the engine: the headings are those of the files, the straight line comes
from the chord between two unit vectors, not from the haversine formula, and π from Gauss and Legendre.
"""

import csv
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal, localcontext
from functools import cache
from pathlib import Path
from typing import NamedTuple

RADIUS_M = 6_335_000
MG_PER_METRE = Decimal("93.3")
STATIONS = {
    "stations_bo_st1.csv": ("Station.ID", "Latitude", "Longitude"),
    "stations_bo_st2.csv": ("Station.ID", "Latitude", "Longitude"),
    "stations_ch_st.csv": ("id", "latitude", "longitude"),
    "stations_mn_st.csv": ("Terminal", "Latitude", "Longitude"),
}


class Shape(NamedTuple):
    """Headings of one file and how it writes times and durations."""

    start: str
    stop: str
    time: str
    duration: str
    per_second: int
    stations: tuple[str, str]
    position: str = ""  # the heading of a coordinate, with {end} and {axis}
    words: tuple[str, str, str, str] = ("start", "end", "latitude", "longitude")


_DOTS = ("Start.station.number", "End.station.number")
_SMALL = ("start.station.id", "end.station.id")
_ISO = "%Y-%m-%d %H:%M:%S"
SHAPES = {
    "trips_lo.csv": Shape(
        "Start.Date", "End.Date", "%d/%m/%Y %H:%M", "Duration", 1, ("StartStation.Id", "EndStation.Id")
    ),
    "trips_dc.csv": Shape("Start.date", "End.date", _ISO, "Duration", 1, _DOTS),
    "trips_ny.csv": Shape(
        "Start.Time", "Stop.Time", _ISO, "Trip.Duration", 1, ("Start.Station.ID", "End.Station.ID"),
        "{end}.Station.{axis}", ("Start", "End", "Latitude", "Longitude"),
    ),
    "trips_ch_tr.csv": Shape(
        "starttime", "stoptime", "%m/%d/%Y %H:%M:%S", "tripduration", 1, ("from_station_id", "to_station_id")
    ),
    "trips_la.csv": Shape(
        "start_time", "end_time", "%m/%d/%Y %H:%M", "duration", 1, ("start_station_id", "end_station_id"),
        "{end}_{axis}", ("start", "end", "lat", "lon"),
    ),
    "trips_mn_tr.csv": Shape(
        "Start.date", "End.date", "%m/%d/%Y %H:%M", "Total.duration..ms.", 1000,
        ("Start.terminal", "End.terminal"),
    ),
    "trips_bo12.csv": Shape("Start.date", "End.date", "%m/%d/%Y %H:%M", "Duration", 1000, _DOTS),
    "trips_bo17.csv": Shape("starttime", "stoptime", _ISO, "tripduration", 1, _SMALL, "{end}.station.{axis}"),
    "trips_bo18.csv": Shape("starttime", "stoptime", _ISO, "tripduration", 1, _SMALL, "{end}.station.{axis}"),
    "normalised_by_bikedata_pkg.csv": Shape(
        "start_time", "stop_time", _ISO, "trip_duration", 1, ("start_station_id", "end_station_id")
    ),
}  # fmt: skip


class Ride(NamedTuple):
    """One trip: when it began and ended, what it claims to have lasted, its least distance if known."""

    start: datetime
    end: datetime
    claimed_s: Decimal
    metres: int | None

    def claim_is_off(self, tolerance_s: int) -> bool:
        """Tell whether the claimed duration lies off the ride's own times."""
        return abs(self.claimed_s - Decimal((self.end - self.start).total_seconds())) > tolerance_s


class Totals(NamedTuple):
    """What the files hold: rows, rides with a distance, round trips, rides without, stations in use, sums."""

    rows: int
    counted: int
    round_trips: int
    unknown: int
    stations_used: int
    stations_repeated: int
    stations_blank: int
    co2e_mg: int
    points: int


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def rides_of(path: Path, stations: dict[str, tuple[str, str]]) -> list[Ride]:
    """Return the rides of one file; positions come from the trip or from the stations."""
    shape = SHAPES[path.name]
    found = []
    for row in read(path):
        start, end = _position(row, shape, 0, stations), _position(row, shape, 1, stations)
        found.append(
            Ride(
                datetime.strptime(row[shape.start], shape.time),  # noqa: DTZ007 - the file states no zone
                datetime.strptime(row[shape.stop], shape.time),  # noqa: DTZ007 - the file states no zone
                Decimal(row[shape.duration]) / shape.per_second,
                straight_line_m(*start, *end) if start and end else None,
            )
        )
    return found


def recompute(paths: Iterable[Path]) -> Totals:
    """Return the totals of some files of trips and stations read as one submission."""
    files = list(paths)
    tables = [path for path in files if path.name in STATIONS]
    trips = [path for path in files if path.name in SHAPES]
    stated = Counter(entry for path in tables for entry in _stations(path))
    blank = sum(not (latitude and longitude) for _, latitude, longitude in stated.elements())
    known = {name: (latitude, longitude) for name, latitude, longitude in stated if latitude and longitude}
    rides = [ride for path in trips for ride in rides_of(path, known)]
    lengths = [ride.metres for ride in rides]
    amounts = [int(MG_PER_METRE * metres) for metres in lengths if metres]
    return Totals(
        rows=len(rides) + stated.total(),
        counted=len(amounts),
        round_trips=lengths.count(0),
        unknown=lengths.count(None),
        stations_used=len(_used(trips, known)),
        stations_repeated=stated.total() - len(stated),
        stations_blank=blank,
        co2e_mg=sum(amounts),
        points=sum(amount // 1000 for amount in amounts),
    )


def straight_line_m(latitude_1: str, longitude_1: str, latitude_2: str, longitude_2: str) -> int:
    """Return the straight line on the sphere in whole metres, rounded down."""
    with localcontext(prec=50):
        one, two = _unit_vector(latitude_1, longitude_1), _unit_vector(latitude_2, longitude_2)
        half = sum(((a - b) ** 2 for a, b in zip(one, two, strict=True)), Decimal(0)).sqrt() / 2
        metres = 2 * RADIUS_M * _arcsine(min(half, Decimal(1)))
        return int(metres.to_integral_value(ROUND_FLOOR))


def _used(trips: list[Path], known: dict[str, tuple[str, str]]) -> set[str]:
    """Return the stations that give rides without coordinates of their own both their ends."""
    used = set()
    for path in trips:
        shape = SHAPES[path.name]
        for row in read(path):
            ends = [row[heading] for heading in shape.stations]
            if not shape.position and all(end in known for end in ends):
                used.update(ends)
    return used


def _stations(path: Path) -> list[tuple[str, str, str]]:
    name, latitude, longitude = STATIONS[path.name]
    return [(row[name], row[latitude], row[longitude]) for row in read(path)]


def _position(
    row: dict[str, str], shape: Shape, end: int, stations: dict[str, tuple[str, str]]
) -> tuple[str, str] | None:
    if not shape.position:
        return stations.get(row[shape.stations[end]])
    axes = [row[shape.position.format(end=shape.words[end], axis=axis)] for axis in shape.words[2:]]
    return (axes[0], axes[1]) if all(axes) else None


@cache
def _unit_vector(latitude: str, longitude: str) -> tuple[Decimal, Decimal, Decimal]:
    north, east = (Decimal(text) * _pi() / 180 for text in (latitude, longitude))
    return _cosine(north) * _cosine(east), _cosine(north) * _sine(east), _sine(north)


@cache
def _pi() -> Decimal:
    a, b, t, p = Decimal(1), 1 / Decimal(2).sqrt(), Decimal("0.25"), 1
    for _ in range(7):
        mean = (a + b) / 2
        b = (a * b).sqrt()
        t -= p * (a - mean) ** 2
        a, p = mean, 2 * p
    return (a + b) ** 2 / (4 * t)


def _sine(angle: Decimal) -> Decimal:
    return _series(angle, angle, 1)


def _cosine(angle: Decimal) -> Decimal:
    return _series(Decimal(1), angle, 0)


def _series(term: Decimal, angle: Decimal, n: int) -> Decimal:
    total = Decimal(0)
    while abs(term) > Decimal("1e-60"):
        total += term
        n += 2
        term *= -angle * angle / (n * (n - 1))
    return total


def _arcsine(x: Decimal) -> Decimal:
    """Solve sin(y) = x by Newton's method from y = x."""
    y = x
    for _ in range(8):
        y -= (_sine(y) - x) / _cosine(y)
    return y
