"""The clerk takes commands one after the other and writes an entry of the journal for each accepted one.

What is accepted is taken off before the next command is looked at, so neither order nor batches nor company
lets more through than a limit admits.
"""

from collections.abc import MutableMapping
from typing import NamedTuple

from gateway.errors import Refused
from gateway.ledger.accounts import Posting
from gateway.ledger.book import Book
from gateway.ledger.checks import refusal
from gateway.ledger.clearing import require_capacity, takes_step
from gateway.ledger.commands import Dispute, Limit, Refusal, Reservation, WindowState, WindowStep
from gateway.ledger.decisions import (
    FIRST_PREVIOUS,
    Amounts,
    Decision,
    Verdict,
    amounts_of,
    lots_digest,
)
from gateway.ledger.replay import Event

__all__ = ["Clerk", "Entry", "Head", "NotReserved"]


class NotReserved(Refused):
    """What is to be committed was never reserved; nothing was changed."""

    code = "not-reserved"
    remedy = "reserve first; only what is reserved can be committed"


class Head(NamedTuple):
    """Where the journal ends: its last number, the digest of the last decision, and the open window."""

    number: int = 0
    decision: str = FIRST_PREVIOUS
    window: int = 1


class Entry(NamedTuple):
    """An entry of the journal and what it posts."""

    number: int
    event: Event
    postings: list[Posting]


class Clerk:
    """Keeps a book. It is given, too, whatever of transfers and windows the commands name."""

    def __init__(
        self,
        book: Book,
        head: Head,
        *,
        reservations: MutableMapping[str, Reservation],
        decisions: MutableMapping[str, Decision],
        windows: MutableMapping[int, WindowState],
    ) -> None:
        self.book = book
        self.head = head
        self.entries: list[Entry] = []
        self._reservations = reservations
        self._decisions = decisions
        self._windows = windows

    def reserve(self, wanted: Reservation) -> Refusal | None:
        """Reserve, or tell why not; what was reserved or decided before is not reserved again.

        Raises:
            Refused: the transfer is known already.
        """
        if wanted.transfer in self._reservations or wanted.transfer in self._decisions:
            raise Refused(f"{wanted.transfer} was reserved or decided before", field=wanted.transfer)
        refused = refusal(self.book, wanted, original=self._committed(wanted.original))
        if refused is None:
            self._write(wanted, self.book.reserve(wanted))
            self._reservations[wanted.transfer] = wanted
        return refused

    def decide(self, transfer: str, verdict: Verdict, *, reason: str, decided: str) -> Decision:
        """Decide a transfer, or return what was decided about it before, whatever is asked for now (I5).

        Raises:
            NotReserved: a commit of what was never reserved.
        """
        known = self._decisions.get(transfer)
        if known is not None:
            return known
        reserved = self._reservations.get(transfer)
        if reserved is None and verdict is Verdict.COMMIT:
            raise NotReserved(f"{transfer} is not reserved", field=transfer)
        parts = () if reserved is None else reserved.parts
        decision = Decision(
            self.head.number + 1,
            transfer,
            verdict,
            reason,
            self.head.window,
            decided,
            lots_digest(parts),
            amounts_of(parts) if verdict is Verdict.COMMIT else Amounts(),
            self.head.decision,
        )
        postings: list[Posting] = []
        if reserved is not None and verdict is Verdict.COMMIT:
            postings = self.book.commit(reserved, window=decision.window)
        elif reserved is not None:
            postings = self.book.abort(reserved)
        self._write(decision, postings)
        self.head = Head(decision.number, decision.digest(), decision.window)
        self._decisions[transfer] = decision
        return decision

    def limit(self, limit: Limit) -> None:
        """Set the limits of a position from now on."""
        self.book.limit(limit)
        self._write(limit, [])

    def dispute(self, dispute: Dispute) -> None:
        """Block what is left of a lot, or let it move again.

        Raises:
            Refused: nothing of the lot was ever used, and nothing says what it holds.
        """
        if dispute.lot not in self.book.lots and dispute.facts is None:
            raise Refused(f"the lot {dispute.lot} was never used", field=dispute.lot)
        self._write(dispute, self.book.dispute(dispute))

    def step(self, taken: WindowStep) -> bool:
        """Have windows take a step together; False where they have taken it already.

        Raises:
            SettlementRefused: the state of a window does not lead there, or they cannot be paid for alone.
        """
        changed = {
            window: takes_step(window, self._windows[window], to=taken.state) for window in taken.windows
        }
        fresh = tuple(sorted(window for window, is_new in changed.items() if is_new))
        if not fresh:
            return False
        if taken.state is WindowState.SETTLED:
            flows = {flow: mg for flow, mg in self.book.flows.items() if flow.window in fresh}
            require_capacity(self.book, flows)
            self.book.settle(flows)
        for window in fresh:
            self._windows[window] = taken.state
        if taken.state is WindowState.CLOSED:
            self.head = self.head._replace(window=self.head.window + 1)
            self._windows[self.head.window] = WindowState.OPEN
        self._write(taken._replace(windows=fresh), [])
        return True

    def _committed(self, transfer: str) -> Reservation | None:
        decision = self._decisions.get(transfer)
        is_committed = decision is not None and decision.verdict is Verdict.COMMIT
        return self._reservations[transfer] if is_committed else None

    def _write(self, event: Event, postings: list[Posting]) -> None:
        number, decision, window = self.head
        number += 1
        self.head = Head(number, decision, window)
        self.entries.append(Entry(number, event, postings))
