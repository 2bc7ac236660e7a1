"""Pooled, declared, unmapped and rated acts go through a home, and the audit agrees with all of it."""

import json
from pathlib import Path

import pytest

from tests.fakes.homes import audited, convert, make_home, rows_of, write_trips

SHAPES = Path(__file__).resolve().parents[1] / "mappings" / "shapes"
WUHAN, TANTAN = "cn-420100/wuhan/partner-rides", "cn-420000/tantan/acts"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_home(tmp_path, monkeypatch)


def set_aside(home: Path) -> list[tuple[str, str]]:
    paths = sorted((home / "quarantine").rglob("*.ndjson"))
    lines = [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]
    return [(line["code"], line["detail"]) for line in lines]


def partner_ride(number: int, **changes: str) -> dict[str, str]:
    made = {
        "trip_id": f"P{number}",
        "user_id": "u1",
        "trip_type": "metro",
        "distance_km": "10",
        "collected_by": "user",
        "start_time": "2025-03-16T08:00:00+08:00",
    }
    return made | changes


def test_a_pooled_ride_is_recorded_as_the_partners_and_gives_no_points(home: Path, tmp_path: Path) -> None:
    rows = [
        partner_ride(1),
        partner_ride(2, collected_by="platform"),
        partner_ride(3, trip_type="pool", collected_by="platform"),
        partner_ride(4, collected_by="bank"),
    ]
    convert(home, write_trips(tmp_path / "rides.ndjson", rows), mapping=WUHAN)

    assert {(row.event, row.ownership, row.co2e_mg, row.points) for row in rows_of(home)} == {
        ("P1", "personal", 784_000, 784),
        ("P2", "pooled", 784_000, 0),
    }
    assert [code for code, _ in set_aside(home)] == ["unmapped", "unknown-code"]
    assert set_aside(home)[0][1] == "the figures of the methodology for car pooling are not published"
    assert audited(home).differences == []


def test_a_ride_counts_once_whether_its_platform_or_a_partner_reports_it(home: Path, tmp_path: Path) -> None:
    own = {key: value for key, value in partner_ride(1).items() if key != "collected_by"}
    convert(home, write_trips(tmp_path / "own.ndjson", [own]))
    pooled = write_trips(tmp_path / "partner.ndjson", [partner_ride(1, collected_by="platform")])
    convert(home, pooled, mapping=WUHAN)

    assert [(row.ownership, row.points) for row in rows_of(home)] == [("personal", 784)]
    assert [code for code, _ in set_aside(home)] == ["duplicate-event"]


def test_a_declared_ride_cannot_be_claimed_again_by_its_upload(home: Path, tmp_path: Path) -> None:
    ride = {"user_id": "u1", "act": "metro", "start_time": "2022-02-17T08:00:00+08:00"}
    declared, uploaded = ride | {"proof": "check_in"}, ride | {"proof": "ride_record"}
    convert(home, write_trips(tmp_path / "first.ndjson", [declared]), mapping=TANTAN)
    convert(home, write_trips(tmp_path / "second.ndjson", [uploaded, declared]), mapping=TANTAN)

    assert [(row.evidence, row.points) for row in rows_of(home)] == [("self-declared", 137)]
    assert [code for code, _ in set_aside(home)] == ["duplicate-event"]
    assert audited(home).differences == []


@pytest.mark.parametrize(
    ("shape", "row", "co2e_mg"),
    [
        ("rating_only", {"uid": "u1", "last_day_of_quarter": "2025-03-31", "kg": "104.7"}, 0),
        ("no_points", {"id": "1", "uid": "u1", "day": "2015-03-10"}, 541_900),
    ],
)
def test_schemes_without_points_are_recorded_and_audited(
    home: Path, tmp_path: Path, shape: str, row: dict[str, str], co2e_mg: int
) -> None:
    convert(home, write_trips(tmp_path / "acts.ndjson", [row]), mapping=SHAPES / f"{shape}.v1.yaml")

    assert [(one.co2e_mg, one.points) for one in rows_of(home)] == [(co2e_mg, 0)]
    assert audited(home).differences == []


def test_a_platform_without_figures_has_every_act_set_aside_with_the_reason(
    home: Path, tmp_path: Path
) -> None:
    acts = [
        {"act_id": "1", "user_id": "u1", "act": "bus", "time": "2025-03-16T08:00:00+08:00"},
        {"act_id": "2", "user_id": "u1", "act": "ferry", "time": "2025-03-16T08:00:00+08:00"},
    ]
    convert(home, write_trips(tmp_path / "acts.ndjson", acts), mapping="cn-420200/huangshi/acts")

    assert rows_of(home) == []
    assert [code for code, _ in set_aside(home)] == ["unmapped", "unknown-code"]
    assert set_aside(home)[0][1] == "whether Wuhan's figures hold here is not published"
    assert audited(home).differences == []
