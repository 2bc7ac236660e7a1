"""Decide one part: files first, then the transaction, then the log.

The transaction is the decision. Before it there are only files that nobody refers to; after it the
log is brought up, by this run or by the next.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import orjson

from gateway.convert import Program
from gateway.model.canonical import digest
from gateway.model.statement import BatchStatement, mapping_statement
from gateway.ports import PartCounts, PartDecision, PrivateColumns, PublishedMapping, RecordFile
from gateway.service.moments import instant_text
from gateway.service.part import PartResult
from gateway.service.parts import Converting
from gateway.service.preparing import Rejected
from gateway.service.publishing import publish_queue
from gateway.service.recording import frame_of, selected_rows
from gateway.service.submission import Submission, Summary
from gateway.signing import seal
from gateway.transparency.merkle import BatchTree

__all__ = ["CONVERSION", "Deciding"]

CONVERSION: Final = "conversion"


@dataclass(slots=True, kw_only=True)
class Deciding:
    """Turns the judgement of each part of one submission into a decision."""

    summary: Summary
    submission: Submission
    parts: Converting
    _published: set[str] = field(default_factory=set)

    def decide(self, result: PartResult) -> PartCounts:
        """Write a part down and publish it; a dry run only counts."""
        issued = instant_text(result.prepared.accepted)  # an audit replays the caps by this moment
        programs = {"sha256:" + program.digest: program for program in self.submission.scheme.programs}
        frames = {
            name: frame_of(program, issuer=self.parts.issuer, issued=issued)
            for name, program in programs.items()
        }
        rows = selected_rows(result.prepared.records, result.kept, points=result.points, frames=frames)
        counts = _counts(result, rows, tolerance_mg=self.submission.scheme.claim_tolerance_mg)
        if self.submission.dry_run:
            self.parts.memory.note(result.events, result.cap_usage)
            return counts
        number = result.prepared.number
        if result.rejected:
            lines = [_quarantine_line(row) for row in result.rejected]
            self.parts.quarantine.set_aside(self.summary.submission, number, lines=lines)
        self._publish_mappings([programs[name] for name in sorted(set(rows.mapping))], issued)
        batch = self.parts.journal.decide(self._decision(result, rows=rows, counts=counts, issued=issued))
        if rows.id:
            self.summary.batches.append(batch)
        publish_queue(self.parts.journal, self.parts.log, rings=self.parts.rings)
        return counts

    def _decision(
        self, result: PartResult, *, rows: PrivateColumns, counts: PartCounts, issued: str
    ) -> PartDecision:
        journal, platform = self.parts.journal, self.submission.scheme.platform
        series, previous = journal.series_head(platform, CONVERSION)
        entry, root = b"", b""
        files: list[RecordFile] = []
        if rows.id:
            root = BatchTree(rows.leaf).root
            statement = BatchStatement(
                issuer=self.parts.issuer,
                platform=platform,
                kind=CONVERSION,
                sequence=series,
                previous=previous,
                root=root.hex(),
                size=len(rows.id),
                submission="sha256:" + self.summary.submission,
                issued=issued,
            )
            entry = seal(statement.body(), self.parts.signers)
            files = self.parts.records.write(platform, journal.next_batch(), rows=rows)
        return PartDecision(
            submission=self.summary.submission,
            number=result.prepared.number,
            counts=counts,
            platform=platform,
            kind=CONVERSION,
            series=series,
            entry=entry,
            entry_digest=digest(entry),
            root=root,
            size=len(rows.id),
            issued=issued,
            files=files,
            events=result.events,
            cap_usage=result.cap_usage,
            rejected_by_day=result.rejected_by_day(),
        )

    def _publish_mappings(self, used: list[Program], issued: str) -> None:
        """Publish each version in the log before the first batch that cites it."""
        if not self._published:
            self._published.update(mapping.digest for mapping in self.parts.journal.mappings())
        for program in used:
            if program.digest not in self._published:
                self.parts.journal.publish_mapping(*self._publication(program, issued))
                self._published.add(program.digest)

    def _publication(self, program: Program, issued: str) -> tuple[PublishedMapping, bytes]:
        body = mapping_statement(
            self.parts.issuer,
            (program.id, program.version, "sha256:" + program.digest),
            status=program.status,
            issued=issued,
        )
        entry = seal(body, self.parts.signers)
        return PublishedMapping(program.id, program.version, program.digest, program.canonical, -1), entry


def _counts(result: PartResult, rows: PrivateColumns, *, tolerance_mg: int) -> PartCounts:
    return PartCounts(
        rows=result.prepared.rows,
        merged=result.prepared.merged,
        accepted=len(rows.id),
        duplicates=result.duplicates,
        rejected=dict(Counter(row.code for row in result.rejected)),
        claims_differ=_claims_differ(rows, tolerance_mg),
        co2e_mg=sum(rows.co2e_mg),
        points=sum(rows.points),
    )


def _claims_differ(rows: PrivateColumns, tolerance_mg: int) -> int:
    """Count the acts for which the platform's own figure is further from ours than the mapping tolerates."""
    return sum(
        (claimed_mg is not None and abs(claimed_mg - co2e_mg) > tolerance_mg)
        or (claimed is not None and claimed not in (points, uncapped))
        for claimed_mg, co2e_mg, claimed, points, uncapped in zip(
            rows.claimed_mg, rows.co2e_mg, rows.claimed_points, rows.points, rows.points_uncapped, strict=True
        )
    )


def _quarantine_line(row: Rejected) -> bytes:
    place, also, fields = row.origin
    line: dict[str, object] = {
        "file": place.file,
        "row": place.row,
        "code": row.code,
        "detail": row.detail,
        "fields": orjson.Fragment(fields),
    }
    if row.field:
        line["field"] = row.field
    if also:
        line["also"] = [{"file": other.file, "row": other.row} for other in also]
    return orjson.dumps(line)
