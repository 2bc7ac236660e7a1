"""Day statements: what is told of few persons, and what is not."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app.base.home import SystemClock
from gateway.app.records.days import close_day_of
from gateway.errors import Refused, UsageError
from gateway.model.shape import Shape
from gateway.model.strict import read_strict_object
from gateway.ports import DayClosed
from gateway.resources import schema
from gateway.service.days import PERSONS_MIN, Cell, DayTotals, day_statement
from gateway.signing import seal
from tests.fakes.homes import convert, make_home, trip, write_trips
from tests.unit.signing.signers import SeededSigner

CLOSED = DayClosed(
    platform="cn-420100/wuhan", day="2025-03-16", supplement=0, after=-1, through=0, position=9
)
MAPPING = "sha256:" + "ab" * 32


def cell(persons: Iterable[int], acts_each: int = 1) -> Cell:
    named = {person.to_bytes(32, "big") for person in persons}
    acts = acts_each * len(named)
    return Cell(count=acts, co2e_mg=1000 * acts, points=acts, persons=named)


def statement(*cells: Cell, rejected: dict[str, int] | None = None) -> dict[str, Any]:
    totals = DayTotals(
        cells={(f"TRV-{number}", MAPPING): each for number, each in enumerate(cells)},
        roots=["00" * 32],
        rejected=rejected or {},
    )
    body = day_statement(CLOSED, totals, issuer="gw.example", issued="2026-11-22T05:00:00Z")
    sealed = seal(body, [SeededSigner("day")])
    Shape(schema("statement")).require(read_strict_object(sealed), "statement")
    return body


def shown(body: dict[str, Any]) -> list[str]:
    return [each["behaviour"] for each in body["cells"]]


def test_a_cell_of_ten_persons_is_told_and_one_of_nine_is_not() -> None:
    assert shown(statement(cell(range(10)))) == ["TRV-0"]

    nine = statement(cell(range(9), acts_each=100))

    assert nine["cells"] == []
    assert nine["withheld"] is True
    assert "merged" not in nine


def test_a_person_who_acts_often_is_still_one_person() -> None:
    assert statement(cell(range(1), acts_each=50))["withheld"] is True


def test_one_small_cell_takes_the_smallest_large_one_with_it() -> None:
    """Told alone, the sum of the others would give the small one away by subtraction from any total."""
    body = statement(cell(range(3)), cell(range(100, 150)), cell(range(200, 220)))

    assert shown(body) == ["TRV-1"]
    assert body["merged"] == {"cells": 2, "count": 23, "co2e_mg": "23000", "points": "23"}


def test_small_cells_are_merged_until_ten_persons_are_together() -> None:
    body = statement(cell(range(6)), cell(range(10, 14)), cell(range(100, 150)))

    assert shown(body) == ["TRV-2"]
    assert body["merged"]["cells"] == 2
    assert body["merged"]["count"] == 10


def test_the_same_persons_in_two_small_cells_are_not_more_persons() -> None:
    body = statement(cell(range(6)), cell(range(6)), cell(range(100, 150)))

    assert shown(body) == []
    assert body["merged"] == {"cells": 3, "count": 62, "co2e_mg": "62000", "points": "62"}


def test_where_all_are_few_nothing_is_told() -> None:
    body = statement(cell(range(4)), cell(range(5)), cell(range(4, 9)))

    assert body["cells"] == []
    assert body["withheld"] is True
    assert "merged" not in body


def test_reasons_of_fewer_than_ten_rows_stand_together_or_not_at_all() -> None:
    large = cell(range(20))

    assert statement(large, rejected={"late": 10})["rejected"] == [{"code": "late", "count": 10}]
    assert statement(large, rejected={"late": 9})["rejected"] == []
    assert statement(large, rejected={"late": 9, "unpaired": 2, "no-figure": 30})["rejected"] == [
        {"code": "no-figure", "count": 30},
        {"code": "other", "count": 11},
    ]


@given(st.lists(st.sets(st.integers(0, 25), min_size=1, max_size=26), min_size=1, max_size=6))
def test_whatever_is_told_is_about_ten_persons_and_adds_up(groups: list[set[int]]) -> None:
    cells = [cell(group) for group in groups]
    body = statement(*cells)
    told = {name: cells[int(name.removeprefix("TRV-"))] for name in shown(body)}
    hidden = [each for number, each in enumerate(cells) if f"TRV-{number}" not in told]
    together = {person for each in hidden for person in each.persons}

    assert all(len(each.persons) >= PERSONS_MIN for each in told.values())
    if "merged" in body:
        assert len(together) >= PERSONS_MIN
        assert body["merged"]["cells"] == len(hidden) > 1
        assert body["merged"]["count"] == sum(each.count for each in hidden)
    else:
        assert bool(hidden) == body.get("withheld", False)


class LaterClock(SystemClock):
    """Some days after the real day."""

    def __init__(self, day: date) -> None:
        self._day = day

    def now(self) -> datetime:
        return datetime(self._day.year, self._day.month, self._day.day, tzinfo=UTC)


def test_a_day_closes_three_days_after_it_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = date(2025, 3, 16)
    home = make_home(tmp_path, monkeypatch)
    convert(home, write_trips(tmp_path / "a.ndjson", [trip(1, start_time=f"{day}T08:00:00+08:00")]))

    for wait, closes in ((2, False), (3, True)):
        monkeypatch.setattr(
            "gateway.app.base.home.SystemClock", lambda wait=wait: LaterClock(day + timedelta(wait))
        )
        if closes:
            assert close_day_of(home, str(day))["platforms"] == {"cn-420100/wuhan": "closed"}
        else:
            with pytest.raises(Refused):
                close_day_of(home, str(day), platform="cn-420100/wuhan")


def test_a_day_is_closed_once_and_what_comes_later_is_a_supplement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path, monkeypatch)
    rows = [trip(number, start_time="2025-03-16T08:00:00+08:00") for number in range(3)]
    convert(home, write_trips(tmp_path / "a.ndjson", rows[:2]))

    assert close_day_of(home, "2025-03-16")["platforms"] == {"cn-420100/wuhan": "closed"}
    with pytest.raises(Refused, match="anything to close"):
        close_day_of(home, "2025-03-16")
    convert(home, write_trips(tmp_path / "b.ndjson", rows[2:]))

    assert close_day_of(home, "2025-03-16")["platforms"] == {"cn-420100/wuhan": "supplement 1"}


@pytest.mark.parametrize("day", ["2025-3-16", "yesterday", "2025-02-30", ""])
def test_what_is_no_day_is_not_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, day: str) -> None:
    home = make_home(tmp_path, monkeypatch)
    convert(home, write_trips(tmp_path / "a.ndjson", [trip(1)]))

    with pytest.raises(UsageError, match="is not a day"):
        close_day_of(home, day)
