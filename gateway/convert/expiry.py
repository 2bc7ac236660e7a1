"""When points lapse."""

from calendar import monthrange
from datetime import date, timedelta

from gateway.convert.program import Expiry

__all__ = ["expires_on"]


def expires_on(expiry: Expiry | None, day: date) -> date | None:
    """Give the last local day on which points of that day's act are valid; None if they never lapse.

    Months are counted first and a day that the month does not have becomes its last one; then days.
    """
    if expiry is None:
        return None
    months = day.year * 12 + day.month - 1 + expiry.months
    year, month = divmod(months, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last)) + timedelta(days=expiry.days)
