"""Lots are used part by part and never twice; what returns goes back at the original rate."""

import pytest

from gateway.errors import InvariantBroken, Refused
from gateway.ledger import (
    Book,
    Clerk,
    Dispute,
    Head,
    Kind,
    Lot,
    Part,
    Reservation,
    Verdict,
    Wanted,
    arrived_lot,
    returning,
)
from tests.fakes.ledgers import DAY, A, B, C, limited, lot, moving, unit


@pytest.fixture
def clerk() -> Clerk:
    one = Clerk(Book(), Head(), reservations={}, decisions={}, windows={})
    one.limit(limited(10_000))
    one.limit(limited(10_000, source=B, destination=C))
    return one


def code(clerk: Clerk, wanted: Reservation) -> str:
    refused = clerk.reserve(wanted)
    return "" if refused is None else refused.code


def commit(clerk: Clerk, transfer: str) -> None:
    clerk.decide(transfer, Verdict.COMMIT, reason="", decided="2026-11-22T08:00:00Z")


def test_parts_of_a_lot_move_until_nothing_is_left(clerk: Clerk) -> None:
    whole = lot(mg=1_000)

    codes = [code(clerk, moving(f"tr_{n}", mg, of=whole)) for n, mg in enumerate((600, 401, 400, 1))]

    assert codes == ["", "lot-spent", "", "lot-spent"]


def test_a_lot_that_one_transfer_names_twice_is_counted_twice(clerk: Clerk) -> None:
    half = moving("tr_1", 501, of=lot(mg=1_000)).parts[0]

    twice = Reservation("tr_1", Kind.MOVE, A, B, unit(B), DAY, (half, half))

    assert code(clerk, twice) == "lot-spent"
    assert not clerk.book.lots


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (lot(), ""),
        (lot()._replace(expires=DAY), ""),
        (lot()._replace(expires=DAY - 1), "lot-expired"),
        (lot(B), "lot-elsewhere"),
    ],
)
def test_only_a_good_lot_of_the_source_moves(clerk: Clerk, held: Lot, expected: str) -> None:
    wanted = moving("tr_1", 10, of=held)
    part = wanted.parts[0]._replace(expires=held.expires)

    assert code(clerk, wanted._replace(source=A, destination=B, parts=(part,))) == expected


def test_a_disputed_lot_does_not_move_until_the_dispute_ends(clerk: Clerk) -> None:
    clerk.dispute(Dispute("r-1", True, lot()))
    assert code(clerk, moving("tr_1", 10, of=lot())) == "lot-disputed"

    clerk.dispute(Dispute("r-1", False))

    assert code(clerk, moving("tr_2", 10, of=lot())) == ""
    with pytest.raises(Refused, match="never used"):
        clerk.dispute(Dispute("r-2", True))


def test_a_lot_that_changed_since_its_first_use_is_refused(clerk: Clerk) -> None:
    assert code(clerk, moving("tr_1", 10, of=lot(mg=1_000))) == ""

    assert code(clerk, moving("tr_2", 10, of=lot(mg=2_000))) == "lot-changed"


def test_a_lot_that_never_arrived_is_unknown(clerk: Clerk) -> None:
    part = Part("tr_none/0", 10, 10, 10, 1)

    assert code(clerk, Reservation("tr_1", Kind.MOVE, A, B, unit(B), DAY, (part,))) == "lot-unknown"


def test_what_arrived_is_a_lot_of_its_recognised_amount(clerk: Clerk) -> None:
    assert code(clerk, moving("tr_1", 600, of=lot(mg=1_000), recognised=250)) == ""
    commit(clerk, "tr_1")

    assert clerk.book.lots["tr_1/0"] == Lot(B, "r-1", unit(B), 250, 250, 25)
    onward = Reservation("tr_2", Kind.MOVE, B, C, unit(C), DAY, (Part("tr_1/0", 251, 25, 251, 1),))
    assert code(clerk, onward) == "lot-spent"
    onward = onward._replace(transfer="tr_3", parts=(Part("tr_1/0", 250, 25, 100, 10),))
    assert code(clerk, onward) == ""


def test_an_abort_gives_everything_back(clerk: Clerk) -> None:
    before = clerk.book.copy()
    assert code(clerk, moving("tr_1", 600, of=lot())) == ""

    clerk.decide("tr_1", Verdict.ABORT, reason="expired", decided="")

    assert clerk.book.lots["r-1"] == lot()
    assert {p: (q.owed, q.limit) for p, q in clerk.book.positions.items() if p in before.positions} == {
        p: (q.owed, q.limit) for p, q in before.positions.items()
    }


def test_what_is_retired_neither_moves_nor_returns(clerk: Clerk) -> None:
    retired = Reservation("tr_1", Kind.RETIRE, A, "", "", DAY, (Part("r-1", 1_000, 1_000, facts=lot()),))
    assert code(clerk, retired) == ""
    commit(clerk, "tr_1")

    assert code(clerk, moving("tr_2", 1, of=lot())) == "lot-retired"


def returned(clerk: Clerk, transfer: str, *, mg: int, original: Reservation) -> str:
    wanted = [Wanted(0, mg)]
    made = returning(original, wanted, transfer=transfer, unit=unit(A), day=DAY, lots=clerk.book.lots)
    return code(clerk, made)


def test_a_return_of_all_restores_the_start_exactly(clerk: Clerk) -> None:
    original = moving("tr_1", 600, of=lot(mg=1_000), recognised=250)
    assert code(clerk, original) == ""
    commit(clerk, "tr_1")

    assert returned(clerk, "tr_2", mg=250, original=original) == ""
    commit(clerk, "tr_2")

    assert clerk.book.lots["r-1"] == lot(mg=1_000)
    assert clerk.book.lots["tr_1/0"].free_mg == 0
    assert returned(clerk, "tr_3", mg=1, original=original) == "lot-spent"


def test_returns_in_pieces_never_give_more_than_the_original(clerk: Clerk) -> None:
    original = moving("tr_1", 600, of=lot(mg=1_000), recognised=7)
    assert code(clerk, original) == ""
    commit(clerk, "tr_1")

    for n in range(7):
        assert returned(clerk, f"tr_r{n}", mg=1, original=original) == ""
        commit(clerk, f"tr_r{n}")

    back = clerk.book.lots["r-1"]
    assert back.free_mg == 400 + 7 * (600 // 7)
    assert back.free_points <= 1_000
    assert returned(clerk, "tr_8", mg=1, original=original) == "lot-spent"


def test_a_return_stays_inside_what_was_recognised() -> None:
    original = moving("tr_1", 600, recognised=250)
    arrived = {arrived_lot("tr_1", 0): lot(B, 250)}

    with pytest.raises(InvariantBroken, match="I9"):
        returning(original, [Wanted(0, 251)], transfer="tr_2", unit=unit(A), day=DAY, lots=arrived)


def test_an_expiry_never_grows(clerk: Clerk) -> None:
    wanted = moving("tr_1", 10, of=lot()._replace(expires=DAY))
    assert code(clerk, wanted) == ""

    with pytest.raises(InvariantBroken, match="I11"):
        commit(clerk, "tr_1")


@pytest.mark.parametrize(
    "part",
    [
        Part("r-1", 0, 0, facts=lot()),
        Part("r-1", 10, -1, facts=lot()),
        Part("r-1", 10, 10, 11, facts=lot()),
        Part("r-1", 10, 10, 10, -1, facts=lot()),
        Part("r-1", 10, 10, 10, 1, facts=lot(mg=2**51)),
        Part("r-1", 10, 10, 10, 1, facts=lot()._replace(moved_mg=1)),
    ],
)
def test_amounts_that_no_quote_holds_are_a_fault(clerk: Clerk, part: Part) -> None:
    with pytest.raises(InvariantBroken):
        clerk.reserve(Reservation("tr_1", Kind.MOVE, A, B, unit(B), DAY, (part,)))
