"""Files about rides that are no low-carbon acts, or no acts at all: what their users see."""

import csv
import gzip
import io
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from gateway.contract import BadPosition, Position, read_csv, read_position
from gateway.errors import MalformedDocument
from gateway.model.source import SourceFormat, SourceRow
from tests.acceptance.test_cli import tanqiao
from tests.fakes.homes import audited, bytes_below, convert, make_home, require_accounted, rows_of
from tests.real_data import real_data

MAPPINGS = Path(__file__).parents[1] / "mappings" / "rides"
POINTS = 5_000  # of 136,098: enough to show it, and quick
CHINESE = SourceFormat(kind="csv", encodings=("utf-8", "gb18030"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_home(tmp_path, monkeypatch)


@pytest.fixture
def track(tmp_path: Path) -> Path:
    """Write the first points of the real track."""
    path = tmp_path / "points.csv"
    with gzip.open(real_data("beijing-geolife-gps") / "geolife_points.csv.gz", "rt") as stream:
        path.write_text("".join(islice(stream, 1 + POINTS)))
    return path


@pytest.fixture
def stations() -> bytes:
    return (real_data("shanghai-metro-stations-gbk") / "stations_gbk.csv").read_bytes()


@pytest.mark.real_data
def test_no_ordinary_taxi_ride_is_a_low_carbon_act(home: Path) -> None:
    """An ordinary taxi has no code; what has none is set aside, never counted under a default."""
    counts = convert(
        home, real_data("shenzhen-taxi-trips") / "taxi_trips.csv.gz", mapping=MAPPINGS / "taxi.v1.yaml"
    )

    require_accounted(counts)
    assert (counts.rows, counts.accepted, counts.duplicates) == (6_912, 0, 0)
    assert counts.rejected == {"unknown-code": 6_912}
    assert audited(home).differences == []


@pytest.mark.real_data
def test_a_ride_in_a_registered_new_energy_taxi_counts_under_the_number_as_written(
    home: Path, tmp_path: Path
) -> None:
    """``1.0`` is the text of the order's number: ``1`` and ``1.00`` are other orders."""
    with gzip.open(real_data("shenzhen-taxi-trips") / "taxi_trips.csv.gz", "rt", encoding="utf-8") as stream:
        first = next(csv.DictReader(stream)) | {"VehicleNum": "BD00001", "passenger": "p"}
    path = tmp_path / "taxi.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerows(first | {"orderid": number} for number in ("72.0", "72", "72.00", "72.0"))

    counts = convert(home, path, mapping=MAPPINGS / "taxi.v1.yaml")

    assert (counts.accepted, counts.duplicates) == (3, 1)
    assert {row.event for row in rows_of(home)} == {"72.0", "72", "72.00"}
    assert counts.co2e_mg == 3 * int(Fraction(first["distance"])) * 100


@pytest.mark.real_data
def test_a_track_is_refused_whole_by_the_adapter_of_trips(home: Path, track: Path) -> None:
    done = tanqiao(
        "convert", "--home", home, "--adapter", "bikeshare",
        "--mapping", MAPPINGS / "bikeshare.v1.yaml", track,
    )  # fmt: skip

    assert done.returncode == 4
    assert "points.csv is no known table of trips or stations" in done.stderr
    assert "docs/reference/bikeshare.md lists the headings" in done.stderr
    assert "unknown-header" in done.stderr
    assert bytes_below(home / "quarantine") == {}


@pytest.mark.real_data
def test_points_of_a_track_handed_over_as_acts_are_set_aside_one_by_one(home: Path, track: Path) -> None:
    """They say where somebody was and not how they moved, so none of them is an act."""
    done = tanqiao(
        "convert", "--home", home, "--mapping", MAPPINGS / "points.v1.yaml", track, "--format", "json"
    )
    ((_, quarantine),) = bytes_below(home / "quarantine").items()

    assert done.returncode == 0
    assert '"missing-field": 5000' in done.stdout
    assert '"accepted": 0' in done.stdout
    assert "5,000 set aside, each with its reason" in done.stderr
    assert b"behaviour" in quarantine.splitlines()[0]


@pytest.mark.real_data
def test_stations_in_gbk_are_refused_for_their_heading_and_not_for_their_encoding(stations: bytes) -> None:
    with pytest.raises(MalformedDocument, match=r"stations_gbk.csv: column 1 has no name") as unnamed:
        read_stations(stations, CHINESE)
    with pytest.raises(MalformedDocument, match="the first line is not text in utf-8") as undecoded:
        read_stations(stations, SourceFormat(kind="csv"))

    assert "a name for each column" in unnamed.value.remedy
    assert "encoding" in undecoded.value.remedy


@pytest.mark.real_data
def test_stations_in_gbk_are_read_once_each_column_has_a_name(stations: bytes) -> None:
    rows = read_stations(b"number" + stations, CHINESE)

    assert len(rows) == 313
    assert (rows[0].fields["站点名"], rows[0].fields["stationid"]) == ("国权路", "1")
    assert list(rows[0].fields)[3] == '"站点名地铁站名",'


@pytest.mark.real_data
def test_exchanged_latitude_and_longitude_are_found_out_at_each_station(stations: bytes) -> None:
    rows = read_stations(b"number" + stations, CHINESE)

    stated = [read_position(row.fields["latitude"], row.fields["longitude"]) for row in rows]
    mended = [read_position(row.fields["longitude"], row.fields["latitude"]) for row in rows]

    assert all(isinstance(each, BadPosition) and "exchanged?" in each.detail for each in stated)
    assert all(isinstance(each, Position) for each in mended)


def read_stations(document: bytes, source: SourceFormat) -> list[SourceRow]:
    rows = list(read_csv(cast(BinaryIO, io.BytesIO(document)), "stations_gbk.csv", source=source))
    assert all(isinstance(row, SourceRow) for row in rows)
    return cast(list[SourceRow], rows)
