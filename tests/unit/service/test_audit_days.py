"""A day statement over erased records: some number of persons must lead to it."""

import pytest

from gateway.errors import IntegrityBroken
from gateway.model.canonical import Json
from gateway.ports import DayClosed
from gateway.service.audit.days import require_stated
from gateway.service.days import Cell, DayTotals, cell_document, day_statement, sums_document

CLOSED = DayClosed("cn-420100/wuhan", "2025-03-16", 0, -1, 0, -1)
BUS, METRO = ("TRV-BUS", "sha256:00"), ("TRV-METRO", "sha256:00")


def cell(persons: int, erased: int) -> Cell:
    """Make a cell of one act for each person and erased record."""
    count = persons + erased
    return Cell(count, 1000 * count, count, {bytes([number]) for number in range(persons)}, erased)


def require(body: dict[str, Json], totals: DayTotals) -> None:
    require_stated(body, CLOSED, totals=totals, issuer="gw.example")


def statement(totals: DayTotals, **changes: Json) -> dict[str, Json]:
    """Return what would be stated of a day, with changes; None leaves a member out."""
    body = day_statement(CLOSED, totals, issuer="gw.example", issued="2025-03-20T00:00:00Z") | changes
    return {name: value for name, value in body.items() if value is not None}


def opened(totals: DayTotals, *names: tuple[str, str]) -> list[Json]:
    return [cell_document(name, totals.cells[name]) for name in names]


@pytest.mark.parametrize("persons", [6, 9])
def test_a_cell_may_have_been_open_if_the_erased_records_can_be_of_enough_persons(persons: int) -> None:
    totals = DayTotals({BUS: cell(persons, 4)})
    shown: dict[str, Json] = {"cells": opened(totals, BUS), "withheld": None}

    require(statement(totals, **shown), totals)
    shut = DayTotals({BUS: cell(persons, 9 - persons)})
    with pytest.raises(IntegrityBroken):
        require(statement(shut, **shown | {"cells": opened(shut, BUS)}), shut)


def test_a_day_may_have_been_withheld_if_the_erased_records_can_be_of_few_persons() -> None:
    shut: dict[str, Json] = {"cells": [], "withheld": True}
    few, many = DayTotals({BUS: cell(8, 5)}), DayTotals({BUS: cell(9, 5)})

    require(statement(few, **shut), few)
    with pytest.raises(IntegrityBroken):
        require(statement(many, **shut), many)
    with pytest.raises(IntegrityBroken):
        require(statement(few, **shut | {"merged": {"cells": 1, **sums_document(cell(8, 5))}}), few)


def test_cells_may_have_been_merged_and_their_sums_must_be_right() -> None:
    totals = DayTotals({BUS: cell(2, 9), METRO: cell(10, 4)})
    both = cell(2, 9)
    both.merge(cell(10, 4))
    merged: dict[str, Json] = {"cells": [], "merged": {"cells": 2, **sums_document(both)}, "withheld": None}

    require(statement(totals, **merged), totals)
    require(statement(totals, cells=opened(totals, BUS, METRO), merged=None, withheld=None), totals)
    wrong: list[dict[str, Json]] = [
        {**merged, "merged": {"cells": 1, **sums_document(both)}},
        {**merged, "merged": {"cells": 2, **sums_document(cell(12, 12))}},
        {**merged, "cells": opened(totals, METRO)},
        {"cells": opened(totals, METRO), "merged": None, "withheld": None},
        {"cells": opened(totals, METRO, BUS), "merged": None, "withheld": None},
        {"cells": [*opened(totals, BUS, METRO), {"behaviour": "TRV-BIKE"}], "merged": None},
        {**merged, "day": "2025-03-17"},
    ]
    for changes in wrong:
        with pytest.raises(IntegrityBroken):
            require(statement(totals, **changes), totals)


def test_without_erased_records_only_the_one_statement_will_do() -> None:
    totals = DayTotals({BUS: cell(9, 0)})

    require(statement(totals), totals)
    with pytest.raises(IntegrityBroken):
        require(statement(totals, cells=opened(totals, BUS), withheld=None), totals)
