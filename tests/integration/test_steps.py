"""Steps from real exports: per five minutes, and one person's walking in three files that disagree.

What should come out is counted again with csv and fractions alone.
"""

import csv
import gzip
import io
import json
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from tests.fakes.exports import by_event, edited_mapping, export_mapping, home, require_sound, set_aside
from tests.fakes.homes import audited, convert, convert_in_parts
from tests.real_data import real_data

__all__ = ["home"]

pytestmark = pytest.mark.real_data

PER_STEP_G, STEPS_PER_POINT = Fraction("0.0164"), 500
COPIES = ("copyA", "copyB")


def rows(path: Path) -> list[dict[str, str]]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def worth(steps: int) -> tuple[int, int]:
    """Return reduction in mg, to a tenth of a gram, and points."""
    tenths = (steps * PER_STEP_G * 10 + Fraction(1, 2)) // 1
    return tenths * 100, steps // STEPS_PER_POINT


def iso(month_first: str) -> str:
    month, day, year = month_first.split("/")
    return f"{year}-{int(month):02}-{int(day):02}"


def event(person: str, day: str) -> str:
    return json.dumps([person, day], separators=(",", ":"))


def expected(steps: dict[tuple[str, str], int]) -> dict[str, tuple[str, int, int]]:
    """Return what each person-day with a reduction gives."""
    return {event(*key): (key[1], *worth(count)) for key, count in steps.items() if worth(count)[0]}


@pytest.fixture
def fitbit() -> Path:
    return real_data("walking-steps-fitbit")


def daily(fitbit: Path) -> dict[tuple[str, str], int]:
    found = rows(fitbit / "dailyActivity_merged.copyA.csv")
    return {(row["Id"], iso(row["ActivityDate"])): int(row["TotalSteps"]) for row in found}


def hourly(fitbit: Path) -> dict[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for row in rows(fitbit / "hourlySteps_merged.copyB.csv.gz"):
        found[row["Id"], iso(row["ActivityHour"].split()[0])] += int(row["StepTotal"])
    return dict(found)


def test_a_day_of_five_minutes_is_one_act(home: Path) -> None:
    file = real_data("walking-steps-5min") / "activity.csv"
    known = [row for row in rows(file) if row["steps"] != "NA"]
    steps: Counter[tuple[str, str]] = Counter()
    for row in known:
        steps["walker", row["date"]] += int(row["steps"])

    counts = convert(home, file, mapping=export_mapping("steps_5min"))

    require_sound(home, counts)
    assert (counts.rows, counts.accepted, counts.duplicates) == (12_672, 39, 0)
    assert counts.rejected == {"missing-field": 1_440}
    assert counts.merged == len(known) - 39
    assert by_event(home) == expected(dict(steps))
    assert sum(steps.values()) == 427_824


@pytest.mark.parametrize(
    ("interval", "code"),
    [
        ("55", "quantity-unknown"),  # read; a day of one interval is not whole
        ("100", "quantity-unknown"),
        ("60", "malformed-row"),
        ("0100", "malformed-row"),
        ("2400", "malformed-row"),
        ("57", "malformed-row"),
    ],
)
def test_an_interval_is_hour_and_minute_and_not_a_number_of_minutes(
    home: Path, tmp_path: Path, *, interval: str, code: str
) -> None:
    file = tmp_path / "one.csv"
    file.write_text(f"steps,date,interval\n9,2012-10-02,{interval}\n", "utf-8")

    counts = convert(home, file, mapping=export_mapping("steps_5min"))

    assert counts.rejected == {code: 1}


def test_under_a_zone_that_changes_its_clocks_an_hour_does_not_exist(home: Path, tmp_path: Path) -> None:
    """The zone is the mapping's statement: in Sydney the seventh of October 2012 had 23 hours."""
    file = real_data("walking-steps-5min") / "activity.csv"
    mapping = edited_mapping("steps_5min", tmp_path, ("zone: UTC", "zone: Australia/Sydney"))

    counts = convert(home, file, mapping=mapping)

    require_sound(home, counts)
    assert (counts.accepted, counts.merged) == (39, 39 * 287 - 12)
    assert counts.rejected == {"missing-field": 1_440, "malformed-row": 12}
    skipped = [line["fields"] for line in set_aside(home) if line["code"] == "malformed-row"]
    assert {(row["date"], row["interval"]) for row in skipped} == {
        ("2012-10-07", str(interval)) for interval in range(200, 260, 5)
    }


def test_a_repeated_table_of_another_order_and_line_end_counts_nobody_twice(home: Path, fitbit: Path) -> None:
    files = [fitbit / f"dailyActivity_merged.{copy}.csv" for copy in COPIES]
    steps = daily(fitbit)
    zeros = sum(count == 0 for count in steps.values())
    nothing = sum(not worth(count)[0] for count in steps.values())

    counts = convert(home, *files, mapping=export_mapping("steps_activity"))

    require_sound(home, counts)
    assert (counts.rows, counts.accepted) == (1_228, 614 - nothing)
    assert (counts.duplicates, counts.rejected) == (614 - nothing, {"no-reduction": 2 * nothing})
    assert zeros == 54 <= nothing
    assert by_event(home) == expected(steps)


def test_three_exports_of_one_walking_count_it_once_and_show_where_they_disagree(
    home: Path, fitbit: Path
) -> None:
    days, hours = daily(fitbit), hourly(fitbit)
    credited = {key for key, count in days.items() if worth(count)[0]}
    agreeing = {key for key, count in hours.items() if days[key] == count}
    first = convert(home, fitbit / "dailyActivity_merged.copyA.csv", mapping=export_mapping("steps_activity"))

    second = convert(home, fitbit / "dailySteps_merged.copyB.csv", mapping=export_mapping("steps_daily"))
    third = convert(home, fitbit / "hourlySteps_merged.copyB.csv.gz", mapping=export_mapping("steps_hourly"))

    require_sound(home, third)
    assert (second.rows, second.accepted, second.duplicates) == (614, 0, first.accepted)
    assert (third.rows, third.merged, third.accepted) == (14_443, 14_443 - 610, 0)
    assert third.duplicates == len(agreeing & credited)
    assert len(hours.keys() - agreeing) == 98
    nothing = sum(not worth(count)[0] for count in hours.values())
    differing = sum(key not in agreeing and bool(worth(count)[0]) for key, count in hours.items())
    assert third.rejected == {"duplicate-event": differing, "no-reduction": nothing}
    assert by_event(home) == expected(days)


def test_the_first_export_stands_whichever_it_is(home: Path, fitbit: Path) -> None:
    hours = hourly(fitbit)
    by_hours = convert(
        home, fitbit / "hourlySteps_merged.copyB.csv.gz", mapping=export_mapping("steps_hourly")
    )

    by_days = convert(
        home, fitbit / "dailyActivity_merged.copyA.csv", mapping=export_mapping("steps_activity")
    )

    kept = expected(hours)
    later = {name: one for name, one in expected(daily(fitbit)).items() if name not in kept}
    assert by_hours.accepted == len(kept)
    assert by_days.accepted == len(later)
    assert by_event(home) == kept | later
    assert audited(home).differences == []


def test_the_parts_of_a_file_and_a_second_process_change_nothing(home: Path, fitbit: Path) -> None:
    file = fitbit / "hourlySteps_merged.copyB.csv.gz"

    summary = convert_in_parts(home, [file], 100, mapping=export_mapping("steps_hourly"), worker=True)

    require_sound(home, summary.counts)
    assert summary.parts == 7
    assert by_event(home) == expected(hourly(fitbit))


def test_an_act_made_of_hours_is_explained_with_their_number(fitbit: Path) -> None:
    from gateway.app.base.mappings import Reading
    from gateway.app.reviewing.review import explain_row

    file = fitbit / "hourlySteps_merged.copyB.csv.gz"
    lines = explain_row(file, 1, reading=Reading("common", [str(export_mapping("steps_hourly"))]), lang="en")

    assert "the act is made of 24 rows" in lines
    assert any("written '6697', read as 6697 step" in line for line in lines)
