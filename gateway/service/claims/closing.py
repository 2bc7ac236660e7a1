"""Close the claims of days: what was provisional stays as it is, and the times of acts are deleted."""

from datetime import date, datetime, timedelta

from gateway.claims import CLOSE_DAYS, Act, Kinds, closed_through, holding
from gateway.errors import Refused, UsageError
from gateway.ports import ClaimStore
from gateway.service.acts.claims_asked import day_before_any

__all__ = ["close_claims", "day_to_close"]


def day_to_close(text: str, *, now: datetime) -> int:
    """Return the ordinal number of a day (YYYY-MM-DD) whose claims can be closed.

    Raises:
        UsageError: it is not a day.
        Refused: acts of that day may still come.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a day", remedy="write it as 2025-03-16") from error
    if day.toordinal() > closed_through(now):
        closes = (day + timedelta(days=CLOSE_DAYS)).isoformat()
        raise Refused(f"the claims of {day} can be closed from {closes} on", remedy="wait until then")
    return day.toordinal()


def close_claims(day: int, claims: ClaimStore, *, kinds: Kinds) -> None:
    """Close all days up to one, given as an ordinal number, unless that has been done.

    Acts that hold and reach into a later day are kept until none can overlap them any more.
    """
    if day <= claims.closed() or not claims.in_use():
        return

    def held(acts: list[Act]) -> set[Act]:
        return {act for act, by in holding(acts, kinds).items() if by is None}

    claims.close(day, edge=day_before_any(day), held=held)
