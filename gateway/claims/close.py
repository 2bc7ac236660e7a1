"""When claims close: until then they are provisional, after it nothing changes."""

from datetime import datetime
from typing import Final

__all__ = ["CLOSE_DAYS", "closed_through"]

CLOSE_DAYS: Final = 3  # what platforms deliver a day or a weekend late is still compared


def closed_through(moment: datetime, *, closed: int = 0) -> int:
    """Return the last day, as an ordinal number, whose claims are closed at a moment.

    Args:
        moment: the moment, in UTC; a day closes when the third day after it begins.
        closed: a day that was closed before; days never open again, even if a clock goes back.
    """
    return max(closed, moment.toordinal() - CLOSE_DAYS)
