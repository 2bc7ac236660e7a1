"""What may happen to a transfer, and what the gateway then does.

Events carry all that the machine may not find out by itself: the gateway's time, and numbers drawn by
whoever reports the event. Effects of a step are written down together with the state it leads to.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from gateway.model.transfer import CreditId, HoldId, Message, Party, TransferId, Verdict

__all__ = [
    "Acknowledged",
    "Alarm",
    "Book",
    "Booking",
    "CheckFailed",
    "Checked",
    "Decide",
    "Disputed",
    "Do",
    "Effect",
    "Event",
    "Held",
    "HoldRefused",
    "PrepareRefused",
    "Prepared",
    "Queried",
    "Quiet",
    "ReserveFailed",
    "Reserved",
    "Retry",
    "ReturnEnded",
    "ReturnStarted",
    "Ruled",
    "Send",
    "Settled",
    "Start",
    "Task",
    "Timer",
    "Unanswered",
    "Wake",
]


class Start(NamedTuple):
    """The source's platform asks for what was quoted."""

    now: datetime


class Checked(NamedTuple):
    """The message, the lots and the rules hold (the first checks)."""

    now: datetime


class CheckFailed(NamedTuple):
    """One of the first checks fails."""

    now: datetime
    reason: str


class Held(NamedTuple):
    """The source has put points on hold."""

    now: datetime
    hold: HoldId
    points: int


class HoldRefused(NamedTuple):
    """The source will not hold the points, now or ever; ``detail`` is its own code."""

    now: datetime
    detail: str


class Reserved(NamedTuple):
    """Lots, limits and position were free and are kept for the transfer."""

    now: datetime


class ReserveFailed(NamedTuple):
    """A lot, a limit or the position is not free; nothing is kept."""

    now: datetime
    reason: str


class Prepared(NamedTuple):
    """The destination can issue the points and waits for the decision."""

    now: datetime
    credit: CreditId
    points: int


class PrepareRefused(NamedTuple):
    """The destination will not issue the points, now or ever; ``detail`` is its own code."""

    now: datetime
    detail: str


class Decide(NamedTuple):
    """Everybody is ready: it is time to decide."""

    now: datetime


class Timer(NamedTuple):
    """Time has passed, or the gateway was started again: what is due?"""

    now: datetime


class Queried(NamedTuple):
    """A platform asks what was decided."""

    now: datetime
    party: Party


class Acknowledged(NamedTuple):
    """A platform has carried the decision out."""

    now: datetime
    party: Party
    verdict: Verdict


class Unanswered(NamedTuple):
    """A message was sent so many times without a usable answer; ``seed`` spreads the next attempt."""

    now: datetime
    party: Party
    attempts: int
    seed: int


class Settled(NamedTuple):
    """The window of the transfer was settled."""

    now: datetime


class ReturnStarted(NamedTuple):
    """A return of some or all of it was received, as a transfer of its own."""

    now: datetime
    transfer: TransferId
    recognised_mg: int


class ReturnEnded(NamedTuple):
    """That return is over."""

    now: datetime
    transfer: TransferId
    verdict: Verdict


class Disputed(NamedTuple):
    """Somebody entitled objects to how the transfer ended."""

    now: datetime


class Ruled(NamedTuple):
    """The coordinators have ruled on the dispute."""

    now: datetime
    upheld: bool


Event = (
    Start
    | Checked
    | CheckFailed
    | Held
    | HoldRefused
    | Reserved
    | ReserveFailed
    | Prepared
    | PrepareRefused
    | Decide
    | Timer
    | Queried
    | Acknowledged
    | Unanswered
    | Settled
    | ReturnStarted
    | ReturnEnded
    | Disputed
    | Ruled
)
"""What may happen to a transfer."""


class Task(StrEnum):
    """What the gateway does by itself; each ends in an event."""

    CHECK = "check"  # Checked or CheckFailed
    RESERVE = "reserve"  # Reserved or ReserveFailed, in the transaction that keeps lots, limits and position
    DECIDE = "decide"  # Decide
    RETURN = "return"  # an upheld dispute: a return is to be started


class Booking(StrEnum):
    """What the ledger writes in the transaction of the step."""

    RELEASE = "release"  # give lots, limits and position back
    COMMIT = "commit"  # from held at the source to in transit; the position grows
    COMPLETE = "complete"  # from in transit to held at the destination


class Do(NamedTuple):
    """Do this after the step was written."""

    task: Task


class Book(NamedTuple):
    """Write this with the step, or not at all."""

    booking: Booking


class Send(NamedTuple):
    """Send this to a platform until it is answered, in place of whatever was being sent to it."""

    party: Party
    message: Message


class Quiet(NamedTuple):
    """Stop sending to a platform: it has answered."""

    party: Party


class Retry(NamedTuple):
    """Send the same again at a moment."""

    party: Party
    at: datetime


class Wake(NamedTuple):
    """Come back with a :class:`Timer` at a moment."""

    at: datetime


class Alarm(NamedTuple):
    """Call a person: the code says why."""

    code: str


Effect = Do | Book | Send | Quiet | Retry | Wake | Alarm
"""What the gateway does about an event."""
