"""The books at their edges: exactly enough, one too much, and what only a fault of this program could ask."""

import pytest

from gateway.errors import IntegrityBroken, InvariantBroken
from gateway.ledger import (
    ALL,
    CO2E,
    Account,
    AccountKind,
    Amounts,
    Back,
    Book,
    Cap,
    Clerk,
    Decision,
    Dispute,
    Flow,
    Head,
    Kind,
    Limit,
    Lot,
    Pair,
    Part,
    Position,
    Refusal,
    Replay,
    Reservation,
    Seen,
    SettlementRefused,
    Verdict,
    Wanted,
    WindowState,
    WindowStep,
    lots_digest,
    require_step,
    require_whole,
    returning,
)
from tests.fakes.ledgers import DAY, A, B, limited, lot, moving, unit


@pytest.fixture
def clerk() -> Clerk:
    one = Clerk(Book(), Head(), reservations={}, decisions={}, windows={1: WindowState.OPEN})
    one.limit(limited(10_000))
    return one


def committed(clerk: Clerk, wanted: Reservation) -> Decision:
    assert clerk.reserve(wanted) is None
    return clerk.decide(wanted.transfer, Verdict.COMMIT, reason="", decided="")


def refused(clerk: Clerk, wanted: Reservation) -> Refusal:
    found = clerk.reserve(wanted)
    assert found is not None
    return found


def retiring(transfer: str, mg: int, *, of: Lot) -> Reservation:
    return Reservation(transfer, Kind.RETIRE, A, "", "", DAY, (Part("r-1", mg, mg, facts=of),))


def going_back(clerk: Clerk, original: Reservation, *mg: int) -> Reservation:
    wanted = [Wanted(0, one) for one in mg]
    return returning(original, wanted, transfer="tr_back", unit=unit(A), day=DAY, lots=clerk.book.lots)


def test_what_lacks_points_alone_is_spent_and_what_was_retired_is_told_to_its_last_milligram(
    clerk: Clerk,
) -> None:
    whole = moving("tr_1", 1_000, of=lot())
    greedy = whole._replace(parts=(whole.parts[0]._replace(points=1_001),))

    assert refused(clerk, greedy).code == "lot-spent"
    committed(clerk, retiring("tr_2", 400, of=lot()))
    assert refused(clerk, whole._replace(transfer="tr_3")).code == "lot-retired"


def test_a_refusal_says_what_was_left_of_a_lot_after_the_parts_before(clerk: Clerk) -> None:
    first, second = (moving("tr_1", mg, of=lot()).parts[0] for mg in (600, 401))

    found = refused(clerk, Reservation("tr_1", Kind.MOVE, A, B, unit(B), DAY, (first, second)))

    assert found == Refusal("lot-spent", "r-1", 401, 400)
    assert Refusal("lot-spent", "r-1")[2:] == (0, 0)


def test_neither_a_dispute_nor_an_end_of_life_keeps_what_goes_back(clerk: Clerk) -> None:
    original = moving("tr_1", 600, of=lot()._replace(expires=DAY))
    original = original._replace(parts=(original.parts[0]._replace(expires=DAY),))
    committed(clerk, original)
    clerk.dispute(Dispute(f"r-1>{B}", True))

    made = going_back(clerk, original, 600)

    assert clerk.reserve(made._replace(day=DAY + 1)) is None


def test_a_quote_sees_what_arrived_less_what_went_back(clerk: Clerk) -> None:
    original = moving("tr_1", 600, of=lot(), recognised=300)
    committed(clerk, original)
    committed(clerk, going_back(clerk, original, 100))
    part = moving("tr_2", 100, of=lot()).parts[0]

    def seeing(transfer: str, *seen: int) -> Reservation:
        parts = (part._replace(seen=Seen(*seen)),)
        return Reservation(transfer, Kind.MOVE, A, B, unit(B), DAY, parts)

    assert refused(clerk, seeing("tr_2", 400, 400, 400, 300, 30)).code == "quote-differs"
    assert clerk.reserve(seeing("tr_3", 400, 400, 400, 200, 20)) is None
    assert Seen(1, 2) == (1, 2, 0, 0, 0)


def test_two_parts_of_one_return_are_counted_together(clerk: Clerk) -> None:
    original = moving("tr_1", 600, of=lot(), recognised=50)
    committed(clerk, original)

    assert refused(clerk, going_back(clerk, original, 50, 1)).code == "return-exceeds-original"
    with pytest.raises(InvariantBroken, match="cannot go back"):
        going_back(clerk, original, 0)


def test_points_that_go_back_are_rounded_up_where_they_go_and_down_where_they_come(clerk: Clerk) -> None:
    """25 points for 250 mg of 600: 101 mg of them cost ten points and a tenth, and bring 242.4 mg."""
    original = moving("tr_1", 600, of=lot(), recognised=250)
    committed(clerk, original)

    (part,) = going_back(clerk, original, 101).parts

    assert (part.points, part.points_in, part.back) == (11, 242, Back("r-1", 242, 0))


def test_a_day_limit_is_used_to_its_last_milligram_at_once(clerk: Clerk) -> None:
    caps = [Cap("person-limit", "today", 100)]

    assert refused(clerk, moving("tr_1", 101, caps=caps)).left == 100
    assert clerk.reserve(moving("tr_2", 100, caps=caps)) is None


MOVE = moving("tr_1", 10, of=lot())
RETIRE = retiring("tr_1", 10, of=lot())


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (MOVE._replace(parts=()), "from"),
        (MOVE._replace(destination=""), "from"),
        (MOVE._replace(destination=A), "from"),
        (RETIRE._replace(destination=B), "from"),
        (RETIRE._replace(caps=(Cap("person-limit", "today", 100),)), "day limits count"),
        (MOVE._replace(parts=(MOVE.parts[0]._replace(back=Back("r-2", 10, 0)),)), "only a return"),
    ],
)
def test_what_no_quote_asks_for_is_a_fault(clerk: Clerk, wanted: Reservation, told: str) -> None:
    with pytest.raises(InvariantBroken, match=f"^tr_1: {told}"):
        clerk.reserve(wanted)


def test_entries_are_numbered_from_one_and_a_decision_has_the_number_of_its_entry(clerk: Clerk) -> None:
    decision = committed(clerk, moving("tr_1", 10))

    assert [entry.number for entry in clerk.entries] == [1, 2, 3]
    assert (decision.number, clerk.head.number) == (3, 3)


def test_what_is_aborted_comes_to_nothing_and_what_is_retired_arrives_nowhere(clerk: Clerk) -> None:
    assert clerk.reserve(moving("tr_1", 10)) is None
    aborted = clerk.decide("tr_1", Verdict.ABORT, reason="timed-out", decided="")
    retired = committed(clerk, retiring("tr_2", 400, of=lot()))

    assert aborted.amounts == (0, 0, 0, 0)
    assert retired.amounts == Amounts(0, 400, 400, 0)


def test_what_went_back_is_not_paid_for(clerk: Clerk) -> None:
    original = moving("tr_1", 600, of=lot())
    committed(clerk, original)
    committed(clerk, going_back(clerk, original, 600))

    for state in (WindowState.CLOSED, WindowState.PENDING, WindowState.SETTLED):
        clerk.step(WindowStep((1,), state))

    assert clerk.book.flows == {Flow(1, A, B): 600, Flow(1, B, A, returned=True): 600}
    for pair, position in clerk.book.positions.items():
        assert position[:3] == (0, 0, 0), pair


def test_a_window_is_settled_that_leaves_a_position_at_its_limit(clerk: Clerk) -> None:
    """B owes 100 of its 100, for 150 that went and 50 that came: paid for, the 50 would leave it at 150."""
    clerk.limit(limited(100, source=B, destination=A))
    committed(clerk, moving("tr_1", 50))
    clerk.step(WindowStep((1,), WindowState.CLOSED))
    committed(clerk, moving("tr_2", 150, of=lot(B, 150, record="r-2"), to=A))
    clerk.limit(limited(149, source=B, destination=A))
    clerk.step(WindowStep((1,), WindowState.PENDING))
    with pytest.raises(SettlementRefused, match="150 mg, at most 149"):
        clerk.step(WindowStep((1,), WindowState.SETTLED))

    clerk.limit(limited(150, source=B, destination=A))

    assert clerk.step(WindowStep((1,), WindowState.SETTLED))


def test_a_book_is_told_what_a_lot_holds_and_where_a_part_goes_back_to(clerk: Clerk) -> None:
    original = moving("tr_1", 600, of=lot(), recognised=300)
    committed(clerk, original)
    made = going_back(clerk, original, 300)
    assert clerk.reserve(made) is None
    part, book = made.parts[0], clerk.book

    with pytest.raises(InvariantBroken, match="nothing says what it holds"):
        Book().dispute(Dispute("r-1", True))
    for wrong, told in (
        (part._replace(back=None), "nothing says where"),
        (part._replace(back=Back("r-1", 601, 0)), "more would go back"),
        (part._replace(points_in=601), "more would go back"),
    ):
        with pytest.raises(InvariantBroken, match=told):
            book.copy().commit(made._replace(parts=(wrong,)), window=1)
    book.commit(made, window=1)


# Invariants


def test_a_step_is_checked_by_the_rows_that_it_touches(clerk: Clerk) -> None:
    """What was recorded is no row of a step that only moves what was recorded long ago."""
    committed(clerk, moving("tr_1", 600, of=lot(), recognised=300))
    before = clerk.book.copy()
    assert clerk.reserve(moving("tr_2", 100, of=lot())) is None
    after = clerk.book.copy()
    for book in (before, after):
        book.balances = {key: at for key, at in book.balances.items() if key.kind is not AccountKind.RECORDED}

    require_step(before, after)


def test_an_account_one_below_zero_is_found() -> None:
    def account(kind: AccountKind) -> Account:
        return Account(A, kind, CO2E)

    wrong = {account(AccountKind.UNRECOGNISED): -1, account(AccountKind.RECORDED): 1}
    right = {account(AccountKind.UNRECOGNISED): 1, account(AccountKind.RECORDED): -1}

    require_step(Book(), Book(right))
    with pytest.raises(InvariantBroken, match="stands at -1"):
        require_step(Book(), Book(wrong))


def test_a_position_above_a_limit_that_was_lowered_stays_and_one_below_zero_is_found(clerk: Clerk) -> None:
    committed(clerk, moving("tr_1", 600, of=lot()))
    before = clerk.book.copy()
    clerk.limit(limited(599))

    require_step(before, clerk.book)
    for wrong in (Position(-1, 0, 0), Position(0, -1, 0), Position(0, 0, -1)):
        with pytest.raises(InvariantBroken, match="the position of"):
            require_step(Book(), Book(positions={Pair(A, B): wrong}))


def test_whole_books_have_mirrors_and_sums(clerk: Clerk) -> None:
    committed(clerk, moving("tr_1", 600, of=lot()))
    require_whole(clerk.book)
    mirrored, summed = clerk.book.copy(), clerk.book.copy()
    for pair in (Pair(A, B), Pair(A, ALL)):
        position = mirrored.positions[pair]
        mirrored.positions[pair] = position._replace(committed_out=605, committed_in=5)
    summed.positions[Pair(A, ALL)] = summed.positions[Pair(A, ALL)]._replace(reserved_out=1)

    with pytest.raises(InvariantBroken, match="its mirror differ"):
        require_whole(mirrored)
    with pytest.raises(InvariantBroken, match="not the sum of its pairs"):
        require_whole(summed)


# The journal


def decided(clerk: Clerk, transfer: str, verdict: Verdict) -> Decision:
    """Make a decision about nothing, chained as it should be."""
    last = clerk.head
    return Decision(
        last.number + 1, transfer, verdict, "", last.window, "", lots_digest(()), Amounts(), last.decision
    )


def test_a_journal_in_which_something_happens_twice_is_refused(clerk: Clerk) -> None:
    committed(clerk, moving("tr_1", 10))
    assert clerk.step(WindowStep((1,), WindowState.CLOSED))
    whole = [entry.event for entry in clerk.entries]
    Replay().all([*whole, decided(clerk, "tr_2", Verdict.ABORT)])

    with pytest.raises(IntegrityBroken, match="became CLOSED twice"):
        Replay().all([*whole, whole[-1]])
    with pytest.raises(IntegrityBroken, match="I5: tr_1 was decided twice"):
        Replay().all([*whole, decided(clerk, "tr_1", Verdict.ABORT)])
    with pytest.raises(IntegrityBroken, match="committed and never reserved"):
        Replay().all([*whole, decided(clerk, "tr_2", Verdict.COMMIT)])


def test_what_is_not_said_is_nothing() -> None:
    assert Limit(Pair(A, B), 1, 1) == (Pair(A, B), 1, 1, False)
    assert lot()[6:] == (None, *8 * (0,), False, "", "", 0)
