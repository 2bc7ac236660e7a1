"""A transfer as the gateway keeps it, and what a step of the machine answers."""

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.model.transfer import (
    CreditId,
    Decision,
    HoldId,
    OutsideState,
    Party,
    TransferId,
    TransferState,
    TransferTerms,
)
from gateway.protocol.events import Effect

__all__ = [
    "ENDED_UNDECIDED",
    "Outcome",
    "Remark",
    "Step",
    "Transfer",
    "ignored",
    "outside",
    "refused",
    "repeated",
    "taken",
]


ENDED_UNDECIDED: Final = (TransferState.LAPSED, TransferState.REJECTED)
"""Ends at which nobody keeps anything, so that nothing had to be decided."""


class Transfer(NamedTuple):
    """One transfer. ``revision`` counts its steps: who writes a step must have read the one before it.

    ``deadline`` is when the present wait is over and ``ends`` when the decision must have been made.
    ``checked`` says that the first checks have passed, so that the source has been asked.
    ``awaiting`` are the platforms that have not confirmed the decision yet. ``before`` is the state a
    dispute is about, ``resume`` the one that a return started from.
    """

    terms: TransferTerms
    state: TransferState = TransferState.QUOTED
    revision: int = 0
    deadline: datetime | None = None
    ends: datetime | None = None
    checked: bool = False
    hold: HoldId | None = None
    credit: CreditId | None = None
    decision: Decision | None = None
    reason: str = ""
    detail: str = ""
    awaiting: frozenset[Party] = frozenset()
    settled: bool = False
    before: TransferState | None = None
    resume: TransferState | None = None
    returning: TransferId | None = None
    returning_mg: int = 0
    returned_mg: int = 0
    returns: tuple[TransferId, ...] = ()

    def overdue(self, now: datetime) -> bool:
        """Tell whether the present wait is over."""
        return self.deadline is not None and now >= self.deadline


class Outcome(StrEnum):
    """What became of an event."""

    TAKEN = "taken"  # the transfer has changed
    REPEATED = "repeated"  # it happened before; what was decided is told again
    IGNORED = "ignored"  # it comes too late or too early, and changes nothing
    REFUSED = "refused"  # it contradicts what is known


class Remark(StrEnum):
    """Why an event was ignored or refused, or why a person is called."""

    UNKNOWN_EVENT = "unknown-event"
    NOT_DUE = "not-due"
    TOO_LATE = "too-late"
    UNDECIDED = "undecided"
    NOT_ASKED = "not-asked"
    NOT_RESERVING = "not-reserving"
    HOLD_CONTRADICTED = "hold-contradicted"
    CREDIT_CONTRADICTED = "credit-contradicted"
    DECISION_CONTRADICTED = "decision-contradicted"
    HOLD_AFTER_REFUSAL = "hold-after-refusal"
    UNANSWERED = "unanswered"
    NOT_COMMITTED = "not-committed"
    NOT_COMPLETED = "not-completed"
    NOT_FINAL = "not-final"
    NOT_DISPUTED = "not-disputed"
    DISPUTED_BEFORE = "disputed-before"
    RETURN_OPEN = "return-open"
    RETURN_UNKNOWN = "return-unknown"
    RETURN_EXCEEDS = "return-exceeds-original"


class Step(NamedTuple):
    """What an event did: the transfer after it, and what is to be done. Only a step that is taken is kept."""

    transfer: Transfer
    effects: tuple[Effect, ...]
    outcome: Outcome
    code: str = ""


def taken(transfer: Transfer, *effects: Effect) -> Step:
    """Answer with a changed transfer."""
    return Step(transfer._replace(revision=transfer.revision + 1), effects, Outcome.TAKEN)


def repeated(transfer: Transfer, *effects: Effect) -> Step:
    """Answer that this happened before."""
    return Step(transfer, effects, Outcome.REPEATED)


def ignored(transfer: Transfer, code: Remark, *effects: Effect) -> Step:
    """Answer that this changes nothing."""
    return Step(transfer, effects, Outcome.IGNORED, code)


def refused(transfer: Transfer, code: Remark, *effects: Effect) -> Step:
    """Answer that this cannot be."""
    return Step(transfer, effects, Outcome.REFUSED, code)


_OUTSIDE: Final = {
    TransferState.QUOTED: OutsideState.QUOTED,
    TransferState.RECEIVED: OutsideState.PENDING,
    TransferState.HELD: OutsideState.PENDING,
    TransferState.RESERVED: OutsideState.PENDING,
    TransferState.READY: OutsideState.PENDING,
    TransferState.COMMITTED: OutsideState.COMMITTED,
    TransferState.COMPLETED: OutsideState.COMMITTED,
    TransferState.SETTLED: OutsideState.SETTLED,
    TransferState.LAPSED: OutsideState.ABORTED,
    TransferState.REJECTED: OutsideState.ABORTED,
    TransferState.ABORTING: OutsideState.ABORTED,
    TransferState.ABORTED: OutsideState.ABORTED,
    TransferState.RETURNED: OutsideState.RETURNED,
    TransferState.DISPUTED: OutsideState.DISPUTED,
    TransferState.UPHELD: OutsideState.DISPUTED,
}


def outside(transfer: Transfer) -> OutsideState:
    """Return what everybody but the gateway is told: never more than is decided.

    While a return is under way, and after a dispute was denied, the transfer is what it was before.
    """
    state = transfer.state
    if state is TransferState.RETURNING and transfer.resume is not None:
        state = transfer.resume
    if state is TransferState.DENIED and transfer.before is not None:
        state = transfer.before
    if state is TransferState.COMPLETED and transfer.settled:
        state = TransferState.SETTLED
    return _OUTSIDE[state]
