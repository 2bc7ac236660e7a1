"""What a part of a lot comes to: by hand, and however a move is split."""

import os
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from math import floor
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import InvariantBroken
from gateway.recognition import (
    NOTHING_MOVED,
    UNUSED,
    Moved,
    Part,
    Used,
    Value,
    Worth,
    arrived_value,
    lives_until,
    mg_for_points,
    movable,
    take,
)

ROUNDS: Final = int(os.environ.get("TANQIAO_RECOGNITION_ROUNDS", "60"))
WALK: Final = Value(250_000, 250, Fraction(250))
FORTY: Final = Worth(40_000, 40_000, Fraction(40), Fraction(1))


def after(used: Used, moved: Moved, part: Part) -> tuple[Used, Moved]:
    return (
        Used(used.used_mg + part.used_mg, used.points + part.points),
        Moved(
            moved.used_mg + part.used_mg,
            moved.recognised_mg + part.recognised_mg,
            moved.points_in + part.points_in,
        ),
    )


def taken(value: Value, worth: Worth, parts: Sequence[int]) -> list[Part]:
    """Take parts of a lot one after the other."""
    used, moved = UNUSED, NOTHING_MOVED
    found = []
    for part_mg in parts:
        found.append(take(value, worth, part_mg=part_mg, used=used, moved=moved))
        used, moved = after(used, moved, found[-1])
    return found


def totals(parts: Sequence[Part]) -> tuple[int, int, int, int, Fraction, int]:
    """Add parts up; what the floors leave is that of the last."""
    return (
        sum(part.points for part in parts),
        sum(part.used_mg for part in parts),
        sum(part.recognised_mg for part in parts),
        sum(part.unrecognised_mg for part in parts),
        sum((part.exact for part in parts), start=Fraction(0)),
        sum(part.points_in for part in parts),
    )


def test_ten_parts_of_25_g_of_a_250_g_lot_are_recognised_as_40_g_by_a_basis_of_40_g() -> None:
    parts = taken(WALK, FORTY, [25_000] * 10)

    assert totals(parts) == (250, 250_000, 40_000, 210_000, Fraction(40), 40)
    assert {part.recognised_mg for part in parts} == {4_000}


def test_a_basis_that_gives_more_than_the_source_gives_no_more_than_the_source() -> None:
    parts = taken(
        Value(40_000, 40, Fraction(40)), Worth(250_000, 250_000, Fraction(250), Fraction(1)), [40_000]
    )

    assert totals(parts) == (40, 40_000, 40_000, 0, Fraction(40), 40)


def test_a_factor_for_weak_evidence_is_taken_of_what_would_be_recognised() -> None:
    (part,) = taken(WALK, FORTY._replace(factor=Fraction("0.9")), [250_000])

    assert (part.recognised_mg, part.unrecognised_mg, part.points_in) == (36_000, 214_000, 36)


def test_a_factor_is_taken_of_no_more_than_the_source_counts() -> None:
    """A city that counts three times as much for the act, at a factor of a half, recognises half of it."""
    (part,) = taken(WALK, Worth(750_000, 750_000, Fraction(750), Fraction(1, 2)), [250_000])

    assert (part.recognised_mg, part.points_in) == (125_000, 125)


def test_a_factor_is_taken_of_the_whole_where_the_basis_is_half_as_much_again() -> None:
    (part,) = taken(WALK, Worth(375_000, 375_000, Fraction(375), Fraction(4, 5)), [250_000])
    assert part.recognised_mg == 200_000


def test_a_capped_award_moves_only_what_was_paid_for() -> None:
    """100 of 250 points were granted: 100 g can move, and they burn all 100 points."""
    capped = WALK._replace(points=100)

    assert movable(capped) == 100_000
    (part,) = taken(capped, FORTY, [100_000])
    assert (part.points, part.recognised_mg) == (100, 16_000)


def test_points_that_were_rounded_up_do_not_make_more_movable_than_there_is() -> None:
    assert movable(Value(250_000, 251, Fraction("250.4"))) == 250_000


@pytest.mark.parametrize("value", [Value(250_000, 0, Fraction(250)), Value(250_000, 5, Fraction(0))])
def test_nothing_is_movable_that_no_points_stand_for(value: Value) -> None:
    assert movable(value) == 0
    assert mg_for_points(value, UNUSED, points=1) == 0


def test_a_part_burns_points_rounded_up_and_never_more_than_are_left() -> None:
    """Three points for 1000 mg: 400 mg take two, the other 600 the one that is left."""
    value = Value(1_000, 3, Fraction(3))
    parts = taken(value, Worth(1_000, 1_000, Fraction(3), Fraction(1)), [400, 600])

    assert [part.points for part in parts] == [2, 1]


def test_what_a_floor_leaves_fills_up_with_a_later_part() -> None:
    """0.6 points for each half: none, then one, and two tenths are left."""
    value = Value(1_000, 10, Fraction(10))
    parts = taken(value, Worth(1_000, 1_000, Fraction("1.2"), Fraction(1)), [500, 500])

    assert [part.points_in for part in parts] == [0, 1]
    assert [part.dust for part in parts] == [Fraction("0.6"), Fraction("0.2")]


def test_the_points_asked_for_are_never_exceeded() -> None:
    value = Value(1_001, 7, Fraction("7.7"))
    part_mg = mg_for_points(value, Used(130, 1), points=3)
    part = take(value, FORTY, part_mg=part_mg, used=Used(130, 1), moved=NOTHING_MOVED)

    assert part.points == 3
    assert mg_for_points(value, UNUSED, points=99) == floor(movable(value))
    with pytest.raises(InvariantBroken):
        take(value, FORTY, part_mg=floor(movable(value)) + 1)


@pytest.mark.parametrize(
    ("points", "used", "expected"),
    [(3, UNUSED, 428), (3, Used(100, 1), 471), (1, Used(500, 2), 0), (9, Used(500, 2), 500)],
)
def test_the_part_for_some_points_is_the_largest_that_burns_no_more(
    points: int, used: Used, expected: int
) -> None:
    """1000 mg for 7 points: three of them are worth 428 mg and four sevenths. Returns may leave less."""
    value = Value(1_000, 7, Fraction(7))

    assert mg_for_points(value, used, points=points) == expected


@pytest.mark.parametrize(
    ("part_mg", "used", "moved"),
    [(0, UNUSED, NOTHING_MOVED), (-1, UNUSED, NOTHING_MOVED), (1, Used(250_000, 250), NOTHING_MOVED),
     (1, UNUSED, Moved(1, 0, 0))],
)  # fmt: skip
def test_a_part_that_cannot_be_is_refused(part_mg: int, used: Used, moved: Moved) -> None:
    with pytest.raises(InvariantBroken):
        take(WALK, FORTY, part_mg=part_mg, used=used, moved=moved)


@pytest.mark.parametrize(
    ("moved", "worth", "recognised"),
    [
        (Moved(1, 1, 0), FORTY._replace(basis_mg=25_000), 0),
        (Moved(4, 0, 0), FORTY._replace(basis_mg=150_000), 1),
    ],
    ids=["more than its share was left", "less than its share was left"],
)
def test_after_a_return_a_part_levels_out_between_nothing_and_itself(
    moved: Moved, worth: Worth, recognised: int
) -> None:
    """A tenth, and six tenths, of each mg: the parts that came back had been rounded the other way."""
    part = take(WALK, worth, part_mg=1, used=Used(moved.used_mg, 1), moved=moved)

    assert (part.recognised_mg, part.unrecognised_mg) == (recognised, 1 - recognised)


def test_after_a_return_no_points_are_burned_below_nothing_and_none_issued() -> None:
    part = take(WALK, FORTY, part_mg=1, used=Used(3, 3), moved=Moved(3, 3, 3))

    assert (part.points, part.points_in) == (0, 0)


def test_what_has_moved_carries_its_recognised_amount_and_its_share_of_the_act() -> None:
    """Half of 40 g is 20 g of the act; a city that counts 30 g for the whole act recognises 15 g of it."""
    (half,) = taken(WALK, FORTY, [125_000])
    arrived = half.value(WALK)

    assert arrived == Value(20_000, 20, Fraction(20), Fraction(1, 2))
    (on,) = taken(arrived, Worth(30_000, 30_000, Fraction(30), Fraction(1)), [20_000])
    assert (on.recognised_mg, on.points_in) == (15_000, 15)


def test_what_has_moved_twice_is_the_share_of_the_act_that_its_rates_leave() -> None:
    """250 g were worth 40 g at the first city and half of that at the second, for a point each 500 mg."""
    twice = arrived_value(WALK, ["4/25 1/1000", "1/2 1/500"], co2e_mg=5_000, points=9)
    once = arrived_value(WALK, ["4/25 1/1000"], co2e_mg=20_000, points=20)

    assert twice == Value(5_000, 9, Fraction(10), Fraction(1, 4))
    assert once == taken(WALK, FORTY, [125_000])[0].value(WALK)


def test_a_move_never_lengthens_a_life() -> None:
    early, late = date(2026, 1, 1), date(2027, 1, 1)

    assert lives_until(early, late) == lives_until(late, early) == early
    assert lives_until(None, late) == lives_until(late, None) == late
    assert lives_until(None, None) is None


amounts = st.integers(1, 3_000)
fractions = st.builds(Fraction, st.integers(1, 400), st.integers(1, 40))
values = st.builds(Value, amounts, st.integers(1, 60), fractions, share=st.just(Fraction(1)))
worths = st.builds(Worth, amounts, amounts, fractions, st.builds(Fraction, st.integers(1, 10), st.just(10)))


@st.composite
def splits(draw: st.DrawFn) -> tuple[Value, Worth, list[int]]:
    """Draw a lot that can move, its worth, and a way to split some of it."""
    value = draw(values.filter(lambda one: movable(one) >= 1))
    whole = draw(st.integers(1, floor(movable(value))))
    cuts = sorted(set(draw(st.lists(st.integers(1, whole), max_size=8))) | {whole})
    return value, draw(worths), [b - a for a, b in zip([0, *cuts], cuts, strict=False)]


@settings(max_examples=ROUNDS, deadline=None)
@given(splits())
def test_the_sum_over_any_split_is_the_whole(case: tuple[Value, Worth, list[int]]) -> None:
    value, worth, parts = case
    split, (whole,) = taken(value, worth, parts), taken(value, worth, [sum(parts)])

    assert totals(split) == totals([whole])
    assert split[-1].dust == whole.dust
    for part in split:
        assert part.recognised_mg + part.unrecognised_mg == part.used_mg
        assert min(part.points, part.recognised_mg, part.unrecognised_mg, part.points_in) >= 0
        assert 0 <= part.dust < 1


@settings(max_examples=ROUNDS, deadline=None)
@given(splits(), st.lists(st.booleans(), min_size=9, max_size=9), worths)
def test_two_destinations_in_any_order_get_no_more_than_each_alone_would_of_its_share(
    case: tuple[Value, Worth, list[int]], which: list[bool], other: Worth
) -> None:
    """Taking turns between corridors cannot pick the parts that round up."""
    value, worth, parts = case
    used, moved = UNUSED, {True: NOTHING_MOVED, False: NOTHING_MOVED}
    of = {True: worth, False: other}
    for part_mg, here in zip(parts, which, strict=False):
        part = take(value, of[here], part_mg=part_mg, used=used, moved=moved[here])
        used, moved[here] = after(used, moved[here], part)

    for here, found in moved.items():
        assert found.recognised_mg <= of[here].recognised_of(value) * found.used_mg
        assert found.points_in <= of[here].points_of_mg * found.recognised_mg
    assert used.points <= value.points


@settings(max_examples=ROUNDS, deadline=None)
@given(splits(), st.lists(st.booleans(), min_size=9, max_size=9))
def test_parts_that_come_back_leave_no_gain_behind(
    case: tuple[Value, Worth, list[int]], back: list[bool]
) -> None:
    """Returning the parts that were rounded down, to move them again, gains nothing."""
    value, worth, parts = case
    kept = [part for part, goes in zip(taken(value, worth, parts), back, strict=False) if not goes]
    used = Used(sum(part.used_mg for part in kept), sum(part.points for part in kept))
    moved = Moved(used.used_mg, sum(p.recognised_mg for p in kept), sum(p.points_in for p in kept))
    left = sum(parts) - used.used_mg
    whole = totals(taken(value, worth, [sum(parts)]))
    if left:
        part = take(value, worth, part_mg=left, used=used, moved=moved)
        used, moved = after(used, moved, part)
        assert part.recognised_mg <= part.used_mg
        assert moved.recognised_mg <= max(whole[2], sum(p.recognised_mg for p in kept))
        assert moved.recognised_mg <= whole[2]
        assert moved.points_in <= whole[5]
        assert used.points <= value.points


@settings(max_examples=ROUNDS, deadline=None)
@given(splits(), worths)
def test_what_goes_on_while_more_arrives_comes_to_what_the_whole_does(
    case: tuple[Value, Worth, list[int]], onward: Worth
) -> None:
    """After each part that has arrived all that can goes on; what its floors leave goes with a later one."""
    value, worth, parts = case
    rates, used, moved, mg, points = (worth.rates(value),), UNUSED, NOTHING_MOVED, 0, 0
    for part in taken(value, worth, parts):
        mg, points = mg + part.recognised_mg, points + part.points_in
        lot = arrived_value(value, rates, co2e_mg=mg, points=points)
        left = floor(movable(lot)) - used.used_mg
        if left:
            on = take(lot, onward, part_mg=left, used=used, moved=moved)
            used, moved = after(used, moved, on)
    (whole,) = taken(value, worth, [sum(parts)])
    lot = arrived_value(value, rates, co2e_mg=whole.recognised_mg, points=whole.points_in)

    assert used.used_mg == floor(movable(lot))
    if used.used_mg:
        at_once = take(lot, onward, part_mg=used.used_mg)
        assert (used.points, *moved) == (
            at_once.points,
            at_once.used_mg,
            at_once.recognised_mg,
            at_once.points_in,
        )
        assert at_once.recognised_mg <= whole.recognised_mg


@st.composite
def journeys(draw: st.DrawFn) -> tuple[Value, list[Worth], list[int]]:
    """Draw an act that starts somewhere, what it is worth in some cities, and a way that comes back."""
    start = draw(values.filter(lambda one: movable(one) >= 1))
    cities = [
        Worth(start.co2e_mg, start.co2e_mg, start.exact, Fraction(1)),
        *draw(st.lists(worths, min_size=1, max_size=3)),
    ]
    way = [*draw(st.lists(st.integers(0, len(cities) - 1), min_size=1, max_size=5)), 0]
    return start, cities, way


def arrive(value: Value, worth: Worth, *, pieces: int) -> list[Value]:
    """Move all of a lot in some pieces; what arrives stays apart."""
    whole = floor(movable(value))
    if not whole:
        return []
    step = -(-whole // pieces)
    parts = [min(step, whole - at) for at in range(0, whole, step)]
    return [part.value(value) for part in taken(value, worth, parts)]


@settings(max_examples=ROUNDS, deadline=None)
@given(journeys(), st.integers(1, 4), st.sampled_from([None, Fraction(1, 2), Fraction(1)]))
def test_no_journey_that_comes_home_gains_however_it_is_split(
    journey: tuple[Value, list[Worth], list[int]], pieces: int, reference: Fraction | None
) -> None:
    start, cities, way = journey
    held = [start]
    for city in way:
        before = sum(one.co2e_mg for one in held)
        worth = cities[city]
        if reference is not None:
            worth = worth._replace(basis_mg=floor(reference * max(one.basis_mg for one in cities)))
        held = [arrived for one in held for arrived in arrive(one, worth, pieces=pieces)]
        assert sum(one.co2e_mg for one in held) <= before

    assert sum(one.points for one in held) <= start.points
    assert sum(one.co2e_mg for one in held) <= movable(start)


@settings(max_examples=ROUNDS, deadline=None)
@given(journeys())
def test_a_journey_in_one_piece_brings_at_least_what_it_brings_in_pieces(
    journey: tuple[Value, list[Worth], list[int]],
) -> None:
    start, cities, way = journey
    brought = []
    for pieces in (1, 3):
        held = [start]
        for city in way:
            held = [arrived for one in held for arrived in arrive(one, cities[city], pieces=pieces)]
        brought.append(sum(one.co2e_mg for one in held))

    assert brought[1] <= brought[0]
