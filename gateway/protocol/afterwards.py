"""What may still happen to a transfer that is over: settlement, returns, disputes."""

from typing import Final

from gateway.model.transfer import TransferState, Verdict
from gateway.protocol.events import Disputed, Do, ReturnEnded, ReturnStarted, Ruled, Settled, Task
from gateway.protocol.state import Remark, Step, Transfer, refused, repeated, taken

__all__ = ["disputed", "return_ended", "return_started", "ruled", "settled"]

_FINAL: Final = (
    TransferState.COMPLETED,
    TransferState.SETTLED,
    TransferState.LAPSED,
    TransferState.REJECTED,
    TransferState.ABORTED,
    TransferState.RETURNED,
)
_KEPT: Final = (TransferState.COMPLETED, TransferState.SETTLED)


def settled(transfer: Transfer, event: Settled) -> Step:  # noqa: ARG001 - every event is handed over
    """Note that the window is settled; it may be before the platforms have confirmed, or during a dispute."""
    if transfer.decision is None or transfer.decision.verdict is Verdict.ABORT:
        return refused(transfer, Remark.NOT_COMMITTED)
    if transfer.settled:
        return repeated(transfer)
    noted = transfer._replace(settled=True)
    over = transfer.state is TransferState.COMPLETED
    return taken(noted._replace(state=TransferState.SETTLED) if over else noted)


def return_started(transfer: Transfer, event: ReturnStarted) -> Step:
    """Begin a return: one at a time, and never more than the transfer brought."""
    if event.transfer == transfer.returning or event.transfer in transfer.returns:
        return repeated(transfer)
    if transfer.returning is not None:
        return refused(transfer, Remark.RETURN_OPEN)
    if _standing(transfer) not in _KEPT:
        return refused(transfer, Remark.NOT_COMPLETED)
    if not 0 < event.recognised_mg <= transfer.terms.amounts.recognised_mg - transfer.returned_mg:
        return refused(transfer, Remark.RETURN_EXCEEDS)
    return taken(
        transfer._replace(
            state=TransferState.RETURNING,
            resume=transfer.state,
            returning=event.transfer,
            returning_mg=event.recognised_mg,
        )
    )


def return_ended(transfer: Transfer, event: ReturnEnded) -> Step:
    """Note how a return ended: returned in whole, or back to what the transfer was."""
    if event.transfer in transfer.returns:
        return repeated(transfer)
    if event.transfer != transfer.returning or transfer.resume is None:
        return refused(transfer, Remark.RETURN_UNKNOWN)
    back = event.verdict is Verdict.COMMIT
    returned_mg = transfer.returned_mg + (transfer.returning_mg if back else 0)
    whole = returned_mg == transfer.terms.amounts.recognised_mg
    state = TransferState.RETURNED if whole else transfer.resume
    if state is TransferState.COMPLETED and transfer.settled:
        state = TransferState.SETTLED
    return taken(
        transfer._replace(
            state=state,
            resume=None,
            returning=None,
            returning_mg=0,
            returned_mg=returned_mg,
            returns=(*transfer.returns, event.transfer),
        )
    )


def disputed(transfer: Transfer, event: Disputed) -> Step:  # noqa: ARG001 - every event is handed over
    """Open a dispute about how a transfer ended: once."""
    if transfer.state is TransferState.DISPUTED:
        return repeated(transfer)
    if transfer.before is not None:
        return refused(transfer, Remark.DISPUTED_BEFORE)
    if transfer.state not in _FINAL:
        return refused(transfer, Remark.NOT_FINAL)
    return taken(transfer._replace(state=TransferState.DISPUTED, before=transfer.state))


def ruled(transfer: Transfer, event: Ruled) -> Step:
    """Close a dispute; where points did move and it is upheld, they are to be returned."""
    ruling = TransferState.UPHELD if event.upheld else TransferState.DENIED
    if transfer.state is ruling:
        return repeated(transfer)
    if transfer.state is not TransferState.DISPUTED:
        return refused(transfer, Remark.NOT_DISPUTED)
    to_return = [Do(Task.RETURN)] if event.upheld and transfer.before in _KEPT else []
    return taken(transfer._replace(state=ruling), *to_return)


def _standing(transfer: Transfer) -> TransferState | None:
    """Return how the transfer ended, whatever a dispute about it came to."""
    if transfer.state in (TransferState.UPHELD, TransferState.DENIED):
        return transfer.before
    return transfer.state
