"""Decide one part: files first, then the transaction, then the log.

The transaction is the decision. Before it there are only files that nobody refers to; after it the
log is brought up, by this run or by the next.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from gateway.model.canonical import digest
from gateway.model.codes import Rejection
from gateway.model.statement import BatchStatement
from gateway.ports import ClaimDecision, PartCounts, PartDecision, RecordFile
from gateway.service.acts.preparing import Asked
from gateway.service.acts.submission import Submission, Summary
from gateway.service.claims.claiming import platform_tag
from gateway.service.converting.finishing import Finished
from gateway.service.converting.part import Verdict
from gateway.service.converting.parts import Converting
from gateway.service.moments import instant_text
from gateway.service.publishing import mapping_publication, publish_queue
from gateway.signing import seal

__all__ = ["CONVERSION", "Deciding"]

CONVERSION: Final = "conversion"


@dataclass(slots=True, kw_only=True)
class Deciding:
    """Writes down what became of each part of one submission."""

    summary: Summary
    submission: Submission
    parts: Converting
    _published: set[str] = field(default_factory=set)

    def decide(self, asked: Asked, verdict: Verdict, *, finished: Finished) -> PartCounts:
        """Write a part down and publish it; a dry run only counts."""
        counts = _counts(asked, verdict, finished=finished)
        if self.submission.dry_run:
            self.parts.memory.note(verdict.events, verdict.cap_usage, spans=verdict.spans)
            if verdict.claimed is not None:
                self.parts.memory.claims.note(ClaimDecision(new=verdict.claimed.columns))
            return counts
        issued = instant_text(asked.accepted)
        if finished.quarantine:
            self.parts.quarantine.set_aside(self.summary.submission, asked.number, lines=finished.quarantine)
        self._publish_mappings(finished.mappings, issued)
        decision = self._decision(asked.number, verdict, finished=finished, counts=counts, issued=issued)
        batch = self.parts.journal.decide(decision)
        if finished.recorded:
            self.summary.batches.append(batch)
        publish_queue(self.parts.journal, self.parts.log, rings=self.parts.rings)
        return counts

    def _decision(
        self, number: int, verdict: Verdict, *, finished: Finished, counts: PartCounts, issued: str
    ) -> PartDecision:
        journal, platform = self.parts.journal, self.submission.scheme.platform
        series, previous = journal.series_head(platform, CONVERSION)
        entry = b""
        files: list[RecordFile] = []
        findings = None
        if finished.recorded:
            statement = BatchStatement(
                issuer=self.parts.issuer,
                platform=platform,
                kind=CONVERSION,
                sequence=series,
                previous=previous,
                root=finished.root.hex(),
                size=finished.recorded,
                submission="sha256:" + self.summary.submission,
                issued=issued,
            )
            entry = seal(statement.body(), self.parts.signers)
            batch = journal.next_batch()
            files = self.parts.records.write(platform, batch, files=finished.files)
            if finished.findings:
                findings = self.parts.findings.write(batch, finished.findings)
        return PartDecision(
            submission=self.summary.submission,
            number=number,
            counts=counts,
            platform=platform,
            kind=CONVERSION,
            series=series,
            entry=entry,
            entry_digest=digest(entry),
            root=finished.root,
            size=finished.recorded,
            issued=issued,
            files=files,
            events=verdict.events,
            cap_usage=verdict.cap_usage,
            findings=findings,
            spans=verdict.spans,
            rejected_by_day=_without_records(finished.rejected),
            claims=self._claims(verdict, issued),
        )

    def _claims(self, verdict: Verdict, issued: str) -> ClaimDecision | None:
        claimed = verdict.claimed
        if claimed is None or claimed.columns is None or not claimed.columns.records:
            return None
        names = {*self.parts.journal.platforms(), self.submission.scheme.platform}
        platforms = {platform_tag(self.parts.index, name): name for name in names}
        return ClaimDecision(
            new=claimed.columns,
            states=claimed.states,
            reversals=self.parts.reversing.write(claimed.reversed, platforms=platforms, issued=issued),
        )

    def _publish_mappings(self, used: list[str], issued: str) -> None:
        """Publish each version in the log before the first batch that cites it."""
        if not self._published:
            self._published.update(mapping.digest for mapping in self.parts.journal.mappings())
        for program in self.submission.scheme.programs:
            if "sha256:" + program.digest in used and program.digest not in self._published:
                publication = mapping_publication(
                    program, self.parts.issuer, signers=self.parts.signers, issued=issued
                )
                self.parts.journal.publish_mapping(*publication)
                self._published.add(program.digest)


def _without_records(rejected: Counter[tuple[str | None, str]]) -> dict[tuple[str | None, str], int]:
    """Leave out acts that have a record: a day statement counts those that do not count in the end."""
    return {of: count for of, count in rejected.items() if of[1] != Rejection.ALREADY_CLAIMED}


def _counts(asked: Asked, verdict: Verdict, *, finished: Finished) -> PartCounts:
    rejected: Counter[str] = Counter()
    for (_, code), count in finished.rejected.items():
        rejected[code] += count
    return PartCounts(
        rows=asked.rows,
        merged=asked.merged,
        accepted=finished.accepted,
        duplicates=asked.repeated + verdict.duplicates,
        rejected=dict(rejected),
        claims_differ=finished.claims_differ,
        findings=finished.found,
        co2e_mg=finished.co2e_mg,
        points=finished.points,
    )
