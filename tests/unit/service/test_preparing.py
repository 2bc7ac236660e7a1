"""A part is prepared alike whether its rows come in blocks or one by one, and leaves nothing behind."""

import gc
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

import orjson
import pytest

from gateway.bulk.columns import ColumnEvaluator
from gateway.model.source import Outcomes, Place, SourceBlock, SourceRow
from gateway.service.acts.preparing import Part, Preparer
from gateway.service.acts.scheme import Scheme
from gateway.signing import KeyedIndex
from tests.fakes.mappings import act, make_cap, yunxi

ACCEPTED = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def preparer() -> Preparer:
    """Make the preparer of the invented city."""
    program = yunxi(caps=(make_cap(),))
    return Preparer(
        Scheme(program.id, (program,)), index=KeyedIndex(bytes(32)), make_converter=ColumnEvaluator
    )


def test_blocks_are_prepared_as_their_rows_are(preparer: Preparer) -> None:
    rows = _rows(Random(8), count=2000)
    pieces: list[Outcomes] = [_block(rows[:500]), rows[500:510], _block(rows[510:])]

    in_blocks = preparer.prepare(0, pieces, accepted=ACCEPTED)
    one_by_one = preparer.prepare(0, [rows], accepted=ACCEPTED)

    assert in_blocks.asked == one_by_one.asked
    assert in_blocks.prepared.acts == one_by_one.prepared.acts
    assert _told(in_blocks) == _told(one_by_one)
    assert 100 < len(in_blocks.prepared.rejected) < 1000 < len(in_blocks.prepared.acts.day)


def test_preparing_leaves_no_cycle_for_the_collector(preparer: Preparer) -> None:
    rows = _rows(Random(9), count=300)
    preparer.prepare(0, [rows], accepted=ACCEPTED)
    gc.collect()
    gc.disable()  # as it is while rows run: what is left in cycles would stay
    try:
        preparer.prepare(1, [rows], accepted=ACCEPTED)
        left = gc.collect()
    finally:
        gc.enable()

    assert left == 0


def _told(part: Part) -> tuple[object, ...]:
    """Return where everything in a part comes from; fields of an object have no order."""
    origins = part.prepared.origins
    rejected: Sequence[object] = [
        (row.origin.place, orjson.loads(row.origin.fields), *row[1:]) for row in part.prepared.rejected
    ]
    acts = origins.at(range(len(part.prepared.acts.day)))
    return rejected, [(origin.place, orjson.loads(origin.fields)) for origin in acts]


def _rows(chance: Random, *, count: int) -> list[SourceRow]:
    rows = []
    for number in range(count):
        fields = act(
            event=f"T{number // 2}",
            person=f"u{chance.randrange(40)}",
            behaviour=chance.choice(("01", "02", "03", "03", "99")),
            distance=chance.choice(("8.120", "3.499", "1", "1.5", "x")),
            start=f"2025-03-{chance.randrange(1, 28):02d}T12:15:00+08:00",
        )
        if chance.random() < 0.1:
            del fields[chance.choice(list(fields))]
        rows.append(SourceRow(Place("f", number + 1), fields))
    return rows


def _block(rows: Sequence[SourceRow]) -> SourceBlock:
    columns = {name: [row.fields.get(name) for row in rows] for name in (*act(), "distance")}
    return SourceBlock(rows[0].place, len(rows), 100 * len(rows), columns)
