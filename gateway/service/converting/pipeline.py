"""Convert a submission: files of a platform become signed, logged records; the rest is set aside.

A submission is cut into parts. Each part is decided in one transaction and published before the next
is decided, so a killed run loses at most the parts it was working on and goes on there.
"""

from collections import deque
from collections.abc import Callable, Iterator

from gateway.claims import closed_through
from gateway.ports import Begun, Journal, PartCounts
from gateway.service.acts.origins import Stated
from gateway.service.acts.part_source import PartSource
from gateway.service.acts.preparing import Asked
from gateway.service.acts.scheme import SchemeEvaluator, require_admitted
from gateway.service.acts.submission import Submission, Summary
from gateway.service.claims.claiming import ClaimJudge
from gateway.service.claims.closing import close_claims
from gateway.service.converting.deciding import Deciding
from gateway.service.converting.finishing import Finisher
from gateway.service.converting.part import PartJudge, Verdict
from gateway.service.converting.parts import Converting, Finishing
from gateway.service.publishing import publish_queue

__all__ = ["convert_submission"]


def convert_submission(
    submission: Submission,
    parts: Converting,
    *,
    watch: Callable[[int], None] = lambda _rows: None,
    tell: Callable[[Stated], None] | None = None,
) -> Summary:
    """Convert every row of a submission exactly once.

    1. refuse files that are not what they say  2. finish what a killed run has left  3. read rows,
    cut them into parts and prepare these  4. decide each part once and publish it  5. sum up

    Args:
        submission: what is to be converted.
        parts: what does the work.
        watch: called with the number of rows read so far.
        tell: called for each part with the rows that have stated its acts; parts that an interrupted run
            has decided are read again for that.
    """
    require_admitted(submission.scheme, parts.profile)
    _require_readable(submission)
    summary = Summary(submission.id(), submission.scheme.id, dry_run=submission.dry_run)
    begun = Begun(parts.part_rows, interrupted=False)
    if not submission.dry_run:
        _finish_interrupted(parts)
        begun = parts.journal.begin(summary.submission, submission.description(), part_rows=parts.part_rows)
    done = _sum_up_done(parts.journal, summary) if begun.interrupted else frozenset()
    deciding = Deciding(summary=summary, submission=submission, parts=parts)
    source = PartSource(
        submission=submission,
        index=parts.index,
        make_converter=parts.make_converter,
        sorting=parts.sorting,
        clock=parts.clock,
        part_rows=begun.part_rows,
        done=done if tell is None else frozenset(),
        kinds=parts.kinds if parts.memory.claims.any_links() else None,
        stating=tell is not None,
    )
    for counts in _decided(source, deciding, done=done, tell=tell):
        summary.add(counts)
        watch(summary.counts.rows)
    if not submission.dry_run:
        parts.journal.finish(summary.submission)
    return summary


def _decided(
    source: PartSource,
    deciding: Deciding,
    *,
    done: frozenset[int],
    tell: Callable[[Stated], None] | None,
) -> Iterator[PartCounts]:
    """Judge parts in their order, have them finished, and decide them in their order.

    While parts are being finished the next are judged; a part is decided only after the one before it.
    """
    scheme, parts = source.submission.scheme, deciding.parts
    judge = PartJudge(
        evaluator=SchemeEvaluator(scheme, parts.make_converter),
        memory=parts.memory,
        claims=ClaimJudge(
            kinds=parts.kinds,
            claims=parts.memory.claims,
            index=parts.index,
            platform=scheme.platform,
            random_bytes=parts.random_bytes,
        ),
    )
    finisher = Finisher(
        scheme=scheme,
        issuer=parts.issuer,
        random_bytes=parts.random_bytes,
        encode=parts.encode,
        dry_run=source.submission.dry_run,
    )
    waiting: deque[tuple[Asked, Verdict, Finishing]] = deque()

    def decide_oldest() -> PartCounts:
        asked, verdict, finishing = waiting.popleft()
        counts = deciding.decide(asked, verdict, finished=finishing.result())
        judge.settled()
        return counts

    with parts.crew() as crew:
        for asked, unfinished in crew.prepare(source.parts):
            if tell is not None and asked.stated is not None:
                tell(asked.stated)
            if asked.number in done:
                continue
            verdict = judge.judge(asked)
            finishing = unfinished.finish(finisher, verdict=verdict.for_records(), accepted=asked.accepted)
            waiting.append((asked, verdict, finishing))
            while waiting and (len(waiting) > crew.ahead or waiting[0][2].done()):
                yield decide_oldest()
        while waiting:
            yield decide_oldest()


def _require_readable(submission: Submission) -> None:
    """Refuse files that are not what they say, each as a whole, before anything is written."""
    source = submission.scheme.programs[-1].source.format
    for document in submission.documents:
        document.require_whole()
        with document.open() as stream:
            next(submission.adapter.rows(stream, document.name, source=source), None)


def _sum_up_done(journal: Journal, summary: Summary) -> frozenset[int]:
    """Add what an interrupted run has decided and return the numbers of its parts."""
    done = journal.parts(summary.submission)
    for counts in done.values():
        summary.resumed += 1
        summary.add(counts)
    return frozenset(done)


def _finish_interrupted(parts: Converting) -> None:
    """Publish what was decided, sweep away files of a part that was not, forget what has had its time."""
    publish_queue(parts.journal, parts.log, rings=parts.rings)
    parts.records.sweep(parts.journal.next_batch())
    parts.findings.sweep(parts.journal.next_batch())
    parts.journal.drop_spans(parts.clock.now().toordinal())
    parts.reversing.sweep()
    close_claims(closed_through(parts.clock.now()), parts.journal.claims, kinds=parts.kinds)
