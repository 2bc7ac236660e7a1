"""Closed sets of codes that appear in records, statements and quarantines."""

from enum import StrEnum
from typing import Final

__all__ = ["CONFIDENCES", "EVIDENCE_GRADES", "OWNERSHIPS", "PERIODS", "POINTS_KINDS", "Rejection"]


class Rejection(StrEnum):
    """Why a row of a platform's document did not become a record (docs/reference/rejections.md)."""

    MALFORMED_ROW = "malformed-row"
    MISSING_FIELD = "missing-field"
    NOT_A_DECIMAL = "not-a-decimal"
    EXCESS_DIGITS = "excess-digits"
    OUT_OF_BOUNDS = "out-of-bounds"
    UNKNOWN_CODE = "unknown-code"
    UNKNOWN_PLACE = "unknown-place"
    QUANTITY_UNKNOWN = "quantity-unknown"
    UNPAIRED = "unpaired"
    IMPLAUSIBLE = "implausible"
    MAPPING_NOT_IN_FORCE = "mapping-not-in-force"
    NO_FIGURE = "no-figure"
    UNMAPPED = "unmapped"
    NO_REDUCTION = "no-reduction"
    NOT_PERSONAL = "not-personal"
    DUPLICATE_EVENT = "duplicate-event"
    ALREADY_CLAIMED = "already-claimed"
    UNCLAIMED = "unclaimed"
    EARLY = "early"
    LATE = "late"
    CAPPED_OUT = "capped-out"


EVIDENCE_GRADES: Final = ("operator-record", "device", "upload", "self-declared")
OWNERSHIPS: Final = ("personal", "pooled", "project", "retired")
POINTS_KINDS: Final = ("gram", "per_act", "engagement", "none", "rating")
CONFIDENCES: Final = ("published", "derived", "secondary", "assumed")
PERIODS: Final = ("local_day", "week", "month", "year", "ever")
