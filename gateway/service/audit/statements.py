"""Audit the log and what its entries say: bytes, signatures, series, keys, mappings."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.errors import IntegrityBroken
from gateway.model.canonical import Json, canonical_bytes, digest
from gateway.model.erasure import ErasureNotice
from gateway.model.shape import Shape
from gateway.model.statement import (
    AGREEMENT_PUBLISHED_TYPE,
    BATCH_TYPE,
    CORRIDOR_TYPE,
    DAY_TYPE,
    ERASURE_TYPE,
    KEYS_TYPE,
    MAPPING_TYPE,
    REVERSAL_KIND,
    TRANSFERS_TYPE,
)
from gateway.model.strict import read_strict_object
from gateway.ports import (
    BatchRow,
    CorridorDocument,
    DayClosed,
    DecisionBatch,
    Journal,
    Log,
    PublishedMapping,
    ReversalRow,
)
from gateway.service.agreements.book import corridor_body
from gateway.service.audit.report import Check
from gateway.service.mappings.approving import require_approvals
from gateway.signing import KeyRing, verify_envelope

__all__ = ["LogWalk", "Queued", "walk_log"]

Body = dict[str, Json]


class Queued(NamedTuple):
    """What is in the log besides what the journal itself lists."""

    erasures: Sequence[ErasureNotice]
    decisions: Iterable[DecisionBatch]


@dataclass(slots=True)
class LogWalk:
    """What the log says, by kind: bodies of day statements, and batch entries that were matched."""

    days: dict[int, Body] = field(default_factory=dict)
    batches: set[int] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class _Walker:
    ring: KeyRing
    ring_digest: str
    shape: Shape
    batches: dict[int, BatchRow]
    mappings: dict[int, PublishedMapping]
    days: dict[int, DayClosed]
    erasures: dict[int, ErasureNotice]
    reversals: dict[int, ReversalRow]
    corridors: dict[int, CorridorDocument]
    decisions: dict[int, DecisionBatch]
    walk: LogWalk = field(default_factory=LogWalk)
    announced: str = ""
    series: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def visit(self, position: int, entry: bytes) -> None:
        statement = read_strict_object(entry)
        self.shape.require(statement, f"entry {position}")
        body = verify_envelope(statement, self.ring, position=position)
        if body["issuer"] != self.ring.issuer:
            raise IntegrityBroken(f"issuer {body['issuer']}, expected {self.ring.issuer}")
        match body["type"]:
            case kind if kind == BATCH_TYPE:
                self._batch(position, body, entry_digest=digest(entry))
            case kind if kind == MAPPING_TYPE:
                self._mapping(position, body)
            case kind if kind == KEYS_TYPE:
                self.announced = str(body["keys_digest"])
            case kind if kind == DAY_TYPE:
                if position not in self.days:
                    raise IntegrityBroken("the journal does not know this day statement")
                self.walk.days[position] = body
            case kind if kind == ERASURE_TYPE:
                known = self.erasures.pop(position, None)
                if known is None or known.notice != body["notice"]:
                    raise IntegrityBroken("the journal does not know this erasure")
            case kind if kind in (AGREEMENT_PUBLISHED_TYPE, CORRIDOR_TYPE):
                self._corridor(position, body)
            case kind if kind == TRANSFERS_TYPE:
                self._decisions(position, body, entry_digest=digest(entry))
            case unknown:
                raise IntegrityBroken(f"unknown type {unknown}")

    def _batch(self, position: int, body: Body, *, entry_digest: str) -> None:
        platform, kind = str(body["platform"]), str(body["kind"])
        number, previous = self.series.get((platform, kind), (0, ""))
        if body["sequence"] != number or body.get("previous", "") != previous:
            raise IntegrityBroken(
                f"series {platform} {kind}: expected number {number} after {previous or 'none'}"
            )
        self.series[platform, kind] = (number + 1, entry_digest)
        if kind == REVERSAL_KIND:
            self._reversals(position, body, entry_digest=entry_digest)
            return
        row = self.batches.get(position)
        if row is None:
            raise IntegrityBroken("the journal does not know this batch")
        stated = (platform, kind, number, body["records"], entry_digest, body["issued"], body["submission"])
        known = (
            row.platform,
            row.kind,
            row.series,
            {"root": row.root.hex(), "size": row.size},
            row.entry_digest,
            row.issued,
            "sha256:" + row.submission,
        )
        if stated != known:
            raise IntegrityBroken(f"batch {row.number}: the journal and the log state it differently")
        self.walk.batches.add(row.number)

    def _reversals(self, position: int, body: Body, *, entry_digest: str) -> None:
        row = self.reversals.pop(position, None)
        stated = (body["platform"], body["sequence"], body["records"], entry_digest, body["issued"])
        if row is None or stated != (
            row.platform,
            row.series,
            {"root": row.root.hex(), "size": row.size},
            row.entry_digest,
            row.issued,
        ):
            raise IntegrityBroken("the journal does not know these reversals, or states them differently")

    def _decisions(self, position: int, body: Body, *, entry_digest: str) -> None:
        number, previous = self.series.get(("", TRANSFERS_TYPE), (0, ""))
        self.series["", TRANSFERS_TYPE] = (number + 1, entry_digest)
        if body["sequence"] != number or body.get("previous", "") != previous:
            raise IntegrityBroken(f"decisions: expected number {number} after {previous or 'none'}")
        row = self.decisions.pop(position, None)
        stated = (number, body["decisions"], body["chain"], entry_digest, body["issued"])
        if row is None or stated != (
            row.sequence,
            {"root": row.root.hex(), "size": row.size},
            row.chain,
            row.entry_digest,
            row.issued,
        ):
            raise IntegrityBroken("the journal does not know these decisions, or states them differently")

    def _corridor(self, position: int, body: Body) -> None:
        row = self.corridors.pop(position, None)
        stated = body.get("agreement", body)
        known = None if row is None else (row.source, row.destination, row.digest)
        named = (
            tuple(stated[name] for name in ("source", "destination", "digest"))
            if isinstance(stated, dict)
            else ()
        )
        if row is None or named != known or digest(canonical_bytes(corridor_body(row))) != row.digest:
            raise IntegrityBroken("the journal does not know this document of a corridor, or has another")

    def _mapping(self, position: int, body: Body) -> None:
        row = self.mappings.get(position)
        expected = (
            None if row is None else {"id": row.id, "version": row.version, "digest": "sha256:" + row.digest}
        )
        if body["mapping"] != expected:
            raise IntegrityBroken("the journal does not know this mapping")
        require_approvals(body)


def walk_log(
    journal: Journal,
    log: Log,
    *,
    besides: Queued,
    ring_bytes: bytes,
    shape: Shape,
    check: Check,
) -> LogWalk:
    """Read every entry and hold it against the journal; returns what the later checks need."""
    walker = _Walker(
        ring=KeyRing.parse(ring_bytes),
        ring_digest=digest(ring_bytes),
        shape=shape,
        batches={batch.position: batch for batch in journal.batches()},
        mappings={mapping.position: mapping for mapping in journal.mappings()},
        days={closed.position: closed for closed in journal.days_closed()},
        erasures={erasure.position: erasure for erasure in besides.erasures},
        reversals={row.position: row for row in journal.claims.reversals()},
        corridors={one.position: one for one in journal.corridors.of() if one.position is not None},
        decisions={batch.position: batch for batch in besides.decisions},
    )
    if log.size != journal.length():
        words = f"the log has {log.size} entries, the journal {journal.length()}"
        unpublished = "; if a run was interrupted, run its command again: that publishes the rest"
        check.differs(words + (unpublished if log.size < journal.length() else ""))
    for position, (entry, queued) in enumerate(_pairs(journal, log)):
        with check.noting(f"log entry {position}"):
            if entry != queued:
                raise IntegrityBroken("the log and the journal have different bytes")
            walker.visit(position, entry)
        check.looked_at += 1
    if walker.announced != walker.ring_digest:
        check.differs("trust/keys.json is not the key ring that the log announces")
    for batch in walker.batches.values():
        if batch.number not in walker.walk.batches:
            check.differs(f"batch {batch.number} of the journal has no sound entry in the log")
    for erasure in walker.erasures.values():
        check.differs(f"erasure {erasure.notice} of the journal has no sound entry in the log")
    for row in walker.reversals.values():
        check.differs(f"reversals {row.number} of the journal have no sound entry in the log")
    for document in walker.corridors.values():
        check.differs(f"{document.kind} {document.digest} of the journal has no sound entry in the log")
    for decided in walker.decisions.values():
        check.differs(f"decisions {decided.sequence} of the journal have no sound entry in the log")
    return walker.walk


def _pairs(journal: Journal, log: Log) -> Iterator[tuple[bytes, bytes]]:
    queued: list[bytes] = []
    for position, entry in enumerate(log.entries(0)):
        if not queued:
            queued = journal.queued(position, 1024)
        yield entry, queued.pop(0) if queued else b""
