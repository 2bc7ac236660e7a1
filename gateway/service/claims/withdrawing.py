"""Withdraw a record: it counts no longer, and the next act of its person takes the claim."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from gateway.claims import Kinds, closed_through
from gateway.errors import Refused
from gateway.ports import ClaimDecision, ClaimState, Clock, Journal, Log
from gateway.service.claims.claiming import Reversed, platform_tag, reversals_of
from gateway.service.claims.reversing import Reversing
from gateway.service.moments import instant_text
from gateway.service.publishing import PublishingRings, publish_queue
from gateway.service.receipts.proving import FoundRecord
from gateway.signing import KeyedIndex

__all__ = ["ClaimClosed", "Withdrawing", "Withdrawn", "withdraw_record"]


class ClaimClosed(Refused):
    """The claims of the record's day are closed: what counts cannot change any more."""

    code = "claim-closed"
    remedy = "a mistake that is found later is settled between the platform and the person"


class Withdrawn(NamedTuple):
    """What a withdrawal has come to: the records that count in place of the withdrawn one."""

    restored: list[str]
    log_entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawing:
    """What withdrawing needs; joined by ``gateway.app``."""

    kinds: Kinds
    journal: Journal
    reversing: Reversing
    log: Log
    index: KeyedIndex
    rings: Callable[[], PublishingRings]
    clock: Clock


def withdraw_record(found: FoundRecord, parts: Withdrawing) -> Withdrawn:
    """Withdraw a record by a logged reversal; who was set off because of it counts again.

    Raises:
        ClaimClosed: its day is closed.
        Refused: it was withdrawn before.
    """
    now, claims = parts.clock.now(), parts.journal.claims
    record = bytes.fromhex(found.row.id)
    if date.fromisoformat(found.row.day).toordinal() <= closed_through(now, closed=claims.closed()):
        raise ClaimClosed(f"record {found.row.id} is of {found.row.day}, whose claims are closed")
    if claims.states(record).get(record) == ClaimState.WITHDRAWN:
        raise Refused(f"record {found.row.id} was withdrawn before", remedy="nothing more is to be done")
    parts.reversing.sweep()
    group, acts = claims.find(record) or (b"", [])
    mine = [act for act in acts if act.record == record]
    left = [act for act in acts if act.record != record]
    tag = platform_tag(parts.index, found.batch.platform)
    changed = [Reversed(record, tag, False, "withdrawn"), *reversals_of(acts, left, kinds=parts.kinds)]
    platforms = {platform_tag(parts.index, name): name for name in parts.journal.platforms()}
    states = {one.record: ClaimState.HOLDS if one.holds else ClaimState.SET_OFF for one in changed[1:]}
    claims.decide(
        ClaimDecision(
            withdrawn=[(group, act) for act in mine],
            states={record: ClaimState.WITHDRAWN, **states},
            reversals=parts.reversing.write(changed, platforms=platforms, issued=instant_text(now)),
        )
    )
    publish_queue(parts.journal, parts.log, rings=parts.rings)
    return Withdrawn([one.record.hex() for one in changed[1:] if one.holds], parts.log.size)
