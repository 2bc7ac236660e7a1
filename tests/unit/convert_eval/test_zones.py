"""Local times and local days are right on every day of a year, also where clocks change in odd ways."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.convert.instants import InstantReader, LocalDays, start_of_day
from gateway.convert.outcome import Refusal

ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Berlin",  # the clocks change and a local day begins on the same UTC day
    "America/Nuuk",  # the clocks change at 22:00, which is the next UTC day
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Auckland",  # the local day begins half a day before the UTC day
    "Pacific/Honolulu",
)
WITHOUT_MIDNIGHT = ("Africa/Cairo", "America/Santiago", "Asia/Beirut", "America/Havana")  # or with two
TIMES = ("00:00:00", "00:30:00", "01:30:00", "02:15:00", "03:00:00", "12:00:00", "22:30:00", "23:59:59")


def days() -> Iterator[date]:
    """Give every day of a leap year and the day after it."""
    return (date(2024, 1, 1) + timedelta(number) for number in range(367))


def instant_of(text: str, zone: ZoneInfo) -> int | None:
    """Find the earlier instant that a zone's clocks show so, or None, by the standard library alone."""
    instant = datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
    shown = instant.astimezone(zone).replace(tzinfo=None)
    return int(instant.timestamp()) if shown == datetime.fromisoformat(text) else None


@pytest.mark.parametrize("name", ZONES)
def test_a_local_time_of_any_day_is_the_instant_at_which_clocks_show_it(name: str) -> None:
    zone = ZoneInfo(name)
    reader = InstantReader("start", zone)

    for text in (f"{day} {time}" for day in days() for time in TIMES):
        found = reader(text)

        assert (None if isinstance(found, Refusal) else found) == instant_of(text, zone), text


@pytest.mark.parametrize("name", ZONES)
def test_the_local_day_of_any_hour_is_what_calendars_there_show(name: str) -> None:
    zone = ZoneInfo(name)
    local = LocalDays(zone)
    start = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())

    for instant in range(start, start + 367 * 86_400, 1800):
        shown = datetime.fromtimestamp(instant, zone).date()

        assert local.day(instant) == shown.toordinal(), shown


@pytest.mark.parametrize("name", ZONES + WITHOUT_MIDNIGHT)
def test_a_local_day_starts_at_its_first_instant(name: str) -> None:
    zone = ZoneInfo(name)

    for day in days():
        start = start_of_day(day.toordinal(), zone)

        assert datetime.fromtimestamp(start, zone).date() == day
        assert datetime.fromtimestamp(start - 1, zone).date() == day - timedelta(days=1)
