"""The rules of the test, said for each operator: its zone, and what tells its rides and riders apart."""

from pathlib import Path
from typing import NamedTuple

MAPPING = Path(__file__).parents[2] / "mappings" / "rides" / "bikeshare.v1.yaml"


class Operator(NamedTuple):
    """What one operator's mapping says otherwise."""

    zone: str
    event: str = "columns: [bike_id, start_time]"
    person: str = "bike_id"


_TRIP = "column: trip_id"
OPERATORS = {
    "trips_lo.csv": Operator("Europe/London", _TRIP),
    "trips_dc.csv": Operator("America/New_York"),
    "trips_ny.csv": Operator("America/New_York"),
    "trips_ch_tr.csv": Operator("America/Chicago", _TRIP),
    "trips_la.csv": Operator("America/Los_Angeles", _TRIP),
    # Neither rider nor bicycle nor number of the trip: the kind of account stands in for a person.
    "trips_mn_tr.csv": Operator(
        "America/Chicago",
        "columns: [start_time, start_station, end_time, end_station, claimed_duration_s]",
        "user_type",
    ),
    "trips_bo12.csv": Operator("America/New_York"),
    "trips_bo17.csv": Operator("America/New_York"),
    "trips_bo18.csv": Operator("America/New_York"),
    # Six cities of several zones in one file; half of them name no bicycle.
    "normalised_by_bikedata_pkg.csv": Operator("UTC", _TRIP, "trip_id"),
}


def mapping_of(trips: str, folder: Path) -> Path:
    """Write the mapping of the operator of a file."""
    operator = OPERATORS[trips]
    text = MAPPING.read_text("utf-8").partition("\ntests:")[0]
    text = text.replace("America/New_York", operator.zone)
    text = text.replace("event: {columns: [bike_id, start_time]}", f"event: {{{operator.event}}}")
    text = text.replace("person: {column: bike_id,", f"person: {{column: {operator.person},")
    path = folder / "rides.yaml"
    path.write_text(
        text + "\ntests:\n  - {name: one kilometre,"
        " given: {distance_at_least_m: '1000', start_time: '2016-12-01 12:00:04'},"
        " expect: {reduction: '93.3'}}\n",
        "utf-8",
    )
    return path
