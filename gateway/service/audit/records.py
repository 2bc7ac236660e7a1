"""Audit the records: rows to bytes to leaves to roots, commitments, quantities and caps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Protocol

from gateway.convert import CapKey, CapMeter, Converted, Program, Refusal, Roles
from gateway.errors import IntegrityBroken
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.record import RecordFrame
from gateway.ports import BatchRow, EventMark, Journal, PrivateRow, RecordFiles
from gateway.service.audit.findings import FindingAudit
from gateway.service.audit.quick import Seen
from gateway.service.audit.report import Check
from gateway.service.capping import CapLedger, names_of
from gateway.service.recording import ActColumns, content_bytes, document_of, frame_of
from gateway.service.replaying import QuantityDiffers, Replayer
from gateway.signing import KeyedIndex, commitment
from gateway.transparency import BatchTree, leaf_hash

__all__ = ["CapBook", "RecordAudit"]


class CapBook(Protocol):
    """Where an audit counts the use of caps while it replays them; may be larger than memory."""

    def cap_usage(self, keys: list[bytes]) -> dict[bytes, int]:
        """Return what has been used."""
        ...

    def store_cap_usage(self, usage: Mapping[bytes, int]) -> None:
        """Replace what has been used."""
        ...

    def all_cap_usage(self) -> Iterator[tuple[bytes, int]]:
        """Return every cap usage, by key."""
        ...


@dataclass(slots=True, kw_only=True)
class RecordAudit:
    """Replays batch after batch. Each check collects its own differences."""

    issuer: str
    journal: Journal
    records: RecordFiles
    index: KeyedIndex
    replayer: Replayer
    caps: CapBook
    findings: FindingAudit
    bytes_check: Check
    quantity_check: Check
    cap_check: Check
    event_check: Check
    published: dict[str, int] = field(default_factory=dict)
    _meters: dict[str, CapMeter] = field(default_factory=dict)

    def audit(self, batch: BatchRow, seen: Seen | None) -> None:
        """Audit one batch: at once where all is well, else row by row."""
        if seen is not None and self._is_well(batch, seen):
            for check in (self.bytes_check, self.quantity_check, self.cap_check, self.event_check):
                check.looked_at += batch.size
        else:
            self._audit_rows(batch)

    def _is_well(self, batch: BatchRow, seen: Seen) -> bool:
        """Hold what was seen of a batch to the caps and the index; notes nothing unless all is well."""
        if batch.number in self.findings.files:
            return False
        names = names_of(seen.caps.names)
        used = self.caps.cap_usage(names) if names else {}
        programs = [self.replayer.program(digest) for digest in seen.mappings]
        ledger = CapLedger(
            programs, seen.caps, amounts=seen.amounts, used=[used.get(name, 0) for name in names]
        )
        granted = list(map(ledger.grant, range(batch.size)))
        if granted != seen.points:
            return False
        if not self.journal.index_holds(seen.keys, seen.contents, batch=batch.number):
            return False
        self.caps.store_cap_usage(ledger.changed())
        return True

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
        if leaves and BatchTree(leaves).root != batch.root:
            self.bytes_check.differs(f"batch {batch.number}: its rows give another root than was signed")
        self.bytes_check.looked_at += len(rows)
        converted = self._quantities(documents, batch)
        self._caps(rows, converted, batch=batch)
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

    def _caps(self, rows: list[PrivateRow], converted: list[Converted | None], *, batch: BatchRow) -> None:
        accepted = datetime.strptime(batch.issued, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        asked: list[tuple[PrivateRow, Converted, tuple[CapKey, ...], CapMeter]] = []
        names: dict[tuple[str, CapKey], bytes] = {}
        for row, result in zip(rows, converted, strict=True):
            if result is None:
                continue
            program = self.replayer.program(row.mapping)
            meter = self._meter(program)
            keys = meter.keys(_roles(row), accepted.astimezone(program.zone).date())
            if isinstance(keys, Refusal):
                self.cap_check.differs(f"record {row.id}: its caps refuse it: {keys.detail}")
                continue
            for key in keys:
                names.setdefault((program.id, key), self.index.caps(program.id, [key]))
            asked.append((row, result, keys, meter))
        used = self.caps.cap_usage(list(names.values())) if names else {}
        usage = {whole: used.get(name, 0) for whole, name in names.items()}
        for row, result, keys, meter in asked:
            self._grant(row, result, meter=meter, keys=keys, usage=usage)
        self.caps.store_cap_usage({names[whole]: value for whole, value in usage.items() if value})
        self.cap_check.looked_at += len(asked)

    def _grant(
        self,
        row: PrivateRow,
        result: Converted,
        *,
        meter: CapMeter,
        keys: tuple[CapKey, ...],
        usage: dict[tuple[str, CapKey], int],
    ) -> None:
        scheme = self.replayer.program(row.mapping).id
        mine = {key: usage[scheme, key] for key in keys}
        granted = meter.grant(result, keys, usage=mine)
        points = None if isinstance(granted, Refusal) else granted.points
        if points != row.points:
            self.cap_check.differs(f"record {row.id}: {row.points} points stated, its caps grant {points}")
        usage.update({(scheme, key): value for key, value in mine.items()})

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

    def _meter(self, program: Program) -> CapMeter:
        if program.digest not in self._meters:
            self._meters[program.digest] = CapMeter(program)
        return self._meters[program.digest]


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


def _roles(row: PrivateRow) -> Roles:
    return Roles(
        event=(),
        person=None if row.person is None else row.person.hex(),
        household=None if row.household is None else row.household.hex(),
        start=None,
        end=None,
        day=date.fromisoformat(row.day).toordinal(),
        behaviour=row.behaviour,
        evidence=row.evidence,
        ownership=row.ownership,
        claimed_mg=row.claimed_mg,
        claimed_points=row.claimed_points,
    )
