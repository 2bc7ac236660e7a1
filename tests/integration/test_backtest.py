"""A backtest says what another version would have made of the same acts: converting them by it agrees."""

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from gateway.app.base.mappings import program_from_file, shipped_programs
from gateway.app.records.backtesting import backtest_home
from gateway.bulk.report import quantiles, told_groups
from gateway.bulk.tally import Sums
from gateway.errors import IntegrityBroken, Refused, UsageError
from tests.acceptance.commands import tanqiao
from tests.fakes.homes import (
    WUHAN,
    capped_mapping,
    convert,
    convert_in_parts,
    make_home,
    rows_of,
    trips,
    write_trips,
    yunxi_ride,
)  # fmt: skip

OLD, NEW = (
    next(program for program in shipped_programs() if (program.id, program.version) == (WUHAN, version))
    for version in (2, 1)
)
AS_ACCEPTED = "order: accepted_sequence, late: counts_on_activity_day"
CAP = "name: day, of: points, per: [person, local_day], max: {}, " + AS_ACCEPTED
CAPS = {
    "one on points": [CAP.format(300)],
    "other size": [CAP.format(170)],
    "day and week": [
        CAP.format(300),
        f"name: week, of: points, per: [person, week], max: 700, {AS_ACCEPTED}",
    ],
    "acts, refused when full": [
        "name: acts, of: acts, per: [person, local_day], max: 2, order: accepted_sequence,"
        " late: counts_on_activity_day, when_full: reject"
    ],
    "reduction": [
        "name: grams, of: reduction, per: [person, month], max: 9, unit: kgCO2e, order: accepted_sequence,"
        " late: counts_on_activity_day"
    ],
    "platform": [
        "name: all, of: points, per: [platform, local_day], max: 2000, order: accepted_sequence,"
        " late: counts_on_activity_day"
    ],
    "late ones refused": [
        "name: day, of: points, per: [person, local_day], max: 300, order: accepted_sequence, late: reject"
    ],
    "late ones on the day of acceptance": [
        "name: day, of: points, per: [person, local_day], max: 300, order: accepted_sequence,"
        " late: counts_on_acceptance_day"
    ],
}


def rides(count: int, *, persons: int = 15) -> list[dict[str, str]]:
    random = Random(7)
    return [
        yunxi_ride(
            f"R{number:05d}",
            f"u{random.randrange(persons)}",
            f"2025-03-{1 + random.randrange(6):02d} {random.randrange(6, 23):02d}:15:00",
            km=f"{random.randrange(1, 20)}.{random.randrange(10)}",
            mode=random.choice(("地铁", "公交")),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("name", CAPS)
def test_backtest_gives_what_converting_by_the_other_version_gives(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = (
        capped_mapping(tmp_path / "a.yaml", CAP.format(400)),
        capped_mapping(tmp_path / "b.yaml", *CAPS[name]),
    )
    file = write_trips(tmp_path / "rides.ndjson", rides(400))
    home = make_home(tmp_path, monkeypatch)
    other = make_home(tmp_path / "other", monkeypatch)
    convert_in_parts(other, [file], 150, mapping=after)
    monkeypatch.setenv("TANQIAO_STATE", str(tmp_path / "state"))
    convert_in_parts(home, [file], 150, mapping=before)

    found = backtest_home(home, program_from_file(before), new=program_from_file(after))

    monkeypatch.setenv("TANQIAO_STATE", str(tmp_path / "other/state"))
    reference = rows_of(other)
    assert found["records"] == 400
    assert found["stored_differ"] == 0
    assert found["points_new"] == str(sum(row.points for row in reference))
    assert found["co2e_mg_new"] == str(sum(row.co2e_mg for row in reference))
    assert found["lost"] == 400 - len(reference)
    assert found["points_old"] != found["points_new"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = make_home(tmp_path, monkeypatch)
    convert(home, write_trips(tmp_path / "a.ndjson", trips(300)))
    return home


def test_same_version_changes_nothing(home: Path) -> None:
    found = backtest_home(home, OLD, new=OLD)

    rows = rows_of(home)
    assert (found["changed"], found["unchanged"], found["stored_differ"]) == (0, 300, 0)
    assert found["points_new"] == found["points_old"] == str(sum(row.points for row in rows))
    assert set(dict(found["points_change_quantiles"]).values()) == {"0"}  # type: ignore[call-overload]  # a dict


def test_other_version_is_told_by_behaviour_day_and_quantile(home: Path) -> None:
    found = backtest_home(home, OLD, new=NEW)

    rows = rows_of(home)
    metro = sum(1 for row in rows if row.behaviour == "TRV-METRO")
    assert found["refused_new"] == {"no-figure": metro}
    assert (found["lost"], found["changed"]) == (metro, 300)
    by_day = Counter(row.day for row in rows)
    assert {row["group"]: row["records"] for row in found["days"]} == by_day  # type: ignore[attr-defined]  # a list
    kilometres = [json.loads(row.inputs)["distance"]["value"] for row in rows if row.behaviour == "TRV-BIKE"]
    bicycle = next(row for row in found["behaviours"] if row["group"] == "TRV-BIKE")  # type: ignore[attr-defined]  # a list
    assert bicycle["co2e_mg_new"] == str(sum(int(text.replace(".", "")) * 40 for text in kilometres))


def test_groups_of_few_people_are_never_told_by_themselves() -> None:
    many, few = Sums(records=90, people={bytes([n]) for n in range(10)}), Sums(records=3, people={b"a"})
    middle = Sums(records=40, people={bytes([n]) for n in range(10, 20)})

    rows = told_groups({"x": many, "y": few, "z": middle})

    assert [(row["group"], row["records"]) for row in rows] == [
        ("x", 90),
        ("(2 groups, some of fewer than 10 people)", 43),
    ]
    assert told_groups({"y": few}) == []


def test_few_people_altogether_leave_counts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = make_home(tmp_path, monkeypatch)
    convert(home, write_trips(tmp_path / "a.ndjson", trips(60, persons=9)))

    found = backtest_home(home, OLD, new=NEW)

    assert found["records"] == 60
    assert "withheld" in found
    assert not {"points_old", "behaviours", "days", "points_change_quantiles"} & set(found)


def test_quantiles_are_values_that_occur() -> None:
    assert quantiles(Counter({-5: 1, 0: 98, 7: 1})) == {
        "p5": "0",
        "p25": "0",
        "p50": "0",
        "p75": "0",
        "p95": "0",
    }
    assert quantiles(Counter(range(1, 101))) == {
        "p5": "5",
        "p25": "25",
        "p50": "50",
        "p75": "75",
        "p95": "95",
    }


def test_changed_record_file_is_refused(home: Path) -> None:
    path = next((home / "records").rglob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    with pytest.raises(IntegrityBroken) as refused:
        backtest_home(home, OLD, new=NEW)

    assert refused.value.field.endswith(path.name)


def test_other_platform_and_empty_home_are_refused(home: Path) -> None:
    shenzhen = next(program for program in shipped_programs() if program.platform == "cn-440300/shenzhen")

    with pytest.raises(UsageError):
        backtest_home(home, OLD, new=shenzhen)
    with pytest.raises(Refused):
        backtest_home(home, shenzhen, new=shenzhen)


def test_command_prints_the_same_as_table_and_json(home: Path) -> None:
    asked = ("mapping", "backtest", "--home", home, "--old", f"{WUHAN}@2", "--new", f"{WUHAN}@1")

    done, table = (tanqiao(*asked, "--format", form) for form in ("json", "table"))

    assert (done.returncode, table.returncode) == (0, 0)
    assert json.loads(done.stdout)["records"] == 300
    assert "TRV-BIKE" in table.stdout
