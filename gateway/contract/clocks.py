"""Times as exports write them, brought into the one form that a mapping reads."""

import re
from datetime import date
from functools import lru_cache
from typing import Final, Literal

__all__ = ["DayOrder", "local_time"]

DayOrder = Literal["year-first", "month-first", "day-first"]

_TIME: Final = re.compile(r"([0-9/-]{8,10})[ T]([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_YEAR_LAST: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_DAYS_KEPT: Final = 4096  # rows of one file are of few days


def local_time(text: str, order: DayOrder) -> str | None:
    """Return a time without zone as ``YYYY-MM-DD HH:MM:SS``; None if it is not written in that order.

    ``year-first`` is 2016-01-10, ``month-first`` 1/10/2016, ``day-first`` 10/01/2016. The order is
    stated and never guessed: most days can be read both ways. Seconds that are not written are 00.
    """
    match = _TIME.fullmatch(text)
    day = match and _day(match[1], order)
    return f"{day} {match[2]:0>2}:{match[3]}:{match[4] or '00'}" if match and day else None


@lru_cache(maxsize=_DAYS_KEPT)
def _day(text: str, order: DayOrder) -> str | None:
    match = (_YEAR_FIRST if order == "year-first" else _YEAR_LAST).fullmatch(text)
    if match is None:
        return None
    first, second, third = map(int, match.groups())
    year, month, day = {
        "year-first": (first, second, third),
        "month-first": (third, first, second),
        "day-first": (third, second, first),
    }[order]
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
