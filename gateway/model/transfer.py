"""A transfer: points that move from one platform to another, and the words both sides use for it.

What stands here is shared by everything that has to do with transfers: ids, states, the lots that move,
the gateway's decision and the messages to platforms. How one state leads to the next is
``gateway.protocol``'s matter; docs/reference/transfer.md describes both.
"""

import re
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple, NewType

__all__ = [
    "CHECKS",
    "Amounts",
    "CreditId",
    "Decision",
    "HoldId",
    "LotUse",
    "Message",
    "OutsideState",
    "Party",
    "PlaceHold",
    "PrepareCredit",
    "QuoteId",
    "QuoteReference",
    "TransferId",
    "TransferKind",
    "TransferRefusal",
    "TransferState",
    "TransferTerms",
    "Verdict",
    "is_id",
]

TransferId = NewType("TransferId", str)
"""``tr_`` and 26 characters, made by the caller and kept before it is sent."""
QuoteId = NewType("QuoteId", str)
"""``qt_`` and 26 characters."""
HoldId = NewType("HoldId", str)
"""``hd_`` and 26 characters, made by the source's platform."""
CreditId = NewType("CreditId", str)
"""``cr_`` and 26 characters, made by the destination's platform."""

_ID: Final = re.compile(r"(tr|qt|hd|cr)_[0-9A-HJKMNP-TV-Z]{26}")  # Crockford's base 32, as in a ULID


def is_id(text: str, prefix: str) -> bool:
    """Tell whether a text is an id of the kind that a prefix such as ``tr`` stands for."""
    found = _ID.fullmatch(text)
    return found is not None and found[1] == prefix


class TransferState(StrEnum):
    """How far a transfer is, as the gateway knows it."""

    QUOTED = "QUOTED"
    RECEIVED = "RECEIVED"
    HELD = "HELD"
    RESERVED = "RESERVED"
    READY = "READY"
    COMMITTED = "COMMITTED"
    COMPLETED = "COMPLETED"
    SETTLED = "SETTLED"
    LAPSED = "LAPSED"
    REJECTED = "REJECTED"
    ABORTING = "ABORTING"
    ABORTED = "ABORTED"
    RETURNING = "RETURNING"
    RETURNED = "RETURNED"
    DISPUTED = "DISPUTED"
    UPHELD = "UPHELD"
    DENIED = "DENIED"


class OutsideState(StrEnum):
    """How far a transfer is, as everybody else is told."""

    QUOTED = "quoted"
    PENDING = "pending"
    COMMITTED = "committed"
    ABORTED = "aborted"
    SETTLED = "settled"
    RETURNED = "returned"
    DISPUTED = "disputed"


class TransferKind(StrEnum):
    """Whether somebody waits for the transfer, or a file of them travels overnight."""

    INTERACTIVE = "interactive"
    FILE = "file"


class Party(StrEnum):
    """The two platforms of a transfer: where points are burned, and where they are issued."""

    SOURCE = "source"
    DESTINATION = "destination"


class Verdict(StrEnum):
    """What the gateway decides about a transfer, once."""

    COMMIT = "COMMIT"
    ABORT = "ABORT"


class TransferRefusal(StrEnum):
    """Why a transfer does not come about, in the order of the checks (docs/reference/transfer.md)."""

    # the message
    MALFORMED = "malformed-transfer"
    PLATFORM_NOT_ACTIVE = "platform-not-active"
    CORRIDOR_PAUSED = "corridor-paused"
    QUOTE_UNKNOWN = "quote-unknown"
    QUOTE_EXPIRED = "quote-expired"
    QUOTE_DIFFERS = "quote-differs"
    # the lots
    PERSON_NOT_LINKED = "person-not-linked"
    LOT_NOT_HELD = "lot-not-held"
    LOT_NOT_IN_LOG = "lot-not-in-log"
    LOT_OTHER_PERSON = "lot-other-person"
    LOT_NOT_PERSONAL = "lot-not-personal"
    LOT_ENGAGEMENT = "lot-engagement"
    LOT_NO_CLAIM = "lot-no-claim"
    LOT_CLAIM_OPEN = "lot-claim-open"
    LOT_SET_OFF = "lot-set-off"
    LOT_RETIRED = "lot-retired"
    LOT_DISPUTED = "lot-disputed"
    LOT_EXPIRED = "lot-expired"
    LOT_SPENT = "lot-spent"
    LOT_IN_TRANSIT = "lot-in-transit"
    # the rules
    AGREEMENT_NOT_IN_FORCE = "agreement-not-in-force"
    BEHAVIOUR_NOT_ADMITTED = "behaviour-not-admitted"
    METHODOLOGY_NOT_ADMITTED = "methodology-not-admitted"
    EVIDENCE_NOT_ADMITTED = "evidence-not-admitted"
    VINTAGE_TOO_OLD = "vintage-too-old"
    MAPPING_NOT_IN_FORCE = "mapping-not-in-force"
    BASIS_NOT_COMPUTABLE = "basis-not-computable"
    ALREADY_COUNTED = "already-counted-at-destination"
    BELOW_MINIMUM = "below-minimum"
    # the limits
    PERSON_LIMIT = "person-limit"
    CORRIDOR_LIMIT = "corridor-limit"
    PLATFORM_LIMIT = "platform-limit"
    CENTRAL_LIMIT = "central-limit"
    # the position
    POSITION_LIMIT = "position-limit"
    # the platforms' own answers, and time
    HOLD_REFUSED = "hold-refused"
    HOLD_DIFFERS = "hold-differs"
    CREDIT_REFUSED = "credit-refused"
    CREDIT_DIFFERS = "credit-differs"
    TIMED_OUT = "timed-out"


CHECKS: Final = MappingProxyType(
    {
        TransferRefusal.MALFORMED: "T01",
        TransferRefusal.PLATFORM_NOT_ACTIVE: "T02",
        TransferRefusal.QUOTE_UNKNOWN: "T03",
        TransferRefusal.QUOTE_DIFFERS: "T04",
        TransferRefusal.QUOTE_EXPIRED: "T05",
        TransferRefusal.PERSON_NOT_LINKED: "T10",
        TransferRefusal.LOT_NOT_HELD: "T11",
        TransferRefusal.LOT_NOT_IN_LOG: "T12",
        TransferRefusal.LOT_OTHER_PERSON: "T13",
        TransferRefusal.LOT_NOT_PERSONAL: "T14",
        TransferRefusal.LOT_ENGAGEMENT: "T15",
        TransferRefusal.LOT_NO_CLAIM: "T16",
        TransferRefusal.LOT_CLAIM_OPEN: "T17",
        TransferRefusal.LOT_SET_OFF: "T18",
        TransferRefusal.LOT_RETIRED: "T19",
        TransferRefusal.LOT_DISPUTED: "T20",
        TransferRefusal.LOT_EXPIRED: "T21",
        TransferRefusal.LOT_SPENT: "T22",
        TransferRefusal.LOT_IN_TRANSIT: "T23",
        TransferRefusal.AGREEMENT_NOT_IN_FORCE: "T30",
        TransferRefusal.CORRIDOR_PAUSED: "T31",
        TransferRefusal.BEHAVIOUR_NOT_ADMITTED: "T32",
        TransferRefusal.METHODOLOGY_NOT_ADMITTED: "T33",
        TransferRefusal.EVIDENCE_NOT_ADMITTED: "T34",
        TransferRefusal.VINTAGE_TOO_OLD: "T35",
        TransferRefusal.MAPPING_NOT_IN_FORCE: "T36",
        TransferRefusal.BASIS_NOT_COMPUTABLE: "T37",
        TransferRefusal.ALREADY_COUNTED: "T38",
        TransferRefusal.BELOW_MINIMUM: "T40",
        TransferRefusal.PERSON_LIMIT: "T41",
        TransferRefusal.CORRIDOR_LIMIT: "T42",
        TransferRefusal.PLATFORM_LIMIT: "T43",
        TransferRefusal.CENTRAL_LIMIT: "T44",
        TransferRefusal.POSITION_LIMIT: "T50",
    }
)
"""The checks of a transfer by their codes, in the order in which they are made.

The message (T01-T09), the lots (T10-T29), the rules (T30-T39), the limits (T40-T49), the position (T50). What
has no number is no check: the platforms' own answers, and time.
"""


class QuoteReference(NamedTuple):
    """The quote that a transfer carries out: its digest pins lots, rules and amounts."""

    id: QuoteId
    digest: str
    expires: datetime


class LotUse(NamedTuple):
    """The part of one record that moves.

    ``points`` are burned at the source for ``used_mg`` of the record's movable reduction, of which
    ``recognised_mg`` counts at the destination and ``unrecognised_mg`` nowhere any more.
    ``points_in`` is what the destination's rule gives for the recognised part, exactly.
    """

    record: str
    points: int
    used_mg: int
    recognised_mg: int
    unrecognised_mg: int
    points_in: Fraction


class Amounts(NamedTuple):
    """What a transfer moves in all. ``dust`` is what the destination's floors leave of its points."""

    points_out: int
    points_in: int
    used_mg: int
    recognised_mg: int
    unrecognised_mg: int
    dust: Fraction


class TransferTerms(NamedTuple):
    """What a transfer is about; it never changes from its first message to its last.

    ``person`` is the gateway's pseudonym of the linked person, ``original`` the transfer that a return
    goes back on.
    """

    id: TransferId
    kind: TransferKind
    source: str
    destination: str
    source_account: str
    destination_account: str
    person: str
    agreement: str
    quote: QuoteReference
    lots: tuple[LotUse, ...]
    amounts: Amounts
    original: TransferId | None = None

    def platform(self, party: Party) -> str:
        """Return the id of one of the two platforms."""
        return self.source if party is Party.SOURCE else self.destination


class Decision(NamedTuple):
    """What the gateway decided about a transfer, and why; ``reason`` is empty for a commit."""

    transfer: TransferId
    verdict: Verdict
    reason: str
    decided: datetime


class PlaceHold(NamedTuple):
    """Ask the source to keep points back until the gateway's decision.

    A hold never ends by itself: after ``expected_in_s`` seconds without a decision the platform asks.
    """

    transfer: TransferId
    account: str
    points: int
    lots: tuple[LotUse, ...]
    expected_in_s: int


class PrepareCredit(NamedTuple):
    """Ask the destination to make sure that it can issue points, and to wait for the gateway's decision."""

    transfer: TransferId
    account: str
    points: int
    recognised_mg: int
    expected_in_s: int


Message = PlaceHold | PrepareCredit | Decision
"""What the gateway asks or tells a platform."""
