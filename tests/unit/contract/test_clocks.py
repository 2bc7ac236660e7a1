"""Times of exports: one stated order of day and month, never a guess."""

import pytest

from gateway.contract import DayOrder, local_time


@pytest.mark.parametrize(
    ("text", "order", "wanted"),
    [
        ("2016-12-01 00:00:04", "year-first", "2016-12-01 00:00:04"),
        ("2016-12-01T00:00:04", "year-first", "2016-12-01 00:00:04"),
        ("2016-12-01 00:00", "year-first", "2016-12-01 00:00:00"),
        ("1/10/2016 7:05", "month-first", "2016-01-10 07:05:00"),
        ("10/01/2016 07:05", "day-first", "2016-01-10 07:05:00"),
        ("12/31/2016 23:59:58", "month-first", "2016-12-31 23:59:58"),
        ("2/29/2016 0:00", "month-first", "2016-02-29 00:00:00"),
    ],
)
def test_time_comes_out_in_one_form(text: str, order: DayOrder, wanted: str) -> None:
    assert local_time(text, order) == wanted


@pytest.mark.parametrize(
    ("text", "order"),
    [
        pytest.param("31/12/2016 10:00", "month-first", id="day first where month first is stated"),
        pytest.param("12/31/2016 10:00", "day-first", id="month first where day first is stated"),
        pytest.param("1/10/2016 10:00", "year-first", id="bars where dashes are stated"),
        pytest.param("2016-01-10 10:00", "day-first", id="dashes where bars are stated"),
        pytest.param("2/29/2017 0:00", "month-first", id="no such day"),
        pytest.param("1/1/17 0:00", "month-first", id="year of two digits"),
        pytest.param("1/1/2017 24:00", "month-first", id="no such hour"),
        pytest.param("1/1/2017 5:00 PM", "month-first", id="half of the day"),
        pytest.param("2016-12-01 00:00:04Z", "year-first", id="an offset"),
        pytest.param("2016-12-01 00:00:04.5", "year-first", id="a fraction"),
        pytest.param("2016-12-01", "year-first", id="a day without time"),
        pytest.param("２016-12-01 00:00:04", "year-first", id="a wide digit"),
        pytest.param("2016-12-01 00:00:04\n", "year-first", id="a line break behind"),
        pytest.param("0000-01-01 00:00:00", "year-first", id="no such year"),
        pytest.param("", "year-first", id="nothing"),
    ],
)
def test_time_written_otherwise_is_no_time(text: str, order: DayOrder) -> None:
    assert local_time(text, order) is None
