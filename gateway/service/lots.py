"""From kept records to lots: every fact that decides whether, and for how much, a record may move."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from gateway.claims import NO_KIND, Kinds
from gateway.convert import Converted, Program, expires_on
from gateway.model.transfer import TransferRefusal
from gateway.ports import (
    ArrivedLot,
    ClaimState,
    Journal,
    KeptRecord,
    LotBook,
    LotState,
    PersonRecords,
    PrivateRow,
)
from gateway.recognition import Claim, Lot, NotWorth, Value, Wish, arrived_value
from gateway.service.recording import document_of, frame_of
from gateway.service.replaying import Replayer
from gateway.service.worth import Rulebook, WorthFound

__all__ = ["FoundLot", "Lots", "value_of"]

MOVES_MAX: Final = 20  # the name of a lot that has moved says how; as a key of the books it has to stay short
_CLAIMS: Final = {
    ClaimState.HOLDS: Claim.HOLDS,
    ClaimState.SET_OFF: Claim.SET_OFF,
    ClaimState.WITHDRAWN: Claim.WITHDRAWN,
}


class FoundLot(NamedTuple):
    """A lot with what it was found from: its record, its state, its rules, and what it is worth."""

    lot: Lot
    row: PrivateRow
    state: LotState
    program: Program
    found: WorthFound
    arrived: ArrivedLot | None = None

    @property
    def name(self) -> str:
        """Return what the books call it."""
        return self.row.id if self.arrived is None else self.arrived.name

    @property
    def unit(self) -> str:
        """Return the unit of its points where it is held."""
        return self.program.unit if self.arrived is None else self.arrived.lot.unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Lots:
    """Finds the lots of a home; joined by ``gateway.app``."""

    issuer: str
    journal: Journal
    records: PersonRecords
    kinds: Kinds
    replayer: Replayer
    rules: Rulebook
    book: LotBook

    def of_account(
        self, account: bytes, platform: str, *, days: Collection[str] | None = None
    ) -> list[KeptRecord]:
        """Return the records of an account, of some days or of all."""
        return self.records.of(account, platform, days=days)

    def held(
        self, account: bytes, person: bytes, *, platform: str, days: Collection[str] | None = None
    ) -> list[KeptRecord]:
        """Return what an account holds, of acts of some days or of all.

        These are its records, and what came by transfers of records that the person has elsewhere.
        """
        held = self.of_account(account, platform, days=days)
        arrived = self.book.arrived(person, platform)
        if not arrived:
            return held
        records = {one.lot.record for one in arrived}
        rows = {
            kept.row.id: kept
            for link in self.journal.claims.links_of([person])
            for kept in self.of_account(link.account, link.platform, days=days)
            if kept.row.id in records
        }
        known = [one for one in arrived if one.lot.record in rows]
        return held + [rows[one.lot.record]._replace(arrived=one) for one in known]

    def last_day(self, kept: KeptRecord) -> date | None:
        """Return the last day of a lot's points; None: they never lapse."""
        if kept.arrived is not None:
            last = kept.arrived.lot.expires
            return None if last is None else date.fromordinal(last)
        program = self.replayer.program(kept.row.mapping)
        return expires_on(program.expiry, date.fromisoformat(kept.row.day))

    def read(
        self, records: Sequence[KeptRecord], wish: Wish, *, accounts: Collection[bytes], witnessed: int
    ) -> Iterator[FoundLot]:
        """Yield the lots of some records.

        Args:
            records: what shall move.
            wish: for whom, where to, by which agreement.
            accounts: the person's accounts at the destination.
            witnessed: how many entries of the log have the policy's quorum.
        """
        self.rules.look_again()
        states = self.book.states([kept.lot for kept in records])
        claims = self._claims(kept.row for kept in records)
        persons = self._persons(kept.row for kept in records)
        apart = self._never_compared(accounts, wish.destination, records=records)
        closed = self.journal.claims.closed()
        for kept in records:
            row, batch, arrived = kept
            day = date.fromisoformat(row.day)
            program = self.replayer.program(row.mapping)
            state = states.get(kept.lot, LotState())
            found = self.rules.worth(row, wish.agreement)
            if arrived is not None and len(arrived.rates) >= MOVES_MAX:
                detail = f"it has moved {MOVES_MAX} times already"
                found = found._replace(worth=NotWorth(TransferRefusal.BASIS_NOT_COMPUTABLE, detail))
            lot = Lot(
                record=row.id,
                holder=batch.platform if arrived is None else arrived.lot.platform,
                person=None if row.person is None else persons.get(row.person),
                day=day,
                behaviour=row.behaviour,
                methodology=program.id,
                evidence=row.evidence,
                ownership=row.ownership,
                kind=program.kind,
                value=self._value(kept, program),
                logged=batch.position < witnessed,
                claim=claims.get(row.id, Claim.NONE),
                closed=day.toordinal() <= closed,
                counted=self._counted(row, apart.get(day, ())),
                used=state.used,
                retired=state.retired,
                disputed=state.disputed,
                expires=self.last_day(kept),
                expires_there=found.expires,
                worth=found.worth,
            )
            yield FoundLot(lot, row, state, program, found, arrived)

    def _value(self, kept: KeptRecord, program: Program) -> Value:
        row, batch, arrived = kept
        value = value_of(row, program, issuer=self.issuer, issued=batch.issued, replayer=self.replayer)
        if arrived is None:
            return value
        return arrived_value(value, arrived.rates, co2e_mg=arrived.lot.mg, points=arrived.lot.points)

    def _claims(self, rows: Iterable[PrivateRow]) -> dict[str, Claim]:
        names = b"".join(bytes.fromhex(row.id) for row in rows)
        return {name.hex(): _CLAIMS[state] for name, state in self.journal.claims.states(names).items()}

    def _persons(self, rows: Iterable[PrivateRow]) -> Mapping[bytes, bytes]:
        accounts = list({row.person for row in rows if row.person is not None})
        return {account: link.person for account, link in self.journal.claims.links(accounts).items()}

    def _never_compared(
        self, accounts: Collection[bytes], platform: str, *, records: Sequence[KeptRecord]
    ) -> dict[date, list[str]]:
        """Return kinds of acts, by day, that the destination counts and that were never compared with others.

        Such an act was recorded before the account was linked. It may be the one that shall move, also by a
        clock that stands on the other side of midnight.
        """
        days = {date.fromisoformat(kept.row.day) for kept in records}
        around = {day + timedelta(days=by) for day in days for by in (-1, 0, 1)}
        told = {day.isoformat() for day in around}
        theirs = [kept.row for account in accounts for kept in self.records.of(account, platform, days=told)]
        compared = self._claims(theirs)
        found: dict[date, list[str]] = {}
        for row in theirs:
            if row.id not in compared:
                day = date.fromisoformat(row.day)
                for by in (-1, 0, 1):
                    found.setdefault(day + timedelta(days=by), []).append(row.behaviour)
        return found

    def _counted(self, row: PrivateRow, behaviours: Iterable[str]) -> str:
        kind = self.kinds.number(row.behaviour)
        others = {self.kinds.number(behaviour) for behaviour in behaviours} - {NO_KIND}
        if kind != NO_KIND and any(self.kinds.comparable(kind, other) for other in others):
            return (
                "the destination has an act of this kind and day that was recorded before the account was"
                " linked: it may be the same"
            )
        return ""


def value_of(row: PrivateRow, program: Program, *, issuer: str, issued: str, replayer: Replayer) -> Value:
    """Return what a record stands for, recomputed from its mapping: nothing it says is believed."""
    converted: Converted = replayer.recompute(
        document_of(row, frame_of(program, issuer=issuer, issued=issued))
    )
    return Value(converted.co2e_mg, row.points, Fraction(*converted.points_exact))
