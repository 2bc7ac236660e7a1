"""A platform's side of a transfer: the hold at the source, the credit at the destination.

Both are one machine. Something is kept back when the gateway asks for it, and stays so until the gateway
has decided: it never ends by itself. A decision that arrives before the question is remembered, so that
the question finds the transfer closed.
"""

from enum import StrEnum
from typing import NamedTuple

from gateway.model.transfer import PlaceHold, PrepareCredit, Verdict

__all__ = [
    "ABSENT",
    "CLOSED_BEFORE",
    "Answer",
    "Asked",
    "Decided",
    "Deed",
    "LetGo",
    "Overdue",
    "Share",
    "ShareState",
    "ShareStep",
    "share_step",
]


class ShareState(StrEnum):
    """How far a hold or a credit is."""

    ABSENT = "absent"
    KEPT = "kept"  # held, or ready
    REFUSED = "refused"  # for good
    DONE = "done"  # burned, or issued
    DROPPED = "dropped"  # given back, or closed before it was asked for


class Share(NamedTuple):
    """A platform's share of a transfer: the message it answered, the id of its hold or credit, its reason."""

    state: ShareState = ShareState.ABSENT
    message: PlaceHold | PrepareCredit | None = None
    id: str = ""
    reason: str = ""


ABSENT = Share()
"""A transfer of which the platform knows nothing."""


class Asked(NamedTuple):
    """The gateway asks. ``id`` is fresh; ``refusal`` says why the platform cannot, empty if it can."""

    message: PlaceHold | PrepareCredit
    id: str
    refusal: str = ""


class Decided(NamedTuple):
    """The gateway has decided; its signature was verified."""

    verdict: Verdict


class Overdue(NamedTuple):
    """The decision is later than the gateway had expected."""


class LetGo(NamedTuple):
    """Somebody at the platform wants the points back without a decision."""


class Deed(StrEnum):
    """What the platform does with its own points, in the transaction that keeps its share."""

    NOTHING = "nothing"
    KEEP = "keep"  # take the points from the balance, or count the credit against what may be issued
    FINISH = "finish"  # burn them, or issue them
    GIVE_BACK = "give-back"


class Answer(StrEnum):
    """What the platform tells the gateway, or whoever asked."""

    NOTHING = "nothing"
    KEPT = "kept"
    REFUSED = "refused"
    DONE = "done"
    DROPPED = "dropped"
    QUERY = "query"  # ask the gateway what it has decided
    CONFLICT = "idempotency-conflict"  # another message under the same id
    CONTRADICTION = "decision-contradicted"  # call a person: this decision cannot be carried out
    NOT_ALLOWED = "decision-missing"


class ShareStep(NamedTuple):
    """The share after an event, what to do with the points, and what to answer."""

    share: Share
    deed: Deed
    answer: Answer


CLOSED_BEFORE = "closed-before"
"""Why a hold or credit is refused whose transfer was aborted before it was asked for."""


def share_step(share: Share, event: Asked | Decided | Overdue | LetGo) -> ShareStep:
    """Take one event up; what was done once is answered again and never done again."""
    match event:
        case Asked():
            return _asked(share, event)
        case Decided(Verdict.COMMIT):
            return _committed(share)
        case Decided():
            return _aborted(share)
        case Overdue():
            waits = share.state is ShareState.KEPT
            return ShareStep(share, Deed.NOTHING, Answer.QUERY if waits else Answer.NOTHING)
        case LetGo():
            return ShareStep(share, Deed.NOTHING, Answer.NOT_ALLOWED)


def _asked(share: Share, event: Asked) -> ShareStep:
    if share.message is not None:
        if _lasting(share.message) != _lasting(event.message):
            return ShareStep(share, Deed.NOTHING, Answer.CONFLICT)
        again = Answer.KEPT if share.id else Answer.REFUSED
        return ShareStep(share, Deed.NOTHING, again)
    if share.state is ShareState.DROPPED:
        closed = share._replace(message=event.message, reason=CLOSED_BEFORE)
        return ShareStep(closed, Deed.NOTHING, Answer.REFUSED)
    if event.refusal:
        refusal = Share(ShareState.REFUSED, event.message, "", event.refusal)
        return ShareStep(refusal, Deed.NOTHING, Answer.REFUSED)
    return ShareStep(Share(ShareState.KEPT, event.message, event.id), Deed.KEEP, Answer.KEPT)


def _committed(share: Share) -> ShareStep:
    if share.state is ShareState.KEPT:
        return ShareStep(share._replace(state=ShareState.DONE), Deed.FINISH, Answer.DONE)
    known = share.state is ShareState.DONE
    return ShareStep(share, Deed.NOTHING, Answer.DONE if known else Answer.CONTRADICTION)


def _aborted(share: Share) -> ShareStep:
    if share.state is ShareState.KEPT:
        return ShareStep(share._replace(state=ShareState.DROPPED), Deed.GIVE_BACK, Answer.DROPPED)
    if share.state is ShareState.ABSENT:
        return ShareStep(share._replace(state=ShareState.DROPPED), Deed.NOTHING, Answer.DROPPED)
    done = share.state is ShareState.DONE
    return ShareStep(share, Deed.NOTHING, Answer.CONTRADICTION if done else Answer.DROPPED)


def _lasting(message: PlaceHold | PrepareCredit) -> PlaceHold | PrepareCredit:
    """Return a message without the one thing that changes when it is sent again."""
    return message._replace(expected_in_s=0)
