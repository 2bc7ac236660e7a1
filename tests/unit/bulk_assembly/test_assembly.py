"""The sort stage: groups in order, the order of the input forgotten, every row accounted for."""

from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.bulk.assembly import sort_rows
from gateway.contract import Assembly
from gateway.errors import InvariantBroken
from gateway.model.codes import Rejection
from gateway.model.source import Outcome, Place, RefusedRow, SourceRow

MEMORY = 1 << 20


def row(number: int, file: str = "f", **fields: str) -> SourceRow:
    return SourceRow(Place(file, number), fields)


def assembly(assemble: Callable[[Iterator[SourceRow]], Iterator[Outcome]]) -> Assembly:
    return Assembly(group_by=("card",), order_by=("time", "gate"), assemble=assemble)


def joined(rows: Iterator[SourceRow]) -> Iterator[Outcome]:
    """Make one row of a group, so that a test sees the groups."""
    found = list(rows)
    yield SourceRow(
        found[0].place, {"card": found[0].fields.get("card", "none")}, tuple(r.place for r in found[1:])
    )


def places(outcomes: Iterator[Outcome]) -> list[list[int]]:
    return [[place.row for place in (outcome.place, *outcome.also)] for outcome in outcomes]


def test_rows_of_a_group_come_together_in_the_declared_order(tmp_path: Path) -> None:
    rows = [
        row(1, card="b", time="2", gate="1"),
        row(2, card="a", time="3", gate="1"),
        row(3, card="b", time="1", gate="2"),
        row(4, card="b", time="1", gate="1"),
    ]

    assert places(sort_rows(rows, assembly(joined), folder=tmp_path, memory=MEMORY)) == [[2], [4, 3, 1]]


def test_absent_field_sorts_before_an_empty_text_and_that_before_any_other(tmp_path: Path) -> None:
    rows = [row(1, card="a", time="\0"), row(2, card="a", time=""), row(3, card="a"), row(4, card="")]

    found = sort_rows([*rows, row(5)], assembly(joined), folder=tmp_path, memory=MEMORY)

    assert places(found) == [[5], [4], [3, 2, 1]]


def test_texts_compare_by_code_point(tmp_path: Path) -> None:
    # UTF-16, Java's and JavaScript's order, would put the last one first.
    rows = [row(1, card="a", time="\U00010000"), row(2, card="a", time="\uffff"), row(3, card="a", time="z")]

    assert places(sort_rows(rows, assembly(joined), folder=tmp_path, memory=MEMORY)) == [[3, 2, 1]]


TEXT = st.none() | st.text(st.sampled_from("\0\x01\x02ab\uffff\U00010000"), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=12))
def test_order_is_that_of_the_texts_themselves(tmp_path: Path, keys: list[tuple[str | None, ...]]) -> None:
    def fields(key: tuple[str | None, ...]) -> dict[str, str]:
        return {n: t for n, t in zip(("card", "time", "gate"), key, strict=True) if t is not None}

    rows = [SourceRow(Place("f", n), fields(key)) for n, key in enumerate(keys)]

    found = sort_rows(rows, assembly(iter), folder=tmp_path, memory=300)

    def by_text(r: SourceRow) -> list[tuple[bool, str]]:
        return [(name in r.fields, r.fields.get(name, "")) for name in ("card", "time", "gate")]

    assert list(found) == sorted(rows, key=lambda r: (by_text(r), r.place))


def test_rows_equal_in_every_field_of_the_order_stand_by_place(tmp_path: Path) -> None:
    rows = [row(10, "b", card="a"), row(9, "b", card="a"), row(11, "a", card="a")]

    for order in permutations(rows):
        found = sort_rows(order, assembly(joined), folder=tmp_path, memory=0)
        assert places(found) == [[11, 9, 10]]


def test_rows_that_the_adapter_refused_pass_unchanged(tmp_path: Path) -> None:
    refused = RefusedRow(Place("f", 2), Rejection.MALFORMED_ROW, "why", {"card": "a"}, (Place("f", 3),))

    found = list(sort_rows([row(1, card="a"), refused], assembly(iter), folder=tmp_path, memory=MEMORY))

    assert found == [refused, row(1, card="a")]


def test_places_merged_before_the_sort_are_kept(tmp_path: Path) -> None:
    merged = row(1, card="a")._replace(also=(Place("f", 7),))

    assert list(sort_rows([merged], assembly(iter), folder=tmp_path, memory=0)) == [merged]


def drop_second(rows: Iterator[SourceRow]) -> Iterator[Outcome]:
    yield next(rows)


def say_twice(rows: Iterator[SourceRow]) -> Iterator[Outcome]:
    for one in rows:
        yield one
        yield one


@pytest.mark.parametrize(
    ("assemble", "said"), [(drop_second, "1 of the 2 rows"), (say_twice, "4 of the 2 rows")]
)
def test_assembly_that_loses_or_doubles_rows_is_stopped(
    tmp_path: Path, assemble: Callable[[Iterator[SourceRow]], Iterator[Outcome]], said: str
) -> None:
    rows = [row(1, card="a"), row(2, card="a")]

    with pytest.raises(InvariantBroken, match=said) as stopped:
        list(sort_rows(rows, assembly(assemble), folder=tmp_path, memory=MEMORY))

    assert "author" in stopped.value.remedy
