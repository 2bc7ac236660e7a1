"""Audit the records: rows to bytes to leaves to roots, commitments, quantities and events."""

from dataclasses import dataclass, field

from gateway.convert import Converted
from gateway.errors import IntegrityBroken
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.record import RecordFrame
from gateway.ports import BatchRow, EventMark, Journal, PrivateRow, RecordFiles
from gateway.service.acts.recording import ActColumns, content_bytes, document_of, frame_of
from gateway.service.audit.caps import CapAudit
from gateway.service.audit.findings import FindingAudit
from gateway.service.audit.quick import Seen
from gateway.service.audit.report import Check
from gateway.service.receipts.replaying import QuantityDiffers, Replayer
from gateway.signing import KeyedIndex, commitment
from gateway.transparency import BatchTree, leaf_hash

__all__ = ["RecordAudit"]


@dataclass(slots=True, kw_only=True)
class RecordAudit:
    """Replays batch after batch. Each check collects its own differences."""

    issuer: str
    journal: Journal
    records: RecordFiles
    index: KeyedIndex
    replayer: Replayer
    caps: CapAudit
    findings: FindingAudit
    bytes_check: Check
    quantity_check: Check
    event_check: Check
    published: dict[str, int] = field(default_factory=dict)
    erased: int = 0

    def audit(self, batch: BatchRow, seen: Seen | None) -> None:
        """Audit one batch: at once where all is well, else row by row."""
        used = None if seen is None else self._use_of_caps(batch, seen)
        if used is None:
            self._audit_rows(batch)
            return
        self.caps.count(used, rows=batch.size)
        for check in (self.bytes_check, self.quantity_check, self.event_check):
            check.looked_at += batch.size

    def _use_of_caps(self, batch: BatchRow, seen: Seen) -> dict[bytes, int] | None:
        """Hold what was seen of a batch to the index and the caps; None unless all is well."""
        if batch.number in self.findings.files:
            return None
        if not self.journal.index_holds(seen.keys, seen.contents, batch=batch.number):
            return None
        return self.caps.at_once(seen, [self.replayer.program(digest) for digest in seen.mappings])

    def _audit_rows(self, batch: BatchRow) -> None:
        rows = self._rows(batch)
        if len(rows) != batch.size:
            self.bytes_check.differs(f"batch {batch.number}: {len(rows)} rows found, {batch.size} stated")
        documents = self._documents(rows, batch)
        leaves = [leaf_hash(canonical_bytes(document)) for document in documents]
        for row, leaf in zip(rows, leaves, strict=True):
            if leaf != row.leaf:
                self.bytes_check.differs(f"record {row.id}: its row gives another hash than was kept")
            with self.bytes_check.noting(f"record {row.id}"):
                _require_commitments(row)
                self.erased += _is_erased(row)
        if leaves and BatchTree(leaves).root != batch.root:
            self.bytes_check.differs(f"batch {batch.number}: its rows give another root than was signed")
        self.bytes_check.looked_at += len(rows)
        converted = self._quantities(documents, batch)
        self.caps.audit(rows, converted, batch=batch)
        self._events(rows, batch)
        self.findings.audit(batch, rows)

    def _rows(self, batch: BatchRow) -> list[PrivateRow]:
        rows: list[PrivateRow] = []
        for file in self.journal.files(batch.number):
            with self.bytes_check.noting():
                found = self.records.read(file)
                rows.extend(found)
                if len(found) != file.rows or any(row.day != file.day for row in found):
                    raise IntegrityBroken(
                        f"records/{file.path}: expected {file.rows} rows of {file.day}, found others",
                        field=file.path,
                    )
        return sorted(rows)

    def _documents(self, rows: list[PrivateRow], batch: BatchRow) -> list[dict[str, Json]]:
        frames: dict[str, RecordFrame] = {}
        for row in rows:
            if row.mapping not in frames:
                program = self.replayer.program(row.mapping)
                frames[row.mapping] = frame_of(program, issuer=self.issuer, issued=batch.issued)
                if self.published.get(row.mapping, batch.position) >= batch.position:
                    self.quantity_check.differs(
                        f"batch {batch.number} cites a mapping that was not yet published"
                    )
        return [document_of(row, frames[row.mapping]) for row in rows]

    def _quantities(self, documents: list[dict[str, Json]], batch: BatchRow) -> list[Converted | None]:
        results: list[Converted | None] = []
        for document in documents:
            result = None
            with self.quantity_check.noting():
                if document["platform"] != batch.platform:
                    raise QuantityDiffers(f"record {document['id']}: its mapping is of another platform")
                result = self.replayer.recompute(document)
            results.append(result)
        self.quantity_check.looked_at += len(documents)
        return results

    def _events(self, rows: list[PrivateRow], batch: BatchRow) -> None:
        """Look each event up; what is erased has no content to compare."""
        named = {self.index.event(batch.platform, row.event): row for row in rows if row.event is not None}
        found: dict[bytes, EventMark] = self.journal.known_events(list(named))
        for key, row in named.items():
            mark = found.get(key)
            if mark is None or (mark.batch, mark.leaf_index) != (batch.number, row.leaf_index):
                self.event_check.differs(f"record {row.id}: the event index does not lead to it")
            elif row.person is not None and mark.content != self.index.contents(content_bytes(_acts(row))):
                self.event_check.differs(f"record {row.id}: the event index remembers other content")
        self.event_check.looked_at += len(rows)


def _is_erased(row: PrivateRow) -> bool:
    """Tell whether a record's person was erased: then nothing that tells of them is left."""
    kept = [value is not None for value in (row.event, row.event_salt, row.person, row.subject_salt)]
    if any(kept) and not all(kept):
        raise IntegrityBroken("its private columns are empty in part")
    if not any(kept) and row.household is not None:
        raise IntegrityBroken("its person was erased, its household was not")
    return not any(kept)


def _require_commitments(row: PrivateRow) -> None:
    """Check that the kept salts and values open the commitments; what was erased is left out."""
    openings: list[tuple[bytes, bytes | None, bytes | None, bytes]] = [
        (b"event", row.event_salt, None if row.event is None else row.event.encode(), row.event_commitment),
        (
            b"subject",
            row.subject_salt,
            None if row.person is None else row.person.hex().encode(),
            row.subject_commitment,
        ),
    ]
    for field_name, salt, value, committed in openings:
        if (
            salt is not None
            and value is not None
            and commitment(field_name, value, salt=salt) != committed.hex()
        ):
            raise IntegrityBroken(f"its {field_name.decode()} does not open its commitment")


def _acts(row: PrivateRow) -> ActColumns:
    return ActColumns(
        day=[row.day],
        behaviour=[row.behaviour],
        inputs=[row.inputs],
        evidence=[row.evidence],
        ownership=[row.ownership],
        mapping=[row.mapping],
        co2e_mg=[row.co2e_mg],
        points=[row.points],
        claimed_mg=[row.claimed_mg],
        claimed_points=[row.claimed_points],
        event=[row.event or ""],
        person=[row.person or b""],
        household=[row.household],
    )
