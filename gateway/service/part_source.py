"""From files to prepared parts: everything of a conversion that needs no memory of earlier ones.

It carries all that it needs, so it can run in a process of its own, ahead of the one that decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from gateway.claims import Kinds
from gateway.model.source import Outcome, RefusedRow, SourceRow
from gateway.ports import Clock
from gateway.service.assembling import assembled
from gateway.service.preparing import Part, Preparer
from gateway.service.scheme import MakeConverter, SchemeEvaluator
from gateway.service.sorting import Sorting
from gateway.service.start_order import by_start
from gateway.service.submission import Submission
from gateway.signing import KeyedIndex

__all__ = ["PartSource"]

PART_CHARACTERS: Final = 32 * 1024 * 1024  # rows of the largest size must not fill the memory
ROWS_AT_ONCE: Final = 256  # of the largest size: 16 MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSource:
    """The parts of one submission. ``done`` are the numbers of those that need not be prepared again.

    ``kinds`` say what is compared across platforms; None where no account is linked.
    """

    submission: Submission
    index: KeyedIndex
    make_converter: MakeConverter
    sorting: Sorting
    clock: Clock
    part_rows: int
    done: frozenset[int]
    kinds: Kinds | None = None

    def parts(self) -> Iterator[Part]:
        """Yield the parts in their order: read, assemble, put in order, cut, prepare."""
        preparer = Preparer(
            self.submission.scheme,
            index=self.index,
            make_converter=self.make_converter,
            kinds=self.kinds,
        )
        outcomes = self._outcomes(preparer.evaluator)
        for number, some in enumerate(_cut(outcomes, self.part_rows)):
            if number not in self.done:
                yield preparer.prepare(number, some, accepted=self.clock.now())

    def _outcomes(self, evaluator: SchemeEvaluator) -> Iterator[Outcome]:
        newest = self.submission.scheme.programs[-1]
        adapter, assemble = self.submission.adapter, self.sorting.assemble
        outcomes = assembled(self._rows(), newest, adapter=adapter, assemble=assemble)
        return (
            by_start(outcomes, evaluator, sort=self.sorting.order)
            if evaluator.needs_start_order
            else outcomes
        )

    def _rows(self) -> Iterator[SourceRow | RefusedRow]:
        source = self.submission.scheme.programs[-1].source.format
        for document in self.submission.documents:
            with document.open() as stream:
                yield from self.submission.adapter.rows(stream, document.name, source=source)


def _cut(outcomes: Iterator[Outcome], part_rows: int) -> Iterator[list[Outcome]]:
    """Cut outcomes into parts of so many rows, or fewer where they are large."""
    part: list[Outcome] = []
    characters = 0
    while some := list(islice(outcomes, min(ROWS_AT_ONCE, part_rows - len(part)))):
        part += some
        characters += _characters(some)
        if len(part) == part_rows or characters > PART_CHARACTERS:
            yield part
            part, characters = [], 0
    if part:
        yield part


def _characters(outcomes: list[Outcome]) -> int:
    fields = (outcome.fields.values() for outcome in outcomes if isinstance(outcome, SourceRow | RefusedRow))
    return sum(map(len, chain.from_iterable(fields)))
