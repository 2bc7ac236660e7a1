"""Bugs planted on purpose: rules that are nearly right. The simulation has to find each of them."""

from collections.abc import Callable
from typing import Any

from gateway.model.canonical import Json, canonical_bytes, digest
from gateway.model.transfer import Decision, Party, PrepareCredit, TransferState, Verdict
from gateway.protocol import (
    ABSENT,
    Acknowledged,
    Answer,
    Asked,
    Book,
    Booking,
    Decided,
    Deed,
    Held,
    Kept,
    LetGo,
    New,
    Outcome,
    Overdue,
    Quiet,
    Same,
    Send,
    Share,
    ShareState,
    ShareStep,
    Step,
    Timer,
    Transfer,
    Unanswered,
    share_step,
    step,
)
from tests.simulation.gateway import Rules


def aborts_after_commit(transfer: Transfer, event: object) -> Step:
    """Take COMMITTED, in a timer, for one more state that can time out."""
    if transfer.state is TransferState.COMMITTED and isinstance(event, Timer):
        decision = Decision(transfer.terms.id, Verdict.ABORT, "timed-out", event.now)
        changed = transfer._replace(
            state=TransferState.ABORTING, decision=decision, revision=transfer.revision + 1
        )
        return Step(changed, tuple(Send(party, decision) for party in Party), Outcome.TAKEN)
    return step(transfer, event)


def one_confirmation_is_enough(transfer: Transfer, event: object) -> Step:
    """Let whoever confirms first end the transfer."""
    if isinstance(event, Acknowledged) and event.party in transfer.awaiting:
        transfer = transfer._replace(awaiting=frozenset({event.party}))
        done = step(transfer, event)
        return done._replace(effects=(*done.effects, *(Quiet(party) for party in Party)))
    return step(transfer, event)


def tells_the_source_only(transfer: Transfer, event: object) -> Step:
    """Abort without telling the destination."""
    done = step(transfer, event)
    if done.transfer.state is TransferState.ABORTING and transfer.state is not TransferState.ABORTING:
        told = done.transfer._replace(awaiting=frozenset({Party.SOURCE}))
        kept = tuple(e for e in done.effects if not (isinstance(e, Send) and e.party is Party.DESTINATION))
        return done._replace(transfer=told, effects=kept)
    return done


def keeps_the_reservation(transfer: Transfer, event: object) -> Step:
    """Abort and give nothing back."""
    done = step(transfer, event)
    return done._replace(effects=tuple(e for e in done.effects if e != Book(Booking.RELEASE)))


def gives_up(transfer: Transfer, event: object) -> Step:
    """Take no answer, three times, for an answer."""
    if isinstance(event, Unanswered) and event.attempts >= 3:
        return Step(transfer, (Quiet(event.party),), Outcome.IGNORED, "gave-up")
    return step(transfer, event)


def revives(transfer: Transfer, event: object) -> Step:
    """Take up a hold that comes after the abort."""
    if isinstance(event, Held) and transfer.state is TransferState.ABORTING:
        transfer = transfer._replace(state=TransferState.RECEIVED, decision=None, awaiting=frozenset())
    return step(transfer, event)


def issues_before_the_decision(share: Share, event: Any) -> ShareStep:
    """Do not wait, as the destination."""
    done = share_step(share, event)
    if done.deed is Deed.KEEP and isinstance(event.message, PrepareCredit):
        return done._replace(share=done.share._replace(state=ShareState.DONE), deed=Deed.FINISH)
    return done


def releases_by_itself(share: Share, event: Any) -> ShareStep:
    """Lose patience, as a platform."""
    if isinstance(event, Overdue) and share.state is ShareState.KEPT:
        return ShareStep(share._replace(state=ShareState.DROPPED), Deed.GIVE_BACK, Answer.NOTHING)
    return share_step(share, event)


def lets_go(share: Share, event: Any) -> ShareStep:
    """Give back what waits if somebody at the platform wants to."""
    if isinstance(event, LetGo) and share.state is ShareState.KEPT:
        return ShareStep(share._replace(state=ShareState.DROPPED), Deed.GIVE_BACK, Answer.NOTHING)
    return share_step(share, event)


def finishes_again(share: Share, event: Any) -> ShareStep:
    """Carry a repeated decision out once more."""
    done = share_step(share, event)
    again = isinstance(event, Decided) and share.state is ShareState.DONE and done.answer is Answer.DONE
    return done._replace(deed=Deed.FINISH) if again else done


def forgets_what_came_first(share: Share, event: Any) -> ShareStep:
    """Do not remember an abort of something that was not asked for yet."""
    done = share_step(share, event)
    if isinstance(event, Decided) and share.state is ShareState.ABSENT:
        return done._replace(share=ABSENT)
    return done


def asks_its_stock_again(share: Share, event: Any) -> ShareStep:
    """Take points for every repetition of the question."""
    done = share_step(share, event)
    again = isinstance(event, Asked) and share.state is ShareState.KEPT and done.answer is Answer.KEPT
    return done._replace(deed=Deed.KEEP) if again else done


def any_body_will_do(kept: Kept | None, body: Json) -> New | Same:
    """Compare no bodies."""
    return New(digest(canonical_bytes(body))) if kept is None else Same(kept.answer)


def never_seen(kept: Kept | None, body: Json) -> New:  # noqa: ARG001 - forgetting it is the bug
    """Remember no ids."""
    return New(digest(canonical_bytes(body)))


def _by(rule: Callable[..., Step]) -> Rules:
    return Rules(step=rule)


def _at_platforms(rule: Callable[..., ShareStep]) -> Rules:
    return Rules(share_step=rule)


BUGS = {
    "aborts after the commit": _by(aborts_after_commit),
    "one confirmation is enough": _by(one_confirmation_is_enough),
    "tells the source only": _by(tells_the_source_only),
    "keeps the reservation": _by(keeps_the_reservation),
    "gives up": _by(gives_up),
    "revives": _by(revives),
    "issues before the decision": _at_platforms(issues_before_the_decision),
    "releases by itself": _at_platforms(releases_by_itself),
    "lets go": _at_platforms(lets_go),
    "finishes again": _at_platforms(finishes_again),
    "forgets what came first": _at_platforms(forgets_what_came_first),
    "takes points again": _at_platforms(asks_its_stock_again),
    "any body will do": Rules(judge=any_body_will_do),
    "never seen": Rules(judge=never_seen),
    "writes without comparing": Rules(compare_and_set=False),
    "messages in memory": Rules(durable_outbox=False),
    "counts what is committed only": Rules(counts_reserved=False),
    "takes nothing up again": Rules(takes_up_again=False),
    "believes what was altered on the way": Rules(verifies=False),
    "carries a message once": Rules(carries_again=False),
}
"""Each bug by its name."""
