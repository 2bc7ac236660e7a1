"""Convert a submission: files of a platform become signed, logged records; the rest is set aside.

A submission is cut into parts. Each part is decided in one transaction and published before the next
begins, so a killed run loses at most the part it was working on and goes on there.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from gateway.model.source import Outcome, RefusedRow, SourceRow
from gateway.ports import Begun
from gateway.service.deciding import Deciding
from gateway.service.part import PartJudge
from gateway.service.parts import Converting
from gateway.service.preparing import PartJob, Preparer
from gateway.service.publishing import publish_queue
from gateway.service.scheme import SchemeEvaluator, require_admitted
from gateway.service.start_order import by_start
from gateway.service.submission import Submission, Summary

__all__ = ["convert_submission"]

PART_CHARACTERS: Final = 32 * 1024 * 1024  # rows of the largest size must not fill the memory


def convert_submission(
    submission: Submission, parts: Converting, *, watch: Callable[[int], None] = lambda _rows: None
) -> Summary:
    """Convert every row of a submission exactly once.

    1. finish what a killed run has left  2. read rows  3. cut into parts  4. decide each part once
    5. publish it  6. sum up

    Args:
        submission: what is to be converted.
        parts: what does the work.
        watch: called with the number of rows read so far.
    """
    require_admitted(submission.scheme, parts.profile)
    preparer = Preparer(
        submission.scheme,
        parts.issuer,
        index=parts.index,
        make_converter=parts.make_converter,
        random_bytes=parts.random_bytes,
    )
    summary = Summary(submission.id(), submission.scheme.id, dry_run=submission.dry_run)
    begun = Begun(parts.part_rows, interrupted=False)
    if not submission.dry_run:
        _finish_interrupted(parts)
        begun = parts.journal.begin(summary.submission, submission.description(), part_rows=parts.part_rows)
    deciding = Deciding(summary=summary, submission=submission, parts=parts)
    judge = PartJudge(evaluator=preparer.evaluator, index=parts.index, memory=parts.memory)
    jobs = _jobs(submission, preparer.evaluator, parts=parts, begun=begun, summary=summary)
    for job, prepared in parts.prepare_all(preparer, jobs):
        summary.add(deciding.decide(job, judge.judge(job, prepared)))
        watch(summary.counts.rows)
    if not submission.dry_run:
        parts.journal.finish(summary.submission)
    return summary


def _jobs(
    submission: Submission,
    evaluator: SchemeEvaluator,
    *,
    parts: Converting,
    begun: Begun,
    summary: Summary,
) -> Iterator[PartJob]:
    """Cut the outcomes into parts; what an interrupted run has decided is summed up and left out."""
    outcomes = _outcomes(submission, evaluator, parts=parts)
    for number, some in enumerate(_cut(outcomes, begun.part_rows)):
        counts = parts.journal.part(summary.submission, number) if begun.interrupted else None
        if counts is None:
            yield PartJob(number, some, parts.clock.now())
        else:
            summary.resumed += 1
            summary.add(counts)


def _finish_interrupted(parts: Converting) -> None:
    """Publish what was decided, and sweep away files of a part that was not."""
    publish_queue(parts.journal, parts.log)
    parts.records.sweep(parts.journal.next_batch())


def _outcomes(submission: Submission, evaluator: SchemeEvaluator, *, parts: Converting) -> Iterator[Outcome]:
    rows = _rows(submission)
    assembly = submission.adapter.assembly
    outcomes: Iterator[Outcome] = rows if assembly is None else parts.sorting.assemble(rows, assembly)
    return (
        by_start(outcomes, evaluator, sort=parts.sorting.order) if evaluator.needs_start_order else outcomes
    )


def _rows(submission: Submission) -> Iterator[SourceRow | RefusedRow]:
    source = submission.scheme.programs[0].source.format
    for document in submission.documents:
        with document.open() as stream:
            yield from submission.adapter.rows(stream, document.name, source=source)


def _cut(outcomes: Iterable[Outcome], part_rows: int) -> Iterator[list[Outcome]]:
    part: list[Outcome] = []
    characters = 0
    for outcome in outcomes:
        part.append(outcome)
        if isinstance(outcome, SourceRow | RefusedRow):
            characters += sum(map(len, outcome.fields.values()))
        if len(part) == part_rows or characters > PART_CHARACTERS:
            yield part
            part, characters = [], 0
    if part:
        yield part
