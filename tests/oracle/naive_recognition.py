"""What a part of a lot burns, is recognised for and earns, always computed on the whole that has moved.

Every function takes a total and gives a total. What one part adds is the total with it less what the
parts before it were given: so parts always add up to the whole, however they were cut. Exact until the
named floor or ceiling; the only types are int and Fraction.
"""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain, combinations
from math import ceil, floor
from typing import NamedTuple

__all__ = [
    "Given",
    "burned",
    "dust",
    "issued",
    "largest_safe",
    "least_moved",
    "movable",
    "recognised",
    "smallest_safe",
    "whole",
]


class Given(NamedTuple):
    """What a part took (mg) and what it was given for it (mg or points)."""

    taken: int
    given: int


def movable(value_mg: int, points: int, *, rate: Fraction) -> Fraction:
    """Tell how much of a value can move: R x P / P*, at most R; ``rate`` is P* / R, exact points per mg."""
    if points == 0 or rate == 0:
        return Fraction(0)  # nothing was paid for it, so nothing moves
    return min(Fraction(value_mg), Fraction(points) / rate)


def whole(value: Fraction, basis_mg: int, *, factor: Fraction) -> Fraction:
    """Tell what the whole act is recognised for: min(R_S, R_B) x f."""
    return min(value, Fraction(basis_mg)) * factor


def recognised(total_mg: int, value: Fraction, *, recognised_whole: Fraction) -> int:
    """Tell what is recognised for a part of an act, down to a whole mg."""
    if value == 0:
        return 0
    return floor(total_mg * recognised_whole / value)


def burned(total_mg: int, *, rate: Fraction) -> int:
    """Tell how many points a part burns at the source, up to a whole point."""
    return ceil(total_mg * rate)


def issued(total_recognised_mg: int, *, rate: Fraction) -> int:
    """Tell how many points arrive, down to a whole point; ``rate`` is D's exact points for the act / R_D."""
    return floor(total_recognised_mg * rate)


def dust(total_recognised_mg: int, points: int, *, rate: Fraction) -> Fraction:
    """Tell which part of the exact points was not issued."""
    return total_recognised_mg * rate - points


def largest_safe(
    entitled: Callable[[int], int], part: int, *, decided: Iterable[Given], open_: Iterable[Given]
) -> int:
    """Give a part the most that never exceeds the whole, whichever of the undecided parts take place.

    Without undecided parts this is simply the whole with the part less what was given before.
    """
    return min(_added(entitled, part, decided=decided, open_=open_))


def smallest_safe(
    entitled: Callable[[int], int], part: int, *, decided: Iterable[Given], open_: Iterable[Given]
) -> int:
    """Charge a part the least that never falls below the whole, whichever undecided parts take place."""
    return max(_added(entitled, part, decided=decided, open_=open_))


def least_moved(kept: int, share: Fraction, *, open_: Iterable[Given]) -> int:
    """Tell the least that must have moved for ``kept`` mg to be recognised of it, at a share of 1 at most.

    It is enough even when any of the undecided parts take place.
    """
    totals = [[Given(0, kept), *subset] for subset in _subsets(open_)]
    needed = [
        ceil(sum(one.given for one in total) / share) - sum(one.taken for one in total) for total in totals
    ]
    return max(0, *needed)


def _subsets(parts: Iterable[Given]) -> Iterator[tuple[Given, ...]]:
    listed = list(parts)
    return chain.from_iterable(combinations(listed, size) for size in range(len(listed) + 1))


def _added(
    entitled: Callable[[int], int], part: int, *, decided: Iterable[Given], open_: Iterable[Given]
) -> list[int]:
    fixed = list(decided)
    totals = [[*fixed, *subset] for subset in _subsets(open_)]
    return [
        entitled(sum(one.taken for one in total) + part) - sum(one.given for one in total) for total in totals
    ]
