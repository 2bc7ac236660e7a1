"""The arithmetic of parts, against figures worked out by hand."""

from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from random import Random

import pytest

from tests.oracle.naive_recognition import (
    Given,
    burned,
    dust,
    issued,
    largest_safe,
    movable,
    recognised,
    smallest_safe,
    whole,
)


@pytest.mark.parametrize(
    ("value_mg", "points", "exact", "expected"),
    [
        pytest.param(1000, 10, Fraction(10), Fraction(1000), id="paid in full"),
        pytest.param(1000, 10, Fraction(20), Fraction(500), id="capped to the half"),
        pytest.param(1_465_480, 146, Fraction(146_548, 1000), Fraction(1_460_000), id="floored"),
        pytest.param(100, 1, Fraction(3), Fraction(100, 3), id="not a whole mg"),
        pytest.param(1000, 0, Fraction(20), Fraction(0), id="nothing paid"),
        pytest.param(1000, 30, Fraction(20), Fraction(1000), id="at most the value"),
        pytest.param(0, 5, Fraction(0), Fraction(0), id="no reduction"),
    ],
)
def test_only_what_was_paid_for_can_move(
    value_mg: int, points: int, exact: Fraction, expected: Fraction
) -> None:
    """Movable is R x P / P*, at most R."""
    rate = exact / value_mg if value_mg else Fraction(0)

    assert movable(value_mg, points, rate=rate) == expected


def test_the_lower_of_both_values_is_recognised_times_the_factor() -> None:
    """min(R_S, R_B) x f, both ways round."""
    assert whole(Fraction(250), 40, factor=Fraction(1)) == 40
    assert whole(Fraction(40), 250, factor=Fraction(1)) == 40
    assert whole(Fraction(250), 40, factor=Fraction(1, 3)) == Fraction(40, 3)


def test_a_part_is_recognised_down_burned_up_and_issued_down() -> None:
    """7 of 250 under 40 is 1.12; 1 mg of a lot of 3 points in 1000 mg burns one; 1.5 points arrive as one."""
    assert recognised(7, Fraction(250), recognised_whole=Fraction(40)) == 1
    assert burned(1, rate=Fraction(3, 1000)) == 1
    assert burned(334, rate=Fraction(3, 1000)) == 2
    assert burned(1000, rate=Fraction(3, 1000)) == 3
    assert issued(3, rate=Fraction(1, 2)) == 1
    assert dust(3, 1, rate=Fraction(1, 2)) == Fraction(1, 2)
    assert recognised(7, Fraction(0), recognised_whole=Fraction(0)) == 0


def _half(total: int) -> int:
    return total // 2


def test_parts_moved_one_after_the_other_get_what_the_whole_gets() -> None:
    """At one half, parts of 1 get 0, 1, 0, 1: never 0, 0, 0, 0."""
    given: list[Given] = []
    for _ in range(4):
        given.append(Given(1, largest_safe(_half, 1, decided=given, open_=[])))

    assert [one.given for one in given] == [0, 1, 0, 1]


def test_undecided_parts_cannot_be_aborted_to_a_gain() -> None:
    """Reserve eight parts of 1 at one half, abort those that got nothing: what is left is not overpaid."""
    open_: list[Given] = []
    for _ in range(8):
        open_.append(Given(1, largest_safe(_half, 1, decided=[], open_=open_)))
    kept = [one for one in open_ if one.given]

    assert sum(one.given for one in kept) <= _half(len(kept))


def test_what_rounding_took_from_undecided_parts_comes_with_the_next_part() -> None:
    """Two undecided parts of 1 at one half get nothing; once they moved, the third gets its due."""
    moved = [Given(1, 0), Given(1, 0)]

    assert largest_safe(_half, 1, decided=[], open_=moved) == 0
    assert largest_safe(_half, 1, decided=moved, open_=[]) == 1
    assert largest_safe(_half, 2, decided=moved, open_=[]) == 2


def test_a_part_beside_undecided_ones_burns_enough_if_they_are_aborted() -> None:
    """At one half, rounded up, the second part of 1 is free only when the first has surely burned one."""

    def up(total: int) -> int:
        return -(-total // 2)

    assert smallest_safe(up, 1, decided=[Given(1, 1)], open_=[]) == 0
    assert smallest_safe(up, 1, decided=[], open_=[Given(1, 1)]) == 1


@pytest.mark.parametrize("seed", range(30))
def test_no_split_changes_a_total(seed: int) -> None:
    """However a quantity is cut, recognised, burned and issued add up to those of the whole."""
    rng = Random(seed)
    total = rng.randint(1, 5000)
    value, act = Fraction(rng.randint(total, 6000)), Fraction(rng.randint(1, 6000), rng.randint(1, 7))
    rate = Fraction(rng.randint(1, 50), rng.randint(1, 3000))
    cuts = sorted({0, total, *(rng.randint(0, total) for _ in range(rng.randint(0, 20)))})
    got: list[Given] = []
    paid: list[Given] = []
    for start, end in pairwise(cuts):
        part = end - start
        share = largest_safe(
            lambda mg: recognised(mg, value, recognised_whole=act), part, decided=got, open_=[]
        )
        got.append(Given(part, share))
        paid.append(
            Given(part, smallest_safe(lambda mg: burned(mg, rate=rate), part, decided=paid, open_=[]))
        )

    assert sum(one.given for one in got) == floor(total * act / value)
    assert sum(one.given for one in paid) == ceil(total * rate)
