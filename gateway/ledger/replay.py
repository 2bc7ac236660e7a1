"""Replay: the journal alone rebuilds every balance, lot usage, position and day limit (I12)."""

from collections.abc import Iterable
from typing import assert_never

from gateway.errors import IntegrityBroken
from gateway.ledger.accounts import Posting
from gateway.ledger.book import Book
from gateway.ledger.checks import refusal
from gateway.ledger.clearing import require_capacity, takes_step
from gateway.ledger.commands import Dispute, Limit, Reservation, WindowState, WindowStep
from gateway.ledger.decisions import FIRST_PREVIOUS, Decision, Verdict, lots_digest, require_chain

__all__ = ["Event", "Replay"]


Event = Reservation | Decision | Limit | Dispute | WindowStep
"""An entry of the journal."""


class Replay:
    """Books that are built from the journal, every entry checked again as it was when it was made."""

    def __init__(self) -> None:
        self.book = Book()
        self.decided: set[str] = set()
        self.windows = {1: WindowState.OPEN}
        self._open: dict[str, Reservation] = {}
        self._committed: dict[str, Reservation] = {}
        self._last = FIRST_PREVIOUS

    def all(self, events: Iterable[Event]) -> Book:
        """Apply entries in the order of the journal and return the books."""
        for event in events:
            self.apply(event)
        return self.book

    def apply(self, event: Event) -> list[Posting]:
        """Apply one entry and return its postings.

        Raises:
            IntegrityBroken: the entry could not have been made.
        """
        match event:
            case Reservation():
                return self._reserve(event)
            case Decision():
                return self._decide(event)
            case Limit():
                self.book.limit(event)
            case Dispute():
                return self.book.dispute(event)
            case WindowStep():
                self._step(event)
            case _:
                assert_never(event)
        return []

    def _reserve(self, reserved: Reservation) -> list[Posting]:
        refused = refusal(self.book, reserved, original=self._committed.get(reserved.original))
        if refused is not None or reserved.transfer in self._open or reserved.transfer in self.decided:
            raise IntegrityBroken(f"{reserved.transfer} could not have been reserved: {refused or 'twice'}")
        self._open[reserved.transfer] = reserved
        return self.book.reserve(reserved)

    def _step(self, taken: WindowStep) -> None:
        for window in taken.windows:
            if not takes_step(window, self.windows[window], to=taken.state):
                raise IntegrityBroken(f"the window {window} became {taken.state} twice")
            self.windows[window] = taken.state
        if taken.state is WindowState.CLOSED:
            self.windows[max(self.windows) + 1] = WindowState.OPEN
        if taken.state is WindowState.SETTLED:
            flows = {flow: mg for flow, mg in self.book.flows.items() if flow.window in taken.windows}
            require_capacity(self.book, flows)
            self.book.settle(flows)

    def _decide(self, decision: Decision) -> list[Posting]:
        self._last = require_chain([decision], previous=self._last)
        if decision.window != max(self.windows):
            raise IntegrityBroken(f"the window {decision.window} was not open", field=decision.transfer)
        if decision.transfer in self.decided:
            raise IntegrityBroken(f"I5: {decision.transfer} was decided twice", field=decision.transfer)
        self.decided.add(decision.transfer)
        reserved = self._open.pop(decision.transfer, None)
        if decision.lots != lots_digest(() if reserved is None else reserved.parts):
            raise IntegrityBroken(f"the decision about {decision.transfer} is about other lots")
        if reserved is None:
            if decision.verdict is Verdict.COMMIT:
                raise IntegrityBroken(f"{decision.transfer} was committed and never reserved")
            return []
        if decision.verdict is Verdict.ABORT:
            return self.book.abort(reserved)
        self._committed[decision.transfer] = reserved
        return self.book.commit(reserved, window=decision.window)
