"""The machine of a transfer: the way through, everything that comes too late, and what contradicts."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.transfer import (
    CreditId,
    HoldId,
    OutsideState,
    Party,
    PlaceHold,
    PrepareCredit,
    TransferId,
    TransferState,
    Verdict,
)
from gateway.protocol import (
    Acknowledged,
    Alarm,
    Book,
    Booking,
    Checked,
    CheckFailed,
    Decide,
    Disputed,
    Do,
    Held,
    HoldRefused,
    Outcome,
    Prepared,
    PrepareRefused,
    Queried,
    Quiet,
    Remark,
    Reserved,
    ReserveFailed,
    Retry,
    ReturnEnded,
    ReturnStarted,
    Ruled,
    Send,
    Settled,
    Start,
    Step,
    Task,
    Timer,
    Transfer,
    Unanswered,
    Wake,
    outside,
    step,
)
from tests.fakes.transfers import (
    CREDIT,
    HISTORIES,
    HOLD,
    NOW,
    POINTS_IN,
    POINTS_OUT,
    RECOGNISED_MG,
    RETURN,
    TERMS,
    after,
    at,
    in_state,
)
from tests.simulation.gateway import MOVES

MOMENTS = (NOW, at(10), at(30), at(300))
COMMITTED_ONCE = ("COMMITTED", "COMPLETED", "SETTLED", "RETURNING", "RETURNED")


def events(now: datetime) -> list[object]:
    """Return an event of every kind, and of each kind one that does not fit."""
    return [
        Start(now),
        Checked(now),
        CheckFailed(now, "lot-expired"),
        Held(now, HOLD, POINTS_OUT),
        Held(now, HoldId("hd_other"), POINTS_OUT),
        Held(now, HOLD, POINTS_OUT + 1),
        HoldRefused(now, "no-points"),
        Reserved(now),
        ReserveFailed(now, "position-limit"),
        Prepared(now, CREDIT, POINTS_IN),
        Prepared(now, CreditId("cr_other"), POINTS_IN),
        Prepared(now, CREDIT, POINTS_IN - 1),
        PrepareRefused(now, "closed"),
        Decide(now),
        Timer(now),
        *(Queried(now, party) for party in Party),
        *(Acknowledged(now, party, verdict) for party in Party for verdict in Verdict),
        *(Unanswered(now, party, 8, 1) for party in Party),
        Settled(now),
        ReturnStarted(now, RETURN, RECOGNISED_MG),
        ReturnStarted(now, TransferId("tr_other"), 1),
        ReturnEnded(now, RETURN, Verdict.COMMIT),
        ReturnEnded(now, RETURN, Verdict.ABORT),
        Disputed(now),
        Ruled(now, upheld=True),
        Ruled(now, upheld=False),
        "something else",
    ]


EVERYTHING = [event for now in MOMENTS for event in events(now)]


def of_kind(done: Step, kind: type) -> list[object]:
    return [effect for effect in done.effects if isinstance(effect, kind)]


def require_sense(before: Transfer, done: Step) -> None:
    """Hold one step to what must be true of every step."""
    then = done.transfer
    if done.outcome is not Outcome.TAKEN:
        assert then == before
        assert not of_kind(done, Book)
        assert done.outcome is Outcome.REPEATED or done.code
        return
    assert then.revision == before.revision + 1
    assert then.state is before.state or then.state.value in MOVES[before.state].split()
    assert before.decision is None or then.decision == before.decision
    committed = then.decision is not None and then.decision.verdict is Verdict.COMMIT
    assert committed or then.state.value not in COMMITTED_ONCE
    assert (Book(Booking.COMMIT) in done.effects) == (committed and before.decision is None)
    assert all(effect.message == then.decision for effect in of_kind(done, Send) if then.decision is not None)
    assert outside(then) in OutsideState


@pytest.mark.parametrize("name", HISTORIES)
def test_every_event_has_an_answer_in_every_state(name: str) -> None:
    transfer = in_state(name)

    assert transfer.state.value == name.partition(",")[0]
    for event in EVERYTHING:
        require_sense(transfer, step(transfer, event))


@settings(deadline=None)
@given(st.lists(st.sampled_from(EVERYTHING), max_size=30))
def test_any_order_of_events_decides_at_most_once(order: list[object]) -> None:
    transfer = Transfer(TERMS)
    for event in order:
        done = step(transfer, event)
        require_sense(transfer, done)
        transfer = done.transfer


@pytest.mark.parametrize("name", HISTORIES)
def test_what_is_repeated_changes_nothing(name: str) -> None:
    transfer = Transfer(TERMS)
    for event in HISTORIES[name]:
        transfer = step(transfer, event).transfer
        if not isinstance(event, Acknowledged | CheckFailed | Checked | Reserved | Decide):
            assert step(transfer, event).transfer == transfer, event


def test_the_source_is_asked_first_and_the_destination_only_once_everything_is_reserved() -> None:
    started = step(in_state("QUOTED"), Start(NOW))
    checked = step(started.transfer, Checked(NOW))
    held = step(checked.transfer, Held(NOW, HOLD, POINTS_OUT))
    reserved = step(held.transfer, Reserved(at(1)))

    assert started.effects == (Do(Task.CHECK), Wake(at(10)))
    assert checked.effects == (Send(Party.SOURCE, PlaceHold(TERMS.id, "a-1", POINTS_OUT, TERMS.lots, 30)),)
    assert held.effects == (Quiet(Party.SOURCE), Do(Task.RESERVE), Wake(at(30)))
    assert reserved.effects == (
        Send(Party.DESTINATION, PrepareCredit(TERMS.id, "b-1", POINTS_IN, RECOGNISED_MG, 29)),
        Wake(at(21)),
    )


def test_the_decision_goes_to_both_and_the_transfer_is_complete_once_both_have_confirmed() -> None:
    ready = step(in_state("RESERVED"), Prepared(at(2), CREDIT, POINTS_IN))
    committed = step(ready.transfer, Decide(at(2)))
    one = step(committed.transfer, Acknowledged(at(3), Party.DESTINATION, Verdict.COMMIT))
    both = step(one.transfer, Acknowledged(at(3), Party.SOURCE, Verdict.COMMIT))

    assert ready.effects == (Quiet(Party.DESTINATION), Do(Task.DECIDE))
    decision = committed.transfer.decision
    assert committed.effects == (Book(Booking.COMMIT), *(Send(party, decision) for party in Party))
    assert (one.transfer.state, one.effects) == (TransferState.COMMITTED, (Quiet(Party.DESTINATION),))
    assert both.transfer.state is TransferState.COMPLETED
    assert both.effects == (Quiet(Party.SOURCE), Book(Booking.COMPLETE))


@pytest.mark.parametrize(
    ("name", "second", "told"),
    [
        ("RECEIVED, asked", 10, {Party.SOURCE}),
        ("HELD", 30, {Party.SOURCE}),
        ("RESERVED", 20, set(Party)),
        ("READY", 30, set(Party)),
    ],
)
def test_time_that_is_over_aborts_and_tells_everybody_who_was_asked(
    name: str, second: int, told: set[Party]
) -> None:
    just_before, over = (step(in_state(name), Timer(at(moment))) for moment in (second - 0.001, second))

    assert just_before.transfer.state is not TransferState.ABORTING
    assert over.transfer.state is TransferState.ABORTING
    assert over.transfer.reason == "timed-out"
    assert {effect.party for effect in over.effects if isinstance(effect, Send)} == told
    assert (Book(Booking.RELEASE) in over.effects) == (len(told) == 2)


@pytest.mark.parametrize(
    ("name", "event", "reason"),
    [
        ("RECEIVED, asked", Held(NOW, HOLD, POINTS_OUT - 1), "hold-differs"),
        ("RECEIVED, asked", Held(at(10), HOLD, POINTS_OUT), "timed-out"),
        ("HELD", ReserveFailed(NOW, "position-limit"), "position-limit"),
        ("HELD", Reserved(at(30)), "timed-out"),
        ("RESERVED", PrepareRefused(NOW, "closed"), "credit-refused"),
        ("RESERVED", Prepared(NOW, CREDIT, POINTS_IN + 1), "credit-differs"),
        ("RESERVED", Prepared(at(20), CREDIT, POINTS_IN), "timed-out"),
        ("READY", Decide(at(30)), "timed-out"),
    ],
)
def test_what_does_not_fit_aborts(name: str, event: object, reason: str) -> None:
    done = step(in_state(name), event)

    assert (done.transfer.state, done.transfer.reason) == (TransferState.ABORTING, reason)
    assert outside(done.transfer) is OutsideState.ABORTED


def test_after_the_commit_no_time_and_no_refusal_leads_back() -> None:
    committed = in_state("COMMITTED")

    for event in (Timer(at(10**6)), Decide(at(10**6)), HoldRefused(NOW, "x"), PrepareRefused(NOW, "x")):
        done = step(committed, event)
        assert done.transfer == committed
    assert step(committed, PrepareRefused(NOW, "x")).effects == (Alarm(Remark.CREDIT_CONTRADICTED),)


def test_a_late_answer_gets_the_decision_again() -> None:
    aborted = step(in_state("RECEIVED, asked"), Timer(at(10))).transfer
    late = step(aborted, Held(at(11), HOLD, POINTS_OUT))

    assert late.outcome is Outcome.REPEATED
    assert late.effects == (Send(Party.SOURCE, aborted.decision),)


def test_whoever_asks_about_a_rejected_transfer_is_told_to_abort() -> None:
    done = step(in_state("REJECTED"), Queried(NOW, Party.SOURCE))

    assert done.transfer.decision is not None
    assert done.transfer.decision.verdict is Verdict.ABORT
    assert outside(done.transfer) is outside(in_state("REJECTED"))


def test_a_wrong_confirmation_is_refused_and_calls_a_person() -> None:
    done = step(in_state("COMMITTED"), Acknowledged(NOW, Party.SOURCE, Verdict.ABORT))

    assert (done.outcome, done.code) == (Outcome.REFUSED, Remark.DECISION_CONTRADICTED)
    assert done.effects == (Alarm(Remark.DECISION_CONTRADICTED),)


def test_an_unconfirmed_decision_is_sent_for_ever_and_calls_a_person_now_and_then() -> None:
    committed = in_state("COMMITTED")
    tries = [step(committed, Unanswered(NOW, Party.SOURCE, attempts, 7)) for attempts in range(1, 70)]

    assert all(of_kind(done, Retry) for done in tries)
    assert [number for number, done in enumerate(tries, 1) if of_kind(done, Alarm)] == [8, 16, 32, 64]


def test_a_window_may_be_settled_before_the_platforms_have_confirmed() -> None:
    settled = in_state("COMMITTED, settled")
    for party in Party:
        settled = step(settled, Acknowledged(NOW, party, Verdict.COMMIT)).transfer

    assert settled.state is TransferState.SETTLED


def test_returns_never_exceed_what_was_moved() -> None:
    half = RECOGNISED_MG // 2
    completed = in_state("COMPLETED")
    back = after(
        *HISTORIES["COMPLETED"], ReturnStarted(NOW, RETURN, half), ReturnEnded(NOW, RETURN, Verdict.COMMIT)
    )
    second = TransferId("tr_second")

    assert step(completed, ReturnStarted(NOW, RETURN, RECOGNISED_MG + 1)).code == Remark.RETURN_EXCEEDS
    assert back.state is TransferState.COMPLETED
    assert step(back, ReturnStarted(NOW, second, half + 1)).code == Remark.RETURN_EXCEEDS
    rest = step(back, ReturnStarted(NOW, second, half)).transfer
    assert step(rest, ReturnStarted(NOW, TransferId("tr_third"), 1)).code == Remark.RETURN_OPEN
    assert step(rest, ReturnEnded(NOW, second, Verdict.COMMIT)).transfer.state is TransferState.RETURNED


def test_a_return_that_fails_leaves_the_transfer_as_it_was() -> None:
    returning = step(in_state("RETURNING"), Settled(NOW)).transfer
    failed = step(returning, ReturnEnded(NOW, RETURN, Verdict.ABORT)).transfer

    assert outside(in_state("RETURNING")) is OutsideState.COMMITTED
    assert (failed.state, failed.returned_mg) == (TransferState.SETTLED, 0)


def test_an_upheld_dispute_over_moved_points_asks_for_their_return() -> None:
    upheld = step(in_state("DISPUTED"), Ruled(NOW, upheld=True))
    aborted = step(in_state("ABORTED"), Disputed(NOW)).transfer

    assert upheld.effects == (Do(Task.RETURN),)
    assert step(aborted, Ruled(NOW, upheld=True)).effects == ()
    assert outside(step(aborted, Ruled(NOW, upheld=False)).transfer) is OutsideState.ABORTED


def test_a_transfer_is_disputed_once() -> None:
    denied = in_state("DENIED")

    assert step(denied, Disputed(NOW)).code == Remark.DISPUTED_BEFORE
    assert step(in_state("HELD"), Disputed(NOW)).code == Remark.NOT_FINAL
    assert outside(denied) is OutsideState.COMMITTED
