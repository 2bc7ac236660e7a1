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
from gateway.service.acts.recording import document_of, frame_of
from gateway.service.receipts.replaying import Replayer
from gateway.service.transfers.worth import Rulebook, WorthFound

__all__ = ["FoundLot", "Lots", "Sight", "Sought", "value_of"]

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


class Sought(NamedTuple):
    """Records that shall move to a platform, and their person's accounts there."""

    records: Sequence[KeptRecord]
    accounts: Collection[bytes]
    destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was looked up of several persons' records at once.

    ``states`` are by lot, ``claims`` by record, ``persons`` by account; ``theirs`` are rows at destinations.
    """

    states: Mapping[str, LotState]
    claims: Mapping[str, Claim]
    persons: Mapping[bytes, bytes]
    theirs: Mapping[bytes, Sequence[PrivateRow]]
    closed: int


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

    def arrived(
        self, accounts: Mapping[tuple[str, bytes], bytes]
    ) -> dict[tuple[str, bytes], list[KeptRecord]]:
        """Return what came by transfers to accounts, of records that their persons have anywhere.

        Accounts are given by platform and pseudonym there, each with its person across platforms.
        """
        lots = self.book.arrived({(person, platform) for (platform, _), person in accounts.items()})
        records = {one.lot.record for some in lots.values() for one in some}
        linked: dict[str, dict[bytes, None]] = {}
        for link in self.journal.claims.links_of({person for person, _ in lots}) if lots else ():
            linked.setdefault(link.platform, {})[link.account] = None
        rows = {
            kept.row.id: kept
            for platform, some in linked.items()
            for of_account in self.records.of(platform, some).values()
            for kept in of_account
            if kept.row.id in records
        }
        return {
            (platform, account): [
                rows[one.lot.record]._replace(arrived=one)
                for one in lots.get((person, platform), ())
                if one.lot.record in rows
            ]
            for (platform, account), person in accounts.items()
        }

    def last_day(self, kept: KeptRecord) -> date | None:
        """Return the last day of a lot's points; None: they never lapse."""
        if kept.arrived is not None:
            last = kept.arrived.lot.expires
            return None if last is None else date.fromordinal(last)
        program = self.replayer.program(kept.row.mapping)
        return expires_on(program.expiry, date.fromisoformat(kept.row.day))

    def look(self, sought: Sequence[Sought]) -> Sight:
        """Look up together what is asked of several persons' records."""
        self.rules.look_again()
        rows = [kept.row for one in sought for kept in one.records]
        wanted: dict[str, dict[bytes, set[str]]] = {}
        for one in sought:
            around = _around(one.records)
            for account in one.accounts:
                wanted.setdefault(one.destination, {}).setdefault(account, set()).update(around)
        theirs = {
            account: [kept.row for kept in kept_ones]
            for platform, accounts in wanted.items()
            for account, kept_ones in self.records.of(platform, accounts).items()
        }
        return Sight(
            states=self.book.states([kept.lot for one in sought for kept in one.records]),
            claims=self._claims([*rows, *(row for some in theirs.values() for row in some)]),
            persons=self._persons(rows),
            theirs=theirs,
            closed=self.journal.claims.closed(),
        )

    def read(self, sought: Sought, wish: Wish, *, sight: Sight, witnessed: int) -> Iterator[FoundLot]:
        """Yield the lots of some records.

        Args:
            sought: what shall move.
            wish: for whom, where to, by which agreement.
            sight: what was looked up of these records, by :meth:`look`.
            witnessed: how many entries of the log have the policy's quorum.
        """
        apart = _never_compared(sought, sight)
        for kept in sought.records:
            row, batch, arrived = kept
            day = date.fromisoformat(row.day)
            program = self.replayer.program(row.mapping)
            state = sight.states.get(kept.lot, LotState())
            found = self.rules.worth(row, wish.agreement)
            if arrived is not None and len(arrived.rates) >= MOVES_MAX:
                detail = f"it has moved {MOVES_MAX} times already"
                found = found._replace(worth=NotWorth(TransferRefusal.BASIS_NOT_COMPUTABLE, detail))
            lot = Lot(
                record=row.id,
                holder=batch.platform if arrived is None else arrived.lot.platform,
                person=None if row.person is None else sight.persons.get(row.person),
                day=day,
                behaviour=row.behaviour,
                methodology=program.id,
                evidence=row.evidence,
                ownership=row.ownership,
                kind=program.kind,
                value=self._value(kept, program),
                logged=batch.position < witnessed,
                claim=sight.claims.get(row.id, Claim.NONE),
                closed=day.toordinal() <= sight.closed,
                counted=self._counted(row, apart.get(day, ())),
                used=state.used,
                retired=state.retired,
                disputed=state.disputed,
                in_transit=state.in_transit,
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

    def _counted(self, row: PrivateRow, behaviours: Iterable[str]) -> str:
        kind = self.kinds.number(row.behaviour)
        others = {self.kinds.number(behaviour) for behaviour in behaviours} - {NO_KIND}
        if kind != NO_KIND and any(self.kinds.comparable(kind, other) for other in others):
            return (
                "the destination has an act of this kind and day that was recorded before the account was"
                " linked: it may be the same"
            )
        return ""


def _around(records: Sequence[KeptRecord]) -> set[str]:
    """Return the days of records, and those beside them."""
    days = {date.fromisoformat(kept.row.day) for kept in records}
    return {(day + timedelta(days=by)).isoformat() for day in days for by in (-1, 0, 1)}


def _never_compared(sought: Sought, sight: Sight) -> dict[date, list[str]]:
    """Return kinds of acts, by day, that the destination counts and that were never compared with others.

    Such an act was recorded before the account was linked. It may be the one that shall move, also by a
    clock that stands on the other side of midnight.
    """
    found: dict[date, list[str]] = {}
    for row in (row for account in sought.accounts for row in sight.theirs[account]):
        if row.id not in sight.claims:
            day = date.fromisoformat(row.day)
            for by in (-1, 0, 1):
                found.setdefault(day + timedelta(days=by), []).append(row.behaviour)
    return found


def value_of(row: PrivateRow, program: Program, *, issuer: str, issued: str, replayer: Replayer) -> Value:
    """Return what a record stands for, recomputed from its mapping: nothing it says is believed."""
    converted: Converted = replayer.recompute(
        document_of(row, frame_of(program, issuer=issuer, issued=issued))
    )
    return Value(converted.co2e_mg, row.points, Fraction(*converted.points_exact))
