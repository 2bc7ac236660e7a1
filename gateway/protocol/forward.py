"""The way to the decision: received, held at the source, reserved here, ready at the destination."""

from datetime import datetime, timedelta
from typing import Final

from gateway.model.transfer import (
    Party,
    PlaceHold,
    PrepareCredit,
    TransferRefusal,
    TransferState,
)
from gateway.protocol.deciding import abort, decide, tell_again
from gateway.protocol.events import (
    Alarm,
    Checked,
    CheckFailed,
    Decide,
    Do,
    Effect,
    Held,
    HoldRefused,
    Prepared,
    PrepareRefused,
    Quiet,
    Reserved,
    ReserveFailed,
    Send,
    Start,
    Task,
    Timer,
    Wake,
)
from gateway.protocol.state import ENDED_UNDECIDED, Remark, Step, Transfer, ignored, refused, repeated, taken
from gateway.protocol.times import times_of

__all__ = [
    "check_failed",
    "checked",
    "held",
    "hold_refused",
    "prepare_refused",
    "prepared",
    "reserve_failed",
    "reserved",
    "start",
    "timer",
]

_BEFORE_THE_CREDIT: Final = (TransferState.QUOTED, TransferState.RECEIVED, TransferState.HELD)


def start(transfer: Transfer, event: Start) -> Step:
    """Take a transfer up if its quote still holds."""
    if transfer.state is not TransferState.QUOTED:
        return repeated(transfer)
    if event.now >= transfer.terms.quote.expires:
        return _end(transfer, TransferState.LAPSED, reason=TransferRefusal.QUOTE_EXPIRED)
    times = times_of(transfer.terms.kind)
    received = transfer._replace(
        state=TransferState.RECEIVED, deadline=event.now + times.hold, ends=event.now + times.whole
    )
    return taken(received, Do(Task.CHECK), *_wake(received))


def checked(transfer: Transfer, event: Checked) -> Step:
    """Ask the source to hold the points."""
    if transfer.state is not TransferState.RECEIVED or transfer.checked:
        return ignored(transfer, Remark.TOO_LATE)
    if transfer.overdue(event.now):
        return _end(transfer, TransferState.REJECTED, reason=TransferRefusal.TIMED_OUT)
    terms = transfer.terms
    hold = PlaceHold(
        transfer=terms.id,
        account=terms.source_account,
        points=terms.amounts.points_out,
        lots=terms.lots,
        expected_in_s=_seconds(event.now, transfer.ends),
    )
    return taken(transfer._replace(checked=True), Send(Party.SOURCE, hold))


def check_failed(transfer: Transfer, event: CheckFailed) -> Step:
    """Refuse a transfer for good before anybody was asked."""
    if transfer.state is not TransferState.RECEIVED or transfer.checked:
        return ignored(transfer, Remark.TOO_LATE)
    return _end(transfer, TransferState.REJECTED, reason=event.reason)


def held(transfer: Transfer, event: Held) -> Step:
    """Go on with the points on hold, or give them free if they are others or come too late."""
    if transfer.state in ENDED_UNDECIDED:
        contradicted = abort(transfer, event.now, reason=transfer.reason, tell=(Party.SOURCE,))
        return contradicted._replace(effects=(*contradicted.effects, Alarm(Remark.HOLD_AFTER_REFUSAL)))
    if not transfer.checked:
        return refused(transfer, Remark.NOT_ASKED)
    agrees = event.points == transfer.terms.amounts.points_out
    if transfer.state is not TransferState.RECEIVED:
        if transfer.hold is not None and not (agrees and transfer.hold == event.hold):
            return refused(transfer, Remark.HOLD_CONTRADICTED, Alarm(Remark.HOLD_CONTRADICTED))
        return tell_again(transfer, Party.SOURCE)
    if transfer.overdue(event.now):
        return abort(transfer, event.now, reason=TransferRefusal.TIMED_OUT)
    if not agrees:
        return abort(transfer, event.now, reason=TransferRefusal.HOLD_DIFFERS)
    on_hold = transfer._replace(state=TransferState.HELD, hold=event.hold, deadline=transfer.ends)
    return taken(on_hold, Quiet(Party.SOURCE), Do(Task.RESERVE), *_wake(on_hold))


def hold_refused(transfer: Transfer, event: HoldRefused) -> Step:
    """Reject what the source refuses; a refusal after the hold is a contradiction."""
    if transfer.hold is not None:
        return refused(transfer, Remark.HOLD_CONTRADICTED, Alarm(Remark.HOLD_CONTRADICTED))
    if transfer.state is TransferState.RECEIVED and transfer.checked:
        ended = _end(
            transfer, TransferState.REJECTED, reason=TransferRefusal.HOLD_REFUSED, detail=event.detail
        )
        return ended._replace(effects=(Quiet(Party.SOURCE), *ended.effects))
    return ignored(transfer, Remark.TOO_LATE) if transfer.checked else refused(transfer, Remark.NOT_ASKED)


def reserved(transfer: Transfer, event: Reserved) -> Step:
    """Ask the destination, now that lots, limits and position are kept for the transfer.

    A step that is not taken must not keep the reservation either.
    """
    if transfer.state is not TransferState.HELD:
        return refused(transfer, Remark.NOT_RESERVING)
    kept = transfer._replace(state=TransferState.RESERVED)
    if transfer.overdue(event.now):
        return abort(kept, event.now, reason=TransferRefusal.TIMED_OUT, tell=(Party.SOURCE,))
    terms = transfer.terms
    by = event.now + times_of(terms.kind).credit
    kept = kept._replace(deadline=by if transfer.ends is None else min(by, transfer.ends))
    credit = PrepareCredit(
        transfer=terms.id,
        account=terms.destination_account,
        points=terms.amounts.points_in,
        recognised_mg=terms.amounts.recognised_mg,
        expected_in_s=_seconds(event.now, transfer.ends),
    )
    return taken(kept, Send(Party.DESTINATION, credit), *_wake(kept))


def reserve_failed(transfer: Transfer, event: ReserveFailed) -> Step:
    """Abort for want of a lot, a limit or room in the position."""
    if transfer.state is not TransferState.HELD:
        return ignored(transfer, Remark.TOO_LATE)
    return abort(transfer, event.now, reason=event.reason)


def prepared(transfer: Transfer, event: Prepared) -> Step:
    """Go on to the decision, or set the destination free if it prepared something else or too late."""
    if transfer.state in ENDED_UNDECIDED:
        return abort(transfer, event.now, reason=transfer.reason, tell=(Party.DESTINATION,))
    if transfer.state in _BEFORE_THE_CREDIT:
        return refused(transfer, Remark.NOT_ASKED)
    agrees = event.points == transfer.terms.amounts.points_in
    if transfer.state is not TransferState.RESERVED:
        if transfer.credit is not None and not (agrees and transfer.credit == event.credit):
            return refused(transfer, Remark.CREDIT_CONTRADICTED, Alarm(Remark.CREDIT_CONTRADICTED))
        return tell_again(transfer, Party.DESTINATION)
    if transfer.overdue(event.now):
        return abort(transfer, event.now, reason=TransferRefusal.TIMED_OUT)
    if not agrees:
        return abort(transfer, event.now, reason=TransferRefusal.CREDIT_DIFFERS)
    ready = transfer._replace(state=TransferState.READY, credit=event.credit, deadline=transfer.ends)
    return taken(ready, Quiet(Party.DESTINATION), Do(Task.DECIDE))


def prepare_refused(transfer: Transfer, event: PrepareRefused) -> Step:
    """Abort what the destination refuses; it keeps nothing, so only the source is told."""
    if transfer.credit is not None:
        return refused(transfer, Remark.CREDIT_CONTRADICTED, Alarm(Remark.CREDIT_CONTRADICTED))
    if transfer.state is TransferState.RESERVED:
        noted = transfer._replace(detail=event.detail)
        return abort(noted, event.now, reason=TransferRefusal.CREDIT_REFUSED, tell=(Party.SOURCE,))
    if transfer.state in _BEFORE_THE_CREDIT:
        return refused(transfer, Remark.NOT_ASKED)
    return ignored(transfer, Remark.TOO_LATE)


def timer(transfer: Transfer, event: Timer) -> Step:
    """Do what is due: end what has waited too long, take up again what a crash has interrupted."""
    state, now = transfer.state, event.now
    if state is TransferState.QUOTED:
        if now >= transfer.terms.quote.expires:
            return _end(transfer, TransferState.LAPSED, reason=TransferRefusal.QUOTE_EXPIRED)
        return ignored(transfer, Remark.NOT_DUE, Wake(transfer.terms.quote.expires))
    if state is TransferState.READY:
        return decide(transfer, Decide(now))
    if state in (TransferState.RECEIVED, TransferState.HELD, TransferState.RESERVED):
        if not transfer.overdue(now):
            return ignored(transfer, Remark.NOT_DUE, *_due(transfer), *_wake(transfer))
        if state is TransferState.RECEIVED and not transfer.checked:
            return _end(transfer, TransferState.REJECTED, reason=TransferRefusal.TIMED_OUT)
        return abort(transfer, now, reason=TransferRefusal.TIMED_OUT)
    return ignored(transfer, Remark.NOT_DUE, *_due(transfer))


def _end(transfer: Transfer, state: TransferState, *, reason: str, detail: str = "") -> Step:
    """End a transfer for which nobody keeps anything."""
    return taken(transfer._replace(state=state, reason=reason, detail=detail, deadline=None))


def _due(transfer: Transfer) -> list[Effect]:
    """Return the work that the state is waiting for."""
    if transfer.state is TransferState.RECEIVED and not transfer.checked:
        return [Do(Task.CHECK)]
    if transfer.state is TransferState.HELD:
        return [Do(Task.RESERVE)]
    return [Do(Task.RETURN)] if transfer.state is TransferState.UPHELD else []


def _wake(transfer: Transfer) -> list[Effect]:
    return [] if transfer.deadline is None else [Wake(transfer.deadline)]


def _seconds(now: datetime, until: datetime | None) -> int:
    """Return the whole seconds left, upwards: nobody is to ask before it is time."""
    return 0 if until is None else -((now - until) // timedelta(seconds=1))
