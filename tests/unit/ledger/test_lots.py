"""Lots are used part by part and never twice; what returns goes back at the original rate."""

import pytest

from gateway.errors import InvariantBroken, Refused
from gateway.ledger import (
    AMOUNT_MAX,
    Back,
    Book,
    Clerk,
    Dispute,
    Head,
    Kind,
    Lot,
    Part,
    Reservation,
    Seen,
    Verdict,
    Wanted,
    arrived_lot,
    nets,
    returning,
    way_of,
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
        (lot(B), "lot-not-held"),
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

    assert code(clerk, moving("tr_2", 10, of=lot(mg=2_000))) == "quote-differs"


def test_a_lot_that_never_arrived_is_unknown(clerk: Clerk) -> None:
    part = Part("r-0>" + B, 10, 10, 10, 1)

    assert code(clerk, Reservation("tr_1", Kind.MOVE, A, B, unit(B), DAY, (part,))) == "lot-not-held"


def test_what_arrived_is_a_lot_of_its_recognised_amount(clerk: Clerk) -> None:
    assert code(clerk, moving("tr_1", 600, of=lot(mg=1_000), recognised=250)) == ""
    commit(clerk, "tr_1")

    assert clerk.book.lots[f"r-1>{B}"] == Lot(B, "r-1", unit(B), 250, 250, 25, origin="r-1", origin_mg=600)
    onward = Reservation("tr_2", Kind.MOVE, B, C, unit(C), DAY, (Part(f"r-1>{B}", 251, 25, 251, 1),))
    assert code(clerk, onward) == "lot-spent"
    onward = onward._replace(transfer="tr_3", parts=(Part(f"r-1>{B}", 250, 25, 100, 10),))
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
    assert clerk.book.lots[f"r-1>{B}"].free_mg == 0
    assert clerk.book.lots[f"r-1>{B}"].origin_mg == 0
    assert returned(clerk, "tr_3", mg=1, original=original) == "return-exceeds-original"


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
    assert returned(clerk, "tr_8", mg=1, original=original) == "return-exceeds-original"


def test_a_return_stays_inside_what_was_recognised() -> None:
    original = moving("tr_1", 600, recognised=250)
    arrived = {original.arriving(original.parts[0]): lot(B, 250)}

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
        Part("r-1", 10, 10, -1, facts=lot()),
        Part("r-1", 10, 10, 10, AMOUNT_MAX + 1, facts=lot()),
        Part("r-1", 10, 10, 10, 1, facts=lot()._replace(movable_mg=-1)),
        Part("r-1", 10, 10, 10, 1, facts=lot()._replace(movable_mg=1_001)),
        Part("r-1", 10, 10, 10, 1, facts=lot()._replace(mg=AMOUNT_MAX + 1)),
        Part("r-1", 10, 10, 10, 1, facts=lot()._replace(points=AMOUNT_MAX + 1)),
        Part("r-1", 10, 10, 10, 1, facts=lot()._replace(points=-1)),
        Part("r-1", 10, 10, 10, -1, facts=lot()),
        Part("r-1", 10, 10, 10, 1, facts=lot(mg=2**51)),
        Part("r-1", 10, 10, 10, 1, facts=lot()._replace(moved_mg=1)),
    ],
)
def test_amounts_that_no_quote_holds_are_a_fault(clerk: Clerk, part: Part) -> None:
    with pytest.raises(InvariantBroken, match="make no sense"):
        clerk.reserve(Reservation("tr_1", Kind.MOVE, A, B, unit(B), DAY, (part,)))


def test_a_lot_may_hold_a_million_tonnes_and_points_may_arrive_in_as_great_a_number(clerk: Clerk) -> None:
    assert AMOUNT_MAX == 2**50
    clerk.limit(limited(AMOUNT_MAX))
    huge = moving("tr_1", AMOUNT_MAX, of=lot(mg=AMOUNT_MAX))
    part = huge.parts[0]._replace(points_in=AMOUNT_MAX)

    assert code(clerk, huge._replace(parts=(part,))) == ""
    nothing = lot(record="r-2")._replace(movable_mg=0)
    assert (
        code(clerk, huge._replace(transfer="tr_2", parts=(Part("r-2", 1, 0, facts=nothing),))) == "lot-spent"
    )


def test_parts_of_a_lot_that_went_the_same_way_are_one_lot(clerk: Clerk) -> None:
    whole = lot(mg=1_000)
    for n, rates in enumerate(("", "", "2")):
        wanted = moving(f"tr_{n}", 100, of=whole, recognised=50)
        assert code(clerk, wanted._replace(parts=(wanted.parts[0]._replace(rates=rates),))) == ""
        commit(clerk, f"tr_{n}")

    assert clerk.book.lots[f"r-1>{B}"] == Lot(B, "r-1", unit(B), 100, 100, 10, origin="r-1", origin_mg=200)
    assert clerk.book.lots[f"r-1>{B} 2"].origin_mg == 100
    onward = Part(f"r-1>{B}", 100, 10, 100, 10)
    assert code(clerk, Reservation("tr_9", Kind.MOVE, B, C, unit(C), DAY, (onward,))) == ""


def test_what_joins_a_lot_never_lengthens_its_life(clerk: Clerk) -> None:
    for n, end in enumerate((DAY + 9, DAY + 3, DAY + 5)):
        wanted = moving(f"tr_{n}", 100, of=lot(mg=1_000)._replace(expires=DAY + 9))
        assert code(clerk, wanted._replace(parts=(wanted.parts[0]._replace(expires=end),))) == ""
        commit(clerk, f"tr_{n}")

    assert clerk.book.lots[f"r-1>{B}"].expires == DAY + 3


def test_of_one_transfer_no_more_returns_than_it_moved_though_another_moved_as_much(clerk: Clerk) -> None:
    originals = [moving(f"tr_{n}", 100, of=lot(mg=1_000), recognised=50) for n in range(2)]
    for original in originals:
        assert code(clerk, original) == ""
        commit(clerk, original.transfer)
    assert returned(clerk, "tr_r1", mg=50, original=originals[0]) == ""

    assert returned(clerk, "tr_r2", mg=1, original=originals[0]) == "return-exceeds-original"

    clerk.decide("tr_r1", Verdict.ABORT, reason="expired", decided="")
    assert returned(clerk, "tr_r3", mg=50, original=originals[0]) == ""
    assert returned(clerk, "tr_r4", mg=50, original=originals[1]) == ""


def test_a_return_passes_every_limit_and_is_netted(clerk: Clerk) -> None:
    original = moving("tr_1", 600, of=lot(mg=1_000))
    assert code(clerk, original) == ""
    commit(clerk, "tr_1")
    before = dict(clerk.book.positions)

    assert returned(clerk, "tr_2", mg=600, original=original) == ""
    commit(clerk, "tr_2")

    assert clerk.book.positions == before
    assert [net.mg for net in nets(clerk.book.flows)] == [0, 0]


def test_a_quote_that_saw_other_usage_is_refused(clerk: Clerk) -> None:
    first = moving("tr_1", 100, of=lot(mg=1_000), recognised=50)
    part = first.parts[0]

    def quoted(transfer: str, *seen: int) -> str:
        return code(clerk, first._replace(transfer=transfer, parts=(part._replace(seen=Seen(*seen)),)))

    assert quoted("tr_1", 0, 0) == ""
    commit(clerk, "tr_1")

    assert quoted("tr_2", 0, 0) == "quote-differs"
    assert quoted("tr_3", 100, 100) == "quote-differs"
    assert quoted("tr_4", 100, 100, 100, 50, 5) == ""


@pytest.mark.parametrize("verdict", Verdict)
def test_what_a_part_comes_to_waits_for_the_part_on_its_way(clerk: Clerk, verdict: Verdict) -> None:
    first = moving("tr_1", 100, of=lot(mg=1_000), recognised=50)
    used = {Verdict.COMMIT: Seen(100, 100, 100, 50, 5), Verdict.ABORT: Seen(0, 0)}
    second = moving("tr_2", 100, of=lot(mg=1_000)).parts[0]
    assert code(clerk, first) == ""

    for seen in used.values():
        then = first._replace(transfer="tr_2", parts=(second._replace(seen=seen),))
        assert code(clerk, then) == "lot-in-transit"

    clerk.decide("tr_1", verdict, reason="", decided="2026-11-22T08:00:00Z")
    assert code(clerk, then._replace(parts=(second._replace(seen=used[verdict]),))) == ""


def test_nothing_goes_back_of_what_was_not_committed(clerk: Clerk) -> None:
    originals = [moving(f"tr_{n}", 100, of=lot(mg=1_000)) for n in range(3)]
    for original in originals:
        assert code(clerk, original) == ""
    commit(clerk, "tr_0")
    clerk.decide("tr_1", Verdict.ABORT, reason="expired", decided="")

    codes = [returned(clerk, f"tr_r{n}", mg=100, original=one) for n, one in enumerate(originals)]

    assert codes == ["", "not-committed", "not-committed"]


def test_what_goes_back_another_way_is_a_fault(clerk: Clerk) -> None:
    original = moving("tr_1", 600, of=lot(mg=1_000))
    assert code(clerk, original) == ""
    commit(clerk, "tr_1")
    made = returning(original, [Wanted(0, 600)], transfer="tr_2", unit=unit(A), day=DAY, lots=clerk.book.lots)

    with pytest.raises(InvariantBroken, match="I9"):
        clerk.reserve(made._replace(parts=(made.parts[0]._replace(back=Back("r-2", 600, 0)),)))


def test_the_name_of_a_lot_tells_its_record_and_the_rates_of_its_moves_in_their_order() -> None:
    once = arrived_lot("3f0c", B, rates="4/25 1/1000")
    twice = arrived_lot(once, C, rates="1 1/500")

    assert way_of("3f0c") == ("3f0c", ())
    assert way_of(once) == ("3f0c", ("4/25 1/1000",))
    assert way_of(twice) == ("3f0c", ("4/25 1/1000", "1 1/500"))


def test_what_was_used_of_a_lot_is_told_in_mg_and_points_and_nothing_else_is() -> None:
    names = ("transit", "moved", "retired", "returned")
    counted = [f"{name}_{of}" for name in names for of in ("mg", "points")]
    used = Lot("record", A, "unit", 100, 100, 100, disputed=True)._replace(
        **{name: number for number, name in enumerate(counted, 1)}
    )

    assert used.uses == (1, 2, 3, 4, 5, 6, 7, 8)
