"""The checks of a reservation against the books, in the order in which their codes are answered."""

from collections.abc import Iterator

from gateway.errors import InvariantBroken
from gateway.ledger.book import Book
from gateway.ledger.commands import Kind, Refusal, RefusalCode, Reservation, returned_key
from gateway.ledger.lots import AMOUNT_MAX, Lot, Part, Seen
from gateway.ledger.positions import NOTHING, pairs_of

__all__ = ["refusal"]


def refusal(book: Book, wanted: Reservation, *, original: Reservation | None = None) -> Refusal | None:
    """Tell why a reservation cannot be made: platforms, lots, agreement, day limits, position, in this order.

    ``original`` is what a return goes back on, if that was committed.

    Raises:
        InvariantBroken: amounts that no quote can hold.
    """
    _require_sense(wanted)
    for refused in _refusals(book, wanted, original=original):
        return refused
    return None


def _refusals(book: Book, wanted: Reservation, *, original: Reservation | None) -> Iterator[Refusal]:
    if wanted.kind is Kind.RETURN:
        yield from _returns(book, wanted, original=original)
    if wanted.kind is not Kind.MOVE:  # a return is outside all limits, and what is retired goes nowhere
        yield from _lots(book, wanted)
        return
    (towards, towards_all), (_, of_other) = pairs_of(wanted.source, wanted.destination)
    pair = book.positions.get(towards, NOTHING)
    of_source = book.positions.get(towards_all, NOTHING)
    of_destination = book.positions.get(of_other, NOTHING)
    for one, platform in ((of_source, wanted.source), (of_destination, wanted.destination)):
        if one.paused:
            yield Refusal(RefusalCode.INACTIVE, platform)
    yield from _lots(book, wanted)
    corridor = f"{wanted.source} -> {wanted.destination}"
    if pair.limit is None:
        yield Refusal(RefusalCode.NO_AGREEMENT, corridor)
    if pair.paused:
        yield Refusal(RefusalCode.PAUSED, corridor)
    yield from _caps(book, wanted)
    amount = wanted.amount
    for one, about in ((pair, corridor), (of_source, wanted.source)):
        limit = one.limit
        if limit is not None and not one.admits(amount):
            yield Refusal(RefusalCode.POSITION, about, amount, limit - one.owed)


def _lots(book: Book, wanted: Reservation) -> Iterator[Refusal]:
    asked: dict[str, tuple[int, int]] = {}
    for part in wanted.parts:
        lot = book.lots.get(part.lot, part.facts)
        if lot is None:
            yield Refusal(RefusalCode.NOT_HELD, part.lot)
            continue
        before_mg, before_points = asked.get(part.lot, (0, 0))
        asked[part.lot] = mg, points = before_mg + part.mg, before_points + part.points
        code = _lot_code(book, wanted, part=part, lot=lot)
        if code is not None:
            yield Refusal(code, part.lot)
        elif mg > lot.free_mg or points > lot.free_points:
            enough_but_retired = lot.free_mg < mg <= lot.free_mg + lot.retired_mg
            used_up = RefusalCode.RETIRED if enough_but_retired else RefusalCode.SPENT
            yield Refusal(used_up, part.lot, part.mg, lot.free_mg - before_mg)


def _lot_code(book: Book, wanted: Reservation, *, part: Part, lot: Lot) -> RefusalCode | None:
    if lot.platform != wanted.source:
        return RefusalCode.NOT_HELD
    if part.facts is not None and part.facts is not lot and part.facts != lot.new:
        return RefusalCode.DIFFERS
    if part.seen is not None and lot.transit_mg:
        return RefusalCode.IN_TRANSIT  # whether it arrives decides what this part comes to
    if part.seen is not None and part.seen != _seen(lot, book.lots.get(wanted.arriving(part))):
        return RefusalCode.DIFFERS
    if wanted.kind is Kind.RETURN:
        return None  # neither a dispute, which may be its reason, nor an end of life keeps it
    if lot.disputed:
        return RefusalCode.DISPUTED
    if lot.expires is not None and lot.expires < wanted.day:
        return RefusalCode.EXPIRED
    return None


def _seen(lot: Lot, arrived: Lot | None) -> Seen:
    used = (lot.used_mg, lot.used_points)
    if arrived is None:
        return Seen(*used)
    return Seen(
        *used,
        arrived.origin_mg,
        arrived.mg - arrived.returned_mg,
        arrived.points - arrived.returned_points,
    )


def _returns(book: Book, wanted: Reservation, *, original: Reservation | None) -> Iterator[Refusal]:
    if original is None or original.kind is not Kind.MOVE:
        yield Refusal(RefusalCode.NOT_COMMITTED, wanted.original)
        return
    added = wanted.counters()
    for part in wanted.parts:
        back = part.back
        if back is None or (back.lot, part.lot) != _way_back(original, back.number):
            raise InvariantBroken(f"I9: {part.lot} does not go back the way that it came")
        key = returned_key(wanted.original, back.number)
        left = original.parts[back.number].recognised_mg - book.caps.get(key, 0)
        if added[key] > left:
            yield Refusal(RefusalCode.EXCEEDS, key, added[key], left)


def _way_back(original: Reservation, number: int) -> tuple[str, str]:
    part = original.parts[number]
    return part.lot, original.arriving(part)


def _caps(book: Book, wanted: Reservation) -> Iterator[Refusal]:
    amount = wanted.amount
    for cap in wanted.caps:
        left = cap.limit - book.caps.get(cap.key, 0)
        if amount > left:
            yield Refusal(cap.code, cap.key, amount, left)


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
        arrives = 0 <= part.points_in <= AMOUNT_MAX
        if not whole or not used or not arrives or not facts.unused:
            raise InvariantBroken(f"{wanted.transfer}: amounts of the lot {part.lot} make no sense")
        if (part.back is not None) != (wanted.kind is Kind.RETURN):
            raise InvariantBroken(f"{wanted.transfer}: only a return gives back")
