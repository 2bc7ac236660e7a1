"""Generated cities, agreements and ways between them, by the real rules: nobody comes home with more."""

import os
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any, Final, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.app.base.mappings import known_behaviours
from gateway.convert import CarriedEvaluator, Converted, load_program
from gateway.recognition import (
    NOTHING_MOVED,
    UNUSED,
    Agreement,
    DayUse,
    Moved,
    Used,
    Value,
    Worth,
    mg_for_points,
    take,
    too_much,
)
from gateway.resources import schema
from tests.fakes.claims import mapping_text
from tests.unit.recognition.lots import agreement

ROUNDS: Final = int(os.environ.get("TANQIAO_ARBITRAGE_ROUNDS", "15"))
DAY: Final = date(2025, 3, 10).toordinal()
MODES: Final = ("half_up", "floor", "ceiling", "half_even", "up")


class City(NamedTuple):
    """What a city's rules give for the act: grams to some decimals, points at some rate, rounded somehow."""

    figure: str
    divisor: int
    rounding: tuple[str, str]


class Corridor(NamedTuple):
    """What is agreed between two cities: the basis (a city, or -1 for the receiver) and the factor."""

    basis: int
    factor: Fraction


cities = st.builds(
    City,
    st.decimals("0.1", "300", places=2).map(str),
    st.integers(1, 13),
    st.tuples(st.sampled_from(MODES), st.sampled_from(MODES)),
)
corridors = st.builds(
    Corridor, st.integers(-1, 2), st.sampled_from([Fraction(1), Fraction(9, 10), Fraction(1, 3)])
)


def values(city: City, km: str) -> Converted | None:
    """Evaluate the act by a city's rules, as a mapping document says them; None where it gives nothing."""
    text = mapping_text("cn-000000/yunxi", city.figure)
    text = text.replace("reduction / 10", f"reduction / {city.divisor}")
    reduction, points = city.rounding
    text = text.replace("scale: 3, mode: half_up", f"scale: 3, mode: {reduction}")
    text = text.replace("scale: 0, mode: floor", f"scale: 0, mode: {points}")
    program = load_program(text.encode(), schema("mapping"), name="generated", behaviours=known_behaviours())
    found = CarriedEvaluator(program).convert("TRV-BIKE", {"distance": (km, "km")}, day=DAY)
    return found if isinstance(found, Converted) else None


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    """Draw three cities, their corridors, a way of a few steps that comes home, a cap, and the pieces."""
    pairs = [(a, b) for a in range(3) for b in range(3) if a != b]
    way = [0]
    while len(way) < draw(st.integers(2, 5)):
        way.append(draw(st.integers(0, 2).filter(lambda city: city != way[-1])))
    return {
        "cities": draw(st.lists(cities, min_size=3, max_size=3)),
        "km": draw(st.decimals("0.1", "50", places=1).map(str)),
        "corridors": {pair: draw(corridors) for pair in pairs},
        "way": way if way[-1] == 0 else [*way, 0],
        "granted": draw(st.fractions(Fraction(1, 5), 1)),
        "pieces": draw(st.lists(st.integers(1, 40), min_size=1, max_size=5)),
    }


def moved(held: list[Value], worth: Worth, *, pieces: list[int], terms: Agreement) -> tuple[list[Value], int]:
    """Move all that can move, in pieces of so many points, within the person's cap of the day."""
    arrived, recognised = [], 0
    for value in held:
        used, before = UNUSED, NOTHING_MOVED
        for points in (pieces * 200)[:200]:
            part_mg = mg_for_points(value, used, points=points)
            if not part_mg:
                break
            part = take(value, worth, part_mg=part_mg, used=used, moved=before)
            use = DayUse(recognised, recognised, recognised)
            if too_much(terms, use, recognised_mg=part.recognised_mg):
                break
            recognised += part.recognised_mg
            used = Used(used.used_mg + part.used_mg, used.points + part.points)
            before = Moved(
                before.used_mg + part.used_mg,
                before.recognised_mg + part.recognised_mg,
                before.points_in + part.points_in,
            )
            if part.recognised_mg:
                arrived.append(part.value(value))
        assert used.points <= value.points
    return arrived, recognised


@settings(max_examples=ROUNDS, deadline=None)
@given(worlds(), st.integers(1, 10**8))
def test_no_cycle_of_corridors_gains_by_real_rules_caps_and_splits(
    world: Mapping[str, Any], cap: int
) -> None:
    found = [values(city, world["km"]) for city in world["cities"]]
    if not all(found):
        return
    worth = [one for one in found if one is not None]
    start = worth[0]
    points = int(start.points * world["granted"])
    held = [Value(start.co2e_mg, points, Fraction(*start.points_exact))]
    caps = agreement().caps
    terms = agreement(caps=type(caps)(person_mg=cap, corridor_mg=cap, platform_mg=cap))
    for pair in zip(world["way"], world["way"][1:], strict=False):
        corridor, there = world["corridors"][pair], worth[pair[1]]
        basis = there if corridor.basis < 0 else worth[corridor.basis]
        if not there.points_exact[0]:
            return
        elsewhere = Worth(basis.co2e_mg, there.co2e_mg, Fraction(*there.points_exact), corridor.factor)
        before = sum(value.co2e_mg for value in held)
        held, recognised = moved(held, elsewhere, pieces=world["pieces"], terms=terms)
        assert sum(value.co2e_mg for value in held) == recognised <= min(before, cap)
        assert recognised <= there.co2e_mg or corridor.basis >= 0
        assert sum(value.share for value in held) <= 1

    assert sum(value.points for value in held) <= points
