"""The checks of a reservation against the books, in the order in which their codes are answered."""

from collections.abc import Iterator

from gateway.errors import InvariantBroken
from gateway.ledger.book import Book
from gateway.ledger.commands import Kind, Refusal, RefusalCode, Reservation
from gateway.ledger.lots import AMOUNT_MAX, Lot, Part
from gateway.ledger.positions import pairs_of

__all__ = ["refusal"]


def refusal(book: Book, wanted: Reservation) -> Refusal | None:
    """Tell why a reservation cannot be made: lots first, then day limits, then positions.

    Raises:
        InvariantBroken: amounts that no quote can hold.
    """
    _require_sense(wanted)
    for refused in _refusals(book, wanted):
        return refused
    return None


def _refusals(book: Book, wanted: Reservation) -> Iterator[Refusal]:
    yield from _lots(book, wanted)
    if wanted.kind is Kind.RETIRE:
        return
    yield from _caps(book, wanted)
    yield from _positions(book, wanted)


def _lots(book: Book, wanted: Reservation) -> Iterator[Refusal]:
    asked: dict[str, tuple[int, int]] = {}
    for part in wanted.parts:
        lot = book.lots.get(part.lot, part.facts)
        if lot is None:
            yield Refusal(RefusalCode.UNKNOWN, part.lot)
            continue
        before_mg, before_points = asked.get(part.lot, (0, 0))
        asked[part.lot] = mg, points = before_mg + part.mg, before_points + part.points
        code = _lot_code(lot, part, day=wanted.day, source=wanted.source)
        if code is not None:
            yield Refusal(code, part.lot)
        elif mg > lot.free_mg or points > lot.free_points:
            used_up = RefusalCode.RETIRED if lot.retired_mg == lot.movable_mg else RefusalCode.SPENT
            yield Refusal(used_up, part.lot, part.mg, lot.free_mg - before_mg)


def _lot_code(lot: Lot, part: Part, *, day: int, source: str) -> RefusalCode | None:
    if lot.platform != source:
        return RefusalCode.ELSEWHERE
    if part.facts is not None and part.facts != lot.new:
        return RefusalCode.CHANGED
    if lot.disputed:
        return RefusalCode.DISPUTED
    if lot.expires is not None and lot.expires < day:
        return RefusalCode.EXPIRED
    return None


def _caps(book: Book, wanted: Reservation) -> Iterator[Refusal]:
    for cap in wanted.caps:
        left = cap.limit - book.caps.get(cap.key, 0)
        if wanted.amount > left:
            yield Refusal(cap.code, cap.key, wanted.amount, left)


def _positions(book: Book, wanted: Reservation) -> Iterator[Refusal]:
    """Check the positions. A return needs no agreement and passes a pause, but no limit (I4)."""
    (pair, all_of_source), (_, all_of_destination) = pairs_of(wanted.source, wanted.destination)
    position = book.positions.get(pair)
    if wanted.kind is Kind.MOVE:
        if position is None or position.limit is None:
            yield Refusal(RefusalCode.NO_AGREEMENT, f"{wanted.source} -> {wanted.destination}")
            return
        if position.paused:
            yield Refusal(RefusalCode.PAUSED, f"{wanted.source} -> {wanted.destination}")
        for one in (all_of_source, all_of_destination):
            found = book.positions.get(one)
            if found is not None and found.paused:
                yield Refusal(RefusalCode.INACTIVE, one.platform)
    for name in (pair, all_of_source):
        found = book.positions.get(name)
        if found is not None and found.limit is not None and not found.admits(wanted.amount):
            about = f"{name.platform} -> {name.other}" if name.other else name.platform
            yield Refusal(RefusalCode.POSITION, about, wanted.amount, found.limit - found.owed)


def _require_sense(wanted: Reservation) -> None:
    """Check what a quote has already made sure of; what is beyond it is a fault of this program."""
    moves = wanted.kind is not Kind.RETIRE
    if not wanted.parts or moves != bool(wanted.destination) or wanted.source == wanted.destination:
        raise InvariantBroken(f"{wanted.transfer}: from {wanted.source} to {wanted.destination}")
    if wanted.caps and wanted.kind is not Kind.MOVE:
        raise InvariantBroken(f"{wanted.transfer}: day limits count what moves, not a {wanted.kind}")
    for part in wanted.parts:
        facts = part.facts or Lot(wanted.source, "", "", part.mg, part.mg, part.points)
        whole = 0 <= facts.movable_mg <= facts.mg <= AMOUNT_MAX and 0 <= facts.points <= AMOUNT_MAX
        used = part.mg > 0 and part.points >= 0 and 0 <= part.recognised_mg <= part.mg
        arrives = 0 <= part.points_in <= AMOUNT_MAX * bool(part.recognised_mg)
        if not whole or not used or not arrives or facts != facts.new:
            raise InvariantBroken(f"{wanted.transfer}: amounts of the lot {part.lot} make no sense")
        if (part.back is not None) != (wanted.kind is Kind.RETURN):
            raise InvariantBroken(f"{wanted.transfer}: only a return gives back")
