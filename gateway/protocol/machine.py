"""The state machine of a transfer: an event in, the transfer after it and what to do about it out."""

from collections.abc import Callable
from typing import Final

from gateway.protocol.afterwards import disputed, return_ended, return_started, ruled, settled
from gateway.protocol.deciding import acknowledged, decide, queried, unanswered
from gateway.protocol.events import (
    Acknowledged,
    Checked,
    CheckFailed,
    Decide,
    Disputed,
    Held,
    HoldRefused,
    Prepared,
    PrepareRefused,
    Queried,
    Reserved,
    ReserveFailed,
    ReturnEnded,
    ReturnStarted,
    Ruled,
    Settled,
    Start,
    Timer,
    Unanswered,
)
from gateway.protocol.forward import (
    check_failed,
    checked,
    held,
    hold_refused,
    prepare_refused,
    prepared,
    reserve_failed,
    reserved,
    start,
    timer,
)
from gateway.protocol.state import Remark, Step, Transfer, refused

__all__ = ["step"]

_HANDLERS: Final[dict[type, Callable[..., Step]]] = {
    Start: start,
    Checked: checked,
    CheckFailed: check_failed,
    Held: held,
    HoldRefused: hold_refused,
    Reserved: reserved,
    ReserveFailed: reserve_failed,
    Prepared: prepared,
    PrepareRefused: prepare_refused,
    Decide: decide,
    Timer: timer,
    Queried: queried,
    Acknowledged: acknowledged,
    Unanswered: unanswered,
    Settled: settled,
    ReturnStarted: return_started,
    ReturnEnded: return_ended,
    Disputed: disputed,
    Ruled: ruled,
}


def step(transfer: Transfer, event: object) -> Step:
    """Take one event up. Whatever comes, in whatever order, has an answer: nothing here raises.

    A step that is *taken* is written in one transaction with its bookings and messages, and only if the
    transfer still has the revision that was read; otherwise the transfer is read again and the event is
    taken up anew. The other steps write nothing but their messages.
    """
    handler = _HANDLERS.get(type(event))
    return refused(transfer, Remark.UNKNOWN_EVENT) if handler is None else handler(transfer, event)
