"""The decision: made once, then carried out by both platforms, however long that takes."""

from datetime import datetime
from typing import Final

from gateway.model.transfer import Decision, Party, TransferState, Verdict
from gateway.protocol.events import (
    Acknowledged,
    Alarm,
    Book,
    Booking,
    Decide,
    Effect,
    Queried,
    Quiet,
    Retry,
    Send,
    Unanswered,
)
from gateway.protocol.state import ENDED_UNDECIDED, Remark, Step, Transfer, ignored, refused, repeated, taken
from gateway.protocol.times import alarm_due, retry_delay

__all__ = ["abort", "acknowledged", "decide", "queried", "tell_again", "unanswered"]

_ASKED: Final = {
    TransferState.RECEIVED: (Party.SOURCE,),
    TransferState.HELD: (Party.SOURCE,),
    TransferState.RESERVED: (Party.SOURCE, Party.DESTINATION),
    TransferState.READY: (Party.SOURCE, Party.DESTINATION),
}


def decide(transfer: Transfer, event: Decide) -> Step:
    """Commit a transfer for which everybody is ready, or abort it when its time is over.

    Whoever writes this step first has decided: it is written only if nobody has written one since.
    """
    if transfer.state is not TransferState.READY:
        return repeated(transfer) if transfer.decision else ignored(transfer, Remark.NOT_DUE)
    if transfer.overdue(event.now):
        return abort(transfer, event.now, reason="timed-out")
    decision = Decision(transfer.terms.id, Verdict.COMMIT, "", event.now)
    return taken(
        transfer._replace(
            state=TransferState.COMMITTED, decision=decision, awaiting=frozenset(Party), deadline=None
        ),
        Book(Booking.COMMIT),
        *(Send(party, decision) for party in Party),
    )


def abort(transfer: Transfer, now: datetime, *, reason: str, tell: tuple[Party, ...] | None = None) -> Step:
    """Decide against a transfer and tell everybody who was asked for it, or those named."""
    told = _ASKED.get(transfer.state, ()) if tell is None else tell
    decision = Decision(transfer.terms.id, Verdict.ABORT, reason, now)
    effects: list[Effect] = []
    if transfer.state in (TransferState.RESERVED, TransferState.READY):
        effects.append(Book(Booking.RELEASE))
    effects += [Send(party, decision) if party in told else Quiet(party) for party in Party]
    return taken(
        transfer._replace(
            state=TransferState.ABORTING,
            decision=decision,
            reason=reason,
            awaiting=frozenset(told),
            deadline=None,
        ),
        *effects,
    )


def acknowledged(transfer: Transfer, event: Acknowledged) -> Step:
    """Note that a platform has carried the decision out; with the last of them the transfer is over."""
    if transfer.decision is None:
        return refused(transfer, Remark.UNDECIDED, Alarm(Remark.UNDECIDED))
    if event.verdict is not transfer.decision.verdict:
        return refused(transfer, Remark.DECISION_CONTRADICTED, Alarm(Remark.DECISION_CONTRADICTED))
    if event.party not in transfer.awaiting:
        return repeated(transfer, Quiet(event.party))
    noted = transfer._replace(awaiting=transfer.awaiting - {event.party})
    if noted.awaiting:
        return taken(noted, Quiet(event.party))
    if event.verdict is Verdict.ABORT:
        return taken(noted._replace(state=TransferState.ABORTED), Quiet(event.party))
    over = TransferState.SETTLED if noted.settled else TransferState.COMPLETED
    return taken(noted._replace(state=over), Quiet(event.party), Book(Booking.COMPLETE))


def queried(transfer: Transfer, event: Queried) -> Step:
    """Tell a platform what was decided.

    Whoever asks about a transfer that ended without a decision may keep something for it, so it gets
    one: no decision on record means abort.
    """
    if transfer.decision is not None:
        return tell_again(transfer, event.party)
    if transfer.state in ENDED_UNDECIDED:
        return abort(transfer, event.now, reason=transfer.reason, tell=(event.party,))
    return ignored(transfer, Remark.UNDECIDED)


def tell_again(transfer: Transfer, party: Party) -> Step:
    """Answer something that comes late or again with the decision, if there is one."""
    return repeated(transfer, *([Send(party, transfer.decision)] if transfer.decision else []))


def unanswered(transfer: Transfer, event: Unanswered) -> Step:
    """Send again later what still needs an answer: for ever, calling a person now and then."""
    if not _owed(transfer, event.party):
        return ignored(transfer, Remark.TOO_LATE, Quiet(event.party))
    again = Retry(event.party, event.now + retry_delay(event.attempts, event.seed))
    alarms = [Alarm(Remark.UNANSWERED)] if alarm_due(event.attempts) else []
    return repeated(transfer, again, *alarms)


def _owed(transfer: Transfer, party: Party) -> bool:
    """Tell whether a message to a platform still waits for its answer."""
    if transfer.decision is not None:
        return party in transfer.awaiting
    if party is Party.SOURCE:
        return transfer.state is TransferState.RECEIVED and transfer.checked
    return transfer.state is TransferState.RESERVED
