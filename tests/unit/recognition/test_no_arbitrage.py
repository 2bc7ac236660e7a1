"""No way of moving points about gains any: over drawn rules, agreements, limits and splits.

``TANQIAO_ARBITRAGE_SEEDS`` says how many residents try.
"""

import os
from collections.abc import Callable
from math import ceil, floor
from typing import Any, Final

import pytest

from gateway.ledger import require_whole
from gateway.recognition import (
    NOTHING_MOVED,
    UNUSED,
    Moved,
    Part,
    Used,
    Value,
    Worth,
    agreement_of,
    movable,
    take,
)
from tests.fakes.arbitrage import Cities, Resident, program, ride
from tests.fakes.claims import PLATFORMS
from tests.fakes.moving import agreement

SEEDS: Final = int(os.environ.get("TANQIAO_ARBITRAGE_SEEDS", "60"))
FIRST: Final = int(os.environ.get("TANQIAO_ARBITRAGE_FIRST", "0"))
STEPS: Final = 14
FOUND_WITHIN: Final = 150


def tried(seed: int, *, take: Callable[..., Part] = take) -> Resident:
    """Let a resident try, hold the books to it that nothing was gained, and bring everything home."""
    resident = Resident(seed, take=take)
    for _ in range(STEPS):
        resident.act()
        require_no_gain(resident)
    resident.go_home()
    require_no_gain(resident)
    require_whole(resident.book)
    return resident


def require_no_gain(resident: Resident) -> None:
    start, lots = resident.start, list(resident.held())
    assert sum(lot.held_mg for lot in lots) <= start.co2e_mg, "more is held than was recorded"
    at_home = [lot for lot in lots if lot.platform == resident.home]
    assert sum(lot.free_points for lot in at_home) <= start.points, "a cycle gains points"
    back = sum(lot.held_mg for lot in at_home if lot.origin)
    assert back <= movable(start), "a cycle gains reduction"
    for name, (worth, rate) in resident.whole.items():
        lot = resident.book.lots[name]
        if not lot.returned_mg:  # else less than its share may be left, and never more than there was
            assert lot.mg <= floor(rate * lot.origin_mg), "parts are recognised for more than the whole"
            assert lot.points <= floor(worth.points_of_mg * lot.mg), "parts bring more points than the whole"


def test_no_resident_gains() -> None:
    moved = returned = home = refused = 0
    for seed in range(FIRST, FIRST + SEEDS):
        try:
            resident = tried(seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
        lots = resident.book.lots.values()
        moved += len(resident.moves)
        refused += resident.refused
        returned += sum(lot.returned_mg > 0 for lot in lots)
        home += sum(lot.platform == resident.home and bool(lot.origin) and lot.mg > 0 for lot in lots)

    assert moved > 3 * SEEDS
    assert min(refused, returned, home) > SEEDS // 10


def rounded_up(value: Value, worth: Worth, **given: Any) -> Part:
    part = take(value, worth, **given)
    recognised = min(part.used_mg, ceil(worth.recognised_of(value) * part.used_mg))
    return part._replace(recognised_mg=recognised)


def each_by_itself(value: Value, worth: Worth, **given: Any) -> Part:
    """Compare a part with the worth of the whole act."""
    part = take(value, worth, **given)
    return part._replace(recognised_mg=min(part.used_mg, worth.basis_mg))


def issuing_to_the_nearest(value: Value, worth: Worth, **given: Any) -> Part:
    part = take(value, worth, **given)
    return part._replace(points_in=round(worth.points_of_mg * part.recognised_mg))


def burning_too_little(value: Value, worth: Worth, **given: Any) -> Part:
    """Move what was paid for as though all of it had been."""
    part = take(value, worth, **given)
    return part._replace(points=value.points * part.used_mg // value.co2e_mg)


@pytest.mark.parametrize("bug", [rounded_up, each_by_itself, issuing_to_the_nearest, burning_too_little])
def test_a_planted_gain_is_found(bug: Callable[..., Part]) -> None:
    def search() -> None:
        for seed in range(FOUND_WITHIN):
            tried(seed, take=bug)

    with pytest.raises(AssertionError, match=r"gains|more"):
        search()


def test_ten_parts_of_25_g_of_a_lot_of_250_g_are_worth_40_g_by_rules_that_give_40_g_for_the_act() -> None:
    """One km is 250 g at the first city and 40 g at the second, by their documents and an agreement."""
    figures = dict(zip(PLATFORMS, ("250", "40", "100"), strict=True))
    cities = Cities({city: program(city, figure, "1", "floor") for city, figure in figures.items()})
    row, agreed = ride("1.0"), agreement_of(agreement(evidence=[{"grade": "device", "factor": "1"}]), "")
    value, worth = cities.value(PLATFORMS[0], row, cap=250), cities.worth(row, agreed)
    used, moved = UNUSED, NOTHING_MOVED
    for number in range(1, 11):
        part = take(value, worth, part_mg=25_000, used=used, moved=moved)
        assert (part.points, part.recognised_mg, part.points_in) == (25, 4_000, 4)
        used, moved = Used(25_000 * number, 25 * number), Moved(25_000 * number, 4_000 * number, 4 * number)

    assert (value.co2e_mg, moved.recognised_mg, moved.points_in) == (250_000, 40_000, 40)
