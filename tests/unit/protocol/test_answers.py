"""What the machine answers to each event, early, in time, late and again: a row each, written by hand.

A row says where a transfer is, what happens, and what comes of it: the state that it leads to with the
reason, or how the event was answered with the code, and then all that is to be done.
"""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from gateway.model.transfer import (
    CreditId,
    HoldId,
    OutsideState,
    Party,
    PlaceHold,
    PrepareCredit,
    TransferId,
    TransferKind,
    TransferState,
    Verdict,
)
from gateway.protocol import (
    QUOTE_LIFETIME,
    Acknowledged,
    Alarm,
    Book,
    Checked,
    CheckFailed,
    Decide,
    Disputed,
    Do,
    Effect,
    Held,
    HoldRefused,
    Outcome,
    Prepared,
    PrepareRefused,
    Queried,
    Quiet,
    Reserved,
    ReserveFailed,
    Retry,
    ReturnEnded,
    ReturnStarted,
    Ruled,
    Send,
    Settled,
    Start,
    Timer,
    Transfer,
    Unanswered,
    Wake,
    alarm_due,
    outside,
    retry_delay,
    step,
    times_of,
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

S, D = Party.SOURCE, Party.DESTINATION
OTHER = TransferId("tr_other")
HELD = Held(NOW, HOLD, POINTS_OUT)
OTHER_HOLD = Held(NOW, HoldId("hd_other"), POINTS_OUT)
OTHER_POINTS = Held(NOW, HOLD, POINTS_OUT + 1)
PREPARED = Prepared(NOW, CREDIT, POINTS_IN)
OTHER_CREDIT = Prepared(NOW, CreditId("cr_other"), POINTS_IN)
OTHER_ISSUE = Prepared(NOW, CREDIT, POINTS_IN - 1)
DONE, UNDONE = (Acknowledged(NOW, S, verdict) for verdict in (Verdict.COMMIT, Verdict.ABORT))
LATE_HOLD = (*HISTORIES["RECEIVED, asked"], Timer(at(10)))
LATE_CREDIT = (*HISTORIES["RESERVED"], Timer(at(20)))
ABORTED_DISPUTE = (*HISTORIES["ABORTED"], Disputed(NOW), Ruled(NOW, upheld=True))
STATES = {
    **HISTORIES,
    "ABORTING, before the hold": LATE_HOLD,
    "ABORTING, before the credit": LATE_CREDIT,
    "COMMITTED, burned": (*HISTORIES["COMMITTED"], DONE),
    "ABORTING, given back": (*HISTORIES["ABORTING"], UNDONE),
    "UPHELD, nothing moved": ABORTED_DISPUTE,
    "RETURNING, settled": (*HISTORIES["RETURNING"], Settled(NOW)),
}
CONTRADICTED_HOLD = ("refused hold-contradicted", ["alarm hold-contradicted"])
CONTRADICTED_CREDIT = ("refused credit-contradicted", ["alarm credit-contradicted"])
BOTH_TOLD = ("release", "Decision to source", "Decision to destination")
ONLY_SOURCE = ("Decision to source", "quiet destination")

ROWS: Sequence[tuple[str, object, str, Sequence[str]]] = [
    # Start: the quote holds for five minutes
    ("QUOTED", Start(at(299.999)), "RECEIVED", ["check", "wake 309.999"]),
    ("QUOTED", Start(at(300)), "LAPSED quote-expired", []),
    ("RECEIVED", Start(NOW), "repeated", []),
    ("LAPSED", Start(NOW), "repeated", []),
    # the first checks: within ten seconds; the source is told what is left of thirty, upwards
    ("RECEIVED", Checked(NOW), "RECEIVED", ["hold of 30 s to source"]),
    ("RECEIVED", Checked(at(9)), "RECEIVED", ["hold of 21 s to source"]),
    ("RECEIVED", Checked(at(9.5)), "RECEIVED", ["hold of 21 s to source"]),
    ("RECEIVED", Checked(at(10)), "REJECTED timed-out", []),
    ("RECEIVED", CheckFailed(NOW, "lot-spent"), "REJECTED lot-spent", []),
    *((name, Checked(NOW), "ignored too-late", []) for name in ("QUOTED", "RECEIVED, asked", "HELD")),
    *((name, CheckFailed(NOW, "x"), "ignored too-late", []) for name in ("RECEIVED, asked", "HELD")),
    # the hold
    ("RECEIVED, asked", HELD, "HELD", ["quiet source", "reserve", "wake 30.0"]),
    ("RECEIVED, asked", HELD._replace(now=at(10)), "ABORTING timed-out", ONLY_SOURCE),
    ("RECEIVED, asked", OTHER_POINTS, "ABORTING hold-differs", ONLY_SOURCE),
    *((name, HELD, "refused not-asked", []) for name in ("QUOTED", "RECEIVED")),
    ("REJECTED", HELD, "ABORTING lot-expired", [*ONLY_SOURCE, "alarm hold-after-refusal"]),
    ("LAPSED", HELD, "ABORTING quote-expired", [*ONLY_SOURCE, "alarm hold-after-refusal"]),
    ("HELD", HELD, "repeated", []),
    ("COMMITTED", HELD, "repeated", ["Decision to source"]),
    ("ABORTING, before the hold", OTHER_HOLD, "repeated", ["Decision to source"]),
    *((name, OTHER_HOLD, *CONTRADICTED_HOLD) for name in ("HELD", "COMMITTED", "ABORTED")),
    *((name, OTHER_POINTS, *CONTRADICTED_HOLD) for name in ("HELD", "COMMITTED", "ABORTED")),
    ("RECEIVED, asked", HoldRefused(NOW, "no-points"), "REJECTED hold-refused", ["quiet source"]),
    ("RECEIVED", HoldRefused(NOW, "no-points"), "refused not-asked", []),
    ("HELD", HoldRefused(NOW, "no-points"), *CONTRADICTED_HOLD),
    ("ABORTING, before the hold", HoldRefused(NOW, "no-points"), "ignored too-late", []),
    # the reservation; the destination has twenty seconds, and no longer than there is
    ("HELD", Reserved(at(5)), "RESERVED", ["credit of 25 s to destination", "wake 25.0"]),
    ("HELD", Reserved(at(15)), "RESERVED", ["credit of 15 s to destination", "wake 30.0"]),
    ("HELD", Reserved(at(30)), "ABORTING timed-out", ["release", *ONLY_SOURCE]),
    ("HELD", ReserveFailed(NOW, "lot-spent"), "ABORTING lot-spent", ONLY_SOURCE),
    *((name, Reserved(NOW), "refused not-reserving", []) for name in ("RECEIVED", "RESERVED", "ABORTING")),
    *((name, ReserveFailed(NOW, "x"), "ignored too-late", []) for name in ("RECEIVED", "RESERVED")),
    # the credit
    ("RESERVED", PREPARED, "READY", ["quiet destination", "decide"]),
    ("RESERVED", PREPARED._replace(now=at(20)), "ABORTING timed-out", BOTH_TOLD),
    ("RESERVED", OTHER_ISSUE, "ABORTING credit-differs", BOTH_TOLD),
    *((name, PREPARED, "refused not-asked", []) for name in ("QUOTED", "RECEIVED", "HELD")),
    ("REJECTED", PREPARED, "ABORTING lot-expired", ["quiet source", "Decision to destination"]),
    ("LAPSED", PREPARED, "ABORTING quote-expired", ["quiet source", "Decision to destination"]),
    ("READY", PREPARED, "repeated", []),
    ("COMMITTED", PREPARED, "repeated", ["Decision to destination"]),
    ("ABORTING, before the credit", OTHER_CREDIT, "repeated", ["Decision to destination"]),
    *((name, OTHER_CREDIT, *CONTRADICTED_CREDIT) for name in ("READY", "COMMITTED", "ABORTED")),
    *((name, OTHER_ISSUE, *CONTRADICTED_CREDIT) for name in ("READY", "COMMITTED", "ABORTED")),
    ("RESERVED", PrepareRefused(NOW, "closed"), "ABORTING credit-refused", ["release", *ONLY_SOURCE]),
    *((name, PrepareRefused(NOW, "x"), "refused not-asked", []) for name in ("QUOTED", "RECEIVED", "HELD")),
    ("READY", PrepareRefused(NOW, "closed"), *CONTRADICTED_CREDIT),
    ("ABORTING, before the credit", PrepareRefused(NOW, "closed"), "ignored too-late", []),
    # the decision
    ("READY", Decide(at(29)), "COMMITTED", ["commit", "Decision to source", "Decision to destination"]),
    ("READY", Decide(at(30)), "ABORTING timed-out", BOTH_TOLD),
    *((name, Decide(NOW), "ignored not-due", []) for name in ("QUOTED", "RESERVED", "REJECTED")),
    *((name, Decide(at(99)), "repeated", []) for name in ("COMMITTED", "COMPLETED", "ABORTED")),
    # time
    ("QUOTED", Timer(at(299)), "ignored not-due", ["wake 300.0"]),
    ("QUOTED", Timer(at(300)), "LAPSED quote-expired", []),
    ("RECEIVED", Timer(at(9)), "ignored not-due", ["check", "wake 10.0"]),
    ("RECEIVED", Timer(at(10)), "REJECTED timed-out", []),
    ("RECEIVED, asked", Timer(at(9)), "ignored not-due", ["wake 10.0"]),
    ("RECEIVED, asked", Timer(at(10)), "ABORTING timed-out", ONLY_SOURCE),
    ("HELD", Timer(at(29)), "ignored not-due", ["reserve", "wake 30.0"]),
    ("HELD", Timer(at(30)), "ABORTING timed-out", ONLY_SOURCE),
    ("RESERVED", Timer(at(19)), "ignored not-due", ["wake 20.0"]),
    ("RESERVED", Timer(at(20)), "ABORTING timed-out", BOTH_TOLD),
    ("READY", Timer(at(29)), "COMMITTED", ["commit", "Decision to source", "Decision to destination"]),
    ("READY", Timer(at(30)), "ABORTING timed-out", BOTH_TOLD),
    ("UPHELD", Timer(at(99)), "ignored not-due", ["return"]),
    *((name, Timer(at(99)), "ignored not-due", []) for name in ("COMMITTED", "ABORTED", "DENIED")),
    # a platform asks
    *((name, Queried(NOW, S), "repeated", ["Decision to source"]) for name in ("COMMITTED", "ABORTED")),
    ("SETTLED", Queried(NOW, D), "repeated", ["Decision to destination"]),
    *((name, Queried(NOW, S), "ignored undecided", []) for name in ("QUOTED", "HELD", "READY")),
    ("REJECTED", Queried(NOW, S), "ABORTING lot-expired", ONLY_SOURCE),
    ("LAPSED", Queried(NOW, D), "ABORTING quote-expired", ["quiet source", "Decision to destination"]),
    # a platform confirms
    *((name, DONE, "refused undecided", ["alarm undecided"]) for name in ("HELD", "READY", "REJECTED")),
    *((name, UNDONE, "refused decision-contradicted", ["alarm decision-contradicted"])
      for name in ("COMMITTED", "COMPLETED")),
    ("ABORTING", DONE, "refused decision-contradicted", ["alarm decision-contradicted"]),
    ("COMMITTED", DONE, "COMMITTED", ["quiet source"]),
    ("COMMITTED, burned", DONE, "repeated", ["quiet source"]),
    ("COMMITTED, burned", DONE._replace(party=D), "COMPLETED", ["quiet destination", "complete"]),
    ("COMPLETED", DONE, "repeated", ["quiet source"]),
    ("ABORTING", UNDONE, "ABORTING timed-out", ["quiet source"]),
    ("ABORTING, given back", UNDONE._replace(party=D), "ABORTED timed-out", ["quiet destination"]),
    # nobody answers: half a second, then twice as long
    ("RECEIVED, asked", Unanswered(at(3), S, 1, 0), "repeated", ["retry source 3.5"]),
    ("RECEIVED, asked", Unanswered(at(3), D, 1, 0), "ignored too-late", ["quiet destination"]),
    *((name, Unanswered(NOW, S, 1, 0), "ignored too-late", ["quiet source"])
      for name in ("RECEIVED", "HELD", "RESERVED", "COMPLETED", "COMMITTED, burned")),
    ("RESERVED", Unanswered(at(3), D, 2, 0), "repeated", ["retry destination 4.0"]),
    ("COMMITTED", Unanswered(at(3), S, 8, 0), "repeated", ["retry source 67.0", "alarm unanswered"]),
    ("COMMITTED, burned", Unanswered(at(3), D, 9, 0), "repeated", ["retry destination 131.0"]),
    ("ABORTING", Unanswered(at(3), D, 3, 0), "repeated", ["retry destination 5.0"]),
    # settlement
    ("COMMITTED", Settled(NOW), "COMMITTED", []),
    ("COMPLETED", Settled(NOW), "SETTLED", []),
    ("RETURNING", Settled(NOW), "RETURNING", []),
    *((name, Settled(NOW), "repeated", []) for name in ("SETTLED", "COMMITTED, settled")),
    *((name, Settled(NOW), "refused not-committed", []) for name in ("QUOTED", "ABORTING", "ABORTED")),
    # returns
    ("COMPLETED", ReturnStarted(NOW, RETURN, 1), "RETURNING", []),
    ("COMPLETED", ReturnStarted(NOW, RETURN, RECOGNISED_MG), "RETURNING", []),
    ("COMPLETED", ReturnStarted(NOW, RETURN, RECOGNISED_MG + 1), "refused return-exceeds-original", []),
    ("COMPLETED", ReturnStarted(NOW, RETURN, 0), "refused return-exceeds-original", []),
    *((name, ReturnStarted(NOW, RETURN, 1), "RETURNING", []) for name in ("SETTLED", "UPHELD", "DENIED")),
    *((name, ReturnStarted(NOW, RETURN, 1), "repeated", []) for name in ("RETURNING", "RETURNED")),
    ("RETURNING", ReturnStarted(NOW, OTHER, 1), "refused return-open", []),
    *((name, ReturnStarted(NOW, OTHER, 1), "refused not-completed", [])
      for name in ("HELD", "COMMITTED", "ABORTED", "UPHELD, nothing moved", "RETURNED")),
    ("RETURNING", ReturnEnded(NOW, RETURN, Verdict.COMMIT), "RETURNED", []),
    ("RETURNING", ReturnEnded(NOW, RETURN, Verdict.ABORT), "COMPLETED", []),
    ("RETURNING, settled", ReturnEnded(NOW, RETURN, Verdict.ABORT), "SETTLED", []),
    ("RETURNED", ReturnEnded(NOW, RETURN, Verdict.ABORT), "repeated", []),
    ("RETURNING", ReturnEnded(NOW, OTHER, Verdict.COMMIT), "refused return-unknown", []),
    ("COMPLETED", ReturnEnded(NOW, RETURN, Verdict.COMMIT), "refused return-unknown", []),
    # disputes
    *((name, Disputed(NOW), "DISPUTED", []) for name in ("COMPLETED", "SETTLED", "RETURNED")),
    ("ABORTED", Disputed(NOW), "DISPUTED timed-out", []),
    ("LAPSED", Disputed(NOW), "DISPUTED quote-expired", []),
    ("REJECTED", Disputed(NOW), "DISPUTED lot-expired", []),
    ("DISPUTED", Disputed(NOW), "repeated", []),
    *((name, Disputed(NOW), "refused disputed-before", []) for name in ("UPHELD", "DENIED")),
    *((name, Disputed(NOW), "refused not-final", []) for name in ("HELD", "COMMITTED", "RETURNING")),
    ("DISPUTED", Ruled(NOW, upheld=True), "UPHELD", ["return"]),
    ("DISPUTED", Ruled(NOW, upheld=False), "DENIED", []),
    ("UPHELD", Ruled(NOW, upheld=True), "repeated", []),
    ("UPHELD", Ruled(NOW, upheld=False), "refused not-disputed", []),
    ("COMPLETED", Ruled(NOW, upheld=True), "refused not-disputed", []),
    ("HELD", "something else", "refused unknown-event", []),
]  # fmt: skip


def words(effect: Effect) -> str:
    match effect:
        case Do(word) | Book(word):
            return word.value
        case Send(party, PlaceHold() as hold):
            return f"hold of {hold.expected_in_s} s to {party}"
        case Send(party, PrepareCredit() as credit):
            return f"credit of {credit.expected_in_s} s to {party}"
        case Send(party, message):
            return f"{type(message).__name__} to {party}"
        case Quiet(party):
            return f"quiet {party}"
        case Wake(moment):
            return f"wake {(moment - NOW).total_seconds()}"
        case Retry(party, moment):
            return f"retry {party} {(moment - NOW).total_seconds()}"
        case Alarm(code):
            return f"alarm {code}"


@pytest.mark.parametrize(("name", "event", "expected", "effects"), ROWS)
def test_what_the_machine_answers(name: str, event: object, expected: str, effects: Sequence[str]) -> None:
    before = after(*STATES[name])

    done = step(before, event)

    if done.outcome is Outcome.TAKEN:
        told = f"{done.transfer.state} {done.transfer.reason}".strip()
        assert done.transfer.revision == before.revision + 1
    else:
        told = f"{done.outcome} {done.code}".strip()
        assert done.transfer == before
    assert told == expected
    assert [words(effect) for effect in done.effects] == (
        [effects] if isinstance(effects, str) else [*effects]
    )


def test_a_platforms_own_code_is_kept() -> None:
    refusals = (
        ("RECEIVED, asked", HoldRefused(NOW, "no-points")),
        ("RESERVED", PrepareRefused(NOW, "closed")),
    )

    details = [step(in_state(name), event).transfer.detail for name, event in refusals]

    assert details == ["no-points", "closed"]


def test_a_transfer_begins_with_nothing_and_a_return_that_is_over_leaves_nothing_open() -> None:
    nothing = (None, None, False, None, None, None, "", "", frozenset(), False, None, None, None, 0, 0, ())

    assert Transfer(TERMS)[1:] == (TransferState.QUOTED, 0, *nothing)
    assert in_state("RETURNED")[-5:] == (None, None, 0, RECOGNISED_MG, (RETURN,))


def test_what_is_disputed_is_called_so_until_it_is_denied() -> None:
    shown = [outside(in_state(name)) for name in ("DISPUTED", "UPHELD", "DENIED", "RETURNING")]

    assert shown == [*2 * [OutsideState.DISPUTED], *2 * [OutsideState.COMMITTED]]


def test_times_are_those_of_the_protocol() -> None:
    assert timedelta(minutes=5) == QUOTE_LIFETIME
    assert set(times_of(TransferKind.FILE)) == {timedelta(hours=24)}
    assert [alarm_due(attempts) for attempts in (4, 7, 8, 9, 16, 24, 32)] == [
        False, False, True, False, True, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("attempts", "seed", "milliseconds"),
    [(0, 0, 500), (1, 0, 500), (1, 1, 499), (1, 250, 250), (1, 251, 500), (2, 0, 1_000), (10, 0, 256_000),
     (11, 0, 300_000), (99, 0, 300_000), (99, 150_000, 150_000), (99, 150_001, 300_000)],
)  # fmt: skip
def test_a_message_is_sent_again_later_and_later(attempts: int, seed: int, milliseconds: int) -> None:
    assert retry_delay(attempts, seed) == timedelta(milliseconds=milliseconds)
