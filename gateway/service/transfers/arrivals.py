"""Which points a lot stands for that has come by transfers: a platform knows them by the transfer."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.ledger import Verdict, arrived_lot
from gateway.model.quote import QuotedLot
from gateway.model.transfer import TransferRefusal, TransferState
from gateway.ports import LedgerReader, MoveIndex
from gateway.recognition import Failure
from gateway.service.transfers.moves import Move, read_move
from gateway.service.transfers.refusing import TransferRefused

__all__ = ["Arrivals", "Taken", "arriving"]

Taken = tuple[tuple[str, int], ...]
"""Transfers, and how many of the points that each has brought."""

_UNDONE = (TransferState.LAPSED, TransferState.REJECTED, TransferState.ABORTED)
"""The source's platform has given back what it held, or never held it."""


def arriving(move: Move, lot: QuotedLot) -> str:
    """Return the name of the lot that a lot of a transfer becomes."""
    return arrived_lot(lot.name, move.quote.destination, rates=lot.rates)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Finds transfers by the lots that they brought or took of; derived from the books and the transfers."""

    reader: LedgerReader
    index: MoveIndex

    def taken(self, lot: QuotedLot, *, person: str, account: str) -> Taken:
        """Return the transfers of whose points a part of a lot is taken, the first first; none of a record's.

        Raises:
            TransferRefused: fewer came to this account, or others are taking of them now.
        """
        if not lot.lot:
            return ()
        wanted, found = lot.use.points, list[tuple[str, int]]()
        for transfer, left in self._left(lot.lot, person=person, account=account).items():
            points = min(wanted, left)
            if points or (not found and not wanted):  # a part may burn no point: it still names one transfer
                found.append((transfer, points))
                wanted -= points
        if wanted or not found:
            detail = "of its points fewer came to this account, or others are taking of them now"
            raise TransferRefused([Failure(TransferRefusal.LOT_SPENT, lot.record, detail)])
        return tuple(found)

    def _left(self, name: str, *, person: str, account: str) -> dict[str, int]:
        """Return how many points that came to an account are left, by the transfers that brought them."""
        came: dict[str, tuple[int, int]] = {}
        gone: dict[str, int] = {}
        for number, move in self._moves(name, person=person):
            terms = move.transfer.terms
            for lot, facts in zip(move.quote.lots, move.lots, strict=False):
                if number and terms.destination_account == account and arriving(move, lot) == name:
                    _, before = came.get(terms.id, (0, 0))
                    came[terms.id] = (number, before + lot.points_in)
                if lot.lot == name and move.transfer.state not in _UNDONE:
                    for transfer, points in facts.arrived:
                        gone[transfer] = gone.get(transfer, 0) + points
        order = sorted(came, key=lambda one: came[one])
        return {transfer: came[transfer][1] - gone.get(transfer, 0) for transfer in order}

    def _moves(self, name: str, *, person: str) -> Iterator[tuple[int, Move]]:
        """Yield the transfers that have to do with a lot, with their commits' places in the journal or 0."""
        names = {one.transfer for one in self.index.lots_of([person]) if one.lot == name}
        decided = self.reader.decided(names)
        for transfer, row in self.reader.transfers(names).items():
            decision = decided.get(transfer)
            is_committed = decision is not None and decision.verdict is Verdict.COMMIT
            yield decision.number if decision and is_committed else 0, read_move(row, decision)
