"""What is asked of the claims about the acts of a part: whose they are, of which kind, and when they were."""

from collections.abc import Sequence
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
    """Acts column by column; ``accounts`` are the distinct ones, ``numbers`` their places there."""

    accounts: list[bytes]
    numbers: list[int]
    kinds: list[int]
    days: list[int]
    starts: list[int]
    ends: list[int]
    ranks: list[int]
    whole: list[bool]


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
    daily = {number for number in number_of.values() if number != NO_KIND and kinds.kinds[number].by == "day"}
    assumed = [kind.assumed_s for kind in kinds.kinds]
    accounts: dict[bytes, int] = {}
    asked = ClaimsAsked(
        accounts=[],
        numbers=[accounts.setdefault(person, len(accounts)) for person in acts.person],
        kinds=numbers,
        days=list(days),
        starts=[],
        ends=[],
        ranks=[_RANKS[grade] for grade in acts.evidence],
        whole=[start is None or number in daily for number, start in zip(numbers, times[0], strict=True)],
    )
    asked.accounts.extend(accounts)
    for number, day, start, end in zip(numbers, days, *times, strict=True):
        if start is None or number in daily:
            first, last = whole_day(day)
            asked.starts.append(first)
            asked.ends.append(last)
        else:
            asked.starts.append(start)
            asked.ends.append(start + assumed[number] if end is None else end)
    return asked


def whole_day(day: int) -> tuple[int, int]:
    """Return seconds from before until after everything of a local day, wherever it is."""
    first = (day - _EPOCH_DAY) * _DAY_S
    return first - _AHEAD_S, first + _DAY_S + _BEHIND_S


def day_before_any(day: int) -> int:
    """Return the second at which the day after a day begins where it begins first."""
    return whole_day(day + 1)[0]
