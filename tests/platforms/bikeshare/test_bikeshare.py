"""Bike sharing: every shape on invented rows, and documents that are refused whole."""

import io
import shutil
import subprocess
from itertools import permutations
from pathlib import Path

import pytest

from adapters.bikeshare import BikeshareAdapter
from adapters.bikeshare.exports import STATION_TABLES, TRIP_EXPORTS, heading
from gateway.contract import UnknownHeader
from gateway.errors import MalformedDocument
from gateway.model.source import RefusedRow, SourceFormat, SourceRow
from tests.fakes.homes import convert, make_home, require_accounted
from tests.platforms.bikeshare.operators import MAPPING
from tests.platforms.cases import (
    as_json,
    case_folders,
    documents_of,
    expected_of,
    outcomes,
    source_of,
)

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "bikeshare.md"
CSV = SourceFormat(kind="csv")
TRIPS = "tripduration,starttime,stoptime,start station id,start station latitude,start station longitude,\
end station id,end station latitude,end station longitude,bikeid,usertype\n"


def read(document: bytes) -> list[SourceRow | RefusedRow]:
    return list(BikeshareAdapter().rows(io.BytesIO(document), "trips.csv", source=CSV))


def ride(start: str, end: str, *, bike: str = "1", to: str = "40.75,-73.97") -> str:
    return f"600,{start},{end},1,40.76,-73.98,2,{to},{bike},Subscriber\n"


@pytest.mark.parametrize("case", case_folders(__file__), ids=lambda case: case.name)
def test_case_gives_the_outcomes_that_stand_beside_it(case: Path, tmp_path: Path) -> None:
    found = outcomes(BikeshareAdapter(), documents_of(case), source=source_of(case), scratch=tmp_path)

    assert [as_json(outcome) for outcome in found] == expected_of(case)["outcomes"]


@pytest.mark.parametrize("name", ["stations-beside-trips", "refused-rows"])
def test_order_of_the_arguments_changes_nothing(name: str, tmp_path: Path) -> None:
    case = next(case for case in case_folders(__file__) if case.name == name)
    orders = permutations(documents_of(case))

    found = [outcomes(BikeshareAdapter(), list(paths), source=CSV, scratch=tmp_path) for paths in orders]

    assert all(outcome == found[0] for outcome in found)


def test_every_shape_has_a_case() -> None:
    case = next(case for case in case_folders(__file__) if case.name == "every-shape")

    assert {outcome["act"]["export"] for outcome in expected_of(case)["outcomes"]} == {
        shape.name for shape in TRIP_EXPORTS
    }


def test_page_lists_the_headings_of_every_shape() -> None:
    rows = {
        row.split("|")[1].strip(" `"): row.split("|")[3]
        for row in PAGE.read_text("utf-8").splitlines()
        if row[:3] == "| `"
    }
    for shape in TRIP_EXPORTS:
        listed = {heading(each) for each in rows[shape.name].split(",")}
        positions = {
            "startstationlatitude",
            "startstationlongitude",
            "endstationlatitude",
            "endstationlongitude",
        }

        missing = set(shape.headings()) - listed
        assert missing == (positions if shape.name == "new-york" else set())


def test_recipe_of_the_page_prints_what_the_page_says() -> None:
    if shutil.which("bc") is None:
        pytest.skip("bc is not installed (make test-deps)")
    text = PAGE.read_text("utf-8")
    script = text.partition("`straight-line.bc`\n```text\n")[2].partition("```")[0]

    done = subprocess.run(["bc", "-l"], input=script, capture_output=True, text=True, check=True, timeout=60)

    assert f"It prints {done.stdout.strip()}." in text
    assert done.stdout == "1283\n"


def test_no_shape_is_taken_for_another() -> None:
    shapes = (*TRIP_EXPORTS, *STATION_TABLES)

    for one in shapes:
        others = [other.name for other in shapes if other is not one]
        assert not [
            other.name
            for other in shapes
            if other.name in others and set(one.headings()) >= set(other.headings())
        ]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        pytest.param(
            b"lat,lng,datetime,uid\n39.98,116.31,2008-10-23 05:53:05,001\n", "found none", id="a track"
        ),
        pytest.param(
            TRIPS.replace(",bikeid", "").encode(),
            "nearest is new-york, expected bikeid as well",
            id="a heading is lacking",
        ),
        pytest.param(b"Bike Id,Bike.Id\n1,2\n", "differ in blanks and signs only", id="headings alike"),
        pytest.param("站点名,纬度,经度\n国权路,1,2\n".encode(), "found none", id="another script"),
        pytest.param(b"600,2016-12-01 00:00:04\n", "found none of them", id="a table without header"),
        pytest.param(
            b"id,name,latitude\n1,x,41.9\n",
            "nearest is stations of Chicago, expected longitude",
            id="stations without longitude",
        ),
    ],
)
def test_table_of_another_kind_is_refused_whole_by_its_header(document: bytes, said: str) -> None:
    with pytest.raises(UnknownHeader) as refused:
        read(document)

    assert said in str(refused.value)
    assert str(refused.value).startswith("trips.csv")
    assert "600" not in str(refused.value)
    assert refused.value.code == "unknown-header"
    assert "docs/reference/bikeshare.md" in refused.value.remedy or "apart" in refused.value.remedy


def test_header_alone_is_an_export_of_no_trips() -> None:
    assert read(TRIPS.encode()) == []


def test_table_with_more_stations_than_a_network_has_is_refused_whole() -> None:
    header, row = "id,name,latitude,longitude\n", "{0},x,41.9,-87.6\n"
    allowed = header + "".join(map(row.format, range(20_000)))

    assert len(read(allowed.encode())) == 20_000
    with pytest.raises(MalformedDocument, match="more than 20000 stations"):
        read((allowed + row.format(20_000)).encode())


def test_trips_are_counted_and_set_aside_by_reason_where_the_clocks_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In New York 02:30 is skipped on 13 March 2016, and 01:10 comes twice on 6 November."""
    home, path = make_home(tmp_path, monkeypatch), tmp_path / "trips.csv"
    path.write_text(
        TRIPS
        + ride("2016-03-13 01:50:00", "2016-03-13 03:05:00", bike="1")
        + ride("2016-03-13 02:30:00", "2016-03-13 03:05:00", bike="2")
        + ride("2016-03-13 01:50:00", "2016-03-13 02:00:00", bike="3")
        + ride("2016-11-06 00:50:00", "2016-11-06 01:10:00", bike="4")
        + ride("2016-11-06 01:50:00", "2016-11-06 01:10:00", bike="5")
    )

    counts = convert(home, path, mapping=MAPPING, adapter="bikeshare")

    require_accounted(counts)
    assert (counts.rows, counts.accepted) == (5, 2)
    assert counts.rejected == {"malformed-row": 2, "implausible": 1}


def test_ride_across_half_the_world_is_out_of_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, path = make_home(tmp_path, monkeypatch), tmp_path / "trips.csv"
    path.write_text(TRIPS + ride("2016-12-01 00:00:04", "2016-12-01 00:10:04", to="-33.86,151.21"))

    assert convert(home, path, mapping=MAPPING, adapter="bikeshare").rejected == {"out-of-bounds": 1}
