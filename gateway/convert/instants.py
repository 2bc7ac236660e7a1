"""Strict readers of days and instants, and the local day of an instant."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gateway.convert.outcome import Refusal, shape
from gateway.convert.scalars import Memo
from gateway.model.codes import Rejection

__all__ = ["DateReader", "InstantReader", "LocalDays", "instant_of_local", "start_of_day", "steady_offset"]

YEAR_FIRST: Final = 1970  # no act is older than the platforms; zones have whole-second rules throughout
YEAR_LAST: Final = 2199
SECONDS_OF_DAY: Final = 86_400
CACHED_DAYS_MAX: Final = 1 << 16
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY: Final = EPOCH.toordinal()

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])")
_REST = re.compile(r"(?:\.[0-9]{1,9})?(?:(Z)|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?")
_NO_OFFSET: Final = SECONDS_OF_DAY  # no real offset reaches a day


def _day_number(text: str) -> int | None:
    if _DAY.fullmatch(text) is None or not YEAR_FIRST <= int(text[:4]) <= YEAR_LAST:
        return None
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        return None


def _second_of_day(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]) if match else None


def _offset_seconds(text: str) -> int | None:
    match = _REST.fullmatch(text)
    if match is None:
        return None
    if match[2]:
        seconds = int(match[3]) * 3600 + int(match[4]) * 60
        return seconds if match[2] == "+" else -seconds
    return 0 if match[1] else _NO_OFFSET


class DateReader:
    """Reads ``YYYY-MM-DD`` to the day's ordinal number."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, text: str) -> int | Refusal:
        """Give the day as :meth:`datetime.date.toordinal` counts, or say why not."""
        day = _day_number(text)
        if day is None:
            expected = f"a day YYYY-MM-DD from {YEAR_FIRST} to {YEAR_LAST}"
            return Refusal(Rejection.MALFORMED_ROW, self._name, f"expected {expected}, not {shape(text)}")
        return day


class InstantReader:
    """Reads RFC 3339 instants, or local times of a declared zone, to whole seconds since 1970 (UTC).

    A fraction of a second is cut off; leap seconds and local times that a zone skips are refused;
    a local time that occurs twice is the earlier one.
    """

    def __init__(self, name: str, zone: ZoneInfo | None) -> None:
        self._name = name
        self._zone = zone
        self._days = Memo(_day_number)
        self._seconds = Memo(_second_of_day)
        self._offsets = Memo(_offset_seconds)
        self._steady = Memo(self._offset_of_day)

    def __call__(self, text: str) -> int | Refusal:
        """Give the instant, or say why not."""
        day = self._days[text[:10]]
        second = self._seconds[text[11:19]]
        offset = self._offsets[text[19:]]
        if day is None or second is None or offset is None or text[10] not in "T ":
            return self._refuse(text)
        local = (day - EPOCH_DAY) * SECONDS_OF_DAY + second
        if offset != _NO_OFFSET:
            return local - offset
        steady = self._steady[text[:10]]
        if steady is not None:
            return local - steady
        found = None if self._zone is None else instant_of_local(local, self._zone)
        return self._refuse(text) if found is None else found

    def _offset_of_day(self, text: str) -> int | None:
        day = self._days[text]
        return None if day is None or self._zone is None else steady_offset(day, self._zone)

    def _refuse(self, text: str) -> Refusal:
        offset = "with an offset" if self._zone is None else f"in {self._zone.key}"
        expected = f"an existing time YYYY-MM-DDThh:mm:ss {offset} from {YEAR_FIRST} to {YEAR_LAST}"
        return Refusal(Rejection.MALFORMED_ROW, self._name, f"expected {expected}, not {shape(text)}")


def instant_of_local(local: int, zone: ZoneInfo) -> int | None:
    """Give the instant of a local time in seconds; None where the zone skips it, the earlier of two."""
    wall = (EPOCH + timedelta(seconds=local)).replace(tzinfo=zone)
    instant = local - _seconds(wall.utcoffset())
    # In a gap the offset before it is given, which does not hold at the instant it leads to.
    return instant if local - instant == _offset_at(instant, zone) else None


def steady_offset(day: int, zone: ZoneInfo) -> int | None:
    """Give the zone's offset if no clock changes on the day before, the day, or the day after."""
    start = (day - EPOCH_DAY) * SECONDS_OF_DAY
    first = _offset_at(start - SECONDS_OF_DAY, zone)
    return first if first == _offset_at(start + 2 * SECONDS_OF_DAY, zone) else None


def start_of_day(day: int, zone: ZoneInfo) -> int:
    """Give the first instant of a local day."""
    # Where the zone skips midnight, the offset before the change leads to the instant of the change.
    midnight = datetime.fromordinal(day).replace(tzinfo=zone)
    return (day - EPOCH_DAY) * SECONDS_OF_DAY - _seconds(midnight.utcoffset())


def _offset_at(instant: int, zone: ZoneInfo) -> int:
    return _seconds((EPOCH + timedelta(seconds=instant)).astimezone(zone).utcoffset())


def _seconds(offset: timedelta | None) -> int:
    return 0 if offset is None else offset.days * SECONDS_OF_DAY + offset.seconds


class LocalDays:
    """Finds the local day of an instant in one zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._offsets: dict[int, int | None] = {}

    def day(self, instant: int) -> int:
        """Give the ordinal number of the local day."""
        utc_day = instant // SECONDS_OF_DAY
        offset = self._offsets[utc_day] if utc_day in self._offsets else self._remember(utc_day)
        if offset is None:
            offset = _offset_at(instant, self._zone)
        return (instant + offset) // SECONDS_OF_DAY + EPOCH_DAY

    def _remember(self, utc_day: int) -> int | None:
        """Keep the one offset of a UTC day, or None for a day on which the clocks change."""
        first = _offset_at(utc_day * SECONDS_OF_DAY, self._zone)
        last = _offset_at((utc_day + 1) * SECONDS_OF_DAY, self._zone)
        if len(self._offsets) >= CACHED_DAYS_MAX:
            self._offsets.clear()
        self._offsets[utc_day] = first if first == last else None
        return self._offsets[utc_day]
