"""What must hold of a lot before it may move: one check for each thing that may be wrong, each with a number.

Checks are kept apart: each looks at one fact, and all that fail are told in the order of their numbers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final, NamedTuple

from gateway.model.transfer import CHECKS, TransferRefusal
from gateway.recognition.agreement import Agreement
from gateway.recognition.amounts import Used, Value, Worth, lives_until, movable

__all__ = ["Claim", "Failure", "Lot", "NotWorth", "Wish", "failures"]


class Claim(Enum):
    """What is known of the one count of a lot's act. ``NONE``: it was never compared with other platforms."""

    NONE = "none"
    HOLDS = "holds"
    SET_OFF = "set-off"
    WITHDRAWN = "withdrawn"


class NotWorth(NamedTuple):
    """Why an act has no worth at its destination."""

    code: TransferRefusal
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What is known of a lot that may move.

    ``holder`` is the platform that holds it, ``person`` the pseudonym across platforms of whose it is.
    ``logged``: its record is in the log, under as many witnesses as the policy wants. ``closed``: the
    claims of its day are closed. ``counted``: why the destination counts its act already, or may, else
    empty. ``in_transit``: another part of it is on its way, and nobody knows yet whether it arrives.
    ``expires`` is the last day of its points by the rules of its holder, ``expires_there`` by those of
    the destination; None: they never lapse.
    """

    record: str
    holder: str
    person: bytes | None
    day: date
    behaviour: str
    methodology: str
    evidence: str
    ownership: str
    kind: str
    value: Value
    logged: bool
    claim: Claim
    closed: bool
    counted: str
    used: Used
    retired: bool
    disputed: bool
    in_transit: bool
    expires: date | None
    expires_there: date | None
    worth: Worth | NotWorth

    @property
    def lives_until(self) -> date | None:
        """Return the last day of its points at the destination."""
        return lives_until(self.expires, self.expires_there)

    @property
    def points_left(self) -> int:
        """Return how many of its points have not been used."""
        return self.value.points - self.used.points


class Wish(NamedTuple):
    """Who wants lots to move, from where to where, by which agreement, on which day."""

    person: bytes
    source: str
    destination: str
    agreement: Agreement
    day: date


class Failure(NamedTuple):
    """A check that failed: its code, the record that it looked at, and what was expected."""

    code: TransferRefusal
    record: str
    detail: str

    @property
    def number(self) -> str:
        """Return the number of the check."""
        return CHECKS[self.code]


_Test = Callable[[Lot, Wish], str]
"""Says what is wrong, or nothing."""


def _not_held(lot: Lot, wish: Wish) -> str:
    return "" if lot.holder == wish.source else f"expected a lot that {wish.source} holds"


def _not_in_log(lot: Lot, wish: Wish) -> str:
    del wish
    return "" if lot.logged else "expected a record in the log, under the policy's quorum of witnesses"


def _other_person(lot: Lot, wish: Wish) -> str:
    return "" if lot.person == wish.person else "expected a record of the person whose points move"


def _not_personal(lot: Lot, wish: Wish) -> str:
    del wish
    return "" if lot.ownership == "personal" else f"expected a personal record, this one is {lot.ownership}"


def _engagement(lot: Lot, wish: Wish) -> str:
    del wish
    if lot.kind in {"gram", "per_act", "none"} and lot.value.co2e_mg:
        return ""
    return "no reduction stands behind these points: they never move"


def _no_claim(lot: Lot, wish: Wish) -> str:
    del wish
    return "the act was never compared with those of other platforms" if lot.claim is Claim.NONE else ""


def _claim_open(lot: Lot, wish: Wish) -> str:
    del wish
    return "" if lot.closed else f"the claims of {lot.day} are not closed yet"


def _set_off(lot: Lot, wish: Wish) -> str:
    del wish
    words = {
        Claim.SET_OFF: "another record of the same act counts instead",
        Claim.WITHDRAWN: "the record was withdrawn",
    }
    return words.get(lot.claim, "")


def _retired(lot: Lot, wish: Wish) -> str:
    del wish
    return "the lot was retired" if lot.retired else ""


def _disputed(lot: Lot, wish: Wish) -> str:
    del wish
    return "the lot is in dispute" if lot.disputed else ""


def _expired(lot: Lot, wish: Wish) -> str:
    last = lot.lives_until
    return f"its points lapsed after {last}" if last is not None and last < wish.day else ""


def _spent(lot: Lot, wish: Wish) -> str:
    del wish
    left = lot.points_left and lot.used.used_mg < int(movable(lot.value))
    if left:
        return ""
    return "nothing is left of it" if lot.value.points else "no points were granted for it"


def _in_transit(lot: Lot, wish: Wish) -> str:
    del wish
    return "another part of it is on its way" if lot.in_transit else ""


def _behaviour(lot: Lot, wish: Wish) -> str:
    return "" if lot.behaviour in wish.agreement.behaviours else f"{lot.behaviour} is not agreed upon"


def _methodology(lot: Lot, wish: Wish) -> str:
    admitted = lot.methodology in wish.agreement.methodologies
    return "" if admitted else f"records by {lot.methodology} are not agreed upon"


def _evidence(lot: Lot, wish: Wish) -> str:
    return "" if lot.evidence in wish.agreement.factors else f"evidence {lot.evidence} is not agreed upon"


def _vintage(lot: Lot, wish: Wish) -> str:
    oldest = wish.agreement.oldest
    return "" if lot.day >= oldest else f"expected an act of {oldest} or later, this one is of {lot.day}"


def _worthless(code: TransferRefusal) -> _Test:
    def test(lot: Lot, wish: Wish) -> str:
        del wish
        return lot.worth.detail if isinstance(lot.worth, NotWorth) and lot.worth.code is code else ""

    return test


def _counted(lot: Lot, wish: Wish) -> str:
    del wish
    return lot.counted


_TESTS: Final[tuple[tuple[TransferRefusal, _Test], ...]] = (
    (TransferRefusal.LOT_NOT_HELD, _not_held),
    (TransferRefusal.LOT_NOT_IN_LOG, _not_in_log),
    (TransferRefusal.LOT_OTHER_PERSON, _other_person),
    (TransferRefusal.LOT_NOT_PERSONAL, _not_personal),
    (TransferRefusal.LOT_ENGAGEMENT, _engagement),
    (TransferRefusal.LOT_NO_CLAIM, _no_claim),
    (TransferRefusal.LOT_CLAIM_OPEN, _claim_open),
    (TransferRefusal.LOT_SET_OFF, _set_off),
    (TransferRefusal.LOT_RETIRED, _retired),
    (TransferRefusal.LOT_DISPUTED, _disputed),
    (TransferRefusal.LOT_EXPIRED, _expired),
    (TransferRefusal.LOT_SPENT, _spent),
    (TransferRefusal.LOT_IN_TRANSIT, _in_transit),
    (TransferRefusal.BEHAVIOUR_NOT_ADMITTED, _behaviour),
    (TransferRefusal.METHODOLOGY_NOT_ADMITTED, _methodology),
    (TransferRefusal.EVIDENCE_NOT_ADMITTED, _evidence),
    (TransferRefusal.VINTAGE_TOO_OLD, _vintage),
    (TransferRefusal.MAPPING_NOT_IN_FORCE, _worthless(TransferRefusal.MAPPING_NOT_IN_FORCE)),
    (TransferRefusal.BASIS_NOT_COMPUTABLE, _worthless(TransferRefusal.BASIS_NOT_COMPUTABLE)),
    (TransferRefusal.ALREADY_COUNTED, _counted),
)


def failures(lot: Lot, wish: Wish) -> Iterator[Failure]:
    """Yield every check that a lot fails, in the order of their numbers."""
    for code, test in _TESTS:
        detail = test(lot, wish)
        if detail:
            yield Failure(code, lot.record, detail)
