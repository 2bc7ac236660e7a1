"""The books: balances, lot usage, positions and day limits, and what each command does to them.

A book may hold only the rows that a group of commands touches: whoever loads it puts them in. Values in it
are frozen, so a row was changed if it is another object than before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from gateway.errors import InvariantBroken
from gateway.ledger.accounts import CO2E, Account, AccountKind, Posting, post
from gateway.ledger.commands import Dispute, Kind, Limit, Reservation
from gateway.ledger.lots import Lot, Part
from gateway.ledger.positions import NOTHING, Pair, Position, pairs_of

__all__ = ["Book", "Flow"]

_RECORDED, _HELD, _TRANSIT = AccountKind.RECORDED, AccountKind.HELD, AccountKind.IN_TRANSIT
_ARRIVING = (_TRANSIT, _HELD)


class Flow(NamedTuple):
    """What moved from one platform to another in one window, or went back."""

    window: int
    source: str
    destination: str
    returned: bool = False


@dataclass(slots=True)
class Book:
    """The state of the ledger, or those rows of it that are needed."""

    balances: dict[Account, int] = field(default_factory=dict)
    lots: dict[str, Lot] = field(default_factory=dict)
    positions: dict[Pair, Position] = field(default_factory=dict)
    caps: dict[str, int] = field(default_factory=dict)
    flows: dict[Flow, int] = field(default_factory=dict)

    def copy(self) -> "Book":
        """Return a book that later changes of this one do not reach."""
        return Book(
            dict(self.balances), dict(self.lots), dict(self.positions), dict(self.caps), dict(self.flows)
        )

    def reserve(self, wanted: Reservation) -> list[Posting]:
        """Set the parts of a reservation aside, which ``refusal`` has found nothing against."""
        moves = _Moves()
        for part in wanted.parts:
            self.lots[part.lot] = self._opened(part.lot, part.facts, moves=moves)
        for part in wanted.parts:
            lot = self.lots[part.lot]
            self.lots[part.lot] = lot.take(part.mg, part.points)
            moves.add(lot, (_HELD, _TRANSIT), mg=part.mg, points=part.points)
        self._count(wanted, sign=1)
        return self._post(moves)

    def abort(self, reserved: Reservation) -> list[Posting]:
        """Put everything back as it was before the reservation."""
        moves = _Moves()
        for part in reserved.parts:
            lot = self.lots[part.lot]
            self.lots[part.lot] = lot.take(-part.mg, -part.points)
            moves.add(lot, (_TRANSIT, _HELD), mg=part.mg, points=part.points)
        self._count(reserved, sign=-1)
        return self._post(moves)

    def commit(self, reserved: Reservation, *, window: int) -> list[Posting]:
        """Carry a reservation out: move its parts, give them back, or retire them."""
        moves = _Moves()
        for part in reserved.parts:
            lot = self.lots[part.lot]
            if reserved.kind is Kind.RETIRE:
                self.lots[part.lot] = lot.retire(part.mg, part.points)
                moves.add(lot, (_TRANSIT, AccountKind.RETIRED), mg=part.mg, points=part.points)
            elif reserved.kind is Kind.RETURN:
                self._give_back(part, lot, moves=moves)
            else:
                self.lots[part.lot] = lot.move(part.mg, part.points)
                self._arrive(reserved, part, moves=moves)
        if reserved.kind is not Kind.RETIRE:
            self._flow(reserved, window=window)
        return self._post(moves)

    def limit(self, limit: Limit) -> None:
        """Set the limits of a position; what is owed already stays, even above a lower limit."""
        found = self.positions.get(limit.pair, NOTHING)
        self.positions[limit.pair] = found._replace(cap=limit.cap, cover=limit.cover, paused=limit.paused)

    def dispute(self, dispute: Dispute) -> list[Posting]:
        """Block what is left of a lot, or let it move again."""
        moves = _Moves()
        lot = self._opened(dispute.lot, dispute.facts, moves=moves)
        self.lots[dispute.lot] = lot._replace(disputed=dispute.disputed)
        return self._post(moves)

    def settle(self, flows: Mapping[Flow, int]) -> None:
        """Take what was paid for out of the positions, in which returns never were."""
        for flow, amount in flows.items():
            if flow.returned:
                continue
            growing, shrinking = pairs_of(flow.source, flow.destination)
            for pair in growing:
                self.positions[pair] = self.positions[pair].settle(moved_out=amount, moved_in=0)
            for pair in shrinking:
                self.positions[pair] = self.positions[pair].settle(moved_out=0, moved_in=amount)

    def _opened(self, name: str, facts: Lot | None, *, moves: "_Moves") -> Lot:
        """Return a lot; one that was never touched enters the books with all that it holds."""
        lot = self.lots.get(name)
        if lot is None:
            if facts is None:
                raise InvariantBroken(f"the lot {name} is not known and nothing says what it holds")
            lot = facts
            moves.add(lot, (_RECORDED, _HELD), mg=lot.mg, points=lot.points)
        return lot

    def _arrive(self, reserved: Reservation, part: Part, *, moves: "_Moves") -> None:
        """Let a part arrive as a lot of the destination; the rest of its reduction stays unrecognised."""
        source = self.lots[part.lot]
        arrived = Lot(
            reserved.destination,
            source.record,
            reserved.unit_in,
            part.recognised_mg,
            part.recognised_mg,
            part.points_in,
            part.expires,
            origin=part.lot,
            rates=part.rates,
            origin_mg=part.mg,
        )
        if source.expires is not None and (part.expires is None or part.expires > source.expires):
            raise InvariantBroken(f"I11: {part.lot} is good until {source.expires}, not {part.expires}")
        name = reserved.arriving(part)
        known = self.lots.get(name)
        self.lots[name] = arrived if known is None else known.join(arrived)
        moves.exchange(source, arrived, amount=part.recognised_mg)
        unrecognised = part.mg - part.recognised_mg
        moves.add(source, (_TRANSIT, AccountKind.UNRECOGNISED), mg=unrecognised, points=0)
        moves.add(source, (_TRANSIT, AccountKind.CANCELLED), mg=0, points=part.points)
        moves.add(arrived, (_RECORDED, _HELD), mg=0, points=part.points_in)

    def _give_back(self, part: Part, lot: Lot, *, moves: "_Moves") -> None:
        """Give a part back to the lot that it came from, with its share of what was not recognised."""
        if part.back is None:
            raise InvariantBroken(f"I9: nothing says where {part.lot} goes back to")
        home = self.lots[part.back.lot]
        if part.back.mg > home.moved_mg or part.points_in > home.moved_points:
            raise InvariantBroken(f"I9: more would go back to {part.back.lot} than had moved")
        self.lots[part.lot] = lot.give_back(part.mg, part.points, origin_mg=part.back.mg)
        self.lots[part.back.lot] = home.get_back(part.back.mg, part.points_in)
        moves.exchange(lot, home, amount=part.mg)
        moves.add(home, (AccountKind.UNRECOGNISED, _HELD), mg=part.back.mg - part.mg, points=0)
        moves.add(lot, (_TRANSIT, AccountKind.CANCELLED), mg=0, points=part.points)
        moves.add(home, (AccountKind.CANCELLED, _HELD), mg=0, points=part.points_in)

    def _count(self, reservation: Reservation, *, sign: int) -> None:
        """Count a reservation in the limits that it uses, or no longer."""
        caps = self.caps
        for key, amount in reservation.counters().items():
            caps[key] = caps.get(key, 0) + sign * amount
        if reservation.kind is Kind.MOVE:
            amount = sign * reservation.amount
            growing, _ = pairs_of(reservation.source, reservation.destination)
            for pair in growing:
                self.positions[pair] = self.positions.get(pair, NOTHING).reserve(amount)

    def _flow(self, reserved: Reservation, *, window: int) -> None:
        """Count in the window what has moved, and in the positions unless it went back."""
        amount = reserved.amount
        returned = reserved.kind is Kind.RETURN
        flow = Flow(window, reserved.source, reserved.destination, returned)
        self.flows[flow] = self.flows.get(flow, 0) + amount
        if not returned:
            growing, shrinking = pairs_of(reserved.source, reserved.destination)
            for pair in growing:
                self.positions[pair] = self.positions[pair].commit(amount)
            for pair in shrinking:
                self.positions[pair] = self.positions.get(pair, NOTHING).receive(amount)

    def _post(self, moves: "_Moves") -> list[Posting]:
        postings = moves.postings()
        post(self.balances, postings)
        return postings


class _Moves:
    """Amounts on their way from account to account, one posting for each two accounts."""

    def __init__(self) -> None:
        self._amounts: dict[tuple[Account, Account], int] = {}

    def add(self, lot: Lot, kinds: tuple[AccountKind, AccountKind], *, mg: int, points: int) -> None:
        """Move milligrams and points between two kinds of accounts of a lot's platform."""
        of_mg, of_points = _accounts(lot.platform, kinds, unit=lot.unit)
        if mg:
            self._amounts[of_mg] = self._amounts.get(of_mg, 0) + mg
        if points:
            self._amounts[of_points] = self._amounts.get(of_points, 0) + points

    def exchange(self, source: Lot, destination: Lot, *, amount: int) -> None:
        """Move milligrams from what is in transit at one platform to what another one holds."""
        if amount:
            (transit, _), _ = _accounts(source.platform, _ARRIVING, unit=source.unit)
            (_, held), _ = _accounts(destination.platform, _ARRIVING, unit=destination.unit)
            self._amounts[transit, held] = self._amounts.get((transit, held), 0) + amount

    def postings(self) -> list[Posting]:
        """Return the postings."""
        return [Posting(debit, credit, amount) for (debit, credit), amount in self._amounts.items()]


@lru_cache(maxsize=4096)
def _accounts(
    platform: str, kinds: tuple[AccountKind, AccountKind], *, unit: str
) -> tuple[tuple[Account, Account], tuple[Account, Account]]:
    """Return the two accounts of milligrams, and those of points."""
    debit, credit = kinds
    of_mg = (Account(platform, debit, CO2E), Account(platform, credit, CO2E))
    return of_mg, (Account(platform, debit, unit), Account(platform, credit, unit))
