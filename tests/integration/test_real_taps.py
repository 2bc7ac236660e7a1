"""The real taps of Shenzhen from the files to the audit.

They are of 2018, before the methodology, so a copy of the shipped mapping with an earlier first day is
used; the shipped one rejects every ride by its day.
"""

import json
from itertools import permutations
from pathlib import Path

import pytest

from gateway.ports import PartCounts
from gateway.resources import shipped_mappings
from tests.fakes.homes import (
    audited,
    bytes_below,
    convert,
    convert_in_parts,
    make_home,
    points_by_event,
    require_accounted,
)
from tests.platforms.shenzhen_transit.recompute import recompute
from tests.real_data import real_data

pytestmark = pytest.mark.real_data

PAGE14, FIRST10K, PAGE1 = "api_dump_page14.csv.gz", "api_dump_first10k.csv.gz", "api_page1.json"
ADAPTER = "shenzhen_transit"
SHIPPED = "cn-440300/shenzhen/transport"


@pytest.fixture
def files() -> dict[str, Path]:
    folder = real_data("shenzhen-transit-card")
    return {name: folder / name for name in (PAGE14, FIRST10K, PAGE1)}


@pytest.fixture
def backdated(tmp_path: Path) -> Path:
    """Write the shipped mapping as if it had been in force in 2018."""
    text = next(text for name, text in shipped_mappings() if name.endswith("transport.v1.yaml")).decode()
    head, _, _ = text.partition("\ntests:")
    path = tmp_path / "transport.yaml"
    tests = (
        '\ntests:\n  - {name: four km, given: {kind: metro, full_fare_fen: "300",'
        ' start_time: "2018-09-01 08:00:00"}, expect: {reduction: "186.8"}}\n'
    )
    path.write_text(
        head.replace("2022-01-01", "2018-01-01").replace("status: press", "status: illustrative") + tests
    )
    return path


def test_all_files_in_any_order_are_the_recount(
    files: dict[str, Path], backdated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recounted = recompute(files.values())
    found = []
    for number, order in enumerate(list(permutations(files.values()))[::2]):
        home = make_home(tmp_path, monkeypatch, name=f"home-{number}")
        counts = convert(home, *order, mapping=backdated, adapter=ADAPTER)
        require_accounted(counts)
        found.append((counts, points_by_event(home)))

    counts = found[0][0]
    assert all(each == found[0] for each in found)
    assert (counts.rows, counts.merged, counts.accepted, counts.duplicates) == (31_089, 564, 89, 70)
    assert (counts.accepted, counts.co2e_mg, counts.points) == (
        recounted.countable,
        recounted.co2e_mg,
        recounted.points,
    )


def test_a_rerun_finds_everything_there_and_changes_no_published_file(
    files: dict[str, Path], backdated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path, monkeypatch)
    first = convert_in_parts(home, list(files.values()), 5_000, mapping=backdated, adapter=ADAPTER)
    before = bytes_below(home / "log", home / "records", home / "quarantine")

    again = convert(home, *files.values(), mapping=backdated, adapter=ADAPTER)

    assert first.parts == 7
    assert again == first.counts._replace(accepted=0, duplicates=70 + 89, co2e_mg=0, points=0)
    assert bytes_below(home / "log", home / "records", home / "quarantine") == before
    assert audited(home).differences == []


def test_every_rejected_row_is_set_aside_with_its_place_and_reason(
    files: dict[str, Path], backdated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path, monkeypatch)
    counts = convert(home, *files.values(), mapping=backdated, adapter=ADAPTER)
    lines = [
        json.loads(line)
        for data in bytes_below(home / "quarantine").values()
        for line in data.decode().splitlines()
    ]

    assert len(lines) == sum(counts.rejected.values())
    places = {(line["file"], line["row"]) for line in lines}
    assert len(places) == len(lines)
    assert {file for file, _ in places} <= set(files)
    for line in lines:
        assert line["row"] >= 1
        assert line["code"] in counts.rejected
        assert line["detail"]


@pytest.mark.parametrize(("name", "trips"), [(PAGE14, 307), (FIRST10K, 247)])
def test_a_single_file_pairs_what_it_holds(
    files: dict[str, Path],
    backdated: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    name: str,
    trips: int,
) -> None:
    home = make_home(tmp_path, monkeypatch)

    counts = convert(home, files[name], mapping=backdated, adapter=ADAPTER)

    assert counts.merged == trips
    require_accounted(counts)


def test_under_the_shipped_mapping_every_ride_is_too_old(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path, monkeypatch)

    counts: PartCounts = convert(home, *files.values(), mapping=SHIPPED, adapter=ADAPTER)

    assert (counts.rows, counts.accepted, counts.duplicates, counts.merged) == (31_089, 0, 70, 564)
    assert set(counts.rejected) == {"mapping-not-in-force", "unpaired"}
    assert not (home / "records").exists()
