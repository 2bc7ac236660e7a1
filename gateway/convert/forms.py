"""Readers of days and times not written as ISO 8601 says: a closed list of forms, nothing guessed."""

import re
from collections.abc import Callable
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from gateway.convert.instants import (
    EPOCH_DAY,
    SECONDS_OF_DAY,
    YEAR_FIRST,
    YEAR_LAST,
    DateReader,
    InstantReader,
    instant_of_local,
    steady_offset,
)
from gateway.convert.outcome import Refusal, shape
from gateway.convert.program import DateForm, Field, Form, TimeForm
from gateway.convert.scalars import Memo
from gateway.model.codes import Rejection

__all__ = ["DATE_PATTERNS", "EXCHANGEABLE", "TIME_PATTERNS", "date_reader", "instant_reader"]

_YEAR: Final = "(?P<year>[0-9]{4})"
_MONTH: Final = "(?P<month>[0-9]{1,2})"
_DAY: Final = "(?P<day>[0-9]{1,2})"
_HOUR: Final = "(?P<hour>[01][0-9]|2[0-3])"
_MINUTE: Final = "(?P<minute>[0-5][0-9])"
_SECOND: Final = "(?P<second>[0-5][0-9])"

DATE_PATTERNS: Final[dict[DateForm, str]] = {
    "YYYY-MM-DD": f"{_YEAR}-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})",
    "YYYYMMDD": f"{_YEAR}(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}})",
    "YYYY/M/D": f"{_YEAR}/{_MONTH}/{_DAY}",
    "YYYY年M月D日": f"{_YEAR}年{_MONTH}月{_DAY}日",
    "M/D/YYYY": f"{_MONTH}/{_DAY}/{_YEAR}",
    "D/M/YYYY": f"{_DAY}/{_MONTH}/{_YEAR}",
    "D-M-YYYY": f"{_DAY}-{_MONTH}-{_YEAR}",
    "D.M.YYYY": f"{_DAY}\\.{_MONTH}\\.{_YEAR}",
}
"""Each form of a day; M and D may have a leading zero."""

EXCHANGEABLE: Final[frozenset[DateForm]] = frozenset({"M/D/YYYY", "D/M/YYYY", "D-M-YYYY", "D.M.YYYY"})
"""The forms that two countries read in two ways."""

TIME_PATTERNS: Final[dict[TimeForm, str]] = {
    "hh:mm:ss": f"{_HOUR}:{_MINUTE}:{_SECOND}",
    "hh:mm": f"{_HOUR}:{_MINUTE}",
    "h:mm:ss AM/PM": f"(?P<half_hour>0?[1-9]|1[0-2]):{_MINUTE}:{_SECOND} (?P<half>[AP]M)",
    "hmm": "(?P<number>0|[1-9][0-9]{0,3})",
}
"""Each form of a time of day."""


def date_reader(field: Field) -> Callable[[str], int | Refusal]:
    """Return the reader of a day, as its ordinal number."""
    return DateReader(field.name) if field.form is None else _FormedDateReader(field.name, field.form)


def instant_reader(field: Field) -> Callable[[str], int | Refusal]:
    """Return the reader of an instant, as seconds since 1970 (UTC)."""
    if field.form is None or field.zone is None:
        return InstantReader(field.name, field.zone)
    return _FormedInstantReader(field.name, field.form, zone=field.zone)


class _FormedDateReader:
    def __init__(self, name: str, form: Form) -> None:
        self._name = name
        self._form = form
        self._pattern = re.compile(DATE_PATTERNS[form.date])

    def __call__(self, text: str) -> int | Refusal:
        match = self._pattern.fullmatch(text)
        day = None if match is None else _day_number(match)
        if match is None or day is None:
            return self._refuse(f"a day {self._form.date} from {YEAR_FIRST} to {YEAR_LAST}", text)
        if (
            not self._form.exchangeable
            and int(match["day"]) <= 12
            and int(match["day"]) != int(match["month"])
        ):
            return self._refuse(f"a day {self._form.date} that is none with day and month exchanged", text)
        return day

    def _refuse(self, expected: str, text: str) -> Refusal:
        return Refusal(Rejection.MALFORMED_ROW, self._name, f"expected {expected}, not {shape(text)}")


class _FormedInstantReader:
    """Reads ``<day> <time>`` of a declared zone; what a zone skips or has twice is as for ISO times."""

    def __init__(self, name: str, form: Form, *, zone: ZoneInfo) -> None:
        self._name = name
        self._zone = zone
        self._form = form
        self._days = Memo(_FormedDateReader(name, form))
        self._times = Memo(_time_reader(form.time))
        self._steady = Memo(self._offset_of_day)

    def __call__(self, text: str) -> int | Refusal:
        day_text, _, time_text = text.partition(" ")
        day, second = self._days[day_text], self._times[time_text]
        if isinstance(day, Refusal):
            return day
        if second is not None:
            local = (day - EPOCH_DAY) * SECONDS_OF_DAY + second
            steady = self._steady[day_text]
            found = instant_of_local(local, self._zone) if steady is None else local - steady
            if found is not None:
                return found
        expected = f"an existing time {self._form.date} {self._form.time} in {self._zone.key}"
        return Refusal(Rejection.MALFORMED_ROW, self._name, f"expected {expected}, not {shape(text)}")

    def _offset_of_day(self, text: str) -> int | None:
        day = self._days[text]
        return None if isinstance(day, Refusal) else steady_offset(day, self._zone)


def _day_number(match: re.Match[str]) -> int | None:
    year, month, day = map(int, match.group("year", "month", "day"))
    if not YEAR_FIRST <= year <= YEAR_LAST:
        return None
    try:
        return date(year, month, day).toordinal()
    except ValueError:
        return None


def _time_reader(form: TimeForm) -> Callable[[str], int | None]:
    pattern = re.compile(TIME_PATTERNS[form])

    def read(text: str) -> int | None:
        match = pattern.fullmatch(text)
        return None if match is None else _second_of_day(match.groupdict())

    return read


def _second_of_day(parts: dict[str, str]) -> int | None:
    if "number" in parts:
        hour, minute = divmod(int(parts["number"]), 100)
    else:
        minute = int(parts["minute"])
        hour = int(parts["hour"]) if "hour" in parts else _hour_of_half(parts)
    if hour > 23 or minute > 59:
        return None
    return hour * 3600 + minute * 60 + int(parts.get("second", "0"))


def _hour_of_half(parts: dict[str, str]) -> int:
    """Return the hour of a 12-hour clock, where 12 comes before 1."""
    return int(parts["half_hour"]) % 12 + (12 if parts["half"] == "PM" else 0)
