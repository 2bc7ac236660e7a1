"""Registers of projects: as many serial numbers as tonnes, and no number twice."""

import io
from itertools import permutations
from pathlib import Path

import pytest

from adapters.project_register import ProjectRegisterAdapter
from adapters.project_register.adapter import refuse_overlaps
from adapters.project_register.wire import COLUMNS, FIRST, LAST
from gateway.errors import MalformedDocument
from gateway.model.source import Outcome, Place, RefusedRow, RepeatedRow, SourceFormat, SourceRow
from tests.platforms.cases import as_json, case_folders, documents_of, expected_of, outcomes, source_of


@pytest.mark.parametrize("case", case_folders(__file__), ids=lambda case: case.name)
def test_case_gives_the_outcomes_that_stand_beside_it(case: Path, tmp_path: Path) -> None:
    adapter = ProjectRegisterAdapter()

    found = outcomes(adapter, documents_of(case), source=source_of(case), scratch=tmp_path)

    assert [as_json(outcome) for outcome in found] == expected_of(case)["outcomes"]


def test_table_without_a_column_of_a_register_is_refused_whole() -> None:
    adapter = ProjectRegisterAdapter()
    text = "项目编号,签发日期\nP-001,2025-02-10\n"

    with pytest.raises(MalformedDocument) as refused:
        list(adapter.rows(io.BytesIO(text.encode()), "register.csv", source=SourceFormat(kind="csv")))

    assert refused.value.code == "unknown-header"
    assert "减排量（吨）" in str(refused.value)


def issue(first: int, last: int) -> SourceRow:
    """Make an issue as the reader hands it over."""
    numbers = {FIRST: f"{first:018}", LAST: f"{last:018}"}
    stated = {**dict.fromkeys(COLUMNS, ""), "编号起": str(first), "编号止": str(last)}
    return SourceRow(Place("a", first * 100 + last), {**stated, **numbers})


def fates(rows: list[SourceRow]) -> dict[tuple[str, str], str]:
    ordered = sorted(rows, key=lambda row: (row.fields[FIRST], row.fields[LAST]))
    return {_range(one): _fate(one) for one in refuse_overlaps(iter(ordered))}


def _range(outcome: Outcome) -> tuple[str, str]:
    assert not isinstance(outcome, RepeatedRow)
    return outcome.fields[FIRST], outcome.fields[LAST]


def _fate(outcome: Outcome) -> str:
    return "refused" if isinstance(outcome, RefusedRow) else "issued"


def test_every_range_that_shares_a_number_with_another_is_refused_and_no_other() -> None:
    """All sets of three ranges within six numbers, compared with sets of numbers."""
    ranges = [(first, last) for first in range(1, 7) for last in range(first, 7)]
    for chosen in permutations(ranges, 3):
        expected = {
            (f"{one[0]:018}", f"{one[1]:018}"): "refused"
            if any(one is not other and one[0] <= other[1] and other[0] <= one[1] for other in chosen)
            else "issued"
            for one in chosen
        }

        assert fates([issue(*one) for one in chosen]) == expected, chosen
