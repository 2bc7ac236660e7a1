"""A submission is cut into the same parts whether its rows come in blocks or one by one."""

from collections.abc import Iterator
from itertools import chain
from random import Random

import pytest

from gateway.model.codes import Rejection
from gateway.model.source import Outcome, Place, RefusedRow, SourceBlock, SourceRow
from gateway.service.acts import part_source
from gateway.service.acts.part_source import ROWS_AT_ONCE, _cut

CHARACTERS = 40_000


@pytest.mark.parametrize("part_rows", [1, 100, 1024, 3000])
@pytest.mark.parametrize("longest", [3, 60])
def test_parts_do_not_depend_on_blocks(part_rows: int, longest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_source, "PART_CHARACTERS", CHARACTERS)  # the true limit needs 32 MiB of rows
    chance = Random(f"{part_rows} {longest}")
    mixed = _outcomes(chance, longest=longest)
    single = list(chain.from_iterable(one if isinstance(one, SourceBlock) else [one] for one in mixed))

    in_blocks = [list(chain.from_iterable(part)) for part in _cut(iter(mixed), part_rows)]
    one_by_one = [list(chain.from_iterable(part)) for part in _cut(iter(single), part_rows)]

    assert in_blocks == one_by_one == list(_plainly_cut(single, part_rows))
    assert list(chain.from_iterable(in_blocks)) == single


def test_a_part_without_large_rows_has_as_many_as_it_may() -> None:
    block = SourceBlock(Place("f", 1), 5000, 10_000, {"a": ["x"] * 5000, "b": [None] * 5000})

    assert [sum(map(len, part)) for part in _cut(iter([block, block]), 3000)] == [3000, 3000, 3000, 1000]


def _plainly_cut(outcomes: list[Outcome], part_rows: int) -> Iterator[list[Outcome]]:
    """Cut row by row: full parts, and those too large after a multiple of 256 rows."""
    part: list[Outcome] = []
    characters = 0
    for outcome in outcomes:
        part.append(outcome)
        if isinstance(outcome, SourceRow | RefusedRow):
            characters += sum(map(len, outcome.fields.values()))
        large = characters > CHARACTERS and len(part) % ROWS_AT_ONCE == 0
        if len(part) == part_rows or large:
            yield part
            part, characters = [], 0
    if part:
        yield part


def _outcomes(chance: Random, *, longest: int) -> list[Outcome | SourceBlock]:
    found: list[Outcome | SourceBlock] = []
    row = 1
    while row < 12_000:
        size = chance.choice((1, 1, 7, 700, 1800))
        texts = ["x" * chance.randrange(longest) for _ in range(size)]
        if size > 1:
            found.append(SourceBlock(Place("f", row), size, sum(map(len, texts)) + 9 * size, {"a": [*texts]}))
        elif chance.random() < 0.5:
            found.append(SourceRow(Place("f", row), {"a": texts[0]}))
        else:
            found.append(RefusedRow(Place("f", row), Rejection.MALFORMED_ROW, "no row", {"": texts[0]}))
        row += size
    return found
