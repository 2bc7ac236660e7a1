"""Power by the minute from a real meter: energy by the day, days that are not whole, a baseline of one's own.

What should come out is counted again with csv and fractions alone.
"""

import csv
import io
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import pytest

from tests.fakes.exports import by_event, export_mapping, home, require_sound, set_aside
from tests.fakes.homes import convert
from tests.real_data import real_data

__all__ = ["home"]

pytestmark = pytest.mark.real_data

GRID_G_PER_KWH = 400
NAMES = ["Meter", "Own_mean_kwh", "Date", "Time", "Global_active_power"]


def minutes(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline=""), delimiter=";"))


@pytest.fixture
def meter() -> Path:
    return real_data("household-electricity-1min") / "household_power.csv"


def worth(saved_kwh: Fraction) -> tuple[int, int]:
    """Return reduction in mg and points, both rounded down."""
    mg = saved_kwh * GRID_G_PER_KWH * 1000 // 1
    return mg, mg // 100_000


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, NAMES, delimiter=";", extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)
    return path


def whole_day(real: list[dict[str, str]], date: str) -> list[dict[str, str]]:
    """Write the first 1,440 real minutes as one whole day, which the extract does not have."""
    own = {"Meter": "007", "Own_mean_kwh": "70.5", "Date": date}
    return [
        real[number] | own | {"Time": f"{number // 60:02}:{number % 60:02}:00"} for number in range(24 * 60)
    ]


def test_the_file_of_one_household_counts_in_its_known_minutes(home: Path, meter: Path) -> None:
    power: defaultdict[str, list[Fraction]] = defaultdict(list)
    for row in minutes(meter):
        power[row["Date"]].append(Fraction(row["Global_active_power"]))
    days = {"16/12/2006": "2006-12-16", "17/12/2006": "2006-12-17"}
    saved = {day: (Fraction("2.6") * len(power[text]) - sum(power[text])) / 60 for text, day in days.items()}
    positive = {day: worth(kwh) for day, kwh in saved.items() if kwh > 0}

    counts = convert(home, meter, mapping=export_mapping("electricity_minutes"))

    require_sound(home, counts)
    assert {text: len(power[text]) for text in power} == {"16/12/2006": 396, "17/12/2006": 1_073}
    assert round(sum(map(sum, power.values())) / 60, 2) == Fraction("61.28")  # as the data set's page says
    assert (counts.rows, counts.merged) == (1_469, 1_467)
    assert counts.accepted == len(positive) == 1
    assert counts.rejected == {"no-reduction": 1}
    assert by_event(home) == {f'["home","{day}"]': (day, *one) for day, one in positive.items()}


def test_a_day_that_is_not_whole_is_named_and_refused(home: Path, meter: Path, tmp_path: Path) -> None:
    real = [row | {"Meter": "007", "Own_mean_kwh": "70.5"} for row in minutes(meter)]
    file = write(tmp_path / "minutes.csv", [*real, *whole_day(real, "18/12/2006")])
    used = sum(Fraction(row["Global_active_power"]) for row in real[:1440]) / 60

    counts = convert(home, file, mapping=export_mapping("electricity_days"))

    require_sound(home, counts)
    assert (counts.rows, counts.merged, counts.accepted) == (1_469 + 1_440, 1_467 + 1_439, 1)
    assert counts.rejected == {"quantity-unknown": 2}
    assert [line["detail"] for line in set_aside(home)] == [
        "expected 1440 rows for the whole of 2006-12-16, found 396",
        "expected 1440 rows for the whole of 2006-12-17, found 1073",
    ]
    assert by_event(home) == {'["007","2006-12-18"]': ("2006-12-18", *worth(Fraction("70.5") - used))}


@pytest.mark.parametrize("text", ["?", ""])
def test_one_gap_costs_the_whole_day_and_says_so(home: Path, meter: Path, tmp_path: Path, text: str) -> None:
    rows = whole_day(minutes(meter), "18/12/2006")
    rows[100]["Global_active_power"] = text

    counts = convert(home, write(tmp_path / "gap.csv", rows), mapping=export_mapping("electricity_days"))

    require_sound(home, counts)
    assert (counts.accepted, counts.merged) == (0, 1_438)
    assert counts.rejected == {"quantity-unknown": 2}
    assert [(line["row"], line["detail"]) for line in set_aside(home)] == [
        (1, "expected 1440 rows for the whole of 2006-12-18, found 1439"),
        (101, "kw_minutes: expected a value, there is none"),
    ]


def test_a_minute_that_comes_twice_counts_once(home: Path, meter: Path, tmp_path: Path) -> None:
    rows = whole_day(minutes(meter), "18/12/2006")
    other = rows[700] | {"Global_active_power": "39.999"}
    file = write(tmp_path / "twice.csv", [*rows, rows[9], other])

    counts = convert(home, file, mapping=export_mapping("electricity_days"))

    require_sound(home, counts)
    assert (counts.accepted, counts.merged, counts.duplicates) == (1, 1_439, 1)
    assert counts.rejected == {"duplicate-event": 1}


@pytest.mark.parametrize(
    ("date", "minutes_of_day"), [("25/3/2007", 23 * 60), ("26/3/2007", 24 * 60), ("28/10/2007", 25 * 60)]
)
def test_a_day_on_which_the_clocks_change_is_whole_with_its_own_minutes(
    home: Path, meter: Path, tmp_path: Path, *, date: str, minutes_of_day: int
) -> None:
    rows = whole_day(minutes(meter), date)
    existing = [row for row in rows if not (date == "25/3/2007" and row["Time"].startswith("02:"))]

    counts = convert(home, write(tmp_path / "day.csv", existing), mapping=export_mapping("electricity_days"))

    require_sound(home, counts)
    # Of the hour that comes twice the file can name only one: the day cannot be known to be whole.
    assert counts.accepted == (len(existing) == minutes_of_day)
