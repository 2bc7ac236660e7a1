"""What points are worth elsewhere: agreements, checks of lots, and exact amounts."""

from gateway.recognition.agreement import (
    AGREEMENT_TYPE,
    AGREEMENT_ZONE,
    Agreement,
    AgreementRefused,
    Caps,
    agreement_of,
    day_of,
)
from gateway.recognition.amounts import (
    NOTHING_MOVED,
    UNUSED,
    Moved,
    Part,
    Used,
    Value,
    Worth,
    arrived_value,
    lives_until,
    mg_for_points,
    movable,
    take,
)
from gateway.recognition.checks import Claim, Failure, Lot, NotWorth, Wish, failures
from gateway.recognition.limits import DayUse, Room, rooms, too_little, too_much
from gateway.recognition.picking import Picked, in_order, pick

__all__ = [
    "AGREEMENT_TYPE",
    "AGREEMENT_ZONE",
    "NOTHING_MOVED",
    "UNUSED",
    "Agreement",
    "AgreementRefused",
    "Caps",
    "Claim",
    "DayUse",
    "Failure",
    "Lot",
    "Moved",
    "NotWorth",
    "Part",
    "Picked",
    "Room",
    "Used",
    "Value",
    "Wish",
    "Worth",
    "agreement_of",
    "arrived_value",
    "day_of",
    "failures",
    "in_order",
    "lives_until",
    "mg_for_points",
    "movable",
    "pick",
    "rooms",
    "take",
    "too_little",
    "too_much",
]
