"""What a part of a lot comes to elsewhere, exactly, and the same however the move is split.

A lot is a recorded act, or what has arrived of one. All amounts of a part are differences of what the lot
comes to in all after the part and before it. So a floor is taken of the whole once, never of each part, and
a move in a thousand parts gives what one move gives.
"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from gateway.errors import InvariantBroken

__all__ = [
    "NOTHING_MOVED",
    "UNUSED",
    "Moved",
    "Part",
    "Used",
    "Value",
    "Worth",
    "arrived_value",
    "lives_until",
    "mg_for_points",
    "movable",
    "take",
]


class Value(NamedTuple):
    """What a lot stands for where it is held.

    ``co2e_mg`` is its reduction, ``points`` were granted for it, and ``exact`` are its points before any
    rounding or cap. ``share`` is the part of the whole act that it is: 1 for a record that has not moved.
    """

    co2e_mg: int
    points: int
    exact: Fraction
    share: Fraction = Fraction(1)


class Worth(NamedTuple):
    """What the whole act of a lot is worth to its destination.

    ``basis_mg`` by the basis of the agreement; ``destination_mg`` and, exactly, ``destination_points`` by the
    destination's own rules. ``factor`` is the agreement's for the evidence, at most 1.
    """

    basis_mg: int
    destination_mg: int
    destination_points: Fraction
    factor: Fraction

    def recognised_of(self, value: Value) -> Fraction:
        """Return how much is recognised of one milligram of a lot."""
        share = value.share
        recognised = Fraction(share.numerator * self.basis_mg, share.denominator * value.co2e_mg)
        return self.factor if recognised >= 1 else recognised * self.factor

    @property
    def points_of_mg(self) -> Fraction:
        """Return the destination's points for one recognised milligram."""
        return self.destination_points / self.destination_mg

    def rates(self, value: Value) -> str:
        """Name what decides a part's amounts: parts with the same name are counted up together."""
        return f"{self.recognised_of(value)} {self.points_of_mg}"


class Used(NamedTuple):
    """What has been used of a lot in all, less what came back: wherever it went."""

    used_mg: int
    points: int


class Moved(NamedTuple):
    """What has been moved of a lot to one destination at the same rates, less what came back."""

    used_mg: int
    recognised_mg: int
    points_in: int


UNUSED = Used(0, 0)
NOTHING_MOVED = Moved(0, 0, 0)


class Part(NamedTuple):
    """What a part of a lot comes to.

    ``points`` are burned where it is held; of ``used_mg`` are ``recognised_mg`` recognised and
    ``unrecognised_mg`` count nowhere any more. ``exact`` is what the destination's rule gives for the
    recognised part, ``points_in`` what is issued. ``dust`` is what the floors have left of this lot at these
    rates so far, below one point: it counts when a later part fills it up.
    """

    points: int
    used_mg: int
    recognised_mg: int
    unrecognised_mg: int
    exact: Fraction
    points_in: int
    dust: Fraction

    def value(self, source: Value) -> Value:
        """Return what this part stands for where it has arrived: its recognised amount, from then on."""
        share = source.share * self.used_mg / source.co2e_mg
        return Value(self.recognised_mg, self.points_in, self.exact, share)


def arrived_value(record: Value, rates: Sequence[str], *, co2e_mg: int, points: int) -> Value:
    """Return what stands for a lot that has arrived, by the rates of all its moves, the first one first.

    The rates, not what their floors have left, say which share of the act it is: so it is worth the same
    however it came, in one part or in many.
    """
    whole, points_of_mg = Fraction(record.co2e_mg), Fraction(0)
    for named in rates:
        recognised, points_of_mg = map(Fraction, named.split())
        whole *= recognised
    return Value(co2e_mg, points, points_of_mg * co2e_mg, Fraction(co2e_mg) / whole)


def movable(value: Value) -> Fraction:
    """Return how many milligrams of a lot can move: a capped award moves only what was paid for."""
    if not value.points or not value.exact:
        return Fraction(0)
    paid: Fraction = value.co2e_mg * value.points / value.exact
    return paid if paid < value.co2e_mg else Fraction(value.co2e_mg)


def mg_for_points(value: Value, used: Used, *, points: int) -> int:
    """Return the largest part of a lot that burns no more than these points, and no more than are left."""
    if not value.points:
        return 0
    after = min(used.points + points, value.points)
    return max(0, floor(movable(value) * after / value.points) - used.used_mg)


def take(
    value: Value, worth: Worth, *, part_mg: int, used: Used = UNUSED, moved: Moved = NOTHING_MOVED
) -> Part:
    """Return what the next part of a lot comes to.

    Args:
        value: what the lot stands for.
        worth: what its act is worth to the destination.
        part_mg: how much of what is movable shall move.
        used: what was used of the lot before, wherever it went.
        moved: what of that went to this destination at the same rates.

    Raises:
        InvariantBroken: the part is nothing, or more than is left.
    """
    in_all = movable(value)
    after = used.used_mg + part_mg
    if part_mg <= 0 or after > in_all or moved.used_mg > used.used_mg:
        raise InvariantBroken(f"{part_mg} mg cannot be taken after {used.used_mg} mg of {in_all} mg")
    burned = ceil(value.points * after / in_all)  # at most all: no more is used than is movable
    recognised_in_all = floor(worth.recognised_of(value) * (moved.used_mg + part_mg))
    # where parts came back, those that are left may have more or less than their share: it levels out later
    recognised = min(part_mg, max(0, recognised_in_all - moved.recognised_mg))
    points_in_all = worth.points_of_mg * (moved.recognised_mg + recognised)
    points_in = max(0, floor(points_in_all) - moved.points_in)
    return Part(
        points=max(0, burned - used.points),
        used_mg=part_mg,
        recognised_mg=recognised,
        unrecognised_mg=part_mg - recognised,
        exact=worth.points_of_mg * recognised,
        points_in=points_in,
        dust=points_in_all - moved.points_in - points_in,
    )


def lives_until(at_source: date | None, at_destination: date | None) -> date | None:
    """Return the last day of points that moved: a move never lengthens a life. None: they never lapse."""
    return min((day for day in (at_source, at_destination) if day is not None), default=None)
