"""The order of an audit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.claims import Kinds
from gateway.errors import IntegrityBroken
from gateway.model.erasure import CarriedUse, ErasureNotice
from gateway.model.shape import Shape
from gateway.ports import BatchRow, Findings, Journal, Log, Publications, RecordFile, RecordFiles
from gateway.service.audit.caps import CapAudit
from gateway.service.audit.claims import ClaimAudit
from gateway.service.audit.days import require_stated
from gateway.service.audit.findings import FindingAudit
from gateway.service.audit.publications import audit_publications
from gateway.service.audit.quick import Seen
from gateway.service.audit.records import RecordAudit
from gateway.service.audit.report import AuditReport
from gateway.service.audit.statements import LogWalk, Queued, walk_log
from gateway.service.audit.transfers import AuditedBooks, TransferAudit
from gateway.service.days import totals_of
from gateway.service.receipts.cap_replay import CapBook, CapReplay
from gateway.service.receipts.replaying import Replayer
from gateway.signing import KeyedIndex
from gateway.transparency import read_policy, verify_log_signature

__all__ = ["Auditing", "Erasures", "audit_home"]


class Erasures(Protocol):
    """What a home remembers of the persons it has forgotten."""

    def notices(self) -> Sequence[ErasureNotice]:
        """Return all erasures in the order of the log."""
        ...

    def carried(self) -> Iterable[CarriedUse]:
        """Return what erased records have used of caps."""
        ...


Look = Callable[[Sequence[tuple[BatchRow, Sequence[RecordFile]]]], Iterator[Seen | None]]
"""Look at batches with their files, in this process or in others: what is seen of each, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditing:
    """What an audit needs; joined by ``gateway.app``. ``require_pinned`` compares the trust files."""

    issuer: str
    journal: Journal
    publications: Publications
    records: RecordFiles
    erasures: Erasures
    findings: Findings
    reversals: Findings
    kinds: Kinds
    log: Log
    index: KeyedIndex
    replayer: Replayer
    caps: CapBook
    books: AuditedBooks
    policy: bytes
    ring: bytes
    statement_shape: Shape
    require_pinned: Callable[[], None]
    look: Look


def audit_home(parts: Auditing, watch: Callable[[int], None] = lambda _rows: None) -> AuditReport:
    """Check everything that this home keeps against everything else.

    1. trust files against their pins  2. log files against the checkpoint, the checkpoint against the
    policy  3. entries: shape, signatures, series  4. mappings that maintainers have signed  5. record
    files: rows, bytes, leaves, roots, commitments  6. every quantity from its mapping by digest  7. caps in
    the order of acceptance  8. the event index  9. findings  10. claims  11. day statements  12. transfers:
    journal, books, amounts, decisions in the log  13. files that nobody knows
    """
    report = AuditReport()
    with report.check("trust files").noting():
        parts.require_pinned()
    log_check = report.check("log files")
    with log_check.noting():
        parts.log.check()
        verify_log_signature(read_policy(parts.policy), parts.log.checkpoint)
        log_check.looked_at = parts.log.size
    entries = report.check("log entries")
    walk = LogWalk()
    with entries.noting():
        walk = walk_log(
            parts.journal,
            parts.log,
            besides=Queued(parts.erasures.notices(), parts.books.batches.all()),
            ring_bytes=parts.ring,
            shape=parts.statement_shape,
            check=entries,
        )
    audit_publications(parts.publications.every(), parts.journal, check=report.check("publications"))
    _audit_records(parts, report, watch=watch)
    ClaimAudit(
        issuer=parts.issuer,
        kinds=parts.kinds,
        journal=parts.journal,
        records=parts.records,
        reversals=parts.reversals,
        check=report.check("claims"),
    ).audit()
    _audit_days(parts, report, walk=walk)
    TransferAudit(
        issuer=parts.issuer,
        journal=parts.journal,
        records=parts.records,
        books=parts.books,
        replayer=parts.replayer,
    ).audit(report)
    known = {file.path for batch in parts.journal.batches() for file in parts.journal.files(batch.number)}
    files = report.check("files")
    files.looked_at = len(known)
    for path in parts.records.strays(known):
        files.differs(f"records/{path} belongs to no batch; if a run was interrupted, run its command again")
    return report


def _audit_records(parts: Auditing, report: AuditReport, *, watch: Callable[[int], None]) -> None:
    records, quantities = report.check("records"), report.check("quantities")
    caps = CapAudit(
        replay=CapReplay(index=parts.index, replayer=parts.replayer, book=parts.caps),
        check=report.check("caps"),
    )
    caps.replay.carry(parts.erasures.carried())
    audit = RecordAudit(
        issuer=parts.issuer,
        journal=parts.journal,
        records=parts.records,
        index=parts.index,
        replayer=parts.replayer,
        caps=caps,
        bytes_check=records,
        quantity_check=quantities,
        event_check=report.check("events"),
        findings=FindingAudit(
            findings=parts.findings,
            files=parts.journal.finding_files(),
            replayer=parts.replayer,
            check=report.check("findings"),
        ),
        published={"sha256:" + mapping.digest: mapping.position for mapping in parts.journal.mappings()},
    )
    with audit.event_check.noting():
        parts.journal.require_index()
    batches = list(parts.journal.batches())
    looks = parts.look([(batch, parts.journal.files(batch.number)) for batch in batches])
    for batch, seen in zip(batches, looks, strict=True):
        with audit.bytes_check.noting(f"batch {batch.number}"):
            audit.audit(batch, seen)
        watch(audit.bytes_check.looked_at)
    audit.findings.strays()
    with audit.event_check.noting():
        count = parts.journal.event_count()
        if count != audit.event_check.looked_at:
            audit.event_check.differs(
                f"the index has {count} events for {audit.event_check.looked_at} records"
            )
    with caps.check.noting():
        caps.finish(
            carried=parts.erasures.carried(),
            kept=parts.journal.all_cap_usage(),
            replayed=parts.caps.all_cap_usage(),
        )
    announced = sum(notice.records for notice in parts.erasures.notices())
    if audit.erased != announced:
        records.differs(f"{audit.erased} records are without their person, {announced} were erased")


def _audit_days(parts: Auditing, report: AuditReport, *, walk: LogWalk) -> None:
    check = report.check("day statements")
    for closed in parts.journal.days_closed():
        with check.noting(f"day {closed.day} of {closed.platform}, supplement {closed.supplement}"):
            body = walk.days.get(closed.position)
            if body is None:
                raise IntegrityBroken("its statement is not in the log")
            totals = totals_of(closed, journal=parts.journal, records=parts.records, stated=True)
            require_stated(body, closed, totals=totals, issuer=parts.issuer)
        check.looked_at += 1
