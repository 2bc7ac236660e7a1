"""Times as exports write them, brought into the one form that a mapping reads."""

import re
from datetime import datetime
from typing import Final, Literal

__all__ = ["DayOrder", "local_time"]

DayOrder = Literal["year-first", "month-first", "day-first"]

_CLOCK: Final = r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?"
_YEAR_FIRST: Final = re.compile(rf"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}})[ T]{_CLOCK}")
_YEAR_LAST: Final = re.compile(rf"([0-9]{{1,2}})/([0-9]{{1,2}})/([0-9]{{4}}) {_CLOCK}")


def local_time(text: str, order: DayOrder) -> str | None:
    """Return a time without zone as ``YYYY-MM-DD HH:MM:SS``; None if it is not written in that order.

    ``year-first`` is 2016-01-10, ``month-first`` 1/10/2016, ``day-first`` 10/01/2016. The order is
    stated and never guessed: most days can be read both ways. Seconds that are not written are 00.
    """
    match = (_YEAR_FIRST if order == "year-first" else _YEAR_LAST).fullmatch(text)
    if match is None:
        return None
    first, second, third, hour, minute, seconds = (int(part or 0) for part in match.groups())
    year, month, day = {
        "year-first": (first, second, third),
        "month-first": (third, first, second),
        "day-first": (third, second, first),
    }[order]
    try:
        return datetime(year, month, day, hour, minute, seconds).isoformat(" ")  # noqa: DTZ001 - no zone is meant
    except ValueError:
        return None
