"""Limits hold one after the other: whatever the order and the batches, exactly what fits is accepted."""

from itertools import permutations

import pytest

from gateway.ledger import ALL, Book, Cap, Clerk, Head, Limit, Pair, Position, Reservation, Verdict
from tests.fakes.ledgers import A, B, C, limited, moving


def clerk(*limits: Limit) -> Clerk:
    one = Clerk(Book(), Head(), reservations={}, decisions={}, windows={})
    for limit in limits:
        one.limit(limit)
    return one


def accepted(one: Clerk, wanted: list[Reservation]) -> list[str]:
    return [reservation.transfer for reservation in wanted if one.reserve(reservation) is None]


@pytest.mark.parametrize(("count", "mg"), [(3, 60), (10, 90)])
def test_of_amounts_that_do_not_fit_together_exactly_one_is_accepted(count: int, mg: int) -> None:
    orders = permutations(range(3)) if count == 3 else ([*range(n, count), *range(n)] for n in range(count))
    for order in orders:
        wanted = [moving(f"tr_{n}", mg) for n in order]

        assert accepted(clerk(limited(100)), wanted) == [f"tr_{order[0]}"]


def test_every_order_is_taken_one_after_the_other() -> None:
    for order in permutations((60, 30, 50, 40, 10)):
        one = clerk(limited(100))
        left = 100
        for number, mg in enumerate(order):
            fits = mg <= left
            left -= mg if fits else 0

            assert (one.reserve(moving(f"tr_{number}", mg)) is None) is fits


def test_the_limit_is_the_lower_of_cap_and_cover() -> None:
    one = clerk(limited(100, cover=59))

    refused = one.reserve(moving("tr_1", 60))

    assert refused is not None
    assert (refused.code, refused.asked, refused.left) == ("position-limit", 60, 59)
    assert one.reserve(moving("tr_2", 59)) is None


def test_what_came_in_gives_room_only_once_it_is_decided() -> None:
    one = clerk(limited(100), limited(100, source=B, destination=A))
    assert one.reserve(moving("tr_1", 100)) is None
    assert (
        one.reserve(moving("tr_2", 50, of=moving("x", 50).parts[0].facts._replace(platform=B), to=A)) is None
    )  # type: ignore[union-attr] - it has facts
    refused = one.reserve(moving("tr_3", 50))
    assert refused is not None

    one.decide("tr_2", Verdict.COMMIT, reason="", decided="")

    assert one.reserve(moving("tr_4", 50)) is None
    assert one.book.positions[Pair(A, B)] == Position(0, 50, 150, 100, 100)


def test_the_limit_of_a_platform_counts_all_its_corridors() -> None:
    one = clerk(limited(100), limited(100, destination=C), Limit(Pair(A, ALL), 150, None))

    codes = [one.reserve(moving(f"tr_{to}", 90, to=to)) for to in (B, C)]

    assert codes[0] is None
    assert codes[1] is not None
    assert (codes[1].code, codes[1].about, codes[1].left) == ("position-limit", A, 60)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ([], "agreement-not-in-force"),
        ([limited(100)._replace(paused=True)], "corridor-paused"),
        ([limited(100), Limit(Pair(B, ALL), None, None, paused=True)], "platform-not-active"),
        ([limited(59)], "position-limit"),
    ],
)
def test_nothing_goes_where_nothing_may_go(limits: list[Limit], code: str) -> None:
    one = clerk(*limits)

    refused = one.reserve(moving("tr_1", 60))

    assert refused is not None
    assert refused.code == code
    assert not one.book.lots


@pytest.mark.parametrize("code", ["person-limit", "corridor-limit", "platform-limit", "central-limit"])
def test_the_lowest_day_limit_wins_and_frees_with_an_abort(code: str) -> None:
    caps = [Cap(code, "this", 100), Cap("other-limit", "other", 1000)]
    one = clerk(limited(10_000))
    assert one.reserve(moving("tr_1", 60, caps=caps)) is None

    refused = one.reserve(moving("tr_2", 41, caps=caps))

    assert refused is not None
    assert (refused.code, refused.left) == (code, 40)
    assert one.book.caps == {"this": 60, "other": 60}
    one.decide("tr_1", Verdict.ABORT, reason="expired", decided="")
    assert one.reserve(moving("tr_3", 100, caps=caps)) is None


def test_a_limit_that_is_lowered_below_what_is_owed_lets_nothing_more_out() -> None:
    one = clerk(limited(100))
    assert one.reserve(moving("tr_1", 60)) is None
    one.limit(limited(50))

    assert one.reserve(moving("tr_2", 1)) is not None
    one.decide("tr_1", Verdict.COMMIT, reason="", decided="")
    assert one.book.positions[Pair(A, B)].owed == 60
