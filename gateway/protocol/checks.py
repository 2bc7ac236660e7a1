"""The checks of a transfer: each with its number, in the order in which they are made."""

from collections.abc import Collection
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.model.transfer import TransferRefusal

__all__ = ["CHECKS", "Check", "CheckStage", "check_of", "first_refusal"]


class CheckStage(StrEnum):
    """When a check is made: the first three before anybody is asked, the last two with the reservation."""

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


_REFUSALS: Final = {
    CheckStage.MESSAGE: (
        1,
        (
            TransferRefusal.MALFORMED,
            TransferRefusal.PLATFORM_NOT_ACTIVE,
            TransferRefusal.QUOTE_UNKNOWN,
            TransferRefusal.QUOTE_DIFFERS,
            TransferRefusal.QUOTE_EXPIRED,
        ),
    ),
    CheckStage.LOTS: (
        10,
        (
            TransferRefusal.PERSON_NOT_LINKED,
            TransferRefusal.LOT_NOT_HELD,
            TransferRefusal.LOT_NOT_IN_LOG,
            TransferRefusal.LOT_OTHER_PERSON,
            TransferRefusal.LOT_NOT_PERSONAL,
            TransferRefusal.LOT_ENGAGEMENT,
            TransferRefusal.LOT_NO_CLAIM,
            TransferRefusal.LOT_CLAIM_OPEN,
            TransferRefusal.LOT_SET_OFF,
            TransferRefusal.LOT_RETIRED,
            TransferRefusal.LOT_DISPUTED,
            TransferRefusal.LOT_EXPIRED,
            TransferRefusal.LOT_SPENT,
        ),
    ),
    CheckStage.RULES: (
        30,
        (
            TransferRefusal.AGREEMENT_NOT_IN_FORCE,
            TransferRefusal.CORRIDOR_PAUSED,
            TransferRefusal.BEHAVIOUR_NOT_ADMITTED,
            TransferRefusal.METHODOLOGY_NOT_ADMITTED,
            TransferRefusal.EVIDENCE_NOT_ADMITTED,
            TransferRefusal.VINTAGE_TOO_OLD,
            TransferRefusal.MAPPING_NOT_IN_FORCE,
            TransferRefusal.BASIS_NOT_COMPUTABLE,
            TransferRefusal.ALREADY_COUNTED,
        ),
    ),
    CheckStage.LIMITS: (
        40,
        (
            TransferRefusal.BELOW_MINIMUM,
            TransferRefusal.PERSON_LIMIT,
            TransferRefusal.CORRIDOR_LIMIT,
            TransferRefusal.PLATFORM_LIMIT,
            TransferRefusal.CENTRAL_LIMIT,
        ),
    ),
    CheckStage.POSITION: (50, (TransferRefusal.POSITION_LIMIT,)),
}

CHECKS: Final = tuple(
    Check(f"T{number:02}", refusal, stage)
    for stage, (first, refusals) in _REFUSALS.items()
    for number, refusal in enumerate(refusals, start=first)
)
"""All checks in their order."""

_BY_REFUSAL: Final = {check.refusal: check for check in CHECKS}


def check_of(refusal: TransferRefusal) -> Check | None:
    """Return the check behind a refusal; None for an answer of a platform, and for time."""
    return _BY_REFUSAL.get(refusal)


def first_refusal(found: Collection[TransferRefusal]) -> TransferRefusal | None:
    """Return which of the failures found is told: the one that is checked first."""
    return next((check.refusal for check in CHECKS if check.refusal in found), None)
