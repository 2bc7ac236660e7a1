"""Which values a formula can have, and which roundings and thresholds can therefore matter."""

from fractions import Fraction
from itertools import product
from typing import get_args

import pytest

from gateway.convert.bounds import Interval
from gateway.convert.grid import Analysis, Values, analyse, attainable_directions, modes_differ
from gateway.convert.program import Rounding, RoundingMode
from gateway.convert.rational import round_quotient
from tests.unit.convert_front.documents import YUNXI, edited, load, shape

MODES: tuple[RoundingMode, ...] = get_args(RoundingMode)
GRIDS = [
    Fraction(1),
    Fraction(1, 2),
    Fraction(1, 3),
    Fraction(2, 5),
    Fraction(1, 4),
    Fraction(3, 10),
    Fraction(5, 6),
]
HALF = Fraction(1, 2)
BOUNDS = [
    (0, 9), (-9, 0), (-9, 9), (4, 5), (Fraction(-1, 10), 9), (7, 7), (5 * HALF, 5 * HALF),
    (-9, HALF), (-8, HALF), (-HALF, 9), (-HALF, 8), (HALF, 3 * HALF), (-3 * HALF, -HALF), (-2, 1), (-1, 2),
]  # fmt: skip


def round_to(value: Fraction, mode: RoundingMode) -> int:
    return round_quotient(value.numerator, value.denominator, mode=mode)


@pytest.mark.parametrize(("grid", "edges"), list(product(GRIDS, BOUNDS)))
def test_modes_that_differ_somewhere_are_never_called_equal(
    grid: Fraction, edges: tuple[Fraction, Fraction]
) -> None:
    low, high = Fraction(edges[0]), Fraction(edges[1])
    values = Values(grid, Interval(low, high))
    inside = [grid * n for n in range(-40, 41) if low <= grid * n <= high]

    for mode, other in product(MODES, MODES):
        differ = any(round_to(value, mode) != round_to(value, other) for value in inside)
        assert not differ or modes_differ(values, Rounding(scale=0, mode=mode), other=other), (mode, other)


@pytest.mark.parametrize("grid", GRIDS)
def test_modes_that_agree_everywhere_are_called_equal_on_a_wide_range(grid: Fraction) -> None:
    values = Values(grid, Interval(Fraction(-30), Fraction(30)))
    inside = [grid * n for n in range(-90, 91) if -30 <= grid * n <= 30]

    for mode, other in product(MODES, MODES):
        differ = any(round_to(value, mode) != round_to(value, other) for value in inside)
        assert differ == modes_differ(values, Rounding(scale=0, mode=mode), other=other), (mode, other)


@pytest.mark.parametrize(("low", "high"), [("1.25", "1.75"), ("1", "1.5"), ("1.5", "2"), ("1.5", "1.5")])
def test_what_lies_beside_the_bounds_makes_no_difference(low: str, high: str) -> None:
    """A half above one is rounded to two either way, as one above zero or two would not be."""
    values = Values(Fraction(1, 2), Interval(Fraction(low), Fraction(high)))

    assert not modes_differ(values, Rounding(scale=0, mode="half_up"), other="half_even")
    assert modes_differ(values, Rounding(scale=0, mode="half_up"), other="half_down")


@pytest.mark.parametrize(("grid", "differ"), [("0.1", False), ("0.05", True), ("0.2", False)])
def test_modes_are_compared_at_the_last_decimal_that_is_kept(grid: str, *, differ: bool) -> None:
    values = Values(Fraction(grid), Interval(Fraction(0), Fraction(9)))

    assert modes_differ(values, Rounding(scale=1, mode="half_up"), other="half_down") is differ


def test_directions_follow_from_the_multiples() -> None:
    wide = Interval(Fraction(0), Fraction(100))

    def directions(grid: Fraction | None, mode: RoundingMode) -> frozenset[str]:
        return attainable_directions(Values(grid, wide), Rounding(scale=1, mode=mode))

    assert directions(Fraction(1, 10), "half_up") == frozenset()
    assert directions(Fraction(1, 20), "half_up") == {"tie"}
    assert directions(Fraction(1, 50), "half_up") == {"up", "down"}
    assert directions(Fraction(1, 40), "half_up") == {"up", "down", "tie"}
    assert directions(None, "half_up") == {"up", "down", "tie"}
    assert directions(Fraction(1, 50), "floor") == {"down"}
    assert directions(Fraction(1, 50), "up") == {"up"}


def test_a_value_between_thresholds_is_a_multiple_inside_the_bounds() -> None:
    values = Values(Fraction(2), Interval(Fraction(0), Fraction(9)))

    def between(low: int, high: int, *, low_open: bool) -> bool:
        return values.any_between(Fraction(low), Fraction(high), low_open=low_open)

    assert between(4, 5, low_open=False)
    assert not between(3, 4, low_open=False)
    assert between(3, 4, low_open=True)
    assert not between(4, 5, low_open=True)
    assert not between(10, 12, low_open=False)
    assert not between(-4, -1, low_open=True)
    assert not between(-4, 0, low_open=False)
    assert between(-4, 0, low_open=True)
    assert values.any_in(Fraction(8), Fraction(8))
    assert not values.any_in(Fraction(7), Fraction(7))


def test_the_example_can_tie_at_every_step() -> None:
    analysis = analyse(load(YUNXI).formula, "TRV-EBIKE")

    reduction, points = analysis.steps["reduction"], analysis.steps["points"]
    assert reduction.grid == Fraction(1, 10**6)
    assert reduction.bounds == Interval(Fraction(0), Fraction("169.118") * 300)
    assert points.grid == Fraction(1, 10**4)


def test_grids_follow_the_figures_through_a_formula() -> None:
    curve = analyse(load(shape("distance_curve")).formula, "TRV-BIKE")
    tiers = analyse(load(shape("tiers_by_class")).formula, "LIV-ELEC-SAVE")
    whole = analyse(load(shape("whole_days")).formula, "TRV-NODRIVE")

    assert curve.steps["reduction"].grid == Fraction(1, 70)
    assert tiers.steps["reduction"].grid == Fraction(30) * Fraction(1, 4)
    assert tiers.arguments == [("tiers", Values(Fraction(1, 10), Interval(Fraction(-500), Fraction(500))))]
    assert whole.steps["days"] == Values(Fraction(1), Interval(Fraction(0), Fraction(10)))
    assert whole.steps["reduction"].grid == 10


def test_a_quotient_of_two_inputs_has_no_grid() -> None:
    text = edited(YUNXI, ("reduction / 10", "reduction / 10 * (distance / (distance + 1))"))

    assert analyse(load(text).formula, "TRV-BUS").steps["points"].grid is None


def test_what_is_refused_cannot_be_observed() -> None:
    analysis = analyse(load(shape("baseline_minus_activity")).formula, "TRV-EV-DRIVE")

    assert analysis.steps["reduction"].bounds.low < 0
    observed = analysis.observable("reduction")
    assert observed is not None
    assert observed.bounds.low == 0
    assert analysis.observable("other") is None


HALVES = [Fraction(n, 2) for n in range(-6, 7)]


@pytest.mark.parametrize(
    "grid", [Fraction(1), Fraction(1, 2), Fraction(3), Fraction(3, 2), Fraction(0)], ids=str
)
@pytest.mark.parametrize(
    "bounds", [(-3, 3), (1, 2), (-2, -1), (0, 0), (Fraction(1, 2), Fraction(1, 2))], ids=str
)
def test_whether_a_value_can_lie_between_two_is_told_exactly(
    grid: Fraction, bounds: tuple[Fraction, Fraction]
) -> None:
    least, most = Fraction(bounds[0]), Fraction(bounds[1])
    inside = [grid * n for n in range(-12, 13) if least <= grid * n <= most]
    values = Values(grid, Interval(least, most))

    for low, high in product(HALVES, HALVES):
        assert values.any_in(low, high) is any(low <= value <= high for value in inside)
        if grid and low < high:
            assert values.any_between(low, high, low_open=True) is any(low < v <= high for v in inside)
            assert values.any_between(low, high, low_open=False) is any(low <= v < high for v in inside)


def test_where_nothing_is_known_of_the_values_their_bounds_alone_count() -> None:
    values = Values(None, Interval(Fraction(1), Fraction(2)))

    assert values.any_in(Fraction(2), Fraction(3))
    assert values.any_in(Fraction(0), Fraction(1))
    assert not values.any_in(Fraction(9, 4), Fraction(3))
    assert values.any_between(Fraction(3, 2), Fraction(5, 3), low_open=True)
    assert not values.any_between(Fraction(0), Fraction(1, 2), low_open=False)


def test_values_times_a_number_have_its_grid_and_bounds() -> None:
    bounds = Interval(Fraction(1, 2), Fraction(3))

    assert Values(Fraction(1, 4), bounds).scaled(10) == (Fraction(5, 2), (5, 30))
    assert Values(None, bounds).scaled(10) == (None, (5, 30))


@pytest.mark.parametrize(
    ("low", "high", "observed"),
    [("0", "3", ("0", "3")), ("0.5", "3", ("0.5", "3")), ("-0.5", "3", ("0", "3")),
     ("-0.5", "0", ("0", "0")), ("-3", "-0.5", None)],
)  # fmt: skip
def test_a_result_is_observed_from_zero_on(low: str, high: str, observed: tuple[str, str] | None) -> None:
    def interval(edges: tuple[str, str]) -> Values:
        return Values(Fraction(1, 2), Interval(Fraction(edges[0]), Fraction(edges[1])))

    analysis = Analysis({"points": interval((low, high)), "middle": interval((low, high))})

    assert analysis.observable("points") == (None if observed is None else interval(observed))
    assert analysis.observable("middle") == interval((low, high))


@pytest.mark.parametrize(
    ("value", "directions"), [("2.25", {"down"}), ("2.5", {"tie"}), ("2.75", {"up"}), ("2", set())]
)
def test_one_value_is_rounded_in_one_direction(value: str, directions: set[str]) -> None:
    only = Values(Fraction(1, 4), Interval(Fraction(value), Fraction(value)))

    assert attainable_directions(only, Rounding(scale=0, mode="half_up")) == directions
