"""What is asked of the claims about the acts of a part: whose they are, of which kind, and when they were."""

from array import array
from collections.abc import Sequence, Set
from datetime import date
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    """Acts column by column; ``accounts`` are the distinct ones, packed, ``numbers`` their places there."""

    accounts: bytes
    numbers: NDArray[np.int32]
    kinds: NDArray[np.int16]
    days: NDArray[np.int32]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    ranks: NDArray[np.uint8]
    whole: NDArray[np.bool_]


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
    numbers = list(map(number_of.__getitem__, acts.behaviour))
    daily = {n for n in number_of.values() if n != NO_KIND and kinds.kinds[n].by == "day"}
    accounts = {person: place for place, person in enumerate(dict.fromkeys(acts.person))}
    starts, ends = times
    whole: Sequence[bool] | None = None
    if daily or None in starts or None in ends:
        starts, ends, whole = _spans(kinds, numbers, days=days, times=times, daily=daily)
    return ClaimsAsked(
        b"".join(accounts),
        numbers=_packed(list(map(accounts.__getitem__, acts.person))).astype(np.int32),
        kinds=_packed(numbers).astype(np.int16),
        days=_packed(days).astype(np.int32),
        starts=_packed(starts),
        ends=_packed(ends),
        ranks=_packed(list(map(_RANKS.__getitem__, acts.evidence))).astype(np.uint8),
        whole=np.zeros(len(numbers), np.bool_) if whole is None else np.array(whole, np.bool_),
    )


def _packed(column: Sequence[Any]) -> NDArray[np.int64]:
    return np.frombuffer(array("q", column), np.int64)  # twice as fast as numpy itself takes up a list


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
