"""What happened, as a list, and every balance as a question to the whole list.

Nothing is kept that could be worked out: no running totals, no caches. A lot that has moved goes by the
path it took, so that parts of one record which took the same path are one lot: ``L``, ``L>B``, ``L>B>C``.
What is sent back is the original lot's again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from tests.oracle.naive_recognition import movable, whole
from tests.oracle.operations import AddLot, AddPlatform, OpenCorridor, Worth

__all__ = [
    "Back",
    "Decision",
    "History",
    "Lot",
    "Move",
    "Posting",
    "Use",
    "child_rate",
    "child_whole",
    "worth_of",
]


class Move(NamedTuple):
    """One lot's part of an accepted reservation; ``alone``: no other part of it was undecided then."""

    transfer: str
    source: str
    destination: str
    person: str
    day: int
    lot: str
    child: str
    mg: int
    recognised_mg: int
    points_out: int
    points_in: int
    alone: bool


class Decision(NamedTuple):
    """The one decision on a transfer and the window that was open at that moment."""

    transfer: str
    commit: bool
    window: int


class Use(NamedTuple):
    """A part of a lot that was ``redeemed`` or ``retired``."""

    lot: str
    kind: str
    mg: int
    points: int


class Back(NamedTuple):
    """One lot's part of a return: mg of what was recognised, points burned there and given back here.

    ``restored_mg`` is what may move again at the source; ``alone``: no part of the lot was undecided then.
    """

    transfer: str
    lot: str
    child: str
    mg: int
    points_out: int
    points_in: int
    restored_mg: int
    window: int
    alone: bool


class Posting(NamedTuple):
    """One side of a booking; those of one cause and asset add up to zero."""

    cause: str
    asset: str
    account: str
    owner: str
    amount: int
    record: str


@dataclass(frozen=True)
class Lot:
    """A lot as it is held: value R, points P, exact points per mg, and R of the whole act as it stands."""

    lot: str
    record: AddLot
    platform: str
    value_mg: int
    points: int
    rate: Fraction
    whole: Fraction
    expires: int

    @property
    def movable(self) -> Fraction:
        """Tell how much of it can move in all."""
        return movable(self.value_mg, self.points, rate=self.rate)


def worth_of(record: AddLot, destination: str) -> Worth | None:
    """Find what the act is worth to a destination."""
    return next((worth for worth in record.worths if worth.destination == destination), None)


def child_whole(parent: Lot, corridor: OpenCorridor) -> Fraction:
    """Tell what the whole act is recognised for at the end of the corridor."""
    worth = worth_of(parent.record, corridor.destination)
    factor = next(Fraction(n, d) for grade, n, d in corridor.factors if grade == parent.record.grade)
    if worth is None or worth.basis_mg is None:
        raise LookupError(f"{parent.lot} has no basis for {corridor.destination}")
    return whole(parent.whole, worth.basis_mg, factor=factor)


def child_rate(record: AddLot, destination: str) -> Fraction:
    """Tell the destination's exact points per mg of the act by its own rules."""
    worth = worth_of(record, destination)
    if worth is None or worth.destination_mg == 0:
        return Fraction(0)
    return Fraction(worth.points_num, worth.points_den) / worth.destination_mg


@dataclass
class History:
    """Everything that was accepted, in order, and the questions one can ask about it."""

    day: int = 0
    central_day_mg: int = 2**63 - 1
    platforms: list[AddPlatform] = field(default_factory=list)
    corridors: list[OpenCorridor] = field(default_factory=list)
    records: list[AddLot] = field(default_factory=list)
    paused: list[tuple[str, str]] = field(default_factory=list)
    suspended: list[str] = field(default_factory=list)
    marks: list[tuple[str, str]] = field(default_factory=list)
    journal: list[Move | Decision | Use | Back] = field(default_factory=list)
    steps: list[tuple[int, str]] = field(default_factory=lambda: [(1, "OPEN")])

    def moves(self) -> list[Move]:
        """List all parts ever reserved."""
        return [entry for entry in self.journal if isinstance(entry, Move)]

    def decision(self, transfer: str) -> Decision | None:
        """Find the decision on a transfer."""
        decisions = [e for e in self.journal if isinstance(e, Decision) and e.transfer == transfer]
        return decisions[0] if decisions else None

    def open_moves(self) -> list[Move]:
        """List the parts that are reserved and not decided."""
        return [move for move in self.moves() if self.decision(move.transfer) is None]

    def committed_moves(self) -> list[Move]:
        """List the parts that have moved."""
        return [move for move in self.moves() if (made := self.decision(move.transfer)) and made.commit]

    def live_moves(self) -> list[Move]:
        """List the parts that are reserved or have moved."""
        return self.open_moves() + self.committed_moves()

    def uses(self, lot: str, kind: str | None = None) -> list[Use]:
        """List what was redeemed or retired of a lot."""
        return [e for e in self.journal if isinstance(e, Use) and e.lot == lot and kind in (None, e.kind)]

    def backs(self) -> list[Back]:
        """List all parts ever returned."""
        return [entry for entry in self.journal if isinstance(entry, Back)]

    def corridor(self, source: str, destination: str) -> OpenCorridor | None:
        """Find the agreement of a corridor."""
        return next((c for c in self.corridors if (c.source, c.destination) == (source, destination)), None)

    def expiry_at(self, platform: str, record: AddLot) -> int:
        """Tell the last day on which the act is good by a platform's own rule."""
        return record.day + next(p.expiry_days for p in self.platforms if p.platform == platform)

    def lots(self) -> dict[str, Lot]:
        """Work out every lot there is, in the order in which they came to be."""
        found = {record.lot: _recorded(record) for record in self.records}
        for entry in self.journal:
            if isinstance(entry, Decision) and entry.commit:
                for move in (m for m in self.moves() if m.transfer == entry.transfer):
                    arrived = self._arrived(found[move.lot], move)
                    found[move.child] = _joined(found.get(move.child), arrived)
            if isinstance(entry, Back):
                less = replace(found[entry.child], value_mg=-entry.mg, points=-entry.points_out)
                found[entry.child] = _joined(found[entry.child], less)
        return found

    def _arrived(self, parent: Lot, move: Move) -> Lot:
        corridor = self.corridor(move.source, move.destination)
        if corridor is None:
            raise LookupError(f"{move.transfer} has no corridor")
        return Lot(
            lot=move.child,
            record=parent.record,
            platform=move.destination,
            value_mg=move.recognised_mg,
            points=move.points_in,
            rate=child_rate(parent.record, move.destination),
            whole=child_whole(parent, corridor),
            expires=min(parent.expires, self.expiry_at(move.destination, parent.record)),
        )

    def moved_mg(self, lot: str) -> int:
        """Tell how much of a lot has moved away and was not restored by a return."""
        restored = sum(back.restored_mg for back in self.backs() if back.lot == lot)
        return sum(move.mg for move in self.committed_moves() if move.lot == lot) - restored

    def reserved_mg(self, lot: str) -> int:
        """Tell how much of a lot is reserved."""
        return sum(move.mg for move in self.open_moves() if move.lot == lot)

    def used_mg(self, lot: str, kind: str) -> int:
        """Tell how much of a lot was redeemed or retired."""
        return sum(use.mg for use in self.uses(lot, kind))

    def points_left(self, lot: Lot) -> int:
        """Tell how many of a lot's points are neither burned nor held for a reservation."""
        gone = [move.points_out for move in self.live_moves() if move.lot == lot.lot]
        gone += [use.points for use in self.uses(lot.lot)]
        gone += [-back.points_in for back in self.backs() if back.lot == lot.lot]
        return lot.points - sum(gone)

    def window_state(self, window: int) -> str | None:
        """Tell the latest state of a window."""
        states = [state for number, state in self.steps if number == window]
        return states[-1] if states else None

    def open_window(self) -> int:
        """Tell the number of the window that is open."""
        return max(number for number, _ in self.steps)

    def is_settled(self, transfer: str) -> bool:
        """Tell whether a transfer's window is settled."""
        made = self.decision(transfer)
        return made is not None and made.commit and self.window_state(made.window) == "SETTLED"

    def position(self, source: str, destination: str) -> int:
        """Tell committed_out - committed_in + reserved_out, of what is not settled; returns stay outside."""
        unsettled = [m for m in self.committed_moves() if not self.is_settled(m.transfer)]
        pair, reverse = (source, destination), (destination, source)
        out = [m.recognised_mg for m in unsettled if (m.source, m.destination) == pair]
        back = [m.recognised_mg for m in unsettled if (m.source, m.destination) == reverse]
        reserved = [m.recognised_mg for m in self.open_moves() if (m.source, m.destination) == pair]
        return sum(out) - sum(back) + sum(reserved)

    def bilateral(self, window: int) -> dict[tuple[str, str], int]:
        """Work out who owes whom in a window: (debtor, creditor) -> mg, gross."""
        owed: dict[tuple[str, str], int] = {}
        for move in self.committed_moves():
            made = self.decision(move.transfer)
            if made is not None and made.window == window:
                pair = (move.source, move.destination)
                owed[pair] = owed.get(pair, 0) + move.recognised_mg
        for back in (back for back in self.backs() if back.window == window):
            original = next(m for m in self.moves() if m.transfer == back.transfer)
            pair = (original.destination, original.source)
            owed[pair] = owed.get(pair, 0) + back.mg
        return owed

    def nets(self, window: int) -> dict[str, int]:
        """Work out what each platform receives (above zero) or pays in a window."""
        nets: dict[str, int] = {}
        for (debtor, creditor), amount in self.bilateral(window).items():
            nets[debtor] = nets.get(debtor, 0) - amount
            nets[creditor] = nets.get(creditor, 0) + amount
        return nets

    def postings(self) -> list[Posting]:
        """Write the whole history as double entry."""
        lots = self.lots()
        booked = [posting for record in self.records for posting in _recording(record)]
        for entry in self.journal:
            booked += list(self._booked(entry, lots))
        return booked

    def _booked(self, entry: Move | Decision | Use | Back, lots: dict[str, Lot]) -> Iterator[Posting]:
        if isinstance(entry, Move):
            book = _Booking(f"reserve {entry.transfer}", lots[entry.lot].record.lot)
            yield from book.mg(entry.mg, ("held", entry.source), ("in_transit", entry.source))
            yield from book.points(entry.source, entry.points_out, ("held", "on_hold"))
        if isinstance(entry, Decision):
            for move in (m for m in self.moves() if m.transfer == entry.transfer):
                yield from _deciding(move, entry.commit, lots[move.lot].record.lot)
        if isinstance(entry, Use):
            lot = lots[entry.lot]
            book = _Booking(entry.kind, lot.record.lot)
            if entry.kind == "retired":
                yield from book.mg(entry.mg, ("held", lot.platform), ("retired", lot.platform))
            yield from book.points(lot.platform, entry.points, ("held", "burned"))
        if isinstance(entry, Back):
            child, source = lots[entry.child], lots[entry.lot].platform
            book = _Booking(f"return {entry.transfer}", child.record.lot)
            yield from book.mg(entry.mg, ("held", child.platform), ("held", source))
            yield from book.mg(entry.restored_mg - entry.mg, ("unrecognised", source), ("held", source))
            yield from book.points(child.platform, entry.points_out, ("held", "issued"))
            yield from book.points(source, entry.points_in, ("burned", "held"))


class _Booking(NamedTuple):
    cause: str
    record: str

    def mg(self, amount: int, giver: tuple[str, str], taker: tuple[str, str]) -> list[Posting]:
        return [
            Posting(self.cause, "mg", *giver, -amount, self.record),
            Posting(self.cause, "mg", *taker, amount, self.record),
        ]

    def points(self, platform: str, amount: int, accounts: tuple[str, str]) -> list[Posting]:
        asset = f"points of {platform}"
        return [
            Posting(self.cause, asset, accounts[0], platform, -amount, self.record),
            Posting(self.cause, asset, accounts[1], platform, amount, self.record),
        ]


def _recording(record: AddLot) -> list[Posting]:
    book = _Booking(f"record {record.lot}", record.lot)
    mg = book.mg(record.reduction_mg, ("recorded", record.platform), ("held", record.platform))
    return mg + book.points(record.platform, record.points, ("issued", "held"))


def _deciding(move: Move, commit: bool, record: str) -> Iterator[Posting]:
    transit, arrived = ("in_transit", move.source), ("held", move.destination)
    book = _Booking(f"decide {move.transfer}", record)
    if not commit:
        yield from book.mg(move.mg, transit, ("held", move.source))
        yield from book.points(move.source, move.points_out, ("on_hold", "held"))
        return
    yield from book.mg(move.recognised_mg, transit, arrived)
    yield from book.mg(move.mg - move.recognised_mg, transit, ("unrecognised", move.source))
    yield from book.points(move.source, move.points_out, ("on_hold", "burned"))
    yield from book.points(move.destination, move.points_in, ("issued", "held"))


def _recorded(record: AddLot) -> Lot:
    exact = Fraction(record.exact_num, record.exact_den)
    return Lot(
        lot=record.lot,
        record=record,
        platform=record.platform,
        value_mg=record.reduction_mg,
        points=record.points,
        rate=exact / record.reduction_mg if record.reduction_mg else Fraction(0),
        whole=Fraction(record.reduction_mg),
        expires=record.expires,
    )


def _joined(there: Lot | None, more: Lot) -> Lot:
    if there is None:
        return more
    return replace(more, value_mg=there.value_mg + more.value_mg, points=there.points + more.points)
