"""Audit transfers: their journal, the books, what became of each, what moved, and what the log says of it.

Differences begin with the number of the invariant that they break; docs/reference/ledger.md lists them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import orjson

from gateway.errors import IntegrityBroken
from gateway.ledger import FIRST_PREVIOUS, Decision, Reservation, Verdict
from gateway.model.canonical import digest
from gateway.model.transfer import TransferRefusal, TransferState
from gateway.ports import (
    BooksAudit,
    Corridor,
    CorridorKind,
    DecisionBatch,
    DecisionLog,
    Journal,
    KeptTransfer,
    LedgerReader,
    RecordFiles,
    TransferRows,
)
from gateway.recognition import Agreement, agreement_of
from gateway.service.agreements.book import corridor_body
from gateway.service.audit.amounts import AmountAudit
from gateway.service.audit.report import AuditReport, Check
from gateway.service.receipts.replaying import Replayer
from gateway.service.transfers.logging_decisions import DECISIONS_MAX, decision_leaf
from gateway.service.transfers.moves import Move, parts_of, read_move
from gateway.service.transfers.quoting import subject_of
from gateway.service.transfers.worth import Rulebook
from gateway.transparency import root_of

__all__ = ["AuditedBooks", "TransferAudit"]

_S = TransferState
_COMMITTED: Final = frozenset({_S.COMMITTED, _S.COMPLETED, _S.SETTLED, _S.RETURNING, _S.RETURNED})
_ABORTED: Final = frozenset({_S.ABORTING, _S.ABORTED})
_UNDECIDED: Final = frozenset(
    {_S.QUOTED, _S.RECEIVED, _S.HELD, _S.RESERVED, _S.READY, _S.LAPSED, _S.REJECTED}
)
_REFUSED: Final = _ABORTED | {_S.LAPSED, _S.REJECTED}
_TOLD: Final = frozenset({_S.COMPLETED, _S.SETTLED, _S.ABORTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedBooks:
    """What is kept of transfers. ``day_keys`` names what day limits count, as when they were reserved."""

    rebuilt: BooksAudit
    reader: LedgerReader
    transfers: TransferRows
    batches: DecisionLog
    day_keys: Callable[[bytes, Corridor, date], dict[str, str]]


@dataclass(slots=True, kw_only=True)
class TransferAudit:
    """Audits the transfers of one home."""

    issuer: str
    journal: Journal
    records: RecordFiles
    books: AuditedBooks
    replayer: Replayer
    _agreements: dict[str, Agreement] = field(init=False, default_factory=dict)

    def audit(self, report: AuditReport) -> None:
        """Look at everything.

        1. every entry of the journal taken again  2. the books, row by row  3. each transfer and what is
        kept of it  4. each moved part, from its record  5. decisions against the log
        """
        replayed = report.check("transfer journal")
        with replayed.noting():
            for found in self.books.rebuilt.replay():
                replayed.looked_at += 1
                _note(replayed, found)
        books = report.check("transfer books")
        with books.noting():
            for difference in self.books.rebuilt.differing():
                books.differs(difference)
            books.looked_at = replayed.looked_at
        self._audit_transfers(report.check("transfers"))
        self._audit_parts(report.check("transfer amounts"))
        self._audit_logged(report.check("decisions in the log"))

    def _audit_transfers(self, check: Check) -> None:
        with check.noting():
            for kept in self.books.transfers.all():
                with check.noting(kept.transfer.id):
                    _note(check, self._differing(kept))
                check.looked_at += 1
            for name in self.books.transfers.orphans():
                check.differs(f"I12 {name} was reserved or decided, and is not there")

    def _differing(self, kept: KeptTransfer) -> Iterator[str]:
        """Yield what of a transfer contradicts its decision, reservation, request or agreement."""
        move, name = read_move(kept.transfer, kept.decision), kept.transfer.id
        terms, quote = move.transfer.terms, move.quote
        if (terms.id, move.transfer.state) != (name, kept.transfer.state):
            yield f"I12 {name}: its document is about another transfer or state"
        if kept.ends != {quote.source, quote.destination}:
            yield f"I12 {name}: it is not found by its platforms"
        if terms.person and subject_of(quote.id, bytes.fromhex(terms.person)) != quote.subject:
            yield f"I2 {name}: the quote was made for another person"
        yield from (f"{told}, state {kept.transfer.state}" for told in _by_state(kept, move))
        yield from _by_request(kept, move)
        if kept.decision is not None and kept.decision.verdict is Verdict.COMMIT:
            amounts, decided = quote.amounts, kept.decision.amounts
            stated = (amounts.recognised_mg, amounts.unrecognised_mg, amounts.points_out, amounts.points_in)
            if stated != tuple(decided):
                yield f"I7 {name}: decided were {decided}, quoted {stated}"
        if kept.reservation is not None:
            yield from self._reserved(move, kept.reservation)

    def _reserved(self, move: Move, reserved: Reservation) -> Iterator[str]:
        """Yield in what a reservation is not the quoted one, under its agreement."""
        terms, name = move.transfer.terms, move.transfer.terms.id
        stated = (reserved.source, reserved.destination, reserved.unit_in, reserved.parts)
        if stated != (terms.source, terms.destination, move.unit_in, parts_of(move)):
            yield f"I12 {name}: what was reserved is not what was quoted"
        agreement = self._agreement(terms.agreement)
        corridor = Corridor(terms.source, terms.destination)
        if agreement.corridor != corridor:
            yield f"I7 {name}: its agreement is about another corridor"
        caps = agreement.caps
        day = date.fromordinal(reserved.day)
        keys = self.books.day_keys(bytes.fromhex(terms.person), corridor, day)
        central = next(
            (cap.limit for cap in reserved.caps if cap.code == TransferRefusal.CENTRAL_LIMIT), None
        )
        limits = (caps.person_mg, caps.corridor_mg, caps.platform_mg, central)  # the last is no agreement's
        expected = [
            (*key, limit) for key, limit in zip(keys.items(), limits, strict=True) if limit is not None
        ]
        if [tuple(cap) for cap in reserved.caps] != expected:
            yield f"I4 {name}: the day limits are not those of its agreement"

    def _audit_parts(self, check: Check) -> None:
        """Read the record files once, and work out whatever of their records was ever set aside."""
        amounts = AmountAudit(
            issuer=self.issuer,
            replayer=self.replayer,
            rules=Rulebook(self.journal.mappings, self.replayer.program, lambda _: ()),
            claims=self.journal.claims,
            agreement_of=self._agreement,
            move_of=self._move,
        )
        if not self.books.rebuilt.records_left():
            return
        for batch in self.journal.batches():
            for file in self.journal.files(batch.number):
                with check.noting(file.path):
                    moved = self.books.rebuilt.moved_records(self.records.read_columns(file).id)
                    for row in self.records.read(file) if moved else ():
                        for part in moved.get(row.id, ()):
                            with check.noting():
                                _note(check, amounts.differing(row, batch, moved=part))
                            check.looked_at += 1
                    self.books.rebuilt.looked_at(moved)
        left = self.books.rebuilt.records_left()
        if left:
            check.differs(f"I2 {left} records have moved and are not there")

    def _audit_logged(self, check: Check) -> None:
        """Work out the root of each batch of decisions again; those that wait for the log are not in one."""
        last: DecisionBatch | None = None
        for batch in self.books.batches.all():
            with check.noting(f"decisions {batch.sequence}"):
                after = 0 if last is None else last.through
                found = self.books.reader.decisions(after=after, limit=DECISIONS_MAX + 1)
                mine = [one for one in found if one.number <= batch.through]
                _require_batch(batch, mine, previous=FIRST_PREVIOUS if last is None else last.chain)
            check.looked_at += batch.size
            last = batch

    def _agreement(self, name: str) -> Agreement:
        """Return the agreement of a digest, which stands in the log."""
        if name not in self._agreements:
            found = self.journal.corridors.document(name)
            if found is None or found.kind is not CorridorKind.AGREEMENT or found.position is None:
                raise IntegrityBroken(f"I7 the agreement {name} does not stand in the log")
            self._agreements[name] = agreement_of(corridor_body(found), found.digest)
        return self._agreements[name]

    def _move(self, name: str) -> Move:
        row = self.books.reader.transfer(name)
        if row is None:
            raise IntegrityBroken(f"I12 there is no transfer {name}")
        return read_move(row, None)


def _by_state(kept: KeptTransfer, move: Move) -> Iterator[str]:
    """Hold the state of a transfer to its decision (I5, I6)."""
    state, name, decision = move.transfer.state, kept.transfer.id, kept.decision
    verdict = None if decision is None else decision.verdict
    if (state in _COMMITTED and verdict is not Verdict.COMMIT) or (
        state in _ABORTED and verdict is not Verdict.ABORT
    ):
        yield f"I5 {name}: its state needs another decision than {verdict or 'none'}"
    if state in _UNDECIDED and decision is not None:
        yield f"I5 {name}: it was decided, {verdict}"
    if state in _TOLD and move.transfer.awaiting:
        yield f"I6 {name}: a platform has not confirmed the decision"
    if decision is not None and decision.verdict is Verdict.COMMIT and kept.reservation is None:
        yield f"I6 {name}: committed and never reserved"


def _by_request(kept: KeptTransfer, move: Move) -> Iterator[str]:
    """Hold the request that began a transfer to what became of it (I10)."""
    name, request, terms = kept.transfer.id, kept.request, move.transfer.terms
    if request is None:
        yield f"I10 {name}: the request that began it is not there"
        return
    if request.body and digest(request.body.encode()) != request.digest:
        yield f"I10 {name}: the request's body is not the one that was received"
    if not request.answer:
        return
    answer = orjson.loads(request.answer)
    amounts = terms.amounts
    stated = (answer["id"], answer["quote"]["digest"], answer["points_out"], answer["points_in"])
    known = (name, terms.quote.digest, str(amounts.points_out), str(amounts.points_in))
    if stated != known or (not answer["accepted"] and move.transfer.state not in _REFUSED):
        yield f"I10 {name}: it was answered otherwise"


def _require_batch(batch: DecisionBatch, decisions: list[Decision], *, previous: str) -> None:
    if len(decisions) != batch.size:
        raise IntegrityBroken(f"I5 it was published with {batch.size} decisions, here are {len(decisions)}")
    if root_of(map(decision_leaf, decisions)) != batch.root:
        raise IntegrityBroken("I12 another root than was published: a decision was changed since")
    if decisions[0].previous != previous or decisions[-1].digest() != batch.chain:
        raise IntegrityBroken("I12 the chain of decisions does not lead from batch to batch")


def _note(check: Check, differences: Iterable[str]) -> None:
    for difference in differences:
        check.differs(difference)
