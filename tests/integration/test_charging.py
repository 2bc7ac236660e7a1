"""Real charging sessions: over midnight, in a zone that nobody stated, of users whose ids begin with zeros.

What should come out is counted again with csv and fractions alone; zoneinfo tells the local day.
"""

import csv
import gzip
import io
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.exports import by_event, edited_mapping, export_mapping, home, require_sound
from tests.fakes.homes import convert, require_accounted, rows_of
from tests.real_data import real_data

__all__ = ["home"]

pytestmark = pytest.mark.real_data

CALIFORNIA = ZoneInfo("America/Los_Angeles")
UTC_TO_LOCAL = ("zone: UTC", "zone: America/Los_Angeles")


@pytest.fixture
def file() -> Path:
    return real_data("ev-charging-acn") / "ev_sessions.csv.gz"


@pytest.fixture
def sessions(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(gzip.decompress(file.read_bytes()).decode("utf-8"), newline="")))


def days(sessions: list[dict[str, str]], zone: ZoneInfo) -> dict[str, str]:
    """Return the day of each session in California, its times read in a zone."""
    return {
        row["Session"]: datetime.fromisoformat(row["ConnectionStartDateTime"])
        .replace(tzinfo=zone)
        .astimezone(CALIFORNIA)
        .date()
        .isoformat()
        for row in sessions
    }


def milligrams(kwh: Fraction) -> int:
    """Return 460 g per kWh in mg; a tenth of a gram is never rounded for two decimals of a kWh."""
    exact = kwh * 460_000
    assert exact.denominator == 1
    return int(exact)


def test_every_session_counts_on_the_local_day_of_its_start(
    home: Path, file: Path, sessions: list[dict[str, str]]
) -> None:
    local = days(sessions, ZoneInfo("UTC"))

    counts = convert(home, file, mapping=export_mapping("charging"))

    require_accounted(counts)
    assert (counts.rows, counts.merged, counts.duplicates, counts.rejected) == (20_436, 0, 0, {})
    assert by_event(home) == {
        row["Session"]: (
            local[row["Session"]],
            milligrams(Fraction(row["Energy"])),
            milligrams(Fraction(row["Energy"])) // 10**6,
        )
        for row in sessions
    }
    assert len({row.person for row in rows_of(home)}) == len({row["UserID"] for row in sessions}) == 339


def test_the_day_hangs_on_the_zone_that_the_mapping_states(
    home: Path, file: Path, sessions: list[dict[str, str]], tmp_path: Path
) -> None:
    as_local, as_utc = days(sessions, CALIFORNIA), days(sessions, ZoneInfo("UTC"))
    some = tmp_path / "some.csv"
    some.write_bytes(b"".join(gzip.decompress(file.read_bytes()).splitlines(keepends=True)[:3_001]))
    mapping = edited_mapping("charging", tmp_path, UTC_TO_LOCAL)

    counts = convert(home, some, mapping=mapping)

    require_sound(home, counts)
    found = {event: day for event, (day, _, _) in by_event(home).items()}
    assert found == {row["Session"]: as_local[row["Session"]] for row in sessions[:3_000]}
    assert sum(as_local[event] != as_utc[event] for event in as_utc) == 1_120


@pytest.mark.parametrize(
    ("excess", "accepted"), [("reject", 2_084), ("half_even", 20_436)], ids=["refused", "rounded"]
)
def test_digits_beyond_the_scale_are_treated_as_the_mapping_declares(
    home: Path, file: Path, sessions: list[dict[str, str]], tmp_path: Path, *, excess: str, accepted: int
) -> None:
    mapping = edited_mapping("charging", tmp_path, ("scale: 2,", f"scale: 1, excess_digits: {excess},"))
    tenths = [round(Fraction(row["Energy"]) * 10) for row in sessions if _fits(row) or excess != "reject"]

    counts = convert(home, file, mapping=mapping, dry_run=True)

    require_accounted(counts)
    assert counts.accepted == accepted == len(tenths)
    assert counts.rejected == ({"excess-digits": 18_352} if excess == "reject" else {})
    assert counts.co2e_mg == sum(tenths) * 46_000


def _fits(row: dict[str, str]) -> bool:
    return len(row["Energy"].partition(".")[2]) <= 1


def test_sessions_that_overlap_are_read_with_both_ends(
    home: Path, file: Path, sessions: list[dict[str, str]]
) -> None:
    """Six sessions begin before an earlier one of the same user has ended: one act each, none lost."""
    last: dict[str, datetime] = {}
    overlapping = 0
    for row in sorted(sessions, key=lambda row: (row["UserID"], row["ConnectionStartDateTime"])):
        start, end = (datetime.fromisoformat(row[f"Connection{edge}DateTime"]) for edge in ("Start", "End"))
        overlapping += start < last.get(row["UserID"], start)
        last[row["UserID"]] = max(end, last.get(row["UserID"], end))

    counts = convert(home, file, mapping=export_mapping("charging"), dry_run=True)

    assert overlapping == 6
    assert counts.accepted == 20_436
