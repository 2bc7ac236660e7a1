"""Limits and positions: each accepted amount is taken off before the next is judged."""

from itertools import permutations

import pytest

from tests.oracle.examples import GRAM, corridor, lot, moved, reserve, told, world
from tests.oracle.naive_ledger import NaiveLedger
from tests.oracle.operations import (
    NO_LIMIT,
    Abort,
    AbortWindow,
    AddLot,
    Batch,
    CloseWindow,
    Commit,
    LimitCentral,
    NextDay,
    OpenCorridor,
    Outcome,
    Part,
    PendWindow,
    Reserve,
    Return,
    SettleWindow,
)


def par(name: str, grams: int, **changes: object) -> AddLot:
    """Make a lot that is worth the same everywhere, a point a gram."""
    worths = [(place, grams) for place in "ABC"]
    return lot(
        name, worths=worths, **{"reduction_mg": grams * GRAM, "points": grams, "exact_num": grams, **changes}
    )


LIMITS = {
    "person-limit": "person_day_mg",
    "corridor-limit": "corridor_day_mg",
    "platform-limit": "platform_day_mg",
    "position-limit": "debit_cap_mg",
}


def limited(code: str, grams: int) -> tuple[OpenCorridor, LimitCentral]:
    """Set one limit and leave the others open."""
    if code == "central-limit":
        return corridor("A", "B"), LimitCentral(grams * GRAM)
    return corridor("A", "B", **{LIMITS[code]: grams * GRAM}), LimitCentral(NO_LIMIT)


ALL_CODES = [*LIMITS, "central-limit"]


def alike(count: int, grams: int) -> tuple[list[AddLot], list[Reserve]]:
    """Make so many lots and a transfer of each."""
    lots = [par(f"L{n}", grams) for n in range(count)]
    return lots, [reserve(f"t{n}", (f"L{n}", grams * GRAM)) for n in range(count)]


@pytest.mark.parametrize("code", ALL_CODES)
@pytest.mark.parametrize(("count", "grams"), [(3, 60), (10, 90)])
@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_of_equal_amounts_under_a_cap_of_100_one_is_accepted(
    code: str, count: int, grams: int, size: int
) -> None:
    """3 x 60 under 100 accepts exactly one, 10 x 90 accepts one, whatever the size of the batches."""
    lots, asked = alike(count, grams)
    ledger = world(*limited(code, 100), *lots)
    outcomes: list[Outcome] = []
    for start in range(0, count, size):
        outcomes += ledger.apply(Batch(tuple(asked[start : start + size]))).each

    assert [outcome.code for outcome in outcomes] == ["", *[code] * (count - 1)]
    assert ledger.state().positions == {"A B": grams * GRAM}


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("commit", [True, False], ids=["decided between", "undecided"])
def test_in_any_order_one_of_three_is_accepted(order: tuple[int, ...], commit: bool) -> None:
    """Whether the first was decided or is still reserved makes no difference either."""
    lots, asked = alike(3, 60)
    ledger = world(*limited("position-limit", 100), *lots)
    accepted = []
    for number in order:
        if ledger.apply(asked[number]).accepted:
            accepted.append(number)
            if commit:
                told(ledger, Commit(asked[number].transfer))

    assert accepted == [order[0]]


@pytest.mark.parametrize("code", ALL_CODES)
def test_a_limit_met_exactly_is_kept_and_one_mg_more_is_not(code: str) -> None:
    """60 and 40 fit under 100; 60 and 40.001 do not."""
    ledger = world(*limited(code, 100), par("L0", 60), par("L1", 60))
    told(ledger, reserve("t0", ("L0", 60 * GRAM)))

    assert ledger.apply(reserve("t1", ("L1", 40 * GRAM + 1))).code == code
    assert ledger.apply(reserve("t2", ("L1", 40 * GRAM))).accepted


def test_the_lower_of_cap_and_cover_bounds_the_position() -> None:
    """A cap of 100 with a cover of 50 is one of 50."""
    ledger = world(corridor("A", "B", debit_cap_mg=100 * GRAM, cover_mg=50 * GRAM), par("L0", 60))

    assert ledger.apply(reserve("t0", ("L0", 50 * GRAM + 1))).code == "position-limit"
    assert ledger.apply(reserve("t1", ("L0", 50 * GRAM))).accepted


def test_an_aborted_transfer_gives_back_its_room_and_its_lots() -> None:
    """After the abort the same amount fits again, under a new id."""
    ledger = world(*limited("position-limit", 100), par("L0", 60), par("L1", 60))
    before = ledger.state()
    told(ledger, reserve("t0", ("L0", 60 * GRAM)), Abort("t0"))

    after = ledger.state()

    assert (after.balances, after.lots, after.positions) == (before.balances, before.lots, before.positions)
    assert ledger.apply(reserve("t1", ("L1", 60 * GRAM))).accepted


def test_a_refused_id_stays_refused_when_room_has_come() -> None:
    """A failure that depended on the state sticks to its id for ever."""
    ledger = world(*limited("position-limit", 100), par("L0", 60), par("L1", 60))
    told(ledger, reserve("t0", ("L0", 60 * GRAM)))
    refused = reserve("t1", ("L1", 60 * GRAM))

    assert ledger.apply(refused).code == "position-limit"
    told(ledger, Abort("t0"))
    assert ledger.apply(refused).code == "position-limit"
    assert ledger.apply(reserve("t2", ("L1", 60 * GRAM))).accepted


def test_limits_of_a_day_begin_anew_and_the_position_does_not() -> None:
    """The next day the corridor takes 60 more; the cap of 100 then stops it."""
    ledger = world(
        corridor("A", "B", corridor_day_mg=60 * GRAM, debit_cap_mg=100 * GRAM), par("L0", 60), par("L1", 60)
    )
    moved(ledger, reserve("t0", ("L0", 60 * GRAM)))

    assert ledger.apply(reserve("t1", ("L1", GRAM))).code == "corridor-limit"
    told(ledger, NextDay(1))
    assert ledger.apply(reserve("t2", ("L1", 40 * GRAM + 1))).code == "position-limit"
    assert ledger.apply(reserve("t3", ("L1", 40 * GRAM))).accepted


def test_a_platforms_limit_counts_all_its_corridors_and_a_corridors_only_its_own() -> None:
    """60 to B leave 40 of A's 100 for C."""
    ledger = world(
        corridor("A", "B"),
        corridor("A", "C", platform_day_mg=100 * GRAM, corridor_day_mg=60 * GRAM),
        par("L0", 60),
        par("L1", 60),
    )
    told(ledger, reserve("t0", ("L0", 60 * GRAM)))

    assert ledger.apply(reserve("t1", ("L1", 40 * GRAM + 1), way="AC")).code == "platform-limit"
    assert ledger.apply(reserve("t2", ("L1", 40 * GRAM), way="AC")).accepted


def test_a_persons_limit_is_the_persons_own() -> None:
    """Li may still move when Zhang has used the day."""
    ledger = world(*limited("person-limit", 60), par("L0", 60), par("L1", 60, person="li"))
    told(ledger, reserve("t0", ("L0", 60 * GRAM)))

    assert ledger.apply(reserve("t1", ("L1", 60 * GRAM), person="li")).accepted


def both_ways(*, cap: int) -> NaiveLedger:
    """Open A to B and back under a cap; A has two lots of 100, B one."""
    ways = (corridor("A", "B", debit_cap_mg=cap * GRAM), corridor("B", "A", debit_cap_mg=cap * GRAM))
    return world(*ways, par("L0", 100), par("L1", 100), par("M", 100, platform="B"))


def test_what_came_the_other_way_makes_room_once_it_is_committed() -> None:
    """A may owe 100; after 50 from B it may send 150; while B's are only reserved it may not."""
    ledger = both_ways(cap=100)
    told(ledger, reserve("t0", ("L0", 100 * GRAM)), Commit("t0"), reserve("t1", ("M", 50 * GRAM), way="BA"))

    assert ledger.apply(reserve("t2", ("L1", GRAM))).code == "position-limit"
    told(ledger, Commit("t1"))
    assert ledger.apply(reserve("t3", ("L1", 50 * GRAM + 1))).code == "position-limit"
    assert ledger.apply(reserve("t4", ("L1", 50 * GRAM))).accepted
    assert ledger.state().positions == {"A B": 100 * GRAM, "B A": -50 * GRAM}


def test_room_under_the_cap_comes_back_when_the_window_is_settled_and_not_before() -> None:
    """Closing and pending change no position."""
    ledger = world(*limited("position-limit", 100), par("L0", 100), *(par(f"M{n}", 1) for n in range(4)))
    moved(ledger, reserve("t0", ("L0", 100 * GRAM)))
    told(ledger, CloseWindow(1))
    assert ledger.apply(reserve("s0", ("M0", GRAM))).code == "position-limit"
    told(ledger, PendWindow(1))
    assert ledger.apply(reserve("s1", ("M1", GRAM))).code == "position-limit"
    told(ledger, SettleWindow(1))

    assert ledger.state().positions == {}
    assert ledger.state().transfers == {"t0": "settled"}
    assert ledger.apply(reserve("s9", ("M3", GRAM))).accepted


def test_an_aborted_settlement_leaves_every_position_as_it_was() -> None:
    """Positions stay exactly, and go on counting."""
    ledger = world(*limited("position-limit", 100), par("L0", 100), par("L1", 1))
    moved(ledger, reserve("t0", ("L0", 100 * GRAM)))
    before = ledger.state().positions
    told(ledger, CloseWindow(1), PendWindow(1), AbortWindow(1))

    assert ledger.state().positions == before
    assert ledger.apply(SettleWindow(1)).code == "window-state"
    assert ledger.apply(reserve("t1", ("L1", GRAM))).code == "position-limit"


def test_a_step_run_again_changes_nothing_and_one_out_of_turn_is_refused() -> None:
    """OPEN, CLOSED, PENDING, SETTLED, each from the one before."""
    ledger = world(*limited("position-limit", 100))

    assert ledger.apply(PendWindow(1)).code == "window-state"
    assert ledger.apply(SettleWindow(1)).code == "window-state"
    assert ledger.apply(CloseWindow(2)).code == "unknown-window"
    told(
        ledger, CloseWindow(1), CloseWindow(1), PendWindow(1), SettleWindow(1), PendWindow(1), SettleWindow(1)
    )
    assert ledger.state().windows == {"1": "SETTLED", "2": "OPEN"}


def test_a_window_whose_credit_was_used_later_does_not_settle_alone() -> None:
    """B's 100 in window 1 let A send 200 under a cap of 100; settled alone, they would leave A owing 200."""
    ledger = both_ways(cap=100)
    moved(ledger, reserve("t0", ("M", 100 * GRAM), way="BA"))
    told(ledger, CloseWindow(1), PendWindow(1))
    moved(ledger, reserve("t1", ("L0", 100 * GRAM), ("L1", 100 * GRAM)))

    assert ledger.apply(SettleWindow(1)).code == "position-limit"
    told(ledger, CloseWindow(2), PendWindow(2), SettleWindow(2), SettleWindow(1))
    assert ledger.state().positions == {}


def test_nets_of_a_triangle_sum_to_zero() -> None:
    """A owes B 100, B owes C 60, C owes A 30: A pays 70, B gets 40, C gets 30."""
    ways = [corridor("A", "B"), corridor("B", "C"), corridor("C", "A")]
    ledger = world(*ways, par("L", 100), par("M", 60, platform="B"), par("N", 30, platform="C"))
    moved(ledger, reserve("t0", ("L", 100 * GRAM)))
    moved(ledger, reserve("t1", ("M", 60 * GRAM), way="BC"))
    moved(ledger, reserve("t2", ("N", 30 * GRAM), way="CA"))

    assert ledger.state().nets == {"1 A": -70 * GRAM, "1 B": 40 * GRAM, "1 C": 30 * GRAM}


def test_the_deciding_moment_fixes_the_window() -> None:
    """Reserved in window 1 and committed in window 2 is part of window 2."""
    ledger = world(corridor("A", "B"), par("L", 100))
    told(ledger, reserve("t0", ("L", 100 * GRAM)), CloseWindow(1), Commit("t0"))

    assert ledger.state().nets == {"2 A": -100 * GRAM, "2 B": 100 * GRAM}


def test_a_return_is_outside_the_caps_and_frees_none() -> None:
    """With no corridor back and a full cap, the return goes through and the cap stays full."""
    ledger = world(*limited("position-limit", 100), par("L", 100), par("M", 1))
    moved(ledger, reserve("t0", ("L", 100 * GRAM)))
    told(ledger, Return("r0", "t0", (Part("L", 100 * GRAM),)))

    assert ledger.apply(reserve("t1", ("M", GRAM))).code == "position-limit"
    assert ledger.state().positions == {"A B": 100 * GRAM}
    assert ledger.state().nets == {}
