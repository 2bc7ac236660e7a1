"""What is asked of the claims about the acts of a part: whose they are, of which kind, and when they were."""

from array import array
from collections.abc import Sequence, Set
from datetime import date
from typing import Final, NamedTuple

from gateway.claims import NO_KIND, Kinds
from gateway.model.codes import EVIDENCE_GRADES
from gateway.service.recording import ActColumns

__all__ = ["ClaimsAsked", "claims_asked", "day_before_any", "whole_day"]

_DAY_S: Final = 86_400
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_AHEAD_S: Final = 14 * 3600  # the zone furthest ahead: a local day begins there first
_BEHIND_S: Final = 12 * 3600  # the zone furthest behind: a local day ends there last
_RANKS: Final = {grade: rank for rank, grade in enumerate(EVIDENCE_GRADES)}


class ClaimsAsked(NamedTuple):
    """Acts column by column; ``accounts`` are the distinct ones, ``numbers`` their places there.

    The columns are packed: they travel from the process that prepares.
    """

    accounts: list[bytes]
    numbers: "array[int]"
    kinds: "array[int]"
    days: "array[int]"
    starts: "array[int]"
    ends: "array[int]"
    ranks: "array[int]"
    whole: "array[int]"


def claims_asked(
    kinds: Kinds,
    *,
    acts: ActColumns,
    days: Sequence[int],
    times: tuple[Sequence[int | None], Sequence[int | None]],
) -> ClaimsAsked:
    """Collect what claims ask of acts.

    Args:
        kinds: the declaration of kinds.
        acts: the acts; their persons are pseudonyms.
        days: their local days, as ordinal numbers.
        times: their starts and ends, where they have some.
    """
    number_of = {behaviour: kinds.number(behaviour) for behaviour in set(acts.behaviour)}
    numbers = [number_of[behaviour] for behaviour in acts.behaviour]
    daily = {n for n in number_of.values() if n != NO_KIND and kinds.kinds[n].by == "day"}
    accounts: dict[bytes, int] = {}
    places = [accounts.setdefault(person, len(accounts)) for person in acts.person]
    ranks = [_RANKS[grade] for grade in acts.evidence]
    starts, ends = times
    if daily or None in starts or None in ends:
        starts, ends, whole = _spans(kinds, numbers, days=days, times=times, daily=daily)
    else:
        whole = [False] * len(numbers)
    columns = (places, numbers, days, starts, ends, ranks, whole)
    return ClaimsAsked(list(accounts), *map(_packed, columns))


def _packed(column: Sequence[int | None]) -> "array[int]":
    return array("q", column)  # type: ignore[arg-type]  # a missing time was replaced before


def _spans(
    kinds: Kinds,
    numbers: Sequence[int],
    *,
    days: Sequence[int],
    times: tuple[Sequence[int | None], Sequence[int | None]],
    daily: Set[int],
) -> tuple[list[int], list[int], list[bool]]:
    """Return starts, ends, and which acts stand for a whole day: the daily ones, and those without times."""
    assumed = [kind.assumed_s for kind in kinds.kinds]
    starts, ends, whole = list[int](), list[int](), list[bool]()
    for number, day, start, end in zip(numbers, days, *times, strict=True):
        for_its_day = start is None or number in daily
        whole.append(for_its_day)
        if start is None or for_its_day:
            first, last = whole_day(day)
        else:
            first, last = start, start + assumed[number] if end is None else end
        starts.append(first)
        ends.append(last)
    return starts, ends, whole


def whole_day(day: int) -> tuple[int, int]:
    """Return seconds from before until after everything of a local day, wherever it is."""
    first = (day - _EPOCH_DAY) * _DAY_S
    return first - _AHEAD_S, first + _DAY_S + _BEHIND_S


def day_before_any(day: int) -> int:
    """Return the second at which the day after a day begins where it begins first."""
    return whole_day(day + 1)[0]
