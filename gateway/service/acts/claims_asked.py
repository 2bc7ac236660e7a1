"""What is asked of the claims about the acts of a part: whose they are, of which kind, and when they were."""

from array import array
from collections.abc import Sequence
from datetime import date
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gateway.claims import NO_KIND, Kinds
from gateway.model.codes import EVIDENCE_GRADES
from gateway.service.acts.recording import ActColumns

__all__ = ["ClaimsAsked", "claims_asked", "day_before_any", "whole_day"]

_DAY_S: Final = 86_400
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_AHEAD_S: Final = 14 * 3600  # the zone furthest ahead: a local day begins there first
_BEHIND_S: Final = 12 * 3600  # the zone furthest behind: a local day ends there last
_RANKS: Final = {grade: rank for rank, grade in enumerate(EVIDENCE_GRADES)}

_Ints = NDArray[np.int64]
_Day = TypeVar("_Day", int, _Ints)


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
    numbers = _packed(list(map(number_of.__getitem__, acts.behaviour)))
    accounts = {person: place for place, person in enumerate(dict.fromkeys(acts.person))}
    ordinals = _packed(days)
    starts, ends, whole = _spans(kinds, numbers, days=ordinals, times=times)
    return ClaimsAsked(
        b"".join(accounts),
        numbers=_packed(list(map(accounts.__getitem__, acts.person))).astype(np.int32),
        kinds=numbers.astype(np.int16),
        days=ordinals.astype(np.int32),
        starts=starts,
        ends=ends,
        ranks=_packed(list(map(_RANKS.__getitem__, acts.evidence))).astype(np.uint8),
        whole=whole,
    )


def _packed(column: Sequence[Any]) -> _Ints:
    return np.frombuffer(array("q", column), np.int64)  # twice as fast as numpy itself takes up a list


def _spans(
    kinds: Kinds, numbers: _Ints, *, days: _Ints, times: tuple[Sequence[int | None], Sequence[int | None]]
) -> tuple[_Ints, _Ints, NDArray[np.bool_]]:
    """Return starts, ends, and which acts stand for a whole day: the daily ones, and those without times."""
    (starts, has_start), (ends, has_end) = map(_known, times)
    assumed = np.array([kind.assumed_s for kind in kinds.kinds])
    daily = np.array([kind.by == "day" for kind in kinds.kinds])
    whole = ~has_start | (daily[numbers] & (numbers != NO_KIND))
    ends = np.where(has_end, ends, starts + assumed[numbers])
    first, last = whole_day(days)
    return np.where(whole, first, starts), np.where(whole, last, ends), whole


def _known(times: Sequence[int | None]) -> tuple[_Ints, NDArray[np.bool_]]:
    """Return seconds, zero where there are none, and where there are some."""
    if None not in times:
        return _packed(times), np.ones(len(times), np.bool_)
    if set(times) == {None}:
        return np.zeros(len(times), np.int64), np.zeros(len(times), np.bool_)
    return _packed([second or 0 for second in times]), np.array([second is not None for second in times])


def whole_day(day: _Day) -> tuple[_Day, _Day]:
    """Return seconds from before until after everything of a local day, wherever it is; also of many days."""
    first = (day - _EPOCH_DAY) * _DAY_S
    return first - _AHEAD_S, first + _DAY_S + _BEHIND_S


def day_before_any(day: int) -> int:
    """Return the second at which the day after a day begins where it begins first."""
    return whole_day(day + 1)[0]
