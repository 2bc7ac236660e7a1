"""Windows: fixed by the decision, netted all against all, settled once, and aborted without a trace."""

import pytest

from gateway.errors import InvariantBroken
from gateway.ledger import (
    ALL,
    Book,
    Clerk,
    Flow,
    Head,
    Net,
    Pair,
    SettlementRefused,
    Verdict,
    WindowState,
    WindowStep,
    matrix,
    nets,
    require_whole,
)
from tests.fakes.ledgers import A, B, C, limited, lot, moving


def make_clerk() -> Clerk:
    return Clerk(Book(), Head(), reservations={}, decisions={}, windows={1: WindowState.OPEN})


def move(clerk: Clerk, transfer: str, mg: int, *, source: str = A, to: str = B) -> None:
    facts = lot(source, mg, record=f"r-{transfer}")
    assert clerk.reserve(moving(transfer, mg, of=facts, to=to)) is None
    clerk.decide(transfer, Verdict.COMMIT, reason="", decided="")


def take(clerk: Clerk, state: WindowState, *windows: int) -> bool:
    return clerk.step(WindowStep(windows, state))


def settle(clerk: Clerk, *windows: int) -> None:
    take(clerk, WindowState.PENDING, *windows)
    take(clerk, WindowState.SETTLED, *windows)


def test_capacity_frees_when_a_window_is_settled_and_not_before() -> None:
    clerk = make_clerk()
    clerk.limit(limited(100))
    move(clerk, "tr_1", 100)

    for state in (WindowState.CLOSED, WindowState.PENDING):
        assert take(clerk, state, 1)
        assert not take(clerk, state, 1), "a step that is repeated changes nothing"
        assert clerk.reserve(moving(f"tr_{state}", 1)) is not None
    assert take(clerk, WindowState.SETTLED, 1)
    assert not take(clerk, WindowState.SETTLED, 1)

    assert clerk.book.positions[Pair(A, B)].owed == 0
    assert clerk.reserve(moving("tr_2", 100)) is None


def test_aborting_a_settlement_leaves_positions_exactly_as_they_were() -> None:
    clerk = make_clerk()
    clerk.limit(limited(100))
    move(clerk, "tr_1", 70)
    take(clerk, WindowState.CLOSED, 1)
    before = clerk.book.copy()

    take(clerk, WindowState.PENDING, 1)
    take(clerk, WindowState.ABORTED, 1)

    assert clerk.book == before
    settle(clerk, 1)
    assert clerk.book.positions[Pair(A, B)].owed == 0


def test_the_window_of_a_decision_is_the_one_that_was_open() -> None:
    clerk = make_clerk()
    clerk.limit(limited(100))
    move(clerk, "tr_1", 10)
    take(clerk, WindowState.CLOSED, 1)
    move(clerk, "tr_2", 20)

    assert clerk.book.flows == {Flow(1, A, B): 10, Flow(2, A, B): 20}


def test_a_window_takes_no_step_out_of_order() -> None:
    clerk = make_clerk()

    for state in (WindowState.PENDING, WindowState.SETTLED, WindowState.ABORTED):
        with pytest.raises(SettlementRefused, match="cannot become"):
            take(clerk, state, 1)


def test_nets_sum_to_zero_and_to_the_bilateral_sums() -> None:
    flows = {Flow(1, A, B): 70, Flow(1, B, A): 20, Flow(1, B, C): 40, Flow(2, A, B): 5}

    assert matrix(flows) == {Pair(A, B): 75, Pair(B, A): 20, Pair(B, C): 40}
    assert nets(flows) == [Net(A, 55), Net(B, -15), Net(C, -40)]


def test_a_window_in_which_a_platform_is_owed_is_not_settled_over_its_limit() -> None:
    clerk = make_clerk()
    clerk.limit(limited(100))
    clerk.limit(limited(100, source=B, destination=A))
    move(clerk, "tr_1", 80, source=B, to=A)
    take(clerk, WindowState.CLOSED, 1)
    move(clerk, "tr_2", 180)
    take(clerk, WindowState.CLOSED, 2)
    take(clerk, WindowState.PENDING, 1, 2)

    with pytest.raises(SettlementRefused, match="at most 100") as refused:
        take(clerk, WindowState.SETTLED, 1)

    assert "later windows" in refused.value.remedy
    assert take(clerk, WindowState.SETTLED, 1, 2)
    assert clerk.book.positions[Pair(A, ALL)].owed == 0


def test_a_whole_book_whose_positions_do_not_agree_is_refused() -> None:
    clerk = make_clerk()
    clerk.limit(limited(100))
    move(clerk, "tr_1", 70)
    require_whole(clerk.book)

    for pair in list(clerk.book.positions):
        wrong = clerk.book.copy()
        wrong.positions[pair] = wrong.positions[pair]._replace(committed_in=71)
        with pytest.raises(InvariantBroken, match="I8"):
            require_whole(wrong)
