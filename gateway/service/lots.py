"""From kept records to lots: every fact that decides whether, and for how much, a record may move."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from gateway.claims import NO_KIND, Kinds
from gateway.convert import Converted, Program, expires_on
from gateway.ports import ClaimState, Journal, KeptRecord, LotBook, LotState, PersonRecords, PrivateRow
from gateway.recognition import Claim, Lot, Value, Wish
from gateway.service.recording import document_of, frame_of
from gateway.service.replaying import Replayer
from gateway.service.worth import Rulebook, WorthFound

__all__ = ["FoundLot", "Lots", "value_of"]

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

    def last_day(self, row: PrivateRow) -> date | None:
        """Return the last day of a record's points; None: they never lapse."""
        return expires_on(self.replayer.program(row.mapping).expiry, date.fromisoformat(row.day))

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
        states = self.book.states([kept.row.id for kept in records])
        claims = self._claims(kept.row for kept in records)
        persons = self._persons(kept.row for kept in records)
        apart = self._never_compared(accounts, wish.destination, records=records)
        closed = self.journal.claims.closed()
        for row, batch in records:
            day = date.fromisoformat(row.day)
            program = self.replayer.program(row.mapping)
            state = states.get(row.id, LotState())
            found = self.rules.worth(row, wish.agreement)
            lot = Lot(
                record=row.id,
                holder=batch.platform,
                person=None if row.person is None else persons.get(row.person),
                day=day,
                behaviour=row.behaviour,
                methodology=program.id,
                evidence=row.evidence,
                ownership=row.ownership,
                kind=program.kind,
                value=value_of(row, program, issuer=self.issuer, issued=batch.issued, replayer=self.replayer),
                logged=batch.position < witnessed,
                claim=claims.get(row.id, Claim.NONE),
                closed=day.toordinal() <= closed,
                counted=self._counted(row, apart.get(day, ())),
                used=state.used,
                retired=state.retired,
                disputed=state.disputed,
                expires=expires_on(program.expiry, day),
                expires_there=found.expires,
                worth=found.worth,
            )
            yield FoundLot(lot, row, state, program, found)

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
