"""Which acts hold their claim: against a naive checker, in all orders and all cuts."""

import hashlib
import os
from itertools import permutations
from random import Random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.claims import Act, Change, Kind, Kinds, changes, holding
from tests.fakes.naive_claims import Ride, naive_holding

ROUNDS: Final = int(os.environ.get("TANQIAO_CLAIM_ROUNDS", "300"))
TOLERANCE: Final = 3
NAMES: Final = ("public", "metro", "bus", "plate")
KINDS: Final = Kinds(
    (
        Kind("public", None, "interval", TOLERANCE, 4, ()),
        Kind("metro", "public", "interval", TOLERANCE, 4, ()),
        Kind("bus", "public", "interval", TOLERANCE, 4, ()),
        Kind("plate", None, "day", 0, 0, ()),
    )
)


def act(ride: Ride) -> Act:
    return Act(
        ride.day,
        ride.start,
        ride.end,
        ride.rank,
        ride.name.encode(),
        NAMES.index(ride.kind),
        ord(ride.platform),
        ride.whole,
        hashlib.sha256(ride.name.encode()).digest()[:16],
    )


def names(acts: dict[Act, Act | None]) -> set[str]:
    return {one.digest.decode() for one, by in acts.items() if by is None}


def metro(name: str, start: int, end: int, platform: str = "a") -> Ride:
    return Ride(name, "metro", 1, start, end, platform)


rides = st.builds(
    lambda number, kind, start, seconds, platform, rank, whole: (
        Ride(f"{number:03d}", kind, 1 + start // 24, -1, 99, platform, rank, True)
        if whole or kind == "plate"
        else Ride(f"{number:03d}", kind, 1 + start // 24, start, start + seconds, platform, rank)
    ),
    st.integers(0, 999),
    st.sampled_from(NAMES),
    st.integers(0, 47),
    st.integers(0, 12),
    st.sampled_from("abc"),
    st.integers(0, 3),
    st.integers(0, 9).map(lambda one: one == 0),
)
stories = st.lists(rides, max_size=14, unique_by=lambda ride: ride.name)


@given(stories)
def test_the_acts_that_hold_are_those_of_the_naive_checker(story: list[Ride]) -> None:
    assert names(holding(map(act, story), KINDS)) == naive_holding(story, tolerance=TOLERANCE)


@given(stories, st.integers(0, 2**32))
def test_every_order_and_cut_ends_with_the_same_records_counting(story: list[Ride], seed: int) -> None:
    """After all reversals the records that count are the same, however acts came and were withdrawn."""
    random = Random(seed)
    arriving, known, counting = [act(ride) for ride in story], list[Act](), set[bytes]()
    random.shuffle(arriving)
    while arriving:
        size = random.randint(1, len(arriving))
        some, arriving = arriving[:size], arriving[size:]
        counting |= {one.digest for one in some}
        _apply(counting, changes(known, known + some, kinds=KINDS))
        known += some
        if random.randrange(4) == 0:
            gone = random.choice(known)
            left = [one for one in known if one is not gone]
            counting.discard(gone.digest)
            _apply(counting, changes(known, left, kinds=KINDS))
            known = left

    left_names = {one.digest.decode() for one in known}
    expected = naive_holding([ride for ride in story if ride.name in left_names], tolerance=TOLERANCE)
    assert {name.decode() for name in counting} == expected


def _apply(counting: set[bytes], found: list[Change]) -> None:
    for change in found:
        assert (change.act.digest in counting) != change.holds, "a reversal that changes nothing"
        assert (change.by is None) == change.holds
        (set.add if change.holds else set.discard)(counting, change.act.digest)


def test_one_ride_of_three_platforms_counts_once_in_all_six_orders() -> None:
    seen = [metro("a", 100, 400, "a"), metro("b", 98, 390, "b"), metro("c", 103, 402, "c")]

    for order in permutations(seen):
        known: list[Act] = []
        counting: set[bytes] = set()
        for ride in order:
            counting.add(act(ride).digest)
            _apply(counting, changes(known, [*known, act(ride)], kinds=KINDS))
            known.append(act(ride))
        assert counting == {b"b"}


def test_overlap_is_not_transitive_and_who_is_freed_by_an_earlier_act_holds_again() -> None:
    first, middle, last = metro("a", 0, 50), metro("b", 40, 90), metro("c", 80, 130)
    known = [act(middle), act(last)]

    found = changes(known, [*known, act(first)], kinds=KINDS)

    assert [(change.act.digest, change.holds) for change in found] == [(b"b", False), (b"c", True)]
    assert found[0].by == act(first)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((0, 1800), (0, 1800), True),
        ((0, 1800), (1797, 3600), False),
        ((0, 1800), (1796, 3600), True),
        ((0, 1800), (2100, 3600), False),
        ((0, 2), (0, 2), True),
        ((0, 4), (2, 6), False),
        ((0, 3), (1, 4), True),
        ((7, 7), (7, 7), True),
        ((7, 7), (5, 9), True),
        ((7, 7), (8, 9), False),
    ],
    ids=[
        "the same time",
        "as much overlap as is tolerated",
        "one second more",
        "five minutes apart",
        "shorter than the tolerance",
        "half of both",
        "more than half of both",
        "one moment",
        "a moment within",
        "a moment before",
    ],
)
def test_two_acts_are_one_by_their_overlap(one: tuple[int, int], other: tuple[int, int], same: bool) -> None:
    acts = [act(metro("a", *one)), act(metro("b", *other, "b"))]

    assert len(names(holding(acts, KINDS))) == (1 if same else 2)


def test_a_metro_ride_is_public_transport_but_no_bus_ride() -> None:
    public = Ride("p", "public", 1, 0, 60, "a")
    bus, train = Ride("b", "bus", 1, 10, 60, "b"), Ride("m", "metro", 1, 10, 60, "c")

    assert names(holding(map(act, [bus, train]), KINDS)) == {"b", "m"}
    assert names(holding(map(act, [public, bus, train]), KINDS)) == {"p"}


def test_of_daily_acts_the_strongest_evidence_holds_and_its_platform_has_the_day() -> None:
    def plate(name: str, platform: str, rank: int) -> Ride:
        return Ride(name, "plate", 1, -1, 99, platform, rank, True)

    seen = [plate("u", "a", 2), plate("o", "b", 0), plate("d", "b", 1)]
    assert names(holding(map(act, seen), KINDS)) == {"o", "d"}
    assert names(holding(map(act, [seen[0], seen[2]._replace(day=2)]), KINDS)) == {"u", "d"}


def test_an_act_of_a_later_day_changes_nothing_before_it() -> None:
    """What is closed may be deleted: days are decided one after the other."""
    random = Random(11)
    for _ in range(ROUNDS):
        story = [
            metro(f"{number}", start, start + random.randrange(1, 30), random.choice("abc"))._replace(
                day=1 + start // 50
            )
            for number in range(10)
            for start in [random.randrange(150)]
        ]
        first = [act(ride) for ride in story if ride.day == 1]
        assert holding(map(act, story), KINDS).items() >= holding(first, KINDS).items()
