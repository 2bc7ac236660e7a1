"""Decimals are read by one strict grammar; days and instants likewise."""

from zoneinfo import ZoneInfo

import pytest

from gateway.convert.instants import DateReader, InstantReader, LocalDays
from gateway.convert.interpret import Interpreter
from gateway.convert.outcome import Refusal, quoted, shape
from gateway.convert.scalars import MEMO_ENTRIES_MAX, DecimalReader, Memo, decimal_text
from gateway.model.codes import Rejection
from tests.fakes.mappings import SHANGHAI, act, decimal_field, yunxi

NEW_YORK = ZoneInfo("America/New_York")
FORTY = "1" + "0" * 39


def read(text: str, **changes: object) -> int | Rejection:
    """Read with three decimals from -300 to 300, unless told otherwise."""
    value = DecimalReader(decimal_field("x", low=-300_000, **changes))(text)  # type: ignore[arg-type]  # members by name, of any type
    return value.code if isinstance(value, Refusal) else value


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("-0", 0), ("-0.000", 0), ("10.186", 10186), ("10.1", 10100), ("7", 7000), ("-1.5", -1500)],
)
def test_a_decimal_becomes_an_integer_of_its_scale(text: str, value: int) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1 ",
        " 1",
        "+1",
        "01",
        "-01",
        "00",
        ".5",
        "1.",
        "-",
        "1e3",
        "1_0",
        "0x1",
        "NaN",
        "１２",
        "1\n",
        "−1",
        "1,5",
        "٣",
    ],
)
def test_anything_but_the_strict_form_is_not_a_decimal(text: str) -> None:
    assert read(text) is Rejection.NOT_A_DECIMAL


def test_forty_characters_are_read_and_forty_one_are_not() -> None:
    assert read(FORTY, high=10**60) == 10**42
    assert read(FORTY + "0", high=10**60) is Rejection.NOT_A_DECIMAL


def test_more_decimals_than_declared_are_rejected_as_written() -> None:
    assert read("1.2345") is Rejection.EXCESS_DIGITS
    assert read("1.2340") is Rejection.EXCESS_DIGITS
    assert read("1.234") == 1234


@pytest.mark.parametrize(
    ("mode", "plus", "minus"),
    [
        ("half_up", 1235, -1235),
        ("half_down", 1234, -1234),
        ("half_even", 1234, -1234),
        ("floor", 1234, -1235),
        ("ceiling", 1235, -1234),
        ("down", 1234, -1234),
        ("up", 1235, -1235),
    ],
)
def test_more_decimals_than_declared_are_rounded_as_told(mode: str, plus: int, minus: int) -> None:
    assert read("1.2345", excess=mode) == plus
    assert read("-1.2345", excess=mode) == minus


def test_bounds_are_part_of_what_is_allowed_and_one_ulp_beyond_is_not() -> None:
    assert (read("300"), read("-300")) == (300_000, -300_000)
    assert read("300.001") is Rejection.OUT_OF_BOUNDS
    assert read("-300.001") is Rejection.OUT_OF_BOUNDS


def test_bounds_hold_after_the_rounding_of_excess_digits() -> None:
    assert read("300.0004", excess="half_up") == 300_000
    assert read("300.0005", excess="half_up") is Rejection.OUT_OF_BOUNDS


def test_a_refusal_says_what_was_expected_and_quotes_little() -> None:
    refusal = DecimalReader(decimal_field("x"))("9" * 50)

    assert isinstance(refusal, Refusal)
    assert refusal.field == "x"
    assert refusal.detail == f"expected a decimal such as 12.5, not '{'9' * 32}'... (50 characters)"


@pytest.mark.parametrize(
    ("scaled", "scale", "text"),
    [(0, 0, "0"), (-5, 3, "-0.005"), (-1, 3, "-0.001"), (12345, 2, "123.45"), (7, 1, "0.7")],
)
def test_a_scaled_integer_is_written_with_all_its_decimals(scaled: int, scale: int, text: str) -> None:
    assert decimal_text(scaled, scale) == text


def test_what_cannot_be_seen_is_quoted_escaped() -> None:
    assert quoted("地铁\u202e\n") == "'地铁\\u202e\\n'"


def test_a_text_of_32_characters_is_quoted_whole_and_a_longer_one_cut() -> None:
    assert quoted("a" * 32) == f"'{'a' * 32}'"
    assert quoted("a" * 33) == f"'{'a' * 32}'... (33 characters)"


def test_the_shape_of_a_text_tells_no_digit_and_no_letter() -> None:
    assert shape("2025/03/16 ７h 王") == "'9999/99/99 9A A'"


def test_a_memo_reads_each_text_once_and_stays_small() -> None:
    calls: list[str] = []

    def read_length(text: str) -> int:
        calls.append(text)
        return len(text)

    memo = Memo(read_length)
    for number in range(MEMO_ENTRIES_MAX + 1):
        assert memo[str(number)] == memo[str(number)]

    assert len(calls) == MEMO_ENTRIES_MAX + 1
    assert len(memo) == 1


@pytest.mark.parametrize(
    ("text", "day"), [("1970-01-01", 719163), ("2024-02-29", 738945), ("2199-12-31", 803168)]
)
def test_a_day_is_read_to_its_number(text: str, day: int) -> None:
    assert DateReader("day")(text) == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025-02-29",
        "2025-2-9",
        "20250209",
        "1969-12-31",
        "2200-01-01",
        "2025-13-01",
        "２０25-01-01",
        "2025-01-01T",
    ],
)
def test_a_day_that_is_not_one_is_a_malformed_row(text: str) -> None:
    refusal = DateReader("day")(text)

    assert isinstance(refusal, Refusal)
    assert refusal.code is Rejection.MALFORMED_ROW
    assert "2025" not in refusal.detail


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01 08:00:00+08:00", 0),
        ("1970-01-01T00:00:01.999999999Z", 1),
        ("1970-01-02T00:00:00-05:30", 106_200),
        ("2025-03-16T19:11:48+08:00", 1_742_123_508),
        ("1970-01-01T00:00:00-00:00", 0),
    ],
)
def test_an_instant_is_read_to_whole_seconds(text: str, instant: int) -> None:
    assert InstantReader("start", None)(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025-03-16",
        "2025-03-16T07:00:00",
        "2025-03-16T07:00:60Z",
        "2025-03-16T24:00:00Z",
        "2025-03-16T07:60:00Z",
        "2025-03-16_07:00:00Z",
        "2025-03-16T07:00:00z",
        "2025-03-16T07:00:00+0800",
        "2025-03-16T07:00:00+24:00",
        "2025-03-16T07:00:00+08:60",
        "2025-03-16T07:00:00.Z",
        "2025-03-16T07:00Z",
        "2025-03-16T07:00:00.0000000000Z",
        "2025-02-30T07:00:00Z",
        "1969-12-31T23:59:59Z",
        "2025-03-16T0７:00:00Z",
    ],
)
def test_an_instant_that_is_not_one_is_a_malformed_row(text: str) -> None:
    refusal = InstantReader("start", None)(text)

    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.field) == (Rejection.MALFORMED_ROW, "start")
    assert "03-16" not in refusal.detail


def test_a_time_without_an_offset_is_read_in_the_declared_zone() -> None:
    reader = InstantReader("start", SHANGHAI)

    assert reader("2018-09-01 08:00:00") == 1_535_760_000
    assert reader("2018-09-01T08:00:00.123") == 1_535_760_000
    assert reader("2018-09-01T00:00:00Z") == 1_535_760_000


def test_a_time_that_the_zone_skips_is_refused_and_its_neighbours_are_not() -> None:
    reader = InstantReader("start", NEW_YORK)

    assert reader("2025-03-09 01:59:59") == 1_741_503_599
    assert isinstance(reader("2025-03-09 02:00:00"), Refusal)
    assert isinstance(reader("2025-03-09 02:59:59"), Refusal)
    assert reader("2025-03-09 03:00:00") == 1_741_503_600


def test_a_time_that_occurs_twice_is_the_earlier_one() -> None:
    reader = InstantReader("start", NEW_YORK)

    assert reader("2025-11-02 01:30:00") == reader("2025-11-02 01:30:00-04:00")
    assert reader("2025-11-02 02:00:00") == reader("2025-11-02 02:00:00-05:00")


def test_a_steady_day_beside_a_change_of_clocks_is_read_right() -> None:
    reader = InstantReader("start", NEW_YORK)

    assert reader("2025-03-07 12:00:00") == reader("2025-03-07 12:00:00-05:00")
    assert reader("2025-03-11 12:00:00") == reader("2025-03-11 12:00:00-04:00")


@pytest.mark.parametrize("zone", [SHANGHAI, NEW_YORK, ZoneInfo("Asia/Kathmandu"), ZoneInfo("UTC")])
@pytest.mark.parametrize("text", ["2025-03-09", "2025-03-16", "2025-11-02", "2024-02-29"])
def test_the_local_day_begins_and_ends_at_local_midnight(zone: ZoneInfo, text: str) -> None:
    start = InstantReader("start", zone)(f"{text} 00:00:00")
    day = DateReader("day")(text)
    assert isinstance(start, int)
    assert isinstance(day, int)

    assert LocalDays(zone).day(start) == day
    assert LocalDays(zone).day(start - 1) == day - 1
    last = InstantReader("start", zone)(f"{text} 23:59:59")
    assert isinstance(last, int)
    assert LocalDays(zone).day(last) == day
    assert LocalDays(zone).day(last + 1) == day + 1


@pytest.mark.parametrize(("length", "code"), [(40, None), (41, Rejection.NOT_A_DECIMAL)])
def test_the_interpreter_has_the_same_limit_of_characters(length: int, code: Rejection | None) -> None:
    program = yunxi(fields=(decimal_field("distance", excess="floor"),))
    found = Interpreter(program).convert(act(distance="1." + "0" * (length - 2)))

    assert (found.code if isinstance(found, Refusal) else None) is code
