"""The checks of a transfer: each with its number, in the order in which they are made."""

from collections.abc import Collection
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.model.transfer import TransferRefusal

__all__ = ["CHECKS", "Check", "CheckStage", "check_of", "first_refusal"]


class CheckStage(StrEnum):
    """When a check is made: the first three before anybody is asked, the last two under the lock."""

    MESSAGE = "message"
    LOTS = "lots"
    RULES = "rules"
    LIMITS = "limits"
    POSITION = "position"


class Check(NamedTuple):
    """One check: its number for people, its code for programs, and when it is made."""

    number: str
    refusal: TransferRefusal
    stage: CheckStage


_STAGES: Final = {
    CheckStage.MESSAGE: (
        TransferRefusal.MALFORMED,
        TransferRefusal.PLATFORM_NOT_ACTIVE,
        TransferRefusal.CORRIDOR_PAUSED,
        TransferRefusal.QUOTE_UNKNOWN,
        TransferRefusal.QUOTE_EXPIRED,
        TransferRefusal.QUOTE_DIFFERS,
    ),
    CheckStage.LOTS: (
        TransferRefusal.LOT_NOT_IN_LOG,
        TransferRefusal.LOT_OTHER_PERSON,
        TransferRefusal.LOT_NOT_PERSONAL,
        TransferRefusal.LOT_ENGAGEMENT,
        TransferRefusal.LOT_CLAIM_OPEN,
        TransferRefusal.LOT_RETIRED,
        TransferRefusal.LOT_DISPUTED,
        TransferRefusal.LOT_EXPIRED,
        TransferRefusal.LOT_SPENT,
    ),
    CheckStage.RULES: (
        TransferRefusal.AGREEMENT_NOT_IN_FORCE,
        TransferRefusal.BEHAVIOUR_NOT_ADMITTED,
        TransferRefusal.METHODOLOGY_NOT_ADMITTED,
        TransferRefusal.EVIDENCE_NOT_ADMITTED,
        TransferRefusal.VINTAGE_TOO_OLD,
        TransferRefusal.BASIS_NOT_COMPUTABLE,
        TransferRefusal.ALREADY_COUNTED,
        TransferRefusal.BELOW_MINIMUM,
    ),
    CheckStage.LIMITS: (
        TransferRefusal.PERSON_LIMIT,
        TransferRefusal.CORRIDOR_LIMIT,
        TransferRefusal.PLATFORM_LIMIT,
        TransferRefusal.CENTRAL_LIMIT,
    ),
    CheckStage.POSITION: (TransferRefusal.POSITION_LIMIT,),
}

CHECKS: Final = tuple(
    Check(f"T{hundred}{place:02}", refusal, stage)
    for hundred, (stage, refusals) in enumerate(_STAGES.items(), start=1)
    for place, refusal in enumerate(refusals, start=1)
)
"""All checks in their order; numbers of the message begin with T1, of the position with T5."""

_BY_REFUSAL: Final = {check.refusal: check for check in CHECKS}


def check_of(refusal: TransferRefusal) -> Check | None:
    """Return the check behind a refusal; None for an answer of a platform, and for time."""
    return _BY_REFUSAL.get(refusal)


def first_refusal(found: Collection[TransferRefusal]) -> TransferRefusal | None:
    """Return which of the failures found is told: the one that is checked first."""
    return next((check.refusal for check in CHECKS if check.refusal in found), None)
