"""Decide one part: files first, then the transaction, then the log.

The transaction is the decision. Before it there are only files that nobody refers to; after it the
log is brought up, by this run or by the next.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import orjson

from gateway.convert import Program
from gateway.model.canonical import digest
from gateway.model.statement import BatchStatement, mapping_statement
from gateway.ports import PartCounts, PartDecision, PrivateRow, PublishedMapping, RecordFile
from gateway.service.moments import instant_text
from gateway.service.part import PartResult, RejectedRow
from gateway.service.parts import Converting
from gateway.service.publishing import publish_queue
from gateway.service.recording import RecordMaker
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

    def decide(self, number: int, result: PartResult, *, now: datetime) -> PartCounts:
        """Write a part, judged as accepted now, down and publish it; a dry run only counts."""
        counts = _counts(result)
        if self.submission.dry_run:
            self.parts.memory.note(result.events, result.cap_usage)
            return counts
        if result.rejected:
            lines = [_quarantine_line(row) for row in sorted(result.rejected, key=lambda row: row.place)]
            self.parts.quarantine.set_aside(self.summary.submission, number, lines=lines)
        issued = instant_text(now)  # the moment it was judged at: an audit replays the caps by it
        self._publish_mappings(result, issued)
        decision = self._decision(number, result, counts=counts, issued=issued)
        batch = self.parts.journal.decide(decision)
        if decision.entry:
            self.summary.batches.append(batch)
        publish_queue(self.parts.journal, self.parts.log)
        return counts

    def _decision(self, number: int, result: PartResult, *, counts: PartCounts, issued: str) -> PartDecision:
        journal, platform = self.parts.journal, self.submission.scheme.platform
        maker = RecordMaker(issuer=self.parts.issuer, issued=issued, random_bytes=self.parts.random_bytes)
        rows = maker.rows(result.acts)
        series, previous = journal.series_head(platform, CONVERSION)
        entry, root = b"", b""
        if rows:
            root = BatchTree([row.leaf for row in rows]).root
            statement = BatchStatement(
                issuer=self.parts.issuer,
                platform=platform,
                kind=CONVERSION,
                sequence=series,
                previous=previous,
                root=root.hex(),
                size=len(rows),
                submission="sha256:" + self.summary.submission,
                issued=issued,
            )
            entry = seal(statement.body(), self.parts.signers)
        return PartDecision(
            submission=self.summary.submission,
            number=number,
            counts=counts,
            platform=platform,
            kind=CONVERSION,
            series=series,
            entry=entry,
            entry_digest=digest(entry),
            root=root,
            size=len(rows),
            issued=issued,
            files=self._write(rows, platform),
            events=result.events,
            cap_usage=result.cap_usage,
            rejected_by_day=result.rejected_by_day(),
        )

    def _write(self, rows: list[PrivateRow], platform: str) -> list[RecordFile]:
        if not rows:
            return []
        return self.parts.records.write(platform, self.parts.journal.next_batch(), rows=rows)

    def _publish_mappings(self, result: PartResult, issued: str) -> None:
        """Publish each version in the log before the first batch that cites it."""
        used = {act.program.digest: act.program for act in result.acts}
        if not self._published:
            self._published.update(mapping.digest for mapping in self.parts.journal.mappings())
        for name, program in sorted(used.items()):
            if name not in self._published:
                self.parts.journal.publish_mapping(*self._publication(program, issued))
                self._published.add(name)

    def _publication(self, program: Program, issued: str) -> tuple[PublishedMapping, bytes]:
        body = mapping_statement(
            self.parts.issuer,
            (program.id, program.version, "sha256:" + program.digest),
            status=program.status,
            issued=issued,
        )
        entry = seal(body, self.parts.signers)
        return PublishedMapping(program.id, program.version, program.digest, program.canonical, -1), entry


def _counts(result: PartResult) -> PartCounts:
    return PartCounts(
        rows=result.rows,
        merged=result.merged,
        accepted=len(result.acts),
        duplicates=result.duplicates,
        rejected=dict(Counter(row.code for row in result.rejected)),
        claims_differ=result.claims_differ,
        co2e_mg=sum(act.converted.co2e_mg for act in result.acts),
        points=sum(act.points for act in result.acts),
    )


def _quarantine_line(row: RejectedRow) -> bytes:
    line: dict[str, object] = {
        "file": row.place.file,
        "row": row.place.row,
        "code": row.code,
        "detail": row.detail,
        "fields": row.fields,
    }
    if row.field:
        line["field"] = row.field
    if row.also:
        line["also"] = [{"file": place.file, "row": place.row} for place in row.also]
    return orjson.dumps(line)
