"""Audit what moved: each part is worked out again from its record, the rules and the agreement."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import floor

from gateway.convert import expires_on
from gateway.errors import IntegrityBroken
from gateway.ledger import Lot, Part, way_of
from gateway.model.quote import QuotedLot
from gateway.ports import BatchRow, ClaimState, ClaimStore, MovedPart, PrivateRow
from gateway.recognition import (
    Agreement,
    Moved,
    NotWorth,
    Used,
    Value,
    Worth,
    arrived_value,
    lives_until,
    movable,
    take,
)
from gateway.service.moments import instant_text
from gateway.service.receipts.replaying import Replayer
from gateway.service.transfers.lots import value_of
from gateway.service.transfers.moves import Move, MovedLot
from gateway.service.transfers.worth import Rulebook, stated_inputs

__all__ = ["AmountAudit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountAudit:
    """Works the amounts of moved parts out again; ``agreement_of`` knows those in the log, by digest."""

    issuer: str
    replayer: Replayer
    rules: Rulebook
    claims: ClaimStore
    agreement_of: Callable[[str], Agreement]
    move_of: Callable[[str], Move]

    def differing(self, row: PrivateRow, batch: BatchRow, *, moved: MovedPart) -> Iterator[str]:
        """Yield what of a moved part is not what its record, its rules and its agreement give.

        Raises:
            IntegrityBroken: it cannot be worked out at all.
        """
        reserved = moved.reservation
        part, where = reserved.parts[moved.line], f"{reserved.transfer}, record {row.id}"
        move = self.move_of(reserved.transfer)
        quoted = move.quote.lots[moved.line] if moved.line < len(move.quote.lots) else None
        if quoted is None or quoted.record != row.id or part.seen is None:
            raise IntegrityBroken(f"I7 {where}: its quote does not have the record")
        program, day = self.replayer.program(row.mapping), date.fromisoformat(row.day)
        value = value_of(row, program, issuer=self.issuer, issued=batch.issued, replayer=self.replayer)
        last = expires_on(program.expiry, day)
        amounts = (value.co2e_mg, int(movable(value)), value.points)
        own = Lot(batch.platform, row.id, program.unit, *amounts, None if last is None else last.toordinal())
        if moved.held.origin:
            value = _arrived(value, moved, facts=move.lots[moved.line], where=where)
        elif part.facts != own:
            yield f"I2 {where}: the lot is not what the record gives"
        if (quoted.day, quoted.behaviour, quoted.mapping) != (row.day, row.behaviour, row.mapping):
            yield f"I7 {where}: the quote is about another act"
        worth, ends = self._worth(row, quoted, agreement=self.agreement_of(move.quote.agreement))
        yield from _amounts(part, value, worth=worth, where=where)
        held = moved.held.expires
        last = lives_until(None if held is None else date.fromordinal(held), ends)
        if part.expires != (None if last is None else last.toordinal()):
            yield f"I11 {where}: its points are good until {_told(part.expires)}, expected {last or 'ever'}"
        yield from self._person(row, move, where=where)
        states = self.claims.states(bytes.fromhex(row.id))
        if states.get(bytes.fromhex(row.id)) == ClaimState.SET_OFF:
            yield f"I14 {where}: another record counts for the act"

    def _worth(
        self, row: PrivateRow, quoted: QuotedLot, *, agreement: Agreement
    ) -> tuple[Worth, date | None]:
        """Return what the act is worth by the pinned rules, which are those that the agreement names."""
        destination = self.replayer.program(quoted.credited_by)
        basis = self.replayer.program(quoted.basis)
        named = agreement.behaviours.get(row.behaviour)
        if (destination.id, basis.id) != (named, agreement.basis or named):
            raise IntegrityBroken(f"I7 record {row.id}: valued by other rules than the agreement names")
        if self.replayer.program(row.mapping).id not in agreement.methodologies:
            raise IntegrityBroken(f"I7 record {row.id}: the agreement does not admit its methodology")
        day, stated = date.fromisoformat(row.day), stated_inputs(row.inputs)
        credited, compared = (
            self.rules.convert(one, row.behaviour, stated=stated, day=day.toordinal())
            for one in (destination, basis)
        )
        if isinstance(credited, NotWorth) or isinstance(compared, NotWorth):
            raise IntegrityBroken(f"I7 record {row.id}: its act has no worth by the pinned rules")
        worth = Worth(
            basis_mg=compared.co2e_mg,
            destination_mg=credited.co2e_mg,
            destination_points=Fraction(*credited.points_exact),
            factor=agreement.factors.get(row.evidence, Fraction(0)),
        )
        return worth, expires_on(destination.expiry, day)

    def _person(self, row: PrivateRow, move: Move, *, where: str) -> Iterator[str]:
        """Hold the person of a transfer to the link of the record's account, if that is not newer."""
        link = None if row.person is None else self.claims.links([row.person]).get(row.person)
        if link is None or link.linked > instant_text(move.quote.issued):
            return  # erased, unlinked, or linked anew under another key
        if link.person.hex() != move.transfer.terms.person:
            yield f"I2 {where}: the record is another person's"


def _arrived(record: Value, moved: MovedPart, *, facts: MovedLot, where: str) -> Value:
    """Return what stood for a lot that has come by transfers; its name says by which rates.

    More may have come between the quote and the reservation. But whatever has come by the same rates is
    rounded once, of the whole, so that its points follow from its milligrams.
    """
    _, rates = way_of(moved.reservation.parts[moved.line].lot)
    value = arrived_value(record, rates, co2e_mg=facts.co2e_mg, points=facts.points)
    is_whole = facts.points == floor(value.exact) or moved.held.returned_mg > 0
    if facts.co2e_mg > moved.held.mg or not is_whole:
        raise IntegrityBroken(f"I2 {where}: the lot is not what has come")
    return value


def _amounts(part: Part, value: Value, *, worth: Worth, where: str) -> Iterator[str]:
    """Take the part again from what its quote saw used of the lot; the books held the quote to that."""
    seen = part.seen
    if seen is None:
        return
    used = Used(seen.used_mg, seen.used_points)
    moved = Moved(seen.arrived_from_mg, seen.arrived_mg, seen.arrived_points)
    made = take(value, worth, part_mg=part.mg, used=used, moved=moved)
    expected = {
        "points": (part.points, made.points),
        "recognised_mg": (part.recognised_mg, made.recognised_mg),
        "points_in": (part.points_in, made.points_in),
        "dust": (part.dust, f"{made.dust.numerator}/{made.dust.denominator}"),
        "rates": (part.rates, worth.rates(value)),
    }
    for name, (stated, found) in expected.items():
        if stated != found:
            yield f"I7 {where}: {name} is {stated}, the rules give {found}"


def _told(day: int | None) -> str:
    return "ever" if day is None else date.fromordinal(day).isoformat()
