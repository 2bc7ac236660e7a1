"""Settlement files: a file that contradicts its heading gives no row at all."""

import io
from pathlib import Path

import pytest

from adapters.monthly_settlement import MonthlySettlementAdapter
from gateway.errors import MalformedDocument, UsageError
from gateway.model.source import Place, SourceFormat, SourceRow
from tests.platforms.cases import as_json, case_folders, documents_of, expected_of, outcomes, source_of

SOURCE = SourceFormat(kind="csv")
MONTH = (Path(__file__).parent / "cases/whole-month/2025-03.txt").read_text("utf-8")


def read(text: str) -> list[SourceRow]:
    adapter = MonthlySettlementAdapter()
    rows = list(adapter.rows(io.BytesIO(text.encode()), "2025-03.txt", source=SOURCE))
    return [row for row in rows if isinstance(row, SourceRow)]


@pytest.mark.parametrize("case", case_folders(__file__), ids=lambda case: case.name)
def test_case_gives_the_outcomes_that_stand_beside_it(case: Path, tmp_path: Path) -> None:
    adapter = MonthlySettlementAdapter()

    found = outcomes(adapter, documents_of(case), source=source_of(case), scratch=tmp_path)

    assert [as_json(outcome) for outcome in found] == expected_of(case)["outcomes"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("|3|12.500|", "|4|12.500|", "4 rows, the lines have 3", id="rows"),
        pytest.param("|12.500|", "|12.501|", "12501 thousandths, the lines have 12500", id="quantity"),
        pytest.param("|12.500|15", "|12.500|16", "16 points, the lines have 15", id="points"),
        pytest.param("|4.000|5", "|4.001|5", "thousandths", id="a quantity changed on its way"),
        pytest.param("D|S0002|C100002|2025-03-15|充电|8.25|10\n", "", "rows", id="a line lost"),
        pytest.param("2025-03-31", "2025-04-01", "row 3 is not of the month", id="another month"),
        pytest.param("|8.25|", "|8.2500|", "three decimals", id="four decimals"),
        pytest.param("|8.25|", "|８.25|", "three decimals", id="a full-width digit"),
        pytest.param("|8.25|", "|-8.25|", "three decimals", id="a sign"),
        pytest.param("D|S0002", "T|S0002", "row 2: expected D", id="another kind of line"),
        pytest.param("|C100002|", "||", "row 2: expected D", id="nobody"),
        pytest.param("H|2025-03|", "H|2025-13|", "heading", id="no such month"),
        pytest.param("H|", "", "heading", id="no heading"),
    ],
)
def test_file_that_contradicts_its_heading_is_refused_before_its_first_row(
    old: str, new: str, said: str
) -> None:
    text = MONTH.replace(old, new, 1)
    assert text != MONTH

    with pytest.raises(MalformedDocument) as refused:
        MonthlySettlementAdapter().rows(io.BytesIO(text.encode()), "2025-03.txt", source=SOURCE)

    assert said in str(refused.value)


def test_file_with_any_byte_lost_is_refused() -> None:
    """Fields that no total covers are the exception: ids, institution, kind and the day within its month."""
    data = MONTH.encode()
    rows = read(MONTH)
    survived = 0
    for place in range(len(data) - 1):
        try:
            found = read((data[:place] + data[place + 1 :]).decode("utf-8", "replace"))
        except MalformedDocument:
            continue
        survived += 1
        assert [(row.fields["quantity"], row.fields["points"]) for row in found] in [
            [(quantity, row.fields["points"]) for quantity, row in zip(quantities, rows, strict=True)]
            for quantities in (
                ("4.000", "8.25", "0.250"),
                ("4.00", "8.25", "0.250"),
                ("4.000", "8.25", "0.25"),
            )
        ]

    assert survived


def test_what_is_written_is_the_file_that_was_read() -> None:
    written = MonthlySettlementAdapter().render(read(MONTH), source=SOURCE).decode()

    assert written == MONTH


@pytest.mark.parametrize(
    "change", [{"month": "2025-04"}, {"institution": "other"}, {"user": "a|b"}, {"kind": "a\nb"}], ids=str
)
def test_rows_that_no_file_can_hold_are_not_written(change: dict[str, str]) -> None:
    first, *rest = read(MONTH)
    odd = SourceRow(Place("a", 1), {**first.fields, **change})

    with pytest.raises(UsageError):
        MonthlySettlementAdapter().render([odd, *rest], source=SOURCE)
