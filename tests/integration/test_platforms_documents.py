"""Documents of platforms, from the file to the record: what is counted, set aside, and refused whole."""

from pathlib import Path

import pytest

from gateway.errors import MalformedDocument
from tests.fakes.exports import home, require_sound, set_aside
from tests.fakes.homes import convert, rows_of

__all__ = ["home"]

HERE = Path(__file__).resolve().parents[1]
MAPPINGS = HERE / "mappings" / "documents"
STATEMENT = """流水号,账户,日期,事由,积分变动,期末余额
L1,A1,2025-03-01,签到,5,105
L2,A1,2025-03-02,答题,10,115
L3,A2,2025-03-03,骑行,12,12
L4,A1,2025-03-05,签到,-5,110
L5,A1,2025-03-31,期末余额,,110
"""


def case(adapter: str, name: str) -> list[Path]:
    folder = HERE / "platforms" / adapter / "cases" / name
    return [path for path in sorted(folder.iterdir()) if path.name != "expected.json"]


def mapping(name: str) -> Path:
    return MAPPINGS / f"{name}.v1.yaml"


def test_bank_counts_transactions_and_sets_the_counter_aside(home: Path) -> None:
    files = case("bank_acts", "month-of-a-branch")

    counts = convert(home, *files, mapping=mapping("bank_acts"), adapter="bank_acts")

    require_sound(home, counts)
    assert (counts.rows, counts.accepted, counts.rejected) == (4, 3, {"unknown-code": 1})
    assert sorted(row.co2e_mg for row in rows_of(home)) == [6_400, 20_500, 1_024 * 20_500]


def test_act_on_two_pages_counts_once_and_kilograms_are_a_thousand_grams(home: Path) -> None:
    files = case("paged_dump", "act-on-two-pages")

    counts = convert(home, *files, mapping=mapping("paged_dump"), adapter="paged_dump")

    require_sound(home, counts)
    assert (counts.rows, counts.accepted, counts.duplicates) == (6, 4, 1)
    assert counts.rejected == {"unknown-code": 1}
    assert {str(row.event): row.co2e_mg for row in rows_of(home)} == {
        "A1": 3_750_000,
        "A2": 2_550_000,
        "A3": 6_000_000,
        "A4": 900_000,
    }


def test_settled_month_is_counted_with_the_institutions_own_points_beside_ours(home: Path) -> None:
    files = case("monthly_settlement", "whole-month")

    counts = convert(home, *files, mapping=mapping("monthly_settlement"), adapter="monthly_settlement")

    require_sound(home, counts)
    assert (counts.rows, counts.accepted, counts.rejected) == (3, 3, {})
    assert [(row.points, row.claimed_points) for row in rows_of(home)] == [(5, 5), (10, 10), (0, 0)]


def test_month_that_contradicts_its_heading_leaves_nothing_behind(home: Path, tmp_path: Path) -> None:
    (good,) = case("monthly_settlement", "whole-month")
    bad = tmp_path / "2025-04.txt"
    bad.write_text("H|2025-04|other-branch|2|1.000|1\nD|X1|C1|2025-04-01|充电|1.000|1\n", "utf-8")

    with pytest.raises(MalformedDocument, match="2 rows, the lines have 1"):
        convert(home, good, bad, mapping=mapping("monthly_settlement"), adapter="monthly_settlement")

    assert rows_of(home) == []
    assert set_aside(home) == []


def test_projects_units_are_recorded_as_the_projects_or_retired(home: Path) -> None:
    files = case("project_register", "ranges")

    counts = convert(home, *files, mapping=mapping("project_register"), adapter="project_register")

    require_sound(home, counts)
    assert (counts.rows, counts.accepted, counts.duplicates) == (4, 3, 1)
    assert sorted((row.ownership, row.co2e_mg // 10**9) for row in rows_of(home)) == [
        ("project", 40),
        ("project", 120),
        ("retired", 30),
    ]


def test_ranges_that_overlap_in_two_registers_are_both_set_aside(home: Path) -> None:
    files = case("project_register", "refused-ranges")

    counts = convert(home, *files, mapping=mapping("project_register"), adapter="project_register")

    require_sound(home, counts)
    assert counts.accepted == 1
    assert counts.rejected == {
        "implausible": 1,
        "not-a-decimal": 1,
        "malformed-row": 2,
        "duplicate-event": 3,
    }


def test_points_without_acts_never_become_records(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "statement.csv"
    file.write_text(STATEMENT, "gb18030")

    counts = convert(home, file, mapping=mapping("statement_refused"))

    require_sound(home, counts)
    assert (counts.accepted, counts.rejected) == (0, {"quantity-unknown": 5})


def test_points_for_taking_part_are_counted_without_any_reduction(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "statement.csv"
    file.write_text(STATEMENT, "gb18030")

    counts = convert(home, file, mapping=mapping("statement_engagement"))

    require_sound(home, counts)
    assert (counts.accepted, counts.points, counts.co2e_mg) == (2, 15, 0)
    assert counts.rejected == {"unknown-code": 2, "out-of-bounds": 1}
