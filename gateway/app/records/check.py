"""Join the parts of audits, records and receipts."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.app.base.home import OpenHome, open_home
from gateway.app.base.kinds import shipped
from gateway.app.base.mappings import journal_replayer, program_from_file
from gateway.app.records.convert import quiet_collector
from gateway.app.records.looking import Looking
from gateway.convert import Program
from gateway.errors import GatewayError, IntegrityBroken, LocalFileError
from gateway.model.canonical import Json
from gateway.model.erasure import NOWHERE
from gateway.model.shape import Shape
from gateway.resources import schema
from gateway.service.audit import AuditedBooks, Auditing, AuditReport, audit_home
from gateway.service.converting.findings import findings_of_record
from gateway.service.receipts.proving import FoundRecord, ReceiptVerifier, find_record, make_receipt
from gateway.service.receipts.replaying import Replayer
from gateway.signing import KeyRing
from gateway.store.files.inputs import read_small
from gateway.store.journal.decisions import SqlJournal
from gateway.store.journal.publications import SqlPublications
from gateway.store.ledger.books import SqlLedgerReader
from gateway.store.ledger.decision_log import SqlDecisionLog
from gateway.store.ledger.moves import day_keys
from gateway.store.ledger.rebuild import RebuiltBooks
from gateway.store.ledger.transfer_rows import SqlTransferRows
from gateway.store.sql.database import Database
from gateway.transparency import read_policy

__all__ = [
    "audit",
    "audited_books",
    "findings_of",
    "receipt_of",
    "record_of",
    "records_of_event",
    "replayer_of",
    "trusting",
    "verifier",
    "verify_receipt",
]

PROCESSES_FROM_ROWS = 50_000  # starting a process takes as long as looking at about as many


def audit(root: Path, watch: Callable[[int], None]) -> AuditReport:
    """Audit a home; nothing else may write to it meanwhile, and nothing in it is repaired."""
    with (
        open_home(root) as opened,
        opened.writing(),
        closing(Database(opened.home.scratch() / "audit.db")) as books,
        RebuiltBooks(opened.database, books) as rebuilt,
    ):
        parts = Auditing(
            issuer=opened.facts.issuer,
            journal=opened.journal,
            publications=SqlPublications(opened.database),
            records=opened.records,
            erasures=opened.erasures,
            findings=opened.findings,
            reversals=opened.reversals,
            kinds=shipped(),
            log=opened.log,
            index=opened.index(),
            replayer=journal_replayer(opened.journal),
            caps=SqlJournal(books),
            books=audited_books(opened, rebuilt),
            policy=opened.trust.policy(),
            ring=opened.trust.ring_bytes(),
            statement_shape=Shape(schema("statement")),
            require_pinned=opened.trust.require_pinned,
            look=_looking(opened),
        )
        with quiet_collector():
            return audit_home(parts, watch)


def audited_books(opened: OpenHome, rebuilt: RebuiltBooks) -> AuditedBooks:
    """Return what an audit of transfers reads beside the books that are rebuilt."""
    return AuditedBooks(
        rebuilt=rebuilt,
        reader=SqlLedgerReader(opened.database),
        transfers=SqlTransferRows(opened.database),
        batches=SqlDecisionLog(opened.database),
        day_keys=lambda person, corridor, day: day_keys(person, corridor, day=day),
    )


def _looking(opened: OpenHome) -> Looking:
    mappings = opened.journal.mappings()
    sizes = sum(batch.size for batch in opened.journal.batches())
    return Looking(
        issuer=opened.facts.issuer,
        records=opened.records,
        index=opened.index(),
        mappings=mappings,
        processes=(os.cpu_count() or 1) if sizes >= PROCESSES_FROM_ROWS else 0,
    )


def record_of(root: Path, record_id: str) -> FoundRecord:
    """Find a record of a home."""
    with open_home(root) as opened:
        return find_record(
            record_id,
            records=opened.records,
            journal=opened.journal,
            replayer=journal_replayer(opened.journal),
            issuer=opened.facts.issuer,
        )


def findings_of(root: Path, found: FoundRecord) -> list[dict[str, str]]:
    """Return what was found of a record that is counted all the same."""
    with open_home(root) as opened:
        number = found.batch.number
        file = opened.journal.finding_files().get(number)
        lines = [] if file is None else opened.findings.read(number, file)
        return findings_of_record(lines, found.row.id)


def records_of_event(root: Path, event: str) -> list[dict[str, object]]:
    """Find the records of a platform's event by the platform's own id of it, through the keyed index."""
    with open_home(root) as opened:
        index = opened.index()
        found: list[dict[str, object]] = []
        for platform in opened.journal.platforms():
            key = index.event(platform, event)
            mark = opened.journal.known_events([key]).get(key)
            if mark is not None and mark.batch == NOWHERE:
                raise LocalFileError(
                    "that event was recorded, and its person was erased since",
                    remedy="which record it is cannot be told any more; whoever has its receipt knows",
                )
            if mark is not None:
                rows = (row for file in opened.journal.files(mark.batch) for row in opened.records.read(file))
                row = next(row for row in rows if row.leaf_index == mark.leaf_index)
                found.append({"id": row.id, "platform": platform, "day": row.day, "behaviour": row.behaviour})
        return found


def receipt_of(root: Path, record_id: str, *, disclose: Sequence[str]) -> bytes:
    """Make the receipt of a record."""
    found = record_of(root, record_id)
    with open_home(root) as opened:
        return make_receipt(found, disclose, records=opened.records, journal=opened.journal, log=opened.log)


def replayer_of(mappings: Sequence[Path]) -> Replayer | None:
    """Return what recomputes records that cite one of these mappings; None if there is none."""
    programs = {"sha256:" + program.digest: program for program in map(program_from_file, mappings)}

    def program_of(digest: str) -> Program:
        if digest not in programs:
            raise IntegrityBroken(
                f"the record cites the mapping {digest}, none of the given ones",
                remedy="name its own version with --mapping; a gateway has it: GET /v1/mappings/DIGEST",
            )
        return programs[digest]

    return Replayer(program_of) if programs else None


def verify_receipt(receipt: Path, checks: ReceiptVerifier) -> dict[str, Json]:
    """Verify a receipt's file and return its record."""
    with _named(str(receipt)):
        return checks.verify(read_small(receipt).rstrip(b"\n"))


def trusting(trust: Path, *, mappings: Sequence[Path] = ()) -> ReceiptVerifier:
    """Return a verifier of receipts under a folder of trust files."""
    return verifier(read_small(trust / "policy"), read_small(trust / "keys.json"), mappings=mappings)


def verifier(policy: bytes, ring: bytes, *, mappings: Sequence[Path] = ()) -> ReceiptVerifier:
    """Return a verifier of receipts under somebody's own trust files; needs no home."""
    with _named("policy"):
        rules = read_policy(policy)
    with _named("keys.json"):
        trusted = KeyRing.parse(ring)
    return ReceiptVerifier(
        policy=rules,
        ring=trusted,
        receipt_shape=Shape(schema("receipt")),
        record_shape=Shape(schema("record")),
        statement_shape=Shape(schema("statement")),
        replayer=replayer_of(mappings),
    )


@contextmanager
def _named(document: str) -> Iterator[None]:
    """Say of an error in which of several documents it arose."""
    try:
        yield
    except GatewayError as error:
        error.field = f"{document} {error.field}".rstrip()
        raise
