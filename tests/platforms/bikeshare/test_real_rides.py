"""The real exports from the files to the audit: every row has one fate, every sum is the recount's."""

import json
from datetime import datetime
from itertools import permutations
from pathlib import Path

import pytest

from adapters.bikeshare import BikeshareAdapter
from gateway.model.source import SourceFormat, SourceRow
from tests.fakes.homes import audited, convert, make_home, points_by_event, require_accounted, rows_of
from tests.platforms.bikeshare.operators import OPERATORS, mapping_of
from tests.platforms.bikeshare.recompute import SHAPES, recompute, rides_of
from tests.platforms.cases import outcomes
from tests.real_data import real_data

pytestmark = pytest.mark.real_data

BOSTON = ("stations_bo_st1.csv", "stations_bo_st2.csv")
NORMALISED = "normalised_by_bikedata_pkg.csv"
CSV = SourceFormat(kind="csv")


@pytest.fixture(scope="module")
def folder() -> Path:
    return real_data("bikeshare-seven-operators")


def read(paths: list[Path], scratch: Path) -> list[SourceRow]:
    found = outcomes(BikeshareAdapter(), paths, source=CSV, scratch=scratch)
    return [row for row in found if isinstance(row, SourceRow)]


@pytest.mark.parametrize(
    ("names", "counted", "unknown"),
    [
        pytest.param(("trips_lo.csv",), 0, 134, id="London, no positions"),
        pytest.param(("trips_dc.csv",), 0, 134, id="Washington, no positions"),
        pytest.param(("trips_ny.csv",), 127, 7, id="New York"),
        pytest.param(("trips_la.csv",), 110, 24, id="Los Angeles, one without an end"),
        pytest.param(("trips_bo17.csv",), 129, 5, id="Boston 2017"),
        pytest.param(("trips_bo18.csv",), 125, 9, id="Boston 2018"),
        pytest.param(("trips_bo12.csv",), 0, 134, id="Boston 2012 alone"),
        pytest.param(("trips_bo12.csv", *BOSTON), 125, 9, id="Boston 2012 with both tables"),
        pytest.param(("trips_ch_tr.csv", "stations_ch_st.csv"), 129, 5, id="Chicago with stations"),
        pytest.param(("trips_mn_tr.csv", "stations_mn_st.csv"), 112, 22, id="Minnesota with stations"),
        pytest.param((NORMALISED,), 0, 796, id="another program's conversion"),
    ],
)
def test_every_row_has_one_fate_and_the_sums_are_those_of_the_recount(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    names: tuple[str, ...],
    counted: int,
    unknown: int,
) -> None:
    home, files = make_home(tmp_path, monkeypatch), [folder / name for name in names]
    recounted = recompute(files)

    counts = convert(home, *files, mapping=mapping_of(names[0], tmp_path), adapter="bikeshare")

    require_accounted(counts)
    assert (counts.accepted, counts.rejected["quantity-unknown"]) == (counted, unknown)
    assert counts.rows == recounted.rows
    assert (counts.accepted, counts.co2e_mg, counts.points) == (
        recounted.counted,
        recounted.co2e_mg,
        recounted.points,
    )
    assert counts.rejected["quantity-unknown"] == recounted.round_trips + recounted.unknown
    assert counts.rejected.get("missing-field", 0) == recounted.stations_blank
    assert (counts.merged, counts.duplicates) == (recounted.stations_used, recounted.stations_repeated)
    assert set(counts.rejected) <= {"quantity-unknown", "unpaired", "missing-field"}
    assert audited(home).differences == []


def test_three_generations_of_one_operator_convert_together_in_any_order(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [folder / name for name in ("trips_bo12.csv", "trips_bo17.csv", "trips_bo18.csv", BOSTON[1])]
    mapping, found = mapping_of("trips_bo12.csv", tmp_path), []
    for number, order in enumerate(list(permutations(files))[::11]):
        home = make_home(tmp_path, monkeypatch, name=f"home-{number}")
        counts = convert(home, *order, mapping=mapping, adapter="bikeshare")
        require_accounted(counts)
        found.append((counts, points_by_event(home)))

    assert all(each == found[0] for each in found)
    assert found[0][0].co2e_mg == recompute(files).co2e_mg


def test_trips_again_with_their_stations_are_counted_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rides set aside for want of a position count once the stations come with them, and only once."""
    home, mapping = make_home(tmp_path, monkeypatch), mapping_of("trips_ch_tr.csv", tmp_path)
    trips, stations = folder / "trips_ch_tr.csv", folder / "stations_ch_st.csv"

    accepted = [
        convert(home, *files, mapping=mapping, adapter="bikeshare").accepted
        for files in ((trips,), (trips, stations), (trips, stations))
    ]

    assert accepted == [0, 129, 0]


@pytest.mark.parametrize("name", SHAPES)
def test_times_and_durations_are_those_of_the_file(folder: Path, tmp_path: Path, name: str) -> None:
    wanted = rides_of(folder / name, {})

    rows = read([folder / name], tmp_path)

    keys = ("start_time", "end_time", "claimed_duration_s")
    assert sorted(tuple(row.fields[key] for key in keys) for row in rows) == sorted(
        (ride.start.isoformat(" "), ride.end.isoformat(" "), f"{ride.claimed_s.normalize():f}")
        for ride in wanted
    )


def test_metres_are_those_of_the_recount_ride_by_ride(folder: Path, tmp_path: Path) -> None:
    for name in ("trips_ny.csv", "trips_la.csv", "trips_bo17.csv", "trips_bo18.csv"):
        rows = read([folder / name], tmp_path)

        found = sorted(
            int(row.fields["distance_at_least_m"]) for row in rows if "distance_at_least_m" in row.fields
        )

        assert found == sorted(ride.metres for ride in rides_of(folder / name, {}) if ride.metres is not None)


def test_only_one_citys_claimed_durations_are_off_in_the_other_programs_conversion(
    folder: Path, tmp_path: Path
) -> None:
    """Its 135 rows of Washington claim a thousand times what their own times say; both are handed on."""
    rows = read([folder / NORMALISED], tmp_path)
    recount = [ride.claim_is_off(tolerance_s=120) for ride in rides_of(folder / NORMALISED, {})]

    off = [row for row in rows if _elapsed_s(row) * 800 <= int(row.fields["claimed_duration_s"])]

    assert {row.fields["start_station"][:2] for row in off} == {"dc"}
    assert (len(off), sum(recount)) == (135, 135)


def test_an_act_keeps_no_birth_year_gender_postcode_or_name_of_a_station(
    folder: Path, tmp_path: Path
) -> None:
    names = {name for file in SHAPES for row in read([folder / file], tmp_path) for name in row.fields}

    assert names == {
        "export", "trip_id", "bike_id", "start_time", "end_time", "start_station", "end_station",
        "start_latitude", "start_longitude", "end_latitude", "end_longitude", "claimed_duration_s",
        "user_type", "distance_at_least_m",
    }  # fmt: skip


def test_a_record_holds_the_distance_and_no_whereabouts(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path, monkeypatch)
    convert(home, folder / "trips_ny.csv", mapping=mapping_of("trips_ny.csv", tmp_path), adapter="bikeshare")

    kept = rows_of(home)

    assert {tuple(json.loads(row.inputs)) for row in kept} == {("distance_at_least",)}
    assert not any(text in str(row) for row in kept for text in ("-73.9", "40.7", "Broadway"))


def test_every_shape_of_the_data_has_an_operator() -> None:
    assert set(OPERATORS) == set(SHAPES)


def _elapsed_s(row: SourceRow) -> int:
    start, end = (datetime.fromisoformat(row.fields[name]) for name in ("start_time", "end_time"))
    return int((end - start).total_seconds())
