"""The shapes in which operators export trips and stations, told apart by their headings.

Headings compare by their letters and digits alone: ``Start date``, ``Start.date`` (as R writes it) and
``start_date`` are one. No shape has all the headings of another, so the order of the list means nothing.
No file states a time zone, and one shape serves cities of several zones: the mapping states it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gateway.contract import DayOrder

__all__ = ["STATION_TABLES", "TRIP_EXPORTS", "StationTable", "TripExport", "heading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TripExport:
    """One shape of trips: our field to its heading, how times are written, the unit of durations.

    ``told_by`` are further headings, which the shape has and others lack.
    """

    name: str
    columns: Mapping[str, str]
    times: DayOrder
    duration: Literal["s", "ms"] = "s"
    told_by: tuple[str, ...] = ()

    def headings(self) -> Collection[str]:
        """Return the headings that a document of this shape must have."""
        return {*self.columns.values(), *self.told_by}


@dataclass(frozen=True, slots=True, kw_only=True)
class StationTable:
    """One shape of station tables; ``told_by`` as for trips."""

    name: str
    station_id: str
    told_by: tuple[str, ...]

    def headings(self) -> Collection[str]:
        """Return the headings that a document of this shape must have."""
        return {self.station_id, "latitude", "longitude", *self.told_by}


def heading(column: str) -> str:
    """Return what headings are compared by."""
    return "".join(letter for letter in column.casefold() if letter.isalnum())


TRIP_EXPORTS: Final = (
    TripExport(
        name="london",
        times="day-first",
        columns={
            "trip_id": "rentalid",
            "bike_id": "bikeid",
            "start_time": "startdate",
            "end_time": "enddate",
            "start_station": "startstationid",
            "end_station": "endstationid",
            "claimed_duration_s": "duration",
        },
    ),
    TripExport(
        name="washington",
        times="year-first",
        columns={
            "bike_id": "bikenumber",
            "start_time": "startdate",
            "end_time": "enddate",
            "start_station": "startstationnumber",
            "end_station": "endstationnumber",
            "claimed_duration_s": "duration",
            "user_type": "membertype",
        },
        told_by=("startstation", "endstation"),
    ),
    TripExport(
        name="boston-2012",
        times="month-first",
        duration="ms",
        columns={
            "bike_id": "bikenumber",
            "start_time": "startdate",
            "end_time": "enddate",
            "start_station": "startstationnumber",
            "end_station": "endstationnumber",
            "claimed_duration_s": "duration",
            "user_type": "membertype",
        },
        told_by=("startstationname", "endstationname"),
    ),
    TripExport(
        name="new-york",
        times="year-first",
        columns={
            "bike_id": "bikeid",
            "start_time": "starttime",
            "end_time": "stoptime",
            "start_station": "startstationid",
            "end_station": "endstationid",
            "start_latitude": "startstationlatitude",
            "start_longitude": "startstationlongitude",
            "end_latitude": "endstationlatitude",
            "end_longitude": "endstationlongitude",
            "claimed_duration_s": "tripduration",
            "user_type": "usertype",
        },
    ),
    TripExport(
        name="chicago",
        times="month-first",
        columns={
            "trip_id": "tripid",
            "bike_id": "bikeid",
            "start_time": "starttime",
            "end_time": "stoptime",
            "start_station": "fromstationid",
            "end_station": "tostationid",
            "claimed_duration_s": "tripduration",
            "user_type": "usertype",
        },
    ),
    TripExport(
        name="los-angeles",
        times="month-first",
        columns={
            "trip_id": "tripid",
            "bike_id": "bikeid",
            "start_time": "starttime",
            "end_time": "endtime",
            "start_station": "startstationid",
            "end_station": "endstationid",
            "start_latitude": "startlat",
            "start_longitude": "startlon",
            "end_latitude": "endlat",
            "end_longitude": "endlon",
            "claimed_duration_s": "duration",
            "user_type": "passholdertype",
        },
    ),
    TripExport(
        name="minnesota",
        times="month-first",
        duration="ms",
        columns={
            "start_time": "startdate",
            "end_time": "enddate",
            "start_station": "startterminal",
            "end_station": "endterminal",
            "claimed_duration_s": "totaldurationms",
            "user_type": "accounttype",
        },
    ),
    TripExport(
        name="bikedata",
        times="year-first",
        columns={
            "trip_id": "id",
            "bike_id": "bikeid",
            "start_time": "starttime",
            "end_time": "stoptime",
            "start_station": "startstationid",
            "end_station": "endstationid",
            "claimed_duration_s": "tripduration",
            "user_type": "usertype",
        },
        told_by=("city",),
    ),
)

STATION_TABLES: Final = (
    StationTable(name="stations of Boston", station_id="stationid", told_by=("station",)),
    StationTable(name="stations of Chicago", station_id="id", told_by=("name",)),
    StationTable(name="stations of Minnesota", station_id="terminal", told_by=("station",)),
)
