"""When claims close: the third day after an act begins, and never open again."""

from datetime import UTC, date, datetime

import pytest

from gateway.claims import closed_through

DAY = date(2026, 11, 19)


@pytest.mark.parametrize(
    ("moment", "last"),
    [
        (datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC), date(2026, 11, 18)),
        (datetime(2026, 11, 22, tzinfo=UTC), DAY),
        (datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC), DAY),
        (datetime(2026, 11, 23, tzinfo=UTC), date(2026, 11, 20)),
    ],
)
def test_a_day_closes_when_the_third_day_after_it_begins(moment: datetime, last: date) -> None:
    assert closed_through(moment) == last.toordinal()


@pytest.mark.parametrize(("before", "after"), [(-1, 0), (0, 0), (1, 1)])
def test_a_day_that_was_closed_stays_closed_though_the_clock_goes_back(before: int, after: int) -> None:
    moment = datetime(2026, 11, 22, tzinfo=UTC)

    assert closed_through(moment, closed=DAY.toordinal() + before) == DAY.toordinal() + after


def test_before_the_fourth_day_of_the_calendar_nothing_is_closed() -> None:
    assert [closed_through(datetime(1, 1, day, tzinfo=UTC)) for day in (1, 3, 4, 5)] == [0, 0, 1, 2]
