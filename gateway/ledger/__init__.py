"""The ledger, pure: double entry, lot usage, positions, day limits, decisions and their clearing."""

from gateway.ledger.accounts import CO2E, Account, AccountKind, Posting, post
from gateway.ledger.book import Book, Flow
from gateway.ledger.checks import refusal
from gateway.ledger.clearing import (
    Net,
    SettlementRefused,
    matrix,
    nets,
    require_capacity,
    takes_step,
)
from gateway.ledger.clerk import Clerk, Entry, Head, NotReserved
from gateway.ledger.commands import (
    Cap,
    Dispute,
    Kind,
    Limit,
    Refusal,
    RefusalCode,
    Reservation,
    WindowState,
    WindowStep,
)
from gateway.ledger.decisions import (
    FIRST_PREVIOUS,
    Amounts,
    Decision,
    Verdict,
    amounts_of,
    lots_digest,
    require_chain,
)
from gateway.ledger.invariants import require_step, require_whole
from gateway.ledger.lots import AMOUNT_MAX, Back, Lot, Part, Seen, arrived_lot, way_of
from gateway.ledger.positions import ALL, NOTHING, Pair, Position
from gateway.ledger.replay import Event, Replay
from gateway.ledger.returns import Wanted, returning

__all__ = [
    "ALL", "AMOUNT_MAX", "CO2E", "FIRST_PREVIOUS", "NOTHING", "Account", "AccountKind", "Amounts",
    "Back", "Book", "Cap", "Clerk", "Decision", "Dispute", "Entry", "Event", "Flow", "Head", "Kind",
    "Limit", "Lot", "Net", "NotReserved", "Pair", "Part", "Position", "Posting", "Refusal",
    "RefusalCode", "Replay", "Reservation", "Seen", "SettlementRefused", "Verdict", "Wanted", "WindowState",
    "WindowStep", "amounts_of", "arrived_lot", "lots_digest", "matrix", "nets", "post", "refusal",
    "require_capacity", "require_chain", "require_step", "require_whole", "returning", "takes_step", "way_of",
]  # fmt: skip
