"""The version in force: boundaries of its days."""

from datetime import date, timedelta
from itertools import permutations
from typing import NamedTuple

import pytest

from gateway.catalog import Timeline


class Span(NamedTuple):
    name: str
    effective_from: date
    effective_until: date | None = None


FIRST, SECOND = Span("v1", date(2023, 6, 2)), Span("v2", date(2024, 9, 2))
DAY = timedelta(days=1)


def on(timeline: Timeline[Span], day: date) -> str | None:
    found = timeline.on(day.toordinal())
    return None if found is None else found.name


@pytest.mark.parametrize(
    ("day", "name"),
    [
        pytest.param(date(1, 1, 1), None, id="long before"),
        pytest.param(FIRST.effective_from - DAY, None, id="the day before the first"),
        pytest.param(FIRST.effective_from, "v1", id="the first day"),
        pytest.param(SECOND.effective_from - DAY, "v1", id="the day before the successor"),
        pytest.param(SECOND.effective_from, "v2", id="the successor's first day"),
        pytest.param(date(9999, 12, 31), "v2", id="long after"),
    ],
)
def test_a_version_holds_from_its_first_day_until_its_successor(day: date, name: str | None) -> None:
    for order in permutations((FIRST, SECOND)):
        assert on(Timeline(order), day) == name


def test_the_until_day_is_not_covered_any_more() -> None:
    ended = FIRST._replace(effective_until=date(2024, 1, 1))

    assert on(Timeline([ended]), date(2023, 12, 31)) == "v1"
    assert on(Timeline([ended]), date(2024, 1, 1)) is None
    assert on(Timeline([ended, SECOND]), SECOND.effective_from - DAY) is None
    assert on(Timeline([ended, SECOND]), SECOND.effective_from) == "v2"


def test_without_versions_nothing_is_in_force() -> None:
    assert on(Timeline([]), date(2024, 1, 1)) is None
