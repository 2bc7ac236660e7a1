"""From files to prepared parts: everything of a conversion that needs no memory of earlier ones.

It carries all that it needs, so it can run in a process of its own, ahead of the one that decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from gateway.claims import Kinds
from gateway.contract import BlockAdapter
from gateway.model.source import Outcome, Outcomes, RefusedRow, SourceBlock, SourceRow
from gateway.ports import Clock
from gateway.service.acts.assembling import assembled
from gateway.service.acts.preparing import Part, Preparer
from gateway.service.acts.scheme import MakeConverter, SchemeEvaluator
from gateway.service.acts.sorting import Sorting
from gateway.service.acts.start_order import by_start
from gateway.service.acts.submission import Submission
from gateway.signing import KeyedIndex

__all__ = ["PartSource"]

PART_CHARACTERS: Final = 32 * 1024 * 1024  # rows of the largest size must not fill the memory
ROWS_AT_ONCE: Final = 256  # of the largest size: 16 MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSource:
    """The parts of one submission. ``done`` are the numbers of those that need not be prepared again.

    ``kinds`` say what is compared across platforms; None where no account is linked. ``stating``: the parts
    say which rows have stated the acts.
    """

    submission: Submission
    index: KeyedIndex
    make_converter: MakeConverter
    sorting: Sorting
    clock: Clock
    part_rows: int
    done: frozenset[int]
    kinds: Kinds | None = None
    stating: bool = False

    def parts(self) -> Iterator[Part]:
        """Yield the parts in their order: read, assemble, put in order, cut, prepare."""
        preparer = Preparer(
            self.submission.scheme,
            index=self.index,
            make_converter=self.make_converter,
            kinds=self.kinds,
            stating=self.stating,
        )
        outcomes = self._outcomes(preparer.evaluator)
        for number, some in enumerate(_cut(outcomes, self.part_rows)):
            if number not in self.done:
                yield preparer.prepare(number, some, accepted=self.clock.now())

    def _outcomes(self, evaluator: SchemeEvaluator) -> Iterator[Outcome | SourceBlock]:
        newest = self.submission.scheme.programs[-1]
        adapter, assemble = self.submission.adapter, self.sorting.assemble
        if newest.source.group is None and adapter.assembly is None and not evaluator.needs_start_order:
            return self._blocks()
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

    def _blocks(self) -> Iterator[SourceBlock | SourceRow | RefusedRow]:
        adapter = self.submission.adapter
        if not isinstance(adapter, BlockAdapter):
            yield from self._rows()
            return
        source = self.submission.scheme.programs[-1].source.format
        for document in self.submission.documents:
            with document.open() as stream:
                yield from adapter.blocks(stream, document.name, source=source)


def _cut(outcomes: Iterator[Outcome | SourceBlock], part_rows: int) -> Iterator[list[Outcomes]]:
    """Cut outcomes into parts of so many rows, or fewer where they are large.

    Large ones are looked at after each 256 rows of a part, whether they come in blocks or not: a
    submission that was interrupted must be cut in the same places again.
    """
    part: list[Outcomes] = []
    rows, at_most = 0, 0
    for some in _together(outcomes):
        rest = some
        while rest:
            room = part_rows - rows
            at_most += rest.characters_max if isinstance(rest, SourceBlock) else _characters(rest)
            if at_most > PART_CHARACTERS:
                room = min(room, ROWS_AT_ONCE - rows % ROWS_AT_ONCE)
            taken, rest = _split(rest, room)
            part.append(taken)
            rows += len(taken)
            if at_most > PART_CHARACTERS:
                at_most = sum(map(_characters, part))
            if rows == part_rows or (at_most > PART_CHARACTERS and rows % ROWS_AT_ONCE == 0):
                yield part
                part, rows, at_most = [], 0, 0
    if part:
        yield part


def _together(outcomes: Iterator[Outcome | SourceBlock]) -> Iterator[Outcomes]:
    """Put outcomes that come one by one together."""
    held: list[Outcome] = []
    for outcome in outcomes:
        if isinstance(outcome, SourceBlock):
            if held:
                yield held
                held = []
            yield outcome
            continue
        held.append(outcome)
        if len(held) == ROWS_AT_ONCE:
            yield held
            held = []
    if held:
        yield held


def _split(outcomes: Outcomes, size: int) -> tuple[Outcomes, Outcomes]:
    if size >= len(outcomes):
        return outcomes, []
    if isinstance(outcomes, SourceBlock):
        return outcomes.part(0, size), outcomes.part(size, len(outcomes))
    return outcomes[:size], outcomes[size:]


def _characters(outcomes: Outcomes) -> int:
    if isinstance(outcomes, SourceBlock):
        return sum(len(text) for column in outcomes.columns.values() for text in column if text is not None)
    fields = (outcome.fields.values() for outcome in outcomes if isinstance(outcome, SourceRow | RefusedRow))
    return sum(map(len, chain.from_iterable(fields)))
