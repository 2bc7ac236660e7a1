"""Each check of a lot, limit and choice: the nearest lot that passes, and one that fails this check alone."""

from datetime import date
from typing import Any

import pytest

from gateway.model.transfer import CHECKS
from gateway.model.transfer import TransferRefusal as Code
from gateway.recognition import (
    DayUse,
    Used,
    failures,
    in_order,
    pick,
    rooms,
    too_little,
    too_much,
)
from tests.unit.recognition.lots import FAILING, agreement, lot, wish


def test_a_good_lot_fails_no_check() -> None:
    assert list(failures(lot(), wish())) == []
    assert list(failures(lot(expires=None, expires_there=None), wish())) == []
    assert list(failures(lot(used=Used(799_999, 79)), wish())) == []


@pytest.mark.parametrize(("code", "changes"), FAILING)
def test_a_check_fails_alone(code: Code, changes: dict[str, Any]) -> None:
    (failed,) = failures(lot(**changes), wish())

    assert (failed.code, failed.record) == (code, "0a" * 16)
    assert failed.number == CHECKS[code]
    assert failed.detail


def test_of_a_day_of_which_nothing_is_known_all_limits_are_left_whole() -> None:
    left = [(room.code, room.left_mg) for room in rooms(agreement(), DayUse())]

    assert left == [(Code.PERSON_LIMIT, 300), (Code.CORRIDOR_LIMIT, 400), (Code.PLATFORM_LIMIT, 500)]
    assert [room.left_mg for room in rooms(agreement(), DayUse(central_cap_mg=9))][3:] == [9]


def test_failures_are_told_in_the_order_of_their_numbers() -> None:
    wrong = lot(logged=False, ownership="pooled", closed=False, evidence="upload", used=Used(800_000, 80))

    numbers = [failed.number for failed in failures(wrong, wish())]

    assert numbers == sorted(numbers) == ["T12", "T14", "T17", "T22", "T34"]


@pytest.mark.parametrize(
    ("use", "code"),
    [
        (DayUse(person_mg=100), Code.PERSON_LIMIT),
        (DayUse(corridor_mg=200), Code.CORRIDOR_LIMIT),
        (DayUse(platform_mg=300), Code.PLATFORM_LIMIT),
        (DayUse(central_mg=50, central_cap_mg=250), Code.CENTRAL_LIMIT),
    ],
)
def test_each_limit_leaves_its_rest_and_not_a_milligram_more(use: DayUse, code: Code) -> None:
    """A rest of 200 mg each, which is the lowest: 200 pass, 201 do not."""
    assert too_much(agreement(), use, recognised_mg=200) is None
    broken = too_much(agreement(), use, recognised_mg=201)

    assert broken is not None
    assert (broken.code, broken.left_mg) == (code, 200)


def test_the_lowest_limit_is_told() -> None:
    broken = too_much(agreement(), DayUse(1, 200, 400, 0, 99), recognised_mg=10_000)

    assert broken is not None
    assert (broken.code, broken.left_mg) == (Code.CENTRAL_LIMIT, 99)


def test_a_limit_that_was_overdrawn_leaves_nothing() -> None:
    assert [room.left_mg for room in rooms(agreement(), DayUse(999, 999, 999, 999, 1))] == [0, 0, 0, 0]


def test_less_than_the_minimum_is_too_little_and_so_is_nothing() -> None:
    assert too_little(agreement(), 99)
    assert not too_little(agreement(), 100)
    assert too_little(agreement(minimum_mg=0), 0)
    assert not too_little(agreement(minimum_mg=0), 1)


def test_lots_are_picked_by_their_last_day_then_by_their_id() -> None:
    days = [(None, "a"), (date(2026, 2, 1), "b"), (date(2026, 1, 1), "d"), (date(2026, 1, 1), "c")]

    assert [name for _, name in sorted(days, key=lambda one: in_order(*one))] == ["c", "d", "b", "a"]


def test_picking_never_exceeds_what_was_asked_for() -> None:
    lots = [lot(record=f"{number:032x}") for number in range(3)]

    assert [(one.lot.record[-1], one.part_mg) for one in pick(lots, 100)] == [("0", 800_000), ("1", 200_000)]
    assert [one.part_mg for one in pick(lots, 79)] == [790_000]
    assert [one.part_mg for one in pick(lots, None)] == [800_000] * 3
    assert [one.part_mg for one in pick(lots, 999)] == [800_000] * 3


def test_picking_goes_on_from_what_was_used() -> None:
    begun = lot(used=Used(300_000, 30))

    assert [one.part_mg for one in pick([begun, lot()], 60)] == [500_000, 100_000]


def test_picking_looks_at_no_more_lots_than_it_needs() -> None:
    def lots() -> Any:
        yield lot()
        raise AssertionError("nobody asked for another")

    assert [one.part_mg for one in pick(lots(), 80)] == [800_000]
